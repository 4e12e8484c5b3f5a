"""Whether a JavaScript file speaks the old protocol: by an address, by the old SDK, or by its messages. PURE."""

from __future__ import annotations

import re
from types import MappingProxyType

from tympan.migrate.matching.javascript import JavaScriptDocument, Kind, Token

ADDRESS = re.compile(r"/v2/realtime/(?:ws|token)\b|wss://api(?:\.eu)?\.assemblyai\.com(?![\w/-])")

SDK_CLASSES = MappingProxyType(
    {
        "RealtimeTranscriber": "StreamingTranscriber",
        "RealtimeService": "StreamingTranscriber",
        "RealtimeTranscriberFactory": "StreamingTranscriberFactory",
        "RealtimeServiceFactory": "StreamingTranscriberFactory",
        "RealtimeTranscript": "TurnEvent",
        "PartialTranscript": "TurnEvent",
        "FinalTranscript": "TurnEvent",
        "SessionBeginsEventData": "BeginEvent",
    }
)
"""Classes and types that the old SDK exports → what takes their places."""

MESSAGE_TYPES = frozenset(
    {"SessionBegins", "PartialTranscript", "FinalTranscript", "SessionInformation", "SessionTerminated"}
)
_TELLING = frozenset({"terminate_session", "force_end_utterance", "end_utterance_silence_threshold"})


_HINT = re.compile("|".join(["v2/realtime", r"api\.assemblyai", *sorted(MESSAGE_TYPES | _TELLING)]))
"""Without any of these no look at the tokens is needed: programs that are built into one file are large."""


def is_sdk_imported(code: JavaScriptDocument) -> bool:
    """Whether the vendor's package is imported or required."""
    if "assemblyai" not in code.text:
        return False
    for before, token in zip(code.tokens, code.tokens[1:], strict=False):
        if token.kind is Kind.TEXT and token.text == "assemblyai" and before.text in ("from", "(", "import"):
            return True
    return False


def has_address(code: JavaScriptDocument) -> bool:
    """Whether an old address stands in a text."""
    return ADDRESS.search(code.text) is not None and any(ADDRESS.search(token.text) for token in code.texts())


def speaks_v2(code: JavaScriptDocument) -> bool:
    """Whether it sends or reads messages of the old protocol."""
    if not _HINT.search(code.text):
        return False
    texts = {token.text for token in code.texts()}
    names = {token.text for token, _ in code.names()}
    words = texts | names
    has_types = len(texts & MESSAGE_TYPES) >= 1 and "message_type" in words
    return has_address(code) or has_types or bool(words & _TELLING)


def follows(code: JavaScriptDocument, token: Token, *texts: str) -> bool:
    """Whether these tokens stand directly behind one."""
    index = code.tokens.index(token) + 1
    return tuple(found.text for found in code.tokens[index : index + len(texts)]) == texts
