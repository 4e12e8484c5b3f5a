"""TM051: parameters of the old protocol in files of settings."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tympan.migrate.document import Span
from tympan.migrate.matching.settings_text import V2, SettingsDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_ADVICE = {
    "word_boost": "It is keyterms_prompt in v3: at most 100 terms of at most 50 characters",
    "end_utterance_silence_threshold": "It is max_turn_silence in v3, in milliseconds too",
    "disable_partial_transcripts": "It is the opposite in v3: include_partial_turns",
    "enable_extra_session_information": "There is none in v3: the Termination message tells the durations",
    "frames_per_buffer": "50 ms are enough for v3, 800 frames at 16 kHz; up to 1000 ms are allowed",
}

_ENOUGH_FRAMES = 800
"""50 ms at 16 kHz."""

_EVERYBODYS = frozenset({"word_boost", "frames_per_buffer"})
"""Also names of other services' settings, and of the vendor's batch service: told only beside an old address."""

_NAME = re.compile(
    rf"^[ \t]*(?:export[ \t]+|-[ \t]+)?[\"']?\b(?P<name>{'|'.join(_ADVICE)})[\"']?"
    r"[ \t]*[:=][ \t]*[\"']?(?P<number>\d{1,9})?",
    re.MULTILINE | re.IGNORECASE,
)


class SettingsNames(Rule[SettingsDocument]):
    """Names of old parameters in settings."""

    code = "TM051"
    title = "Old parameters in settings"
    what = (
        "Finds settings that are called as parameters of v2 were: `word_boost`, `end_utterance_silence_threshold`, "
        "`disable_partial_transcripts`, `enable_extra_session_information`; and `frames_per_buffer`."
    )
    why = "The service refuses or ignores parameters that it doesn't know."
    applicability = Applicability.BY_HAND
    document_type = SettingsDocument
    file_name = "settings.yaml"
    valid = (
        Valid("max_turn_silence: 700\n"),
        Valid("batch:\n  word_boost: [Sonny]\n", "a parameter of batch transcription too"),
    )
    invalid = (
        Invalid("end_utterance_silence_threshold: 700\n", None),
        Invalid("url: ws://example.com/v2/realtime/ws\nword_boost: [Sonny]\n", None, about="beside an old address"),
    )

    def check(self, document: SettingsDocument, target: Target) -> Iterator[Finding]:
        speaks_v2 = V2 in document.known()
        for found in _NAME.finditer(document.text):
            name = found["name"].lower()
            if document.is_comment(found.start("name")) or (name in _EVERYBODYS and not speaks_v2):
                continue
            message = f"{found['name']} is a parameter of the old protocol"
            if name == "frames_per_buffer":
                if int(found["number"] or 0) <= _ENOUGH_FRAMES:
                    continue
                message = f"{found['name']} may be 200 ms, as v2 advised"
            advice = f"{_ADVICE[name]}. The name belongs to the program that reads it."
            yield self.by_hand(Span(*found.span("name")), message, advice)
