"""The reference page of scripts, from the rows that scripts are read by. PURE: standard library, `core` and `wire`."""

from __future__ import annotations

from tympan.core.endpoint import SOONEST_END_MS
from tympan.script.format import FAULT_KEYS, PROGRAMME_KEYS, SESSION_KEYS, TURN_KEYS, WORD_KEYS
from tympan.script.keys import Key
from tympan.script.pacing import GAP_MS, LETTER_MS, WORD_MS
from tympan.wire.reference import NOTICE, table

EXAMPLE = """\
[[sessions]]                     # the first connection
[[sessions.turns]]
text = "Hi, my name is Sonny."
[[sessions.faults]]
after_audio_ms = 1000
close = 3005

[[sessions]]                     # the second one, and all after it
partial_every_ms = 250
[[sessions.turns]]
text = "Hi, my name is Sonny."
start_ms = 500
end_of_turn_confidence = 0.2
[[sessions.turns]]
text = "I would like to book a table."
pause_ms = 2000
"""
"""Also what a test reads, so that the page can't be wrong."""

_INTRODUCTION = f"""\
What `tympan serve --script FILE` and `tympan.testing` play. A script is TOML; JSON of the same shape will do. It is a
list of `sessions`, played in the order in which sessions begin, or one session without the list round it. Times are
milliseconds of audio received, whatever is in it and however fast it comes. A key that isn't listed here is an error.

```toml
{EXAMPLE}```

"""

_TURNS = f"""\
A word lasts {WORD_MS} ms and {LETTER_MS} ms for each letter, and {GAP_MS} ms pass before the next one. Formatting,
partials and ends of turns follow the client's parameters, as ever: a turn ends where its confidence exceeds the
client's threshold and the shorter silence has passed, or after the longest silence; with a U3 model, that of the mode,
and after {SOONEST_END_MS} ms at the soonest.

"""

_MESSAGES = """\
Messages that are said as they are, whatever the client asks for; `tympan record` writes them. `at_ms` is required: the
message is said once so much audio has come, at Terminate at the latest. All other keys are the fields of a message of
[protocol v3](protocol.md), `type` among them. `Begin` and `Termination` are the server's own.

"""

_FAULTS = """\
A fault has one moment and one act, and happens once a session. What was heard before its moment has been told by then.

"""


def render() -> str:
    """The page."""
    return (
        f"{NOTICE}# Scripts of the test double\n\n{_INTRODUCTION}"
        + _section("The script", "", PROGRAMME_KEYS)
        + _section("A session", "", SESSION_KEYS)
        + _section("`[[turns]]`", _TURNS, TURN_KEYS)
        + _section("`[[words]]`", "", WORD_KEYS)
        + f"## `[[messages]]`\n\n{_MESSAGES}"
        + _section("`[[faults]]`", _FAULTS, FAULT_KEYS).rstrip("\n")
        + "\n"
    )


def _section(title: str, text: str, keys: tuple[Key, ...]) -> str:
    rows = [(f"`{key.name}`", key.kind.expected, key.default, key.meaning) for key in keys]
    return f"## {title}\n\n{text}" + table(("Key", "Value", "Default", "Meaning"), rows)
