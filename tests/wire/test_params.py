"""What a client may ask for in its query, and what is answered to what it may not."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tympan.core.audio import AudioFormat, CompressedEncoding, CompressedFormat, Encoding
from tympan.core.config import (
    Finality,
    FocusConfig,
    FormattedSource,
    Microphone,
    OutputConfig,
    SessionConfig,
    SessionLimits,
    TurnConfig,
)
from tympan.core.errors import BadParameter
from tympan.wire.parameter import State
from tympan.wire.server_protocol import ResumeRequest
from tympan.wire.v3.client import build_query
from tympan.wire.v3.messages import LATEST_API_VERSION
from tympan.wire.v3.parameters import PARAMETERS
from tympan.wire.v3.params import parse_query, query_resume, query_token
from tympan.wire.v3.profiles import Profile

DEFAULTS = SessionConfig()
BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}


def ask(query="", *, defaults=DEFAULTS, strict=False, api_version=None):
    return parse_query(query, defaults=defaults, strict=strict, api_version=api_version)


def config_of(query, **options):
    return ask(query, **options)[0]


def options_of(query, **options):
    return ask(query, **options)[1]


def refusal(query, **options):
    with pytest.raises(BadParameter) as caught:
        ask(query, **options)
    return str(caught.value)


def test_an_empty_query_means_the_defaults():
    config, options = ask()
    assert config == DEFAULTS
    assert (options.speech_model, options.profile) == ("universal-streaming-english", Profile.US)
    assert (options.token, options.requested_model, options.without_effect) == (None, None, ())


def test_the_operators_defaults_hold_for_what_a_client_leaves_out():
    defaults = SessionConfig(
        audio=AudioFormat(Encoding.PCM_MULAW, 8000),
        turn=TurnConfig(0.7, 160, 2400, 0.5),
        output=OutputConfig(
            format_turns=True,
            include_partial_turns=False,
            formatted_source=FormattedSource.FINAL_WORDS,
            filter_profanity=True,
        ),
        limits=SessionLimits(inactivity_timeout_s=60, max_duration_s=600),
    )
    assert config_of("", defaults=defaults) == defaults


@pytest.mark.parametrize("encoding", CompressedEncoding)
def test_compressed_audio_needs_no_sample_rate_and_has_none(encoding):
    assert config_of(f"encoding={encoding}").audio == CompressedFormat(encoding)
    assert config_of(f"encoding={encoding}&sample_rate=8000").audio == CompressedFormat(encoding)


def test_an_operator_may_make_compressed_audio_the_default():
    defaults = replace(DEFAULTS, audio=CompressedFormat(CompressedEncoding.AAC))
    assert config_of("", defaults=defaults).audio == CompressedFormat(CompressedEncoding.AAC)
    assert config_of("encoding=pcm_mulaw", defaults=defaults).audio == AudioFormat(Encoding.PCM_MULAW, 16_000)


@pytest.mark.parametrize(
    ("query", "part", "name", "value"),
    [
        ("sample_rate=8000", "audio", "sample_rate_hz", 8000),
        ("sample_rate=96000", "audio", "sample_rate_hz", 96000),
        ("encoding=pcm_mulaw", "audio", "encoding", Encoding.PCM_MULAW),
        ("format_turns=true", "output", "format_turns", True),
        ("formatted_finals=true", "output", "format_turns", True),
        ("formatted_finals=true&format_turns=false", "output", "format_turns", False),
        ("include_partial_turns=false", "output", "include_partial_turns", False),
        ("filter_profanity=true", "output", "filter_profanity", True),
        ("formatted_source=final_words", "output", "formatted_source", FormattedSource.FINAL_WORDS),
        ("end_of_turn_confidence_threshold=0.7", "turn", "confidence_threshold", 0.7),
        ("end_of_turn_confidence_threshold=0", "turn", "confidence_threshold", 0.0),
        ("min_turn_silence=160", "turn", "min_silence_ms", 160),
        ("min_end_of_turn_silence_when_confident=160", "turn", "min_silence_ms", 160),
        ("min_end_of_turn_silence_when_confident=1&min_turn_silence=2", "turn", "min_silence_ms", 2),
        ("max_turn_silence=2400", "turn", "max_silence_ms", 2400),
        ("min_turn_silence=800&max_turn_silence=100", "turn", "longest_silence_ms", 800),
        ("vad_threshold=0.25", "turn", "vad_threshold", 0.25),
        ("inactivity_timeout=30", "limits", "inactivity_timeout_s", 30),
        ("turn_left_pad_ms=0", "turn", "left_pad_ms", 0),
        ("language_detection=true", "output", "has_language", True),
        ("session_heartbeat=true", "output", "has_heartbeat", True),
    ],
)
def test_a_parameter_changes_its_setting(query, part, name, value):
    assert getattr(getattr(config_of(query), part), name) == value


@pytest.mark.parametrize(
    ("query", "part", "name", "value"),
    [
        ("", "turn", "finality", Finality.TURN),
        ("", "turn", "min_silence_ms", 100),
        ("", "turn", "max_silence_ms", 1000),
        ("", "turn", "vad_threshold", 0.3),
        ("", "turn", "partial_delay_ms", 500),
        ("", "turn", "has_continuous_partials", True),
        ("min_turn_silence=100&max_turn_silence=100", "turn", "longest_silence_ms", 100),
        ("interruption_delay=1000", "turn", "partial_delay_ms", 1000),
        ("interruption_delay=1001", "turn", "partial_delay_ms", 1000),
        ("continuous_partials=false", "turn", "has_continuous_partials", False),
        ("turn_left_pad_ms=2001", "turn", "left_pad_ms", 2000),
        ("vad_threshold=0.5", "turn", "vad_threshold", 0.5),
        ("acknowledge_silence=1", "output", "has_silence", True),
        ("mode=min_latency", "turn", "max_silence_ms", 800),
        ("mode=min_latency&max_turn_silence=700", "turn", "max_silence_ms", 700),
        ("mode=max_accuracy", "turn", "min_silence_ms", 400),
    ],
)
def test_a_u3_session_has_its_own_defaults_and_parameters(query, part, name, value):
    config = config_of(f"speech_model=universal-3-6-pro&{query}")
    assert getattr(getattr(config, part), name) == value


def test_the_balanced_mode_is_the_default_of_a_u3_session():
    assert config_of("speech_model=u3-rt-pro&mode=balanced") == config_of("speech_model=u3-rt-pro")
    assert options_of("speech_model=u3-rt-pro").mode == "balanced"
    assert options_of("speech_model=u3-rt-pro&mode=min_latency").mode == "min_latency"
    assert options_of("mode=min_latency").mode is None


def test_the_operators_turn_settings_are_those_of_the_us_profile():
    defaults = SessionConfig(turn=TurnConfig(0.7, 160, 2400, 0.5), limits=SessionLimits(max_duration_s=600))
    config = config_of("speech_model=u3-rt-pro", defaults=defaults)
    assert config.turn == config_of("speech_model=u3-rt-pro").turn
    assert config.limits == defaults.limits


@pytest.mark.parametrize("query", ["mode=turbo", "prompt=" + "a" * 1751, "previous_context_n_turns=x"])
def test_a_u3_session_refuses_what_it_cannot_use(query):
    refusal(f"speech_model=u3-rt-pro&{query}")


@pytest.mark.parametrize("spelling", ["true", "True", "TRUE", "1", "yes", "Yes", " true "])
def test_every_spelling_of_true_is_understood(spelling):
    assert config_of(urlencode({"format_turns": spelling})).output.format_turns


@pytest.mark.parametrize("spelling", ["false", "False", "0", "no"])
def test_every_spelling_of_false_is_understood(spelling):
    defaults = replace(DEFAULTS, output=OutputConfig(format_turns=True))
    assert not config_of(urlencode({"format_turns": spelling}), defaults=defaults).output.format_turns


def test_the_last_of_repeated_values_counts():
    assert config_of("sample_rate=8000&sample_rate=44100").audio.sample_rate_hz == 44100


def test_unknown_names_are_ignored():
    assert ask("sample_ratte=7&utm=x", strict=True)[0] == config_of("", strict=True)


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("sample_rate=7000", "Invalid 'sample_rate': sample_rate must be at least 8,000 Hz"),
        ("sample_rate=96001", "Invalid 'sample_rate': sample_rate must be at most 96,000 Hz"),
        ("sample_rate=abc", "Invalid 'sample_rate': 'abc' is not an integer"),
        ("sample_rate=", "Invalid 'sample_rate': '' is not an integer"),
        ("sample_rate=16_000", "Invalid 'sample_rate': '16_000' is not an integer"),
        ("sample_rate=16000.0", "Invalid 'sample_rate': '16000.0' is not an integer"),
        ("sample_rate=" + "9" * 60, f"Invalid 'sample_rate': '{'9' * 50}…' is not an integer"),
        ("encoding=flac", "Invalid 'encoding': 'flac' is not a valid Encoding"),
        (
            "format_turns=maybe",
            "Invalid 'format_turns': 'maybe' is not a boolean; expected true or false",
        ),
        ("filter_profanity=x", "Invalid 'filter_profanity': 'x' is not a boolean; expected true or false"),
        ("vad_threshold=nan", "Invalid 'vad_threshold': 'nan' is not a number"),
        ("vad_threshold=inf", "Invalid 'vad_threshold': 'inf' is not a number"),
        ("vad_threshold=loud", "Invalid 'vad_threshold': 'loud' is not a number"),
        ("formatted_source=x", "Invalid 'formatted_source': 'x' is not a valid formatted_source"),
        ("keyterms_prompt=[1]", "Invalid 'keyterms_prompt': Invalid JSON array"),
        ("keyterms_prompt=[oops", "Invalid 'keyterms_prompt': Invalid JSON array"),
        ("keyterms=" + ",".join("abc" for _ in range(101)), "Invalid 'keyterms': Max 100 items"),
        ("prompt=" + "a" * 1751, "Invalid 'prompt': Max 1750 characters, got 1751"),
        ("agent_context=" + "a" * 1751, "Invalid 'agent_context': Max 1750 characters, got 1751"),
        ("mode=turbo", "Invalid 'mode': 'turbo' is not a valid Mode"),
        ("language_codes=[%22xx%22]", "Invalid 'language_codes.0': 'xx' is not a valid language code"),
        ("language_codes=en,multi", "Invalid 'language_codes': 'multi' must be the only item"),
        ("language_codes=es,de", "Invalid 'language_codes': only English is transcribed, not es, de"),
        ("language_code=es", "Invalid 'language_code': only English is transcribed, not es"),
        ("llm_gateway=[]", "Invalid 'llm_gateway': Invalid JSON object"),
        ("redact_pii=true", "Invalid 'redact_pii': redaction is not available yet; leave it out"),
        (
            "speaker_labels=true",
            "Invalid 'speaker_labels': speaker labelling is not available yet; leave it out",
        ),
        ("x&" * 1001, "Invalid 'query': more than 1000 fields"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_with_its_text(query, text):
    assert refusal(query) == text


@pytest.mark.parametrize(
    ("query", "part", "name", "value", "text"),
    [
        ("end_of_turn_confidence_threshold=1.5", "turn", "confidence_threshold", 1, "between 0 and 1"),
        ("vad_threshold=-1", "turn", "vad_threshold", 0, "between 0 and 1"),
        ("min_turn_silence=0&max_turn_silence=0", "turn", "max_silence_ms", 1, "between 1 and 3,600,000 ms"),
        ("inactivity_timeout=1", "limits", "inactivity_timeout_s", 5, "between 5 and 3,600 s"),
        ("inactivity_timeout=9999", "limits", "inactivity_timeout_s", 3600, "between 5 and 3,600 s"),
    ],
)
def test_a_number_out_of_range_is_clamped_and_when_strict_refused(query, part, name, value, text):
    assert getattr(getattr(config_of(query), part), name) == value
    assert text in refusal(query, strict=True)


@pytest.mark.parametrize(("given_ms", "in_force_ms"), [(-5, 0), (10_001, 10_000)])
def test_the_shortest_silence_is_clamped_even_when_strict_as_by_the_hosted_service(given_ms, in_force_ms):
    assert config_of(f"min_turn_silence={given_ms}", strict=True).turn.min_silence_ms == in_force_ms


@pytest.mark.parametrize("query", ["mode=balanced", "prompt=hi", "agent_context=hi"])
def test_u3_parameters_are_ignored_and_when_strict_refused(query):
    assert config_of(query) == DEFAULTS
    assert refusal(query, strict=True).endswith("not supported by this speech model")


@pytest.mark.parametrize(
    "query", ["keyterms_prompt=one", "keyterms_prompt=a,b", 'keyterms_prompt=["a"]&keyterms_prompt=["b"]']
)
def test_a_list_is_one_json_array_when_strict(query):
    assert options_of(query).without_effect == ("keyterms_prompt",)
    assert refusal(query, strict=True) == "Invalid 'keyterms_prompt': Invalid JSON array"


def test_an_older_name_of_a_list_is_taken_as_it_was_even_when_strict():
    assert options_of("language_code=en", strict=True).without_effect == ("language_codes",)


def test_a_strict_session_says_so_in_its_limits_and_has_the_bounds_of_the_hosted_service():
    limits = config_of("", strict=True).limits
    assert (limits.is_strict, limits.min_chunk_ms, limits.max_chunk_ms) == (True, 50, 1000)


WITHOUT_EFFECT = {
    "keyterms_prompt": '["one","two"]',
    "prompt": "a" * 1750,
    "agent_context": "hello",
    "previous_context_n_turns": "5",
    "language_codes": '["es","en"]',
    "language": "multi",
    "redact_pii_policies": '["person_name"]',
    "redact_pii_sub": "hash",
    "max_speakers": "2",
    "speaker_labels_revision_interval_ms": "120000",
    "domain": "medical-v1",
    "customer_support_audio_capture": "true",
    "word_finalization_max_wait_time": "160",
}


def test_the_list_of_parameters_without_effect_is_complete():
    assert set(WITHOUT_EFFECT) == {row.name for row in PARAMETERS if row.state is State.WITHOUT_EFFECT}


@pytest.mark.parametrize("name", WITHOUT_EFFECT)
@pytest.mark.parametrize("model", ["universal-streaming-english", "whisper-rt", "u3-rt-pro"])
def test_a_parameter_without_effect_changes_nothing_and_is_reported(name, model):
    config, options = ask(urlencode({name: WITHOUT_EFFECT[name], "speech_model": model}))
    assert config == config_of(f"speech_model={model}")
    assert options.without_effect == (name,)


ELSEWHERE = [
    ("universal-streaming-english", "mode", "max_accuracy"),
    ("universal-streaming-english", "continuous_partials", "false"),
    ("universal-streaming-english", "interruption_delay", "0"),
    ("universal-streaming-english", "acknowledge_silence", "true"),
    ("u3-rt-pro", "format_turns", "true"),
    ("u3-rt-pro", "formatted_finals", "true"),
    ("u3-rt-pro", "formatted_source", "final_words"),
    ("u3-rt-pro", "end_of_turn_confidence_threshold", "1"),
    ("whisper-rt", "format_turns", "true"),
]


@pytest.mark.parametrize(("model", "name", "value"), ELSEWHERE)
def test_what_the_profile_does_not_have_changes_nothing_and_is_reported(model, name, value):
    config, options = ask(urlencode({name: value, "speech_model": model}))
    assert config == config_of(f"speech_model={model}")
    assert options.without_effect == (name,)


WITH_EFFECT = {"min_turn_silence": "160", "voice_focus": "far-field", "voice_focus_threshold": "0.25"}
"""Of those that have older names."""


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_each_older_name_is_read_when_the_newer_is_absent(parameter):
    for alias in parameter.aliases:
        value = "en" if alias == "language_code" else (WITHOUT_EFFECT | WITH_EFFECT)[parameter.name]
        assert ask(urlencode({alias: value})) == ask(urlencode({parameter.name: value}))


@pytest.mark.parametrize("model", ["universal-streaming-english", "whisper-rt", "u3-rt-pro"])
@pytest.mark.parametrize(
    ("query", "focus"),
    [
        ("", None),
        ("voice_focus_threshold=0.7", None),
        ("voice_focus=near-field", FocusConfig(Microphone.NEAR_FIELD, 0.5)),
        ("voice_focus=far-field&voice_focus_threshold=0.7", FocusConfig(Microphone.FAR_FIELD, 0.7)),
        ("noise_suppression_model=far-field&noise_suppression_threshold=0", FocusConfig(Microphone.FAR_FIELD, 0.0)),
        ("voice_focus=near-field&voice_focus_threshold=2", FocusConfig(Microphone.NEAR_FIELD, 1.0)),
    ],
)
def test_noise_is_suppressed_for_who_says_where_the_speaker_is(model, query, focus):
    config, options = ask(f"speech_model={model}&{query}")
    assert (config.focus, options.without_effect) == (focus, ())


def test_an_operator_may_make_noise_suppression_the_default():
    defaults = replace(DEFAULTS, focus=FocusConfig(Microphone.FAR_FIELD))
    assert config_of("voice_focus_threshold=1", defaults=defaults).focus == FocusConfig(Microphone.FAR_FIELD, 1.0)


@pytest.mark.parametrize("name", ["redact_pii", "speaker_labels"])
def test_what_is_not_available_may_be_turned_off(name):
    assert config_of(f"{name}=False") == DEFAULTS


@pytest.mark.parametrize("query", ["language_codes=", "language_codes=[]", "webhook_url=", "llm_gateway={}"])
def test_an_empty_wish_is_no_wish(query):
    config, options = ask(query)
    assert (config, options.webhook, options.prompt) == (DEFAULTS, None, None)


@pytest.mark.parametrize(
    ("texts", "items"),
    [
        (['["a, b"," c "]'], ("a, b", "c")),
        (["a,b, c,,"], ("a", "b", "c")),
        (["a, b", "c"], ("a, b", "c")),
        (['["a"]', "b"], ("a", "b")),
        ([""], ()),
    ],
)
def test_a_list_may_be_json_repeated_or_with_commas(texts, items):
    assert BY_NAME["keyterms_prompt"].parse("keyterms_prompt", texts, profile=Profile.US, is_strict=False) == items


@pytest.mark.parametrize(
    ("model", "profile"),
    [
        ("universal-streaming-english", Profile.US),
        ("universal-streaming-multilingual", Profile.US),
        ("whisper-rt", Profile.WHISPER),
        ("u3-rt-pro", Profile.U3),
        ("universal-3-5-pro", Profile.U3),
        ("universal-3-6-pro", Profile.U3),
        ("_universal-3-5-notetaker", Profile.U3),
    ],
)
def test_a_served_model_name_chooses_its_profile_and_is_echoed(model, profile):
    options = options_of(f"speech_model={model}", strict=True)
    assert (options.profile, options.speech_model, options.requested_model) == (profile, model, None)


@pytest.mark.parametrize("model", ["u3-rt-ultra", "universal-3-9", "_universal-3-9-notetaker"])
def test_a_newer_name_of_the_u3_family_is_served_as_such_unless_strict(model):
    options = options_of(f"speech_model={model}")
    assert (options.profile, options.speech_model, options.requested_model) == (Profile.U3, model, None)
    assert "is not a valid SpeechModel" in refusal(f"speech_model={model}", strict=True)


def test_an_unknown_model_is_served_by_the_default_and_reported():
    options = options_of("speech_model=my-model")
    assert options.speech_model == "universal-streaming-english"
    assert options.requested_model == "my-model"


def test_a_strict_server_refuses_an_unknown_model_and_lists_the_others():
    assert refusal("speech_model=my-model", strict=True) == (
        "Invalid 'speech_model': 'my-model' is not a valid SpeechModel; allowed: "
        "universal-streaming-english, universal-streaming-multilingual, whisper-rt, u3-rt-pro, u3-rt-pro-beta-1, "
        "u3-rt-agent, universal-3-5-pro, universal-3-6, universal-3-6-pro, universal-3-7-preview, "
        "_universal-3-5-notetaker"
    )


def test_a_name_that_the_hosted_service_has_retired_is_served_unless_strict():
    assert options_of("speech_model=u3-pro").profile is Profile.U3
    assert "'u3-pro' is not a valid SpeechModel" in refusal("speech_model=u3-pro", strict=True)


def test_an_empty_model_name_is_no_name():
    assert options_of("speech_model=", strict=True).speech_model == "universal-streaming-english"


def test_whisper_has_no_formatted_final():
    assert not config_of("speech_model=whisper-rt&format_turns=true").output.format_turns


def test_the_token_is_kept_and_never_shown():
    options = options_of("token=s3cret")
    assert options.token == "s3cret"
    assert "s3cret" not in repr(options)


def test_the_token_can_be_read_from_a_query_that_is_wrong_otherwise():
    assert query_token("token=s3cret&sample_rate=x") == "s3cret"
    assert query_token("") is None


def test_a_session_is_resumable_only_for_who_asks():
    assert not options_of("").is_resumable
    assert not options_of("resumable=false").is_resumable
    assert options_of("resumable=true").is_resumable
    assert config_of("resumable=true") == DEFAULTS


def test_the_wish_to_resume_is_found_whatever_else_is_in_the_query():
    assert query_resume("sample_rate=x&resume_key=s3cret&messages_received=12") == ResumeRequest("s3cret", 12)
    assert query_resume("resume_key=s3cret") == ResumeRequest("s3cret", 0)
    assert query_resume("resume_key=") == ResumeRequest("", 0)
    assert query_resume("resumable=true&messages_received=12") is None


@pytest.mark.parametrize("count", ["x", "-1", "1.5", "1000000001", ""])
def test_a_count_of_messages_that_is_none_is_refused(count):
    with pytest.raises(BadParameter, match="messages_received"):
        query_resume(f"resume_key=k&messages_received={count}")


def test_the_key_of_a_session_is_not_in_what_a_log_may_show():
    assert "s3cret" not in repr(ResumeRequest("s3cret", 1))


@pytest.mark.parametrize(
    ("header", "echoed"),
    [
        ("2024-01-31", "2024-01-31"),
        (None, LATEST_API_VERSION),
        ("latest", LATEST_API_VERSION),
        ("2024-01-31\n", LATEST_API_VERSION),
    ],
)
def test_the_api_version_is_echoed_when_it_is_a_date(header, echoed):
    assert options_of("", api_version=header).api_version == echoed


@pytest.mark.parametrize(
    "query",
    [
        "sample_rate=16000&format_turns=True",
        "speech_model=universal-streaming-english&sample_rate=48000&format_turns=true"
        "&end_of_turn_confidence_threshold=0.5&min_turn_silence=800&max_turn_silence=2000"
        "&language_detection=false&encoding=pcm_s16le",
        "speech_model=universal-streaming-english&sample_rate=16000&encoding=pcm_s16le"
        "&formatted_finals=true&format_turns=true&continuous_partials=true"
        "&end_of_turn_confidence_threshold=1.0&min_turn_silence=160&max_turn_silence=160",
        "speech_model=universal-streaming-multilingual&sample_rate=16000&encoding=pcm_s16le"
        "&min_turn_silence=100&max_turn_silence=100&language_detection=true"
        "&keyterms_prompt=%5B%22a%22%5D&previous_context_n_turns=3",
        "sample_rate=16000&encoding=pcm_s16le&keyterms=%5B%22a%22%5D",
        "speech_model=universal-3-6-pro&sample_rate=16000&encoding=pcm_s16le&formatted_finals=true&format_turns=true"
        "&continuous_partials=true&min_turn_silence=100&max_turn_silence=100",
        "speech_model=universal-3-6-pro&sample_rate=16000&encoding=pcm_s16le&min_turn_silence=100"
        "&max_turn_silence=100&language_detection=true&previous_context_n_turns=3&agent_context=hello",
        "speech_model=u3-rt-pro&sample_rate=16000",
    ],
    ids=[
        "seed script",
        "VideoSDK",
        "pipecat",
        "LiveKit",
        "self-hosted example",
        "pipecat U3",
        "LiveKit U3",
        "Vision Agents",
    ],
)
def test_what_known_clients_send_is_accepted(query):
    ask(query)


@pytest.mark.parametrize("parameter", PARAMETERS, ids=lambda parameter: parameter.name)
def test_the_documented_default_is_the_one_in_force(parameter):
    if parameter.default not in ("", "none"):
        assert config_of(f"{parameter.name}={parameter.default}") == DEFAULTS
    u3_default = parameter.u3_default or (parameter.default if parameter.applies_to(Profile.U3) else "")
    if u3_default not in ("", "none") and parameter.name != "speech_model":
        assert config_of(f"speech_model=u3-rt-pro&{parameter.name}={u3_default}") == config_of("speech_model=u3-rt-pro")


names = st.sampled_from([name for row in PARAMETERS for name in row.names])
texts = st.text() | st.sampled_from(["true", "1", "-1", "1e9", "[]", '["en"]', "[[[", "{}", "opus", "ſ"])


@given(st.lists(st.tuples(names | st.text(), texts)), st.booleans())
def test_any_fields_give_a_configuration_or_a_bad_parameter(fields, strict):
    _is_served_or_refused(urlencode(fields, errors="replace"), strict)


@given(st.text(), st.booleans())
def test_any_query_gives_a_configuration_or_a_bad_parameter(query, strict):
    _is_served_or_refused(query, strict)


def _is_served_or_refused(query, strict):
    try:
        config, _ = ask(query, strict=strict)
    except BadParameter:
        return
    assert 8_000 <= config.audio.sample_rate_hz <= 96_000
    assert 0 <= config.turn.confidence_threshold <= 1
    assert 0 <= config.turn.min_silence_ms <= config.turn.longest_silence_ms


def test_english_among_the_languages_is_served():
    assert config_of("language_codes=es,en") == config_of("language_codes=multi") == DEFAULTS


def test_no_refusal_repeats_a_long_value():
    assert len(refusal("sample_rate=" + "a" * 100_000)) < 200
    assert len(refusal("language_codes=" + "a" * 100_000)) < 200
    assert len(refusal("speech_model=u3-" + "a" * 100_000, strict=True)) < 500
    assert len(options_of("speech_model=u3-" + "a" * 100_000).speech_model) == 100


@given(st.floats(0, 1), st.integers(0, 10_000), st.booleans(), st.sampled_from([8000, 16000, 44100]))
def test_a_query_that_the_client_builds_is_understood(threshold, silence_ms, is_formatted, rate_hz):
    query = build_query(
        {
            "end_of_turn_confidence_threshold": threshold,
            "min_turn_silence": silence_ms,
            "format_turns": is_formatted,
            "sample_rate": rate_hz,
            "keyterms_prompt": ["a, b", "c"],
            "token": None,
        }
    )
    config, options = ask(query, strict=True)
    assert config.turn.confidence_threshold == threshold
    assert config.turn.min_silence_ms == silence_ms
    assert config.output.format_turns is is_formatted
    assert config.audio.sample_rate_hz == rate_hz
    assert options.token is None
    assert options.without_effect == ("keyterms_prompt",)
