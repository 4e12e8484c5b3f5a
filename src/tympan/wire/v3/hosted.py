"""What the hosted service has of v3, for the compatibility report: names, codes, and where ours differ. PURE.

What is here and not in the tables that the code runs on isn't served yet; what is only there is an extension
(protocol reference, sections 3 and 4).
"""

from __future__ import annotations

from collections.abc import Mapping

CLIENT_MESSAGES = ("UpdateConfiguration", "ForceEndpoint", "KeepAlive", "Terminate")
SERVER_MESSAGES = (
    "Begin",
    "SpeechStarted",
    "Turn",
    "Heartbeat",
    "Silence",
    "SpeakerRevision",
    "LLMGatewayResponse",
    "Warning",
    "Termination",
    "Error",
)
CLOSE_CODES = frozenset({1000, 1008, 3005, 3006, 3007, 3008, 3009})

NEVER_SENT = frozenset({"Warning"})
"""Clients of ours can decode it, and nothing here is worth one: some clients take it for an error."""

_RESUMABLE = "only in a session that asked for `resumable`"
DIFFERENCES: Mapping[str, str] = {
    "UpdateConfiguration": "what has no effect as a parameter has none here",
    "ForceEndpoint": "without an open turn nothing is sent",
    "Acknowledge": _RESUMABLE,
    "Begin": "what has no value in `configuration` is left out, where the hosted service says null",
    "Turn": "`words` of a US partial holds every tentative word, not one; never a speaker; no empty final at the end; "
    "`turn_is_formatted` is false on U3 partials, as documented, where the live service says true; two finals with "
    "`format_turns`, where documentation of 2026 shows one",
    "Silence": "stretches don't overlap speech",
    "LLMGatewayResponse": "`data` is what the operator's language model answers, key by key",
    "Checkpoint": _RESUMABLE,
    "Resumed": _RESUMABLE,
}
"""By message; those without a line are the same."""
