"""Programs of the old SDK, in the ways in which they were written."""

from __future__ import annotations

import pytest
from assemblyai.streaming import v3

from tympan.migrate.discovery import all_rules
from tympan.migrate.matching.sdk import RENAMED
from tympan.migrate.matching.source import PythonDocument
from tympan.migrate.rule import Target
from tympan.migrate.runner import Outcome, fix

FUNCTIONS = """\
import assemblyai as aai

def hear(transcript):
    print(transcript.text)

transcriber = aai.RealtimeTranscriber(sample_rate=16_000, on_data=hear, on_error=print)
transcriber.connect()
"""


def outcome(program: str, target: Target | None = None) -> Outcome:
    return fix(PythonDocument(program), all_rules(), target or Target())


def fixed(program: str, target: Target | None = None) -> str:
    return outcome(program, target).document.text


def left(program: str) -> list[tuple[str, str]]:
    result = outcome(program)
    return [
        (finding.code, result.document.line_of(result.document.place(finding.span.start).line))
        for finding in result.left
    ]


def test_another_host_is_given_to_the_client() -> None:
    assert 'api_host="ws://localhost:8000")' in fixed(FUNCTIONS, Target.of("ws://localhost:8000"))
    assert 'api_host="speech.example.com")' in fixed(FUNCTIONS, Target.of("speech.example.com"))


def test_a_token_is_given_to_the_client() -> None:
    program = FUNCTIONS.replace("on_error=print", "on_error=print, token=get_token()")
    assert "StreamingClient(StreamingClientOptions(token=get_token()))" in fixed(program)


def test_a_callback_that_is_also_called_directly_keeps_its_signature() -> None:
    text = fixed(FUNCTIONS + "hear(replayed)\n")
    assert "def hear(transcript):" in text
    assert "transcriber.on(StreamingEvents.Turn, lambda client, event: hear(event))" in text
    assert "print(transcript.transcript)" in text


def test_a_callback_of_another_file_stops_the_safe_fix_and_is_told() -> None:
    program = FUNCTIONS.replace("on_data=hear", "on_data=other.hear")
    assert "aai.RealtimeTranscriber(" in fixed(program)
    (finding,) = outcome(program).left
    assert "Not in this file: other.hear" in finding.advice


def test_a_parameter_that_a_callback_has_already_is_not_taken() -> None:
    program = FUNCTIONS.replace("print(transcript.text)", "client.send(transcript.text)")
    assert "def hear(streaming_client, transcript):" in fixed(program)


def test_a_callback_that_takes_anything_stays() -> None:
    program = FUNCTIONS.replace("on_error=print", "on_error=print, on_close=over") + "def over(*_):\n    pass\n"
    assert "def over(*_):" in fixed(program)
    assert "transcriber.on(StreamingEvents.Termination, over)" in fixed(program)


def test_names_that_the_program_has_already_are_respected() -> None:
    program = "class Encoding:\n    pass\n\n" + FUNCTIONS.replace(
        "on_error", "encoding=aai.AudioEncoding.pcm_mulaw, on_error"
    )
    assert "Encoding as AssemblyAIEncoding" in fixed(program)
    assert "encoding=AssemblyAIEncoding.pcm_mulaw" in fixed(program)


def test_an_alias_of_an_import_is_followed() -> None:
    program = FUNCTIONS.replace("import assemblyai as aai", "from assemblyai import RealtimeTranscriber as Old")
    text = fixed(program.replace("aai.RealtimeTranscriber(", "Old("))
    assert text.startswith("import assemblyai\nfrom assemblyai.streaming.v3 import (")
    assert "StreamingClientOptions(api_key=assemblyai.settings.api_key)" in text
    assert "Old" not in text


def test_other_imports_of_the_package_stay_with_their_comments() -> None:
    program = (
        "from assemblyai import (\n    RealtimeError,  # ours\n    Transcriber,  # batch\n    RealtimeWord,\n"
        "    settings,\n)\n"
        "def f(error: RealtimeError, word: RealtimeWord): ...\n"
    )
    assert fixed(program) == (
        "from assemblyai import (\n    Transcriber,  # batch\n    settings,\n)\n"
        "from assemblyai.streaming.v3 import StreamingError, Word\n"
        "def f(error: StreamingError, word: Word): ...\n"
    )


def test_an_import_in_a_function_is_replaced_there() -> None:
    program = "def hear():\n    from assemblyai import RealtimeError\n    raise RealtimeError('x')\n"
    assert fixed(program) == (
        "def hear():\n    from assemblyai.streaming.v3 import StreamingError\n    raise StreamingError('x')\n"
    )


def test_a_global_client_takes_its_parameters_along() -> None:
    program = (
        "import assemblyai as aai\n\ntranscriber = None\n\ndef make():\n    global transcriber\n"
        "    transcriber = aai.RealtimeTranscriber(sample_rate=8000, on_data=print, on_error=print)\n\n"
        "def start():\n    transcriber.connect()\n"
    )
    text = fixed(program)
    assert "global transcriber, transcriber_parameters\n" in text
    assert "    transcriber_parameters = StreamingParameters(sample_rate=8000, format_turns=True)\n" in text
    assert "transcriber.connect(transcriber_parameters)\n" in text


def test_what_is_left_to_people_keeps_its_import_and_its_finding() -> None:
    program = (
        "from assemblyai import RealtimeError, RealtimeTranscriber\n\n"
        "def failed(error: RealtimeError): ...\n\n"
        "def make(**options):\n    return RealtimeTranscriber(on_error=failed, **options)\n"
    )
    assert fixed(program).startswith(
        "from assemblyai import RealtimeTranscriber\nfrom assemblyai.streaming.v3 import StreamingError\n"
    )
    assert left(program) == [("TM040", "    return RealtimeTranscriber(on_error=failed, **options)")]


def test_a_client_that_is_made_in_two_places_keeps_its_parameters_beside_it() -> None:
    made = "    transcriber = aai.RealtimeTranscriber(sample_rate={}, on_data=print, on_error=print)\n"
    program = f"import assemblyai as aai\n\ndef run(slow):\n{made.format(8000)}    if slow:\n    {made.format(4000)}"
    text = fixed(program + "    transcriber.connect()\n")
    assert "transcriber_parameters = StreamingParameters(sample_rate=8000, format_turns=True)\n" in text
    assert "transcriber_parameters = StreamingParameters(sample_rate=4000, format_turns=True)\n" in text
    assert "transcriber.connect(transcriber_parameters)\n" in text


def test_an_import_that_nothing_uses_goes() -> None:
    assert fixed("from assemblyai import RealtimeError, settings\nsettings.api_key = 'x'\n") == (
        "from assemblyai import settings\nsettings.api_key = 'x'\n"
    )


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ("word_boost=NAMES", "keyterms_prompt=NAMES"),
        ("disable_partial_transcripts=True", "include_partial_turns=False"),
        ("disable_partial_transcripts=quiet", "include_partial_turns=not quiet"),
        ("disable_partial_transcripts=a or b", "include_partial_turns=not (a or b)"),
        ("end_utterance_silence_threshold=300", "max_turn_silence=300, end_of_turn_confidence_threshold=1"),
        ("encoding=aai.AudioEncoding.pcm_mulaw", "encoding=Encoding.pcm_mulaw"),
    ],
)
def test_an_argument_becomes_a_parameter(given: str, parameters: str) -> None:
    program = FUNCTIONS.replace("on_data=hear", f"on_data=hear, {given}")
    text = " ".join(fixed(program).replace(",\n    )", ")").split()).replace("( ", "(")
    assert f"StreamingParameters(sample_rate=16_000, {parameters}, format_turns=True)" in text


@pytest.mark.parametrize(
    ("test", "new"),
    [
        ("isinstance(t, aai.RealtimeFinalTranscript)", "t.end_of_turn and t.turn_is_formatted"),
        ("not isinstance(t, aai.RealtimeFinalTranscript)", "not (t.end_of_turn and t.turn_is_formatted)"),
        ("isinstance(t, aai.RealtimePartialTranscript)", "not (t.end_of_turn and t.turn_is_formatted)"),
        ("type(t) is aai.RealtimeFinalTranscript", "t.end_of_turn and t.turn_is_formatted"),
        ("type(t) != aai.RealtimeFinalTranscript", "not (t.end_of_turn and t.turn_is_formatted)"),
        ('t.message_type == "FinalTranscript"', "t.end_of_turn and t.turn_is_formatted"),
        ("x or isinstance(t, aai.RealtimeFinalTranscript)", "x or (t.end_of_turn and t.turn_is_formatted)"),
    ],
)
def test_a_final_is_told_by_its_flags(test: str, new: str) -> None:
    program = f"import assemblyai as aai\n\ndef hear(t: aai.RealtimeTranscript):\n    if {test}:\n        print(t)\n"
    assert f"    if {new}:\n" in fixed(program)


def test_a_class_that_tells_nothing_any_more_is_left_to_people() -> None:
    for kind in ("RealtimeSessionOpened", "(RealtimeFinalTranscript, RealtimeError)"):
        names = kind.strip("()")
        program = f"from assemblyai import {names}\n\ndef hear(t):\n    return isinstance(t, {kind})\n"
        assert fixed(program) == program
        assert left(program) == [("TM042", f"    return isinstance(t, {kind})")]


def test_the_current_sdk_has_every_name_that_is_written() -> None:
    names = {*RENAMED.values(), "StreamingClientOptions", "StreamingEvents", "StreamingParameters"}
    assert [name for name in {*names, "StreamingSessionParameters"} if not hasattr(v3, name)] == []
    parameters = v3.StreamingParameters.model_fields
    assert {"sample_rate", "encoding", "keyterms_prompt", "max_turn_silence", "include_partial_turns"} <= set(
        parameters
    )
    assert {"api_key", "token", "api_host", "connect_timeout"} <= set(v3.StreamingClientOptions.model_fields)
    assert {"id", "expires_at"} <= set(v3.BeginEvent.model_fields)
    assert {"transcript", "end_of_turn", "turn_is_formatted", "words"} <= set(v3.TurnEvent.model_fields)
    for method in ("on", "connect", "stream", "disconnect", "set_params", "force_endpoint", "create_temporary_token"):
        assert callable(getattr(v3.StreamingClient, method))
