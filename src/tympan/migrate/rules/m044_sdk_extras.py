"""TM044: the SDK's audio sources are gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from tympan.migrate.document import Edit
from tympan.migrate.matching.names import qualified
from tympan.migrate.matching.sdk import PACKAGE, imports_from, is_bound, is_used
from tympan.migrate.matching.source import PythonDocument, Statement
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_MICROPHONE = '''\
class MicrophoneStream:
    """Audio from the microphone, 50 ms at a time, until Ctrl+C; the SDK had this class until 1.0."""

    def __init__(self, sample_rate=44_100):
        self._chunk_size = int(sample_rate * 0.05)
        self._audio = pyaudio.PyAudio()
        self._stream = self._audio.open(
            format=pyaudio.paInt16,
            channels=1,
            rate=sample_rate,
            input=True,
            frames_per_buffer=self._chunk_size,
        )
        self._is_open = True

    def __iter__(self):
        return self

    def __next__(self):
        if not self._is_open:
            raise StopIteration
        try:
            return self._stream.read(self._chunk_size, exception_on_overflow=False)
        except KeyboardInterrupt:
            raise StopIteration from None

    def close(self):
        if self._is_open:
            self._is_open = False
            self._stream.stop_stream()
            self._stream.close()
            self._audio.terminate()
'''

_FILE = '''\
def stream_file(filepath, sample_rate):
    """Audio of a PCM16 file, 50 ms at a time, at the pace of speech; the SDK had this function until 1.0."""
    with open(filepath, "rb") as file:
        while data := file.read(int(sample_rate * 0.05) * 2):
            yield data
            time.sleep(0.05)
'''

_SOURCES = {"MicrophoneStream": (_MICROPHONE, "pyaudio"), "stream_file": (_FILE, "time")}
"""What the SDK had → what takes its place, and the module that it needs."""

_EXTRAS = f"{PACKAGE}.extras"

_BEFORE = """\
import assemblyai as aai

microphone = aai.extras.MicrophoneStream(sample_rate=16_000)
"""

_AFTER = f"""\
import assemblyai as aai
import pyaudio


{_MICROPHONE}
microphone = MicrophoneStream(sample_rate=16_000)
"""

_IMPORTED = """\
import time
from assemblyai.extras import stream_file

for chunk in stream_file("talk.pcm", 16_000):
    print(len(chunk))
"""

_IMPORTED_AFTER = f"""\
import time


{_FILE}
for chunk in stream_file("talk.pcm", 16_000):
    print(len(chunk))
"""


class SdkExtras(Rule[PythonDocument]):
    """`assemblyai.extras`."""

    code = "TM044"
    title = "The SDK's MicrophoneStream and stream_file are gone"
    what = (
        "`assemblyai.extras` was removed in version 1.0 of the SDK. The fix writes the class or function that is used "
        "into the program, below its imports, with pieces of 50 ms. It needs `pyaudio`, as the SDK's class did."
    )
    why = "The import fails with the current SDK."
    applicability = Applicability.SAFE
    document_type = PythonDocument
    valid = (Valid("from extras import MicrophoneStream\n\nmicrophone = MicrophoneStream()\n"),)
    invalid = (Invalid(_BEFORE, _AFTER), Invalid(_IMPORTED, _IMPORTED_AFTER))

    def check(self, document: PythonDocument, target: Target) -> Iterator[Finding]:
        if not is_used(document):
            return
        anchor = _last_import(document)
        for name, (source, module) in _SOURCES.items():
            imports = [found for found in _imports(document) if name in found[1]]
            calls = [call for call in document.nodes(cst.Call) if qualified(document, call.func) == f"{_EXTRAS}.{name}"]
            if not calls or anchor is None:
                continue
            message = f"the SDK has no {name} any more"
            if not imports and is_bound(document, name):
                yield self.by_hand(document.span(calls[0].func), message, "Write one; the name is taken in this file.")
                continue
            edits = _edits(document, anchor, calls, imports, source, module)
            advice = f"Write {name} into the program."
            yield self.fixable(document.span(calls[0].func), message, advice, edits)


def _imports(code: PythonDocument) -> list[tuple[cst.ImportFrom, list[str]]]:
    found = imports_from(code, _EXTRAS)
    return [(node, [alias.evaluated_name for alias in aliases]) for node, aliases in found]


def _edits(
    code: PythonDocument,
    anchor: Statement,
    calls: Sequence[cst.Call],
    imports: Sequence[tuple[cst.ImportFrom, list[str]]],
    source: str,
    module: str,
) -> list[Edit]:
    """The definition below the imports, the calls without the package, the old import taken out."""
    is_imported = any(alias.evaluated_name == module for node in code.nodes(cst.Import) for alias in node.names)
    name = source.split("(")[0].split(":")[0].split()[1]
    lines = [*([] if is_imported else [f"import {module}"]), "", "", *source.rstrip("\n").split("\n")]
    edits = [code.replace(call.func, name) for call in calls if code.source(call.func) != name]
    edits += [code.delete(code.statement(node)) for node, names in imports if names == [name]]
    return [*edits, code.insert_after(anchor, *lines)]


def _last_import(code: PythonDocument) -> Statement | None:
    """The last import of the block at the top of the module."""
    last: Statement | None = None
    for statement in code.module.body:
        if not isinstance(statement, cst.SimpleStatementLine):
            break
        if isinstance(statement.body[0], cst.Import | cst.ImportFrom):
            last = statement
        elif not isinstance(statement.body[0], cst.Expr):
            break
    return last
