"""TM016: the end of a session."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.evidence import speaks_v2
from tympan.migrate.matching.imports import imported
from tympan.migrate.matching.lifecycle import app, connection_thread
from tympan.migrate.matching.names import is_call_of, is_name_free, qualified
from tympan.migrate.matching.sockets import Library, library_of, openings
from tympan.migrate.matching.source import PythonDocument, Statement
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_URL = "'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000'"
_ADVICE = 'Send {"type": "Terminate"}, and read on until Termination comes or the connection ends, at most 5 seconds.'
_APP = (
    f"import json\nimport threading\nimport websocket\n\nws = websocket.WebSocketApp({_URL}, on_message=on_message)\n"
)


class GracefulEnd(Rule[PythonDocument]):
    code = "TM016"
    title = "A session is ended with Terminate, and its last messages are waited for"
    what = (
        "Programs that never end their session, and those that close the connection right after the message that "
        "ends it, or after a fixed pause. With `WebSocketApp` the fix runs the connection in a thread and sends "
        "`Terminate` on Ctrl+C; the pause becomes a wait for the end of the connection. The service closes it by "
        "itself after the last Turn and Termination."
    )
    why = "The last words come after Terminate: whoever closes earlier loses them. An open session is charged for."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (
        Valid(
            _APP + "threading.Thread(target=ws.run_forever).start()\nws.send(json.dumps({'terminate_session': True}))\n"
        ),
        Valid(
            "ws.send(json.dumps({'type': 'Terminate'}))\ntime.sleep(5)\nws.close()\n",
            "a program for v3 may wait as it likes",
        ),
    )
    invalid = (
        Invalid(
            _APP + "try:\n    ws.run_forever()\nexcept Exception as e:\n    print(e)\n",
            _APP + "try:\n"
            "    ws_thread = threading.Thread(target=ws.run_forever, daemon=True)\n"
            "    ws_thread.start()\n"
            "    try:\n"
            "        while ws_thread.is_alive():\n"
            "            ws_thread.join(timeout=0.1)\n"
            "    except KeyboardInterrupt:\n"
            "        if ws.sock and ws.sock.connected:\n"
            '            ws.send(json.dumps({"type": "Terminate"}))\n'
            "            ws_thread.join(timeout=5)  # the last Turn and Termination come, then the connection ends\n"
            "        ws.close()\n"
            "        ws_thread.join(timeout=2)\n"
            "except Exception as e:\n    print(e)\n",
        ),
        Invalid(
            _APP + "wst = threading.Thread(target=ws.run_forever)\nwst.start()\ntalk()\n"
            "ws.send(json.dumps({'terminate_session': True}))\ntime.sleep(1)\nws.close()\n",
            _APP + "wst = threading.Thread(target=ws.run_forever)\nwst.start()\ntalk()\n"
            "ws.send(json.dumps({'terminate_session': True}))\nwst.join(timeout=5)\nws.close()\n",
            about="a fixed pause",
        ),
        Invalid(
            "import json\nimport websocket\n\n\ndef on_open(ws):\n    for chunk in chunks:\n        ws.send(chunk, 2)\n"
            "    ws.send(json.dumps({'terminate_session': True}))\n    ws.close()\n\n\n"
            f"ws = websocket.WebSocketApp({_URL}, on_open=on_open)\nws.run_forever()\n",
            "import json\nimport websocket\n\n\ndef on_open(ws):\n    for chunk in chunks:\n        ws.send(chunk, 2)\n"
            "    ws.send(json.dumps({'terminate_session': True}))\n\n\n"
            f"ws = websocket.WebSocketApp({_URL}, on_open=on_open)\nws.run_forever()\n",
            about="closed by what is called back: the connection ends by itself",
        ),
        Invalid(
            "import websockets\n\n\nasync def main():\n"
            f"    async with websockets.connect({_URL}) as ws:\n"
            "        async for message in ws:\n            print(message)\n",
            None,
            about="never ended",
        ),
    )

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not speaks_v2(document):
            return
        if openings(document) and not _mentions_end(document):
            yield from self._never_ended(document)
        for statement in _endings(document):
            yield from self._closed_early(document, statement)

    def _never_ended(self, code: PythonDocument) -> Iterator[Finding]:
        message = "the session is never ended"
        opening = app(code)
        call = _run(code) if opening is not None else None
        edits = _in_thread(code, call) if call is not None else None
        if call is None or edits is None:
            for found in openings(code):
                yield self.by_hand(code.span(found.call.func), message, f"{_ADVICE} Where it is over can't be seen.")
            return
        advice = "Run the connection in a thread; on Ctrl+C send Terminate and wait for the end."
        yield self.fixable(code.span(call), message, advice, edits)

    def _closed_early(self, code: PythonDocument, statement: cst.SimpleStatementLine) -> Iterator[Finding]:
        """What follows the message that ends the session, in the same block."""
        following = _after(code, statement)
        pause = following[0] if following and _is_pause(code, following[0]) else None
        rest = following[1:] if pause is not None else following
        close = rest[0] if rest and _is_close(code, rest[0]) else None
        if close is None:
            return
        leave = rest[1] if len(rest) > 1 and _is_exit(code, rest[1]) else None
        message = "the connection is closed before the last words have come"
        thread = connection_thread(code)
        at = code.span(pause or close)
        if thread is not None:
            line = f"{thread}.join(timeout=5)"
            edit = code.replace(pause, line) if pause is not None else code.insert_before(close, line)
            yield self.fixable(at, message, "Wait for the end of the connection.", [edit])
        elif app(code) is not None and _is_called_back(code, statement):
            edits = [code.delete(line) for line in (pause, close, leave) if line is not None]
            yield self.fixable(at, message, "Leave it open: the service closes it after the last words.", edits)
        else:
            yield self.by_hand(at, message, f"{_ADVICE} A fixed pause is too long or too short.")


def _mentions_end(code: PythonDocument) -> bool:
    return "terminate_session" in code.text or "Terminate" in code.text.replace("SessionTerminated", "").replace(
        "Termination", ""
    )


def _run(code: PythonDocument) -> cst.Call | None:
    """The statement `ws.run_forever()`, if there is one, in no loop and without arguments."""
    calls = [
        call
        for call in code.nodes(cst.Call)
        if isinstance(call.func, cst.Attribute)
        and call.func.attr.value == "run_forever"
        and library_of(code, call.func.value) in (Library.APP, Library.CLIENT)
    ]
    call = calls[0] if len(calls) == 1 else None
    is_plain = call is not None and not call.args and isinstance(code.parent(call), cst.Expr)
    if call is None or not is_plain or code.enclosing(call, cst.While, cst.For) is not None:
        return None
    return call


def _in_thread(code: PythonDocument, call: cst.Call) -> list[Edit] | None:
    assert isinstance(call.func, cst.Attribute)
    statement = code.statement(call)
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1:
        return None
    if not code.is_on_own_lines(statement):
        return None
    dumps, edits = imported(code, "json", "dumps", from_module=False)
    thread, added = imported(code, "threading", "Thread", from_module=False)
    name = "ws_thread" if is_name_free(code, "ws_thread") else "connection_thread"
    ws, unit = code.source(call.func.value), code.indent_unit
    event = _event(code)
    lines = [
        f"{name} = {thread}(target={ws}.run_forever, daemon=True)",
        f"{name}.start()",
        "try:",
        f"{unit}while {name}.is_alive():",
        f"{unit}{unit}{name}.join(timeout=0.1)",
        "except KeyboardInterrupt:",
        *([f"{unit}{event}.set()"] if event else []),
        f"{unit}if {ws}.sock and {ws}.sock.connected:",
        f'{unit}{unit}{ws}.send({dumps}({{"type": "Terminate"}}))',
        f"{unit}{unit}{name}.join(timeout=5)  # the last Turn and Termination come, then the connection ends",
        f"{unit}{ws}.close()",
        f"{unit}{name}.join(timeout=2)",
        *([f"{unit}raise"] if _is_interrupt_handled(code, statement) else []),
    ]
    text = (code.newline + code.indent(statement)).join(lines)
    return [*edits, *added, code.replace(call, text)]


def _event(code: PythonDocument) -> str | None:
    """The event that stops the audio: the one that the program has, or that TM004 gives it."""
    for assign in code.nodes(cst.Assign):
        is_event = isinstance(assign.value, cst.Call) and qualified(code, assign.value.func) == "threading.Event"
        if is_event and isinstance(assign.targets[0].target, cst.Name) and code.function(assign) is None:
            return assign.targets[0].target.value
    return None


def _is_interrupt_handled(code: PythonDocument, statement: Statement) -> bool:
    """Whether the program does something on Ctrl+C itself, around this statement."""
    for above in code.ancestors(statement):
        if isinstance(above, cst.Try):
            for handler in above.handlers:
                if handler.type is not None and "KeyboardInterrupt" in code.source(handler.type):
                    return True
    return False


def _endings(code: PythonDocument) -> list[cst.SimpleStatementLine]:
    """Statements that send the message that ends the session."""
    found: list[cst.SimpleStatementLine] = []
    for statement in code.nodes(cst.SimpleStatementLine):
        source = code.source(statement)
        is_end = "terminate_session" in source or ("Terminate" in source and "type" in source)
        if is_end and ".send" in source:
            found.append(statement)
    return found


def _after(code: PythonDocument, statement: cst.SimpleStatementLine) -> list[Statement]:
    block = list(code.block(statement))
    rest = block[block.index(statement) + 1 :] if statement in block else []
    return [line for line in rest if isinstance(line, cst.SimpleStatementLine | cst.BaseCompoundStatement)]


def _expression(statement: cst.BaseStatement) -> cst.BaseExpression | None:
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) > 1:
        return None
    line = statement.body[0]
    value = line.value if isinstance(line, cst.Expr) else None
    return value.expression if isinstance(value, cst.Await) else value


def _is_pause(code: PythonDocument, statement: cst.BaseStatement) -> bool:
    expression = _expression(statement)
    return expression is not None and is_call_of(code, expression, "time.sleep", "asyncio.sleep")


def _is_close(code: PythonDocument, statement: cst.BaseStatement) -> bool:
    match _expression(statement):
        case cst.Call(func=cst.Attribute(value=socket, attr=cst.Name("close"))):
            return library_of(code, socket) is not None
    return False


def _is_exit(code: PythonDocument, statement: cst.BaseStatement) -> bool:
    expression = _expression(statement)
    return expression is not None and is_call_of(code, expression, "sys.exit", "exit", "os._exit")


def _is_called_back(code: PythonDocument, statement: Statement) -> bool:
    """Whether it runs beside `run_forever`: in `on_open`, in what a thread is given, in what a signal calls."""
    opening = app(code)
    functions = [above for above in code.ancestors(statement) if isinstance(above, cst.FunctionDef)]
    if opening is not None and any(f in opening.callbacks.get("on_open", []) for f in functions):
        return True
    targets = {
        code.source(arg.value).rpartition(".")[2]
        for arg in code.nodes(cst.Arg)
        if (arg.keyword is not None and arg.keyword.value == "target")
        or is_call_of(code, code.parent(arg), "signal.signal")
    }
    return any(function.name.value in targets for function in functions)
