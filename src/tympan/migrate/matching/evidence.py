"""Whether a file speaks the old protocol at all: no rule looks further without. PURE.

Words like `text` or `message_type` are everybody's. They mean the old protocol only in a file that has its address,
the names of its messages, or a key that nothing else has. In the later rounds of a fix, and only there, it is
remembered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import libcst as cst

from tympan.migrate.matching.source import EVIDENCE, PythonDocument

V2 = "speaks v2"

TYPE_NAMES = frozenset(
    {"SessionBegins", "PartialTranscript", "FinalTranscript", "SessionInformation", "SessionTerminated"}
)
"""The `message_type`s of v2."""

_ADDRESS = re.compile(r"/v2/realtime/(?:ws|token)|wss?://api(?:\.eu|\.us)?\.assemblyai\.com")
_TELLING_KEYS = frozenset({"terminate_session", "force_end_utterance", "end_utterance_silence_threshold"})
_HINT = re.compile("|".join((_ADDRESS.pattern, "v2/realtime", *sorted(TYPE_NAMES | _TELLING_KEYS))))


def evidence_in(code: PythonDocument) -> frozenset[str]:
    """Facts about the whole file."""
    if EVIDENCE not in code.memo:
        found = _looked_for(code) if _HINT.search(code.text) else frozenset()
        code.memo[EVIDENCE] = code.context | found
    evidence: frozenset[str] = code.memo[EVIDENCE]
    return evidence


def remember(code: PythonDocument, facts: Iterable[str]) -> None:
    """Add facts for the next round of a fix."""
    code.memo[EVIDENCE] = evidence_in(code) | frozenset(facts)


def speaks_v2(code: PythonDocument) -> bool:
    """Whether it is (or was, before this fix began) a program for the old protocol."""
    return V2 in evidence_in(code)


def _looked_for(code: PythonDocument) -> frozenset[str]:
    """The words must stand in texts of the program, not in comments."""
    for node in code.nodes(cst.SimpleString, cst.FormattedStringText):
        if _HINT.search(node.value):
            return frozenset({V2})
    for arg in code.nodes(cst.Arg):
        if arg.keyword is not None and arg.keyword.value in _TELLING_KEYS:
            return frozenset({V2})
    return frozenset()
