"""The reference of the legacy protocol, written from the tables that the code runs on. PURE; `render` returns
Markdown."""

from __future__ import annotations

from tympan.wire.close_codes import V2_GRACEFUL, V2_NEVER_SENT, V2_RULES
from tympan.wire.reference import NOTICE, TOO_LONG_NOTE, message_section, table
from tympan.wire.v2 import messages
from tympan.wire.v2.client_messages import DEFAULT_SILENCE_MS, FORMS, MAX_SILENCE_MS
from tympan.wire.v2.params import PARAMETERS
from tympan.wire.v2.tokens import EXPIRES_IN_S

_INTRODUCTION = f"""\
# Protocol reference: v2, the legacy protocol

Address `/v2/realtime/ws`, on the same server as [v3](protocol.md), with the same keys, tokens, limits and engine. The
hosted service has retired this protocol; it is here for programs that still speak it. How to use it:
[old clients](../howto/v2.md).

The key is in the header `Authorization: KEY`, a temporary token in `?token=TOKEN`. A token comes from
`POST /v2/realtime/token` with a key and the body `{{"expires_in": SECONDS}}` (at least {EXPIRES_IN_S[0]}): 200 with
`{{"token": "…"}}`, or 400 or 401 with `{{"error": "…"}}`. Tokens of v2 and v3 open sessions of either.

"""

_CLIENT_NOTE = """\
## Client messages

Audio is a binary message, or base64 in a text message. A text message is an object with one of these keys:

"""

_SILENCE_NOTE = f"""\
An utterance ends on silence alone, after {DEFAULT_SILENCE_MS} ms unless the client asks for another silence of 0 to
{MAX_SILENCE_MS:,} ms, at any time (0 counts as 1; a number outside is moved to the nearest end, or refused when the
server runs strict). No message is answered but by what it causes. A message may hold up to the server's longest audio,
10 s by default; the documented 100 to 2000 ms aren't enforced unless the server runs strict.

"""

_ORDER_NOTE = """\
## Order

`SessionBegins`, then for each utterance `PartialTranscript` messages and one `FinalTranscript`. After
`terminate_session`: the open utterance's `FinalTranscript`, `SessionInformation` if it was asked for,
`SessionTerminated`, close code 1000. A partial that reads like the one before isn't sent, nor is one without words.
A session to which the server puts an end gets `Error`, then `SessionTerminated`, since old clients wait for it, then
the close code. Who is refused before `SessionBegins` gets `Error` and the close code alone.

"""


def render() -> str:
    """The whole page."""
    parts = [
        NOTICE,
        _INTRODUCTION,
        "## Connection parameters\n\nGiven in the query string; unknown names are ignored.\n\n",
        _parameter_table(),
        _CLIENT_NOTE,
        _client_table(),
        _SILENCE_NOTE,
        "## Server messages\n\nThe name is under `message_type`, but for `Error`, which has none.\n\n",
        *(message_section(name, cls) for name, cls in messages.SERVER_TYPES.items()),
        message_section("Error", messages.Error),
        "## Parts of messages\n\n",
        message_section("Word", messages.Word),
        _ORDER_NOTE,
        _close_code_section(),
    ]
    return "".join(parts).rstrip() + "\n"


def _parameter_table() -> str:
    rows = (
        (
            f"`{parameter.name}`",
            parameter.kind.description,
            f"`{parameter.default}`" if parameter.default else "",
            parameter.state.value,
            parameter.summary,
        )
        for parameter in PARAMETERS
    )
    return table(("Parameter", "Value", "Default", "State", "Meaning"), rows)


def _client_table() -> str:
    rows = ((f"`{form}`", " ".join((cls.__doc__ or "").split())) for form, (_, cls) in FORMS.items())
    return table(("Message", "Meaning"), rows)


def _close_code_section() -> str:
    graceful = (str(V2_GRACEFUL.code), "after `SessionTerminated`", "")
    rows = [(str(rule.code), rule.when, rule.text.replace("{}", "…")) for rule in V2_RULES]
    unused = [(str(code), "never sent", text) for code, text in V2_NEVER_SENT.items()]
    note = f"The close reason is the text up to the colon. {TOO_LONG_NOTE}\n\n"
    return "## Close codes\n\n" + note + table(("Code", "When", "Text"), (graceful, *rows, *unused))
