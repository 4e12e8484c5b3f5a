"""The protocol reference, written from the tables that the code runs on. PURE; `render` returns Markdown.

Nothing is told twice: parameters come from `parameters.py`, messages from `messages.py`, profiles from
`profiles.py`, close codes from `close_codes.py`.
"""

from __future__ import annotations

from typing import Any

from tympan.wire.close_codes import V3_ERROR_REASON, V3_GRACEFUL, V3_RULES
from tympan.wire.parameter import Parameter
from tympan.wire.reference import NOTICE, message_section, table
from tympan.wire.v3 import messages
from tympan.wire.v3.parameters import PARAMETERS
from tympan.wire.v3.profiles import DEFAULT_MODEL, MODELS, U3_PREFIXES

_INTRODUCTION = """\
# Protocol reference: v3

Address `/v3/ws`. The client sends audio as binary messages and control as JSON text messages; the server
sends JSON text messages. All times are milliseconds of audio since the first sample of the session.

"""

_PARAMETERS_NOTE = """\
Given in the query string. Booleans: `true`, `1`, `yes`, `false`, `0`, `no`, in any case. Lists: a JSON array
of strings, the name repeated, or one text with commas. Unknown names are ignored. A value that can't be
understood ends the connection with code 3006 before `Begin`. A number outside its range is moved to the
nearest end of it, or, when the server runs strict, refused; strict servers also refuse unknown models and
`mode`, `prompt` and `agent_context`, which no US model has. *Update* marks what `UpdateConfiguration` may
change. The server's operator may set other defaults.

"""

_TURNS_NOTE = """\
## What a turn looks like

- Partials: `transcript` holds the final words alone; `words` holds them and, after them, every tentative
  word. A final word never changes its text. A partial that reads like the one before isn't sent.
- Raw words are lower case and without punctuation, each made from one word of the model.
- The end of a turn: one message with `end_of_turn` true and raw words. With `format_turns` a second one
  follows at once, with the same `turn_order` and `turn_is_formatted` true.
- By default the formatted words come from a new transcription of the whole turn and may correct raw ones;
  ask for `formatted_source=final_words` to keep them the same.
- `utterance` is set on the one message where a pause closes an utterance, formatted if turns are.
- `format_turns` and `filter_profanity` changed in mid-session act on what is told after the change.

"""

_RESUMING_NOTE = """\
## Resuming

An extension of this server: a client that doesn't ask for it sees nothing of it, and other servers ignore the
parameter that asks for it.

A client that connects with `resumable=true` finds `resume_key` and `resume_window_seconds` in `Begin` (without
them the operator has turned resuming off, or the server doesn't know it). When its connection is lost, by
anything but its own close with code 1000, the session is kept for that many seconds: what came is transcribed,
messages are kept, time without messages doesn't count as inactivity. To go on, the client connects with
`resume_key` and `messages_received` alone; the key is the only credential that is needed, and is good for this
session only. A connection that still hangs on the session is closed with code 4103.

The first message is then `Resumed`, followed by the server's messages from number `messages_received` on, exactly
as they were or would have been sent. The client goes on with its audio from byte `audio_received_bytes` of all
that it sent, and with its text messages from number `messages_received` of `Resumed`, in the order in which they
stood: what the server has received is always a beginning of what was sent, so nothing is lost and nothing is
doubled. This holds after `Terminate` as well, until the client has read the close.

A session that isn't kept (unknown key, window over, server restarted, session over and read) is refused with code
4004. The client then opens a new session and sends its audio again from `audio_settled_ms` of the last
`Checkpoint` on: all that was spoken before is in final words already.

The server keeps at most 8 MiB of messages that weren't acknowledged and forgets the oldest beyond that; a
client that resumes from before is refused with 4004. An `Acknowledge` every few seconds keeps clear of it.

"""


def render() -> str:
    """The whole page."""
    parts = [
        NOTICE,
        _INTRODUCTION,
        "## Connection parameters\n\n",
        _PARAMETERS_NOTE,
        _parameter_table(),
        _model_section(),
        "## Client messages\n\n",
        *(message_section(name, cls) for name, cls in messages.CLIENT_TYPES.items()),
        "## Server messages\n\nFields without a value are left out.\n\n",
        *(message_section(name, cls) for name, cls in messages.SERVER_TYPES.items()),
        "## Parts of messages\n\n",
        *(message_section(cls.__name__, cls) for cls in (messages.Configuration, messages.Word)),
        _TURNS_NOTE,
        _resuming_section(),
        _close_code_section(),
    ]
    return "".join(parts).rstrip() + "\n"


def _parameter_table() -> str:
    heads = ("Parameter", "Value", "Default", "State", "Update", "Meaning")
    return table(heads, (_parameter_row(parameter) for parameter in PARAMETERS))


def _parameter_row(parameter: Parameter[Any]) -> tuple[str, ...]:
    aliases = ", ".join(f"`{alias}`" for alias in parameter.aliases)
    return (
        f"`{parameter.name}`",
        parameter.kind.description,
        f"`{parameter.default}`" if parameter.default else "",
        parameter.state.value,
        "yes" if parameter.is_updatable else "",
        parameter.summary + (f"; older name {aliases}" if aliases else ""),
    )


def _model_section() -> str:
    rows = [(f"`{model}`", _profile_text(model)) for model in MODELS]
    refused = ", ".join(f"`{prefix}…`" for prefix in U3_PREFIXES)
    rows.append((refused, f"refused: not served yet, use `{DEFAULT_MODEL}`"))
    rows.append(("any other name", f"as `{DEFAULT_MODEL}`; refused when strict"))
    note = (
        "The name chooses how turns are shown, not the model: every name is answered by the engine that the "
        "server runs. The default engine transcribes English only, also under a multilingual name.\n\n"
    )
    return "## Models\n\n" + note + table(("`speech_model`", "Shown as"), rows)


def _profile_text(model: str) -> str:
    if MODELS[model].has_formatted_final:
        return "word by word; a second, formatted final with `format_turns`"
    return "word by word; one final a turn, `format_turns` is ignored"


def _close_code_section() -> str:
    graceful = (str(V3_GRACEFUL.code), "after `Termination`", f"reason: {V3_GRACEFUL.reason}")
    rows = ((str(rule.code), rule.when, rule.text.replace("{}", "…")) for rule in V3_RULES)
    note = (
        "Before any code but 1000 the server sends `Error` with the text below and no `Termination`; the "
        f'close reason is then "{V3_ERROR_REASON}".\n\n'
    )
    return "## Close codes\n\n" + note + table(("Code", "When", "Text"), (graceful, *rows))


def _resuming_section() -> str:
    client = (message_section(f"{name} (client)", cls) for name, cls in messages.RESUME_CLIENT_TYPES.items())
    server = (message_section(f"{name} (server)", cls) for name, cls in messages.RESUME_SERVER_TYPES.items())
    return "".join((_RESUMING_NOTE, *client, *server))
