"""What the legacy protocol v2 holds (protocol reference, section 8): parameters, messages, close codes."""

from __future__ import annotations

RATE = "sample_rate=16000"
WORD = {"start": int, "end": int, "confidence": float, "text": str}
_TRANSCRIPT = {
    "audio_start": int,
    "audio_end": int,
    "confidence": float,
    "text": str,
    "words": list,
    "created": str,
}
V2_SHAPES: dict[str, dict[str, type]] = {
    "SessionBegins": {"session_id": str, "expires_at": str},
    "PartialTranscript": _TRANSCRIPT,
    "FinalTranscript": {**_TRANSCRIPT, "punctuated": bool, "text_formatted": bool},
    "SessionInformation": {"audio_duration_seconds": float},
    "SessionTerminated": {},
    "Error": {"error": str},
}
"""What each message holds beside `message_type`, which `Error` has not; nothing else, and nothing less."""

V2_PARAMETERS = {
    "token",
    "sample_rate",
    "encoding",
    "word_boost",
    "disable_partial_transcripts",
    "enable_extra_session_information",
}
_HERE = "test_blackbox_v2"
V2_CLOSE_CODES = {
    (1000, "after `SessionTerminated`"): (_HERE, "test_a_session_is_what_old_clients_expect"),
    (1011, "the server failed; details in its log"): (_HERE, "test_a_server_fault_is_1011_after_session_terminated"),
    (1013, "the server shuts down; all words were told before"): (
        _HERE,
        "test_a_server_that_stops_is_1013_after_session_terminated",
    ),
    (4000, "`sample_rate` is missing or can't be used"): (_HERE, "test_a_bad_parameter_ends_with_its_code"),
    (4001, "no credential, or not a valid one"): (_HERE, "test_a_wrong_key_is_4001"),
    (4008, "`expires_at` has come; all words were told before"): (
        _HERE,
        "test_the_longest_session_is_4008_after_its_last_words",
    ),
    (4029, "too much audio waits to be judged"): (_HERE, "test_more_audio_than_may_wait_is_4029"),
    (4031, "nothing came for the server's `inactivity_timeout_s`"): (_HERE, "test_an_idle_client_is_let_go_with_4031"),
    (4032, "only when the server is strict"): (_HERE, "test_a_short_message_is_4032_when_strict"),
    (4033, "a message with too much audio"): (_HERE, "test_a_long_message_is_4033"),
    (4100, "a text message that is no JSON"): (_HERE, "test_a_bad_message_ends_with_its_code"),
    (4101, "any other message or parameter that can't be used"): (_HERE, "test_a_bad_message_ends_with_its_code"),
    (4102, "the key has begun `max_new_sessions_per_minute`"): (_HERE, "test_a_key_that_opens_too_much_is_4102"),
    (4102, "the key holds `max_sessions_per_key`"): (_HERE, "test_a_key_that_opens_too_much_is_4102"),
    (4102, "the server is full"): (_HERE, "test_one_session_too_many_is_4102"),
    (4104, "`word_boost` can't be used"): (_HERE, "test_a_bad_parameter_ends_with_its_code"),
}
V2_NEVER_SENT = {4002, 4003, 4004, 4010, 4030, 4034, 4103}
"""What our own server has no reason for."""

BAD_PARAMETERS = {
    "no sample_rate": ("", 4000, "Sample rate must be a positive integer"),
    "sample_rate=7999": ("sample_rate=7999", 4000, "Sample rate must be a positive integer"),
    "sample_rate=fast": ("sample_rate=fast", 4000, "Sample rate must be a positive integer"),
    "encoding=flac": (f"{RATE}&encoding=flac", 4101, "Endpoint received a message with an invalid schema"),
    "word_boost=[1]": (f"{RATE}&word_boost=[1]", 4104, "Could not parse word boost parameter"),
    "word_boost=[": (f"{RATE}&word_boost=[", 4104, "Could not parse word boost parameter"),
    "word_boost too long": (f'{RATE}&word_boost=["{"x" * 2501}"]', 4104, "Could not parse word boost parameter"),
}
"""Queries that begin no session, their close code, and how the text begins."""

BAD_MESSAGES = {
    "no JSON": ("hello", 4100, "Endpoint received invalid JSON"),
    "an array": ("[]", 4101, "Endpoint received a message with an invalid schema"),
    "no key that is known": ('{"sing": true}', 4101, "Endpoint received a message with an invalid schema"),
    "a message of v3": ('{"type": "Terminate"}', 4101, "Endpoint received a message with an invalid schema"),
    "audio that is no base64": ('{"audio_data": "§"}', 4101, "Endpoint received a message with an invalid schema"),
    "a threshold in words": (
        '{"end_utterance_silence_threshold": "long"}',
        4101,
        "Endpoint received a message with an invalid schema",
    ),
}
"""Text messages that end a session, likewise."""
