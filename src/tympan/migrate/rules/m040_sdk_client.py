"""TM040: the old SDK's transcriber becomes the streaming client."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from tympan.migrate.document import Edit, Span
from tympan.migrate.matching.sdk import CLIENT, derived, method_calls, transcribers
from tympan.migrate.matching.sdk_callbacks import is_none, registrations
from tympan.migrate.matching.sdk_imports import CLIENT_NAMES, import_edits, local, settings
from tympan.migrate.matching.sdk_obstacles import foreign_callbacks, obstacle
from tympan.migrate.matching.sdk_parameters import (
    is_spread,
    laid_out,
    moved_text,
    streaming_parameters,
)
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_VALID = """\
from assemblyai.streaming.v3 import StreamingClient, StreamingClientOptions, StreamingParameters

client = StreamingClient(StreamingClientOptions(api_key="KEY"))
client.connect(StreamingParameters(sample_rate=16000, format_turns=True))
client.disconnect(terminate=True)
"""

_FUNCTIONS = """\
import assemblyai as aai

def on_data(transcript):
    print(transcript)

def on_close():
    print("closed")

transcriber = aai.RealtimeTranscriber(
    sample_rate=16_000,
    word_boost=["Sonny"],
    on_data=on_data,
    on_error=lambda error: print(error),  # optional
    on_close=on_close,
)
transcriber.connect()
transcriber.close()
"""

_FUNCTIONS_FIXED = """\
import assemblyai as aai
from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingParameters,
)

def on_data(client, transcript):
    print(transcript)

def on_close(client, event):
    print("closed")

transcriber = StreamingClient(StreamingClientOptions(api_key=aai.settings.api_key))
transcriber.on(StreamingEvents.Turn, on_data)
transcriber.on(StreamingEvents.Error, lambda client, error: print(error))  # optional
transcriber.on(StreamingEvents.Termination, on_close)
transcriber.connect(StreamingParameters(sample_rate=16_000, keyterms_prompt=["Sonny"], format_turns=True))
transcriber.disconnect(terminate=True)
"""

_CLASS = """\
import assemblyai as aai

class Listener:
    def open(self):
        self.transcriber = aai.RealtimeTranscriber(sample_rate=8000, on_data=self.hear, on_error=print)

    def start(self):
        self.transcriber.connect()

    def hear(self, transcript):
        print(transcript)
"""

_CLASS_FIXED = """\
import assemblyai as aai
from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingParameters,
)

class Listener:
    def open(self):
        self.transcriber = StreamingClient(StreamingClientOptions(api_key=aai.settings.api_key))
        self.transcriber.on(StreamingEvents.Turn, self.hear)
        self.transcriber.on(StreamingEvents.Error, lambda client, event: print(event))
        self.transcriber_parameters = StreamingParameters(sample_rate=8000, format_turns=True)

    def start(self):
        self.transcriber.connect(self.transcriber_parameters)

    def hear(self, client, transcript):
        print(transcript)
"""

_FOREIGN = """\
import assemblyai as aai
from handlers import hear

transcriber = aai.RealtimeTranscriber(sample_rate=16_000, on_data=hear, on_error=print)
transcriber.connect()
"""

_FOREIGN_FIXED = """\
import assemblyai as aai
from assemblyai.streaming.v3 import (
    StreamingClient,
    StreamingClientOptions,
    StreamingEvents,
    StreamingParameters,
)
from handlers import hear

transcriber = StreamingClient(StreamingClientOptions(api_key=aai.settings.api_key))
transcriber.on(StreamingEvents.Turn, lambda client, event: hear(event))
transcriber.on(StreamingEvents.Error, lambda client, event: print(event))
transcriber.connect(StreamingParameters(sample_rate=16_000, format_turns=True))
"""

_BY_HAND = """\
import assemblyai as aai

def make(on_data, **options):
    return aai.RealtimeTranscriber(on_data=on_data, on_error=print, **options)
"""

_SUBCLASS = """\
import assemblyai as aai

class Captions(aai.RealtimeTranscriber):
    def __init__(self):
        super().__init__(on_data=print, on_error=print, sample_rate=16_000)
"""

_DERIVED = (
    "Derive from it by hand: its constructor takes StreamingClientOptions alone, callbacks are registered with on() "
    "and get the client before the event, and connect() takes StreamingParameters. What of the old class is overridden "
    "can't be followed."
)


class SdkClient(Rule[PythonDocument]):
    """The old transcriber."""

    code = "TM040"
    title = "The SDK's RealtimeTranscriber is gone"
    what = (
        "`assemblyai.RealtimeTranscriber` becomes `StreamingClient` of `assemblyai.streaming.v3`: its callbacks are "
        "registered with `on` and get the client before the event, its parameters move to `connect`, `close` becomes "
        "`disconnect(terminate=True)`. `format_turns` is asked for, since final texts of v2 were formatted. "
        "`on_close` and `on_extra_session_information` are called with the Termination event. A callback that is also "
        "called directly keeps its signature and is registered through a lambda; so does one that another file "
        "defines, which is done with `--unsafe` only: it has to be changed too."
    )
    why = "The class was removed from the SDK, and the service that it spoke to is switched off."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid(_VALID),)
    invalid = (
        Invalid(_FUNCTIONS, _FUNCTIONS_FIXED),
        Invalid(_CLASS, _CLASS_FIXED, about="connected elsewhere"),
        Invalid(_FOREIGN, _FOREIGN_FIXED, is_unsafe=True, about="a callback of another file"),
        Invalid(_BY_HAND, None, about="which arguments it gets is not known"),
        Invalid(_SUBCLASS, None, about="derived from"),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        message = "RealtimeTranscriber speaks the old protocol; use StreamingClient of assemblyai.streaming.v3"
        for base in derived(document):
            yield self.by_hand(document.span(base), message, _DERIVED)
        for transcriber in transcribers(document):
            span, reason = document.span(transcriber.call), obstacle(document, transcriber)
            if reason is not None or transcriber.target is None:
                advice = f"Make the client, register the callbacks and connect by hand: {reason}."
                yield self.by_hand(span, message, advice)
                continue
            edits = _edits(document, transcriber.call, transcriber.target, target)
            foreign = ", ".join(foreign_callbacks(document, transcriber))
            advice = "Make a client, register the callbacks, connect with the parameters."
            if foreign:
                advice += f" Not in this file: {foreign}, which must read transcript for text, id for session_id."
            yield self.fixable(span, message, advice, edits, is_safe=not foreign)


def _edits(code: PythonDocument, call: cst.Call, variable: cst.BaseExpression, target: Target) -> list[Edit]:
    connects, callbacks = method_calls(code, variable, "connect"), registrations(code, call)
    events, name = local(code, "StreamingEvents"), code.source(variable)
    lines = [f"{name}.on({events}.{each.event}, {each.callback}){each.comment}" for each in callbacks]
    edits = [edit for each in callbacks for edit in each.edits]
    if _is_connected_here(code, call, variable, connects):
        edits += _connected_here(code, call, connects)
    else:
        lines += _stored(code, call, variable)
        edits += _connected_elsewhere(code, variable, connects)
    edits += [_closed(code, closing) for closing in method_calls(code, variable, "close")]
    edits.append(code.replace(call, f"{local(code, CLIENT)}({_options(code, call, connects, target)})"))
    return [*edits, code.insert_after(code.statement(call), *lines), *import_edits(code, *CLIENT_NAMES)]


def _is_connected_here(
    code: PythonDocument, call: cst.Call, variable: cst.BaseExpression, connects: Sequence[cst.Call]
) -> bool:
    """Whether the client is connected where it is made, and made in one place only."""
    made = [t for t in transcribers(code) if t.target is not None and code.source(t.target) == code.source(variable)]
    return len(made) == 1 and all(code.function(connect) is code.function(call) for connect in connects)


def _options(code: PythonDocument, call: cst.Call, connects: Sequence[cst.Call], target: Target) -> str:
    tokens = [arg.value for arg in call.args if arg.keyword is not None and arg.keyword.value == "token"]
    has_token = tokens and not is_none(tokens[0])
    options = [
        f"token={moved_text(code, tokens[0])}" if has_token else f"api_key={settings(code)}.api_key",
        *([f'api_host="{target.socket.removeprefix("wss://")}"'] if target != Target() else []),
    ]
    timeouts = [arg.value for connect in connects for arg in connect.args]
    options += [f"connect_timeout={t.value}" for t in timeouts[:1] if isinstance(t, cst.Integer | cst.Float)]
    return f"{local(code, 'StreamingClientOptions')}({', '.join(options)})"


def _connected_here(code: PythonDocument, call: cst.Call, connects: Sequence[cst.Call]) -> Iterator[Edit]:
    """`connect` gets the parameters themselves."""
    name, unit = local(code, "StreamingParameters"), code.indent_unit
    for connect in connects:
        inner = laid_out(name, streaming_parameters(code, call), indent=unit, was_spread=is_spread(code, call))
        method = code.source(connect.func)
        spread = [f"{method}(", *(unit + line for line in inner), ")"]
        lines = [f"{method}({inner[0]})"] if len(inner) == 1 else spread
        yield code.replace(connect, (code.newline + code.indent(code.statement(connect))).join(lines))


def _stored(code: PythonDocument, call: cst.Call, variable: cst.BaseExpression) -> list[str]:
    """A variable beside the client's that holds the parameters."""
    return laid_out(
        f"{code.source(variable)}_parameters = {local(code, 'StreamingParameters')}",
        streaming_parameters(code, call),
        indent=code.indent_unit,
        was_spread=is_spread(code, call),
    )


def _connected_elsewhere(
    code: PythonDocument, variable: cst.BaseExpression, connects: Sequence[cst.Call]
) -> Iterator[Edit]:
    """`connect` gets the variable; where the client is a global, so are its parameters."""
    for connect in connects:
        assert isinstance(connect.func, cst.Attribute)
        receiver = connect.func.value
        yield code.replace(connect, f"{code.source(connect.func)}({code.source(receiver)}_parameters)")
    for node in code.nodes(cst.Global, cst.Nonlocal):
        for item in node.names:
            if item.name.value == code.source(variable):
                end = code.span(item.name).end
                yield Edit(Span(end, end), f", {item.name.value}_parameters")


def _closed(code: PythonDocument, closing: cst.Call) -> Edit:
    assert isinstance(closing.func, cst.Attribute)
    return Edit(Span(code.span(closing.func.attr).start, code.span(closing).end), "disconnect(terminate=True)")
