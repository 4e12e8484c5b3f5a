"""The protocol reference, written from the tables that the code runs on. PURE; `render` returns Markdown.

Nothing is told twice: parameters come from `parameters`, messages from `messages.py`, profiles from
`profiles.py`, close codes from `close_codes.py`.
"""

from __future__ import annotations

from typing import Any

from tympan.core.cadence import CONFIRMING_SPEECH_MS, CONTINUOUS_MS
from tympan.core.endpoint import EARLIEST_LOOK_SILENCE_MS, LATER_LOOKS_MS, SOONEST_END_MS
from tympan.core.kept_messages import MAX_KEPT_BYTES
from tympan.core.packets.adts import MAX_DAMAGE_BYTES as MAX_ADTS_DAMAGE_BYTES
from tympan.core.packets.ogg_opus import MAX_DAMAGE_BYTES as MAX_OGG_DAMAGE_BYTES
from tympan.core.received import MAX_BYTES_PER_MS, MAX_SPARE_BYTES, MAX_SPARE_MS
from tympan.core.session import LONGEST_COMPRESSED_CHUNK_MS
from tympan.wire.close_codes import V3_ERROR_REASON, V3_GRACEFUL, V3_RULES
from tympan.wire.parameter import Parameter
from tympan.wire.reference import NOTICE, TOO_LONG_NOTE, message_section, table
from tympan.wire.v3 import messages
from tympan.wire.v3.models import DEFAULT_MODEL, MODELS, U3_PREFIXES
from tympan.wire.v3.modes import MODES
from tympan.wire.v3.parameters import PARAMETERS
from tympan.wire.v3.profiles import Profile

_INTRODUCTION = """\
# Protocol reference: v3

Address `/v3/ws`. The client sends audio as binary messages and control as JSON text messages; the server
sends JSON text messages. All times are milliseconds of audio since the first sample of the session.

"""

_PARAMETERS_NOTE = """\
Given in the query string. Booleans: `true`, `1`, `yes`, `false`, `0`, `no`, in any case. Lists: a JSON array
of strings, the name repeated, or one text with commas. Unknown names are ignored. A value that can't be
understood ends the connection with code 3006 before `Begin`. A number outside its range is moved to the
nearest end of it, or, when the server runs strict, refused where the hosted service refuses it; what strict
servers refuse, and what isn't as with the hosted service, is in the [compatibility report](compatibility.md).
What is marked *U3 only* or *US only* is checked and has no effect elsewhere. *Update* marks what
`UpdateConfiguration` may change. The server's operator may set other defaults, but for the U3 models'.

"""

_COMPRESSED_NOTE = f"""\
## Compressed audio

Servers decode it that have the extra `compressed` installed; others refuse it with code 3006.

- `opus`: each binary message is one packet, without a container. `ogg_opus` and `aac` (with ADTS headers) are byte
  streams: messages may be cut anywhere. `sample_rate` has no effect, and nothing changes the encoding in mid-session.
  WebM, MP4 and other containers are refused.
- Mono or stereo, which is mixed down. What is complete is heard at once.
- Time counts the samples that the packets say they hold. Of `ogg_opus` the encoder's delay and what its last page says
  is beyond the end don't count; of `aac` the first frame doesn't, which encoders fill with silence. `opus` has no
  header that tells the delay: usually 6.5 ms. Packets that an encoder doesn't send in silence leave no gap: send every
  one, or words come too early.
- A message may complete {LONGEST_COMPRESSED_CHUNK_MS // 1000} s of audio, also when the server runs strict.
  There is no lower bound.
- A part of a byte stream that is missing or damaged is passed over up to the next page or frame. A packet that can't be
  decoded is silence as long as it says to last. The session ends with code 3006 where a message isn't an Opus packet,
  where a stream isn't what it is said to be, and when
  {MAX_OGG_DAMAGE_BYTES // 1024} KiB (`aac`: {MAX_ADTS_DAMAGE_BYTES // 1024} KiB) hold no audio,
  a second can't be decoded, more comes than {MAX_BYTES_PER_MS * 8:,} kbit/s and
  {MAX_SPARE_BYTES // 2**20} MiB besides, or more of it doesn't count than does and {MAX_SPARE_MS // 1000} s besides.
- A resumed session (below) goes on in the middle of a byte stream, and with the next packet.

"""

_TURNS_NOTE = """\
## What a turn looks like: US

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

_LATER_LOOKS = ", ".join(str(ms) for ms in LATER_LOOKS_MS)
_U3_NOTE = f"""\
## What a turn looks like: U3

- `SpeechStarted` comes once a turn, directly before its first `Turn`; `timestamp` is where the speech begins.
- A partial says the whole turn anew, with case and punctuation, and replaces the one before; none of its words is
  final. It ends in a dash, in `transcript` and in the last word alike, where the model has no `?` or `!`: what
  else a model puts behind the last word of a text that goes on isn't worth showing.
- The first partial comes after `interruption_delay` and {CONFIRMING_SPEECH_MS} ms of speech, or in an earlier
  pause; then one comes in each pause of `min_turn_silence`, unless the turn ends there, and, with
  `continuous_partials`, one where somebody has spoken for {CONTINUOUS_MS // 1000} s since the last. So at most one
  comes in a period of silence.
- The end of a turn: one message with `end_of_turn` and `turn_is_formatted` true and all words final; `utterance`
  equals `transcript`. Words may differ from those of partials.
- A turn is looked at after `min_turn_silence` (at least {EARLIEST_LOOK_SILENCE_MS} ms) and, if it goes on, after
  {_LATER_LOOKS} ms of silence. From {SOONEST_END_MS} ms on it ends there if the end-of-turn confidence
  exceeds that of the mode. Closing punctuation alone, which the hosted service looks for, ends nothing: models put
  it behind most texts that are cut off. `max_turn_silence` ends a turn regardless, but below {SOONEST_END_MS} it
  counts as {SOONEST_END_MS}: voice agents ask for 100 ms and send `ForceEndpoint` after 200 ms, and don't take a
  final that comes before for their answer. `ForceEndpoint` ends a turn at once.
- `end_of_turn_confidence` of a partial is the confidence of the pause that it was told in, 0 while somebody
  speaks; that of a final is 1.

"""

_WEBHOOK_NOTE = """\
## Webhook

A session that was opened with `webhook_url` is posted there when it is over, however it ended: after `Termination`, an
error or a timeout, when the client vanished (what it had sent is transcribed first), when a session that was kept for
it ends, when the server stops. Once for each session, after its last message. The body is JSON:

    {"session_id": "…", "messages": [{"type": "Turn", "turn_order": 0, "end_of_turn": true, …}, …]}

`session_id` is the `id` of `Begin`; `messages` holds one `Turn` for each finished turn, exactly as it was sent: with
`format_turns` the formatted one, else the only one. A session without turns has an empty list.

An address that isn't allowed is refused with code 3006 before `Begin`: without a word of the operator's, only hosts on
the public Internet are. A name is looked up when the session is over; one that leads elsewhere gets nothing then. An
answer of the 2xx kind within 10 s settles it; 408, 425, 429, 5xx and no answer are tried again, up to ten times in all
within an hour; anything else, redirects among it, is final. Where the operator has set a secret, the headers
`webhook-id`, `webhook-timestamp` and `webhook-signature` are those of
[Standard Webhooks](https://www.standardwebhooks.com/).

"""

_RESUMING_NOTE = """\
## Resuming

An extension of this server: a client that doesn't ask for it sees nothing of it, and other servers ignore the
parameter that asks for it.

A client that connects with `resumable=true` finds `resume_key` and `resume_window_seconds` in `Begin` (without
them the operator has turned resuming off, or the server doesn't know it). When its connection is lost, by
anything but a close message of its own with code 1000 or none, the session is kept for that many seconds: what
came is transcribed, messages are kept, time without messages doesn't count as inactivity. To go on, the client
connects with `resume_key` and `messages_received` alone; the key is the only credential that is needed, and is good
for this session only. A connection that still hangs on the session is closed with code 4103.

The first message is then `Resumed`, followed by the server's messages from number `messages_received` on, exactly
as they were or would have been sent. The client goes on with its audio from byte `audio_received_bytes` of all
that it sent, and with its text messages from number `messages_received` of `Resumed`, in the order in which they
stood: what the server has received is always a beginning of what was sent, so nothing is lost and nothing is
doubled. This holds after `Terminate` as well, until the client has read the close.

A session that isn't kept (unknown key, window over, server restarted, session over and read) is refused with code
4004. The client then opens a new session and sends its audio again from `audio_settled_ms` of the last
`Checkpoint` on: all that was spoken before is in final words already.

The server keeps at most {kept_mib} MiB of messages that weren't acknowledged and forgets the oldest beyond that; a
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
        _COMPRESSED_NOTE,
        _model_section(),
        _mode_section(),
        "## Client messages\n\n",
        *(message_section(name, cls) for name, cls in messages.CLIENT_TYPES.items()),
        "## Server messages\n\nFields without a value are left out.\n\n",
        *(message_section(name, cls) for name, cls in messages.SERVER_TYPES.items()),
        "## Parts of messages\n\n",
        *(message_section(cls.__name__, cls) for cls in (messages.Configuration, messages.Word)),
        _TURNS_NOTE,
        _U3_NOTE,
        _WEBHOOK_NOTE,
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
        _default_text(parameter),
        parameter.state.value,
        "yes" if parameter.is_updatable else "",
        _scope_text(parameter) + parameter.summary + (f"; older name {aliases}" if aliases else ""),
    )


def _default_text(parameter: Parameter[Any]) -> str:
    texts = [f"`{parameter.default}`"] if parameter.default else []
    if parameter.u3_default and parameter.u3_default != parameter.default:
        texts.append(f"{'U3 ' if parameter.default else ''}`{parameter.u3_default}`")
    return ", ".join(texts)


def _scope_text(parameter: Parameter[Any]) -> str:
    if not parameter.applies_to(Profile.US):
        return "U3 only: "
    return "" if parameter.applies_to(Profile.U3) else "US only: "


def _model_section() -> str:
    rows = [(f"`{model}`", _PROFILE_TEXTS[MODELS[model]]) for model in MODELS]
    newer = ", ".join(f"`{prefix}…`" for prefix in U3_PREFIXES)
    rows.append((f"{newer}", f"{_PROFILE_TEXTS[Profile.U3]}; refused when strict"))
    rows.append(("any other name", f"as `{DEFAULT_MODEL}`; refused when strict"))
    note = (
        "The name chooses how turns are shown, not the model: every name is answered by the engine that the "
        "server runs. The default engine transcribes English only, also under a multilingual name.\n\n"
    )
    return "## Models\n\n" + note + table(("`speech_model`", "Shown as"), rows)


_PROFILE_TEXTS = {
    Profile.US: "US: word by word; a second, formatted final with `format_turns`",
    Profile.WHISPER: "US: word by word; one final a turn, `format_turns` is ignored",
    Profile.U3: "U3: whole turns, formatted; partials replace each other, one final a turn",
}


def _mode_section() -> str:
    heads = ("`mode`", "`min_turn_silence`", "`max_turn_silence`", "`interruption_delay`", "Confidence above")
    rows = (
        (
            f"`{name}`",
            f"{mode.min_silence_ms} ms",
            f"{mode.max_silence_ms} ms",
            f"{mode.partial_delay_ms} ms",
            f"{mode.confidence_threshold:g}",
        )
        for name, mode in MODES.items()
    )
    note = (
        "U3 only. The protocol leaves the numbers open; these are ours. What is given beside `mode` wins over it, "
        "and so does what is given later. A look that is surer than the confidence ends the turn, after "
        f"{SOONEST_END_MS} ms at the soonest.\n\n"
    )
    return "## Modes\n\n" + note + table(heads, rows)


def _close_code_section() -> str:
    graceful = (str(V3_GRACEFUL.code), "after `Termination`", f"reason: {V3_GRACEFUL.reason}")
    rows = ((str(rule.code), rule.when, rule.text.replace("{}", "…")) for rule in V3_RULES)
    note = (
        "Before any code but 1000 the server sends `Error` with the text below and no `Termination`; the "
        f'close reason is then "{V3_ERROR_REASON}". {TOO_LONG_NOTE}\n\n'
    )
    return "## Close codes\n\n" + note + table(("Code", "When", "Text"), (graceful, *rows))


def _resuming_section() -> str:
    client = (message_section(f"{name} (client)", cls) for name, cls in messages.RESUME_CLIENT_TYPES.items())
    server = (message_section(f"{name} (server)", cls) for name, cls in messages.RESUME_SERVER_TYPES.items())
    note = _RESUMING_NOTE.replace("{kept_mib}", str(MAX_KEPT_BYTES // 2**20))
    return "".join((note, *client, *server))
