"""Honest messages, from which hostile ones are made: at doors, and on real sockets."""

from __future__ import annotations

from door import json_lines

WORD = {"start": 100, "end": 300, "confidence": 0.9, "text": "hi", "word_is_final": True}
TURN = {
    "type": "Turn",
    "turn_order": 0,
    "turn_is_formatted": False,
    "end_of_turn": True,
    "transcript": "hi",
    "end_of_turn_confidence": 0.5,
    "words": [WORD, {**WORD, "start": 320, "end": 500, "text": "there"}],
    "utterance": "hi",
    "language_code": "en",
    "language_confidence": 0.9,
}
V3_CLIENT = json_lines(
    {"type": "UpdateConfiguration", "min_turn_silence": 100, "vad_threshold": 0.5, "keyterms_prompt": ["a"]},
    {"type": "UpdateConfiguration", "mode": "max_accuracy", "format_turns": True, "prompt": "x", "turn_left_pad_ms": 1},
    {"type": "ForceEndpoint"},
    {"type": "KeepAlive"},
    {"type": "Terminate"},
    {"type": "Acknowledge", "messages": 3},
)
V3_SERVER = json_lines(
    {"type": "Begin", "id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": 1_800_000_000, "resume_key": "k"},
    {"type": "Begin", "id": "a", "expires_at": 1, "configuration": {"model": "m", "speaker_labels": False}},
    TURN,
    {**TURN, "end_of_turn": False, "turn_order": 1},
    {**TURN, "turn_is_formatted": True},
    {"type": "SpeechStarted", "timestamp": 100, "confidence": 0.5},
    {"type": "Heartbeat", "total_audio_received_ms": 1, "total_duration_ms": 2, "realtime_factor": 0.5},
    {"type": "Silence", "start_ms": 0, "end_ms": 1000},
    {"type": "Warning", "warning_code": 1, "warning": "x"},
    {"type": "Checkpoint", "audio_received_bytes": 1, "audio_settled_ms": 1, "messages_received": 0},
    {"type": "Resumed", "id": "a", "audio_received_bytes": 0, "messages_received": 0, "expires_at": 1},
    {"type": "Error", "error": "x", "error_code": 3006},
    {"type": "Termination", "audio_duration_seconds": 1, "session_duration_seconds": 1},
)
V2_CLIENT = json_lines(
    {"audio_data": "AAAA"},
    {"terminate_session": True},
    {"force_end_utterance": True},
    {"end_utterance_silence_threshold": 700},
)
_V2_WORD = {"start": 0, "end": 1, "confidence": 0.5, "text": "hi"}
_V2_TRANSCRIPT = {"audio_start": 0, "audio_end": 1, "confidence": 0.5, "text": "hi", "words": [_V2_WORD]}
V2_SERVER = json_lines(
    {"message_type": "SessionBegins", "session_id": "7f1e4a34-9a3e-4b9e-a0c5-5b0b3c1d2e3f", "expires_at": "2026-01-01"},
    {"message_type": "PartialTranscript", **_V2_TRANSCRIPT, "created": "2026-01-01T00:00:00.000000"},
    {
        "message_type": "FinalTranscript",
        **_V2_TRANSCRIPT,
        "created": "2026-01-01T00:00:00.000000",
        "punctuated": True,
        "text_formatted": True,
    },
    {"message_type": "SessionInformation", "audio_duration_seconds": 1.5},
    {"message_type": "SessionTerminated"},
    {"error": "x"},
)
