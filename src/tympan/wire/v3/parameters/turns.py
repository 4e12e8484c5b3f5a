"""Parameters that say when a turn ends, and how it is told. PURE: standard library and `core` only."""

from __future__ import annotations

from typing import Any

from tympan.core.cadence import CONFIRMING_SPEECH_MS, CONTINUOUS_MS
from tympan.core.config import FormattedSource
from tympan.core.endpoint import EARLIEST_LOOK_SILENCE_MS, SOONEST_END_MS
from tympan.core.vad import HYSTERESIS
from tympan.wire.kinds import Choice, Flag, Integer, Number, Text
from tympan.wire.parameter import Parameter, State
from tympan.wire.v3.modes import DEFAULT_MODE, MODES, U3_TURN
from tympan.wire.v3.profiles import U3, US, Profile

FORMAT_TURNS = Parameter(
    "format_turns",
    Flag(),
    State.SAME,
    "a second, formatted final for each turn; a change acts on turns that end after it",
    "false",
    is_updatable=True,
    profiles=US,
)
CONFIDENCE_THRESHOLD = Parameter(
    "end_of_turn_confidence_threshold",
    Number(0, 1),
    State.SAME,
    "confidence that ends a turn after `min_turn_silence`; 0: always, 1: never, silence alone decides",
    "0.4",
    is_updatable=True,
    profiles=frozenset({Profile.US, Profile.WHISPER}),
)
MIN_TURN_SILENCE = Parameter(
    "min_turn_silence",
    Integer(0, 10_000, "ms", is_clamped=True),
    State.SAME,
    f"silence before a confident end of turn; U3: before the turn is looked at and told, and, from {SOONEST_END_MS} ms "
    "on, ended",
    "400",
    str(U3_TURN.min_silence_ms),
    difference="U3: a turn is judged complete by a confidence, not by closing punctuation alone, and told after "
    f"{EARLIEST_LOOK_SILENCE_MS} ms at the soonest, but not ended before {SOONEST_END_MS}",
    aliases=("min_end_of_turn_silence_when_confident",),
    is_updatable=True,
)
MAX_TURN_SILENCE = Parameter(
    "max_turn_silence",
    Integer(1, 3_600_000, "ms"),
    State.SAME,
    f"silence that always ends a turn; below `min_turn_silence`, or U3 below {SOONEST_END_MS}, it counts as that",
    "1280",
    str(U3_TURN.max_silence_ms),
    difference=f"U3: less than {SOONEST_END_MS} counts as {SOONEST_END_MS}, which leaves the end to voice agents that "
    "ask for less and send `ForceEndpoint`",
    is_updatable=True,
)
VAD_THRESHOLD = Parameter(
    "vad_threshold",
    Number(0, 1),
    State.SAME,
    f"speech begins with a frame (32 ms) of this probability and goes on down to {HYSTERESIS:g} less; at 0 all is "
    "speech but what is surely silent (below 0.01), at 1 nothing is",
    "0.4",
    str(U3_TURN.vad_threshold),
    difference=f"speech that has begun goes on down to {HYSTERESIS:g} less",
    is_updatable=True,
)
INCLUDE_PARTIAL_TURNS = Parameter(
    "include_partial_turns",
    Flag(),
    State.SAME,
    "false: of turns only `end_of_turn` messages are sent; `SpeechStarted` still is",
    "true",
)
FILTER_PROFANITY = Parameter(
    "filter_profanity",
    Flag(),
    State.SAME,
    "mask profane words, in partials and finals: `s***`",
    "false",
    difference="the list of words is ours",
    is_updatable=True,
)
FORMATTED_SOURCE = Parameter(
    "formatted_source",
    Choice(tuple(FormattedSource), "formatted_source"),
    State.EXTENSION,
    "words of the formatted final: `full_decode` transcribes the whole turn anew and may correct words, "
    "`final_words` keeps the words of the raw final",
    "full_decode",
    profiles=US,
)
FORMATTED_FINALS = Parameter(
    "formatted_finals",
    Flag(),
    State.EXTENSION,
    "pre-release name of `format_turns`, which wins",
    profiles=US,
)
MODE = Parameter(
    "mode",
    Choice(tuple(MODES), "Mode"),
    State.SAME,
    "sets several values at once, see below; what is given beside it or later wins",
    u3_default=DEFAULT_MODE,
    difference="the numbers of a mode are ours",
    is_updatable=True,
    profiles=U3,
    is_refused_elsewhere=True,
)
INTERRUPTION_DELAY = Parameter(
    "interruption_delay",
    Integer(0, 1_000, "ms"),
    State.SAME,
    f"the first partial of a turn, and `SpeechStarted`, come after this much speech and {CONFIRMING_SPEECH_MS} ms",
    u3_default=str(U3_TURN.partial_delay_ms),
    difference="what is added is 256 ms by some of the hosted service's documentation, 300 by other",
    is_updatable=True,
    profiles=U3,
)
CONTINUOUS_PARTIALS = Parameter(
    "continuous_partials",
    Flag(),
    State.SAME,
    f"a partial every {CONTINUOUS_MS // 1000} s of speech",
    u3_default="true",
    is_updatable=True,
    profiles=U3,
)
TURN_LEFT_PAD = Parameter(
    "turn_left_pad_ms",
    Integer(0, 2_000, "ms"),
    State.SAME,
    "audio that is transcribed with a turn, up to the end of its first frame (32 ms) with speech",
    str(U3_TURN.left_pad_ms),
    difference="range and default of the hosted service aren't published; these are ours",
    is_updatable=True,
)
ACKNOWLEDGE_SILENCE = Parameter(
    "acknowledge_silence",
    Flag(),
    State.SAME,
    "`Silence` about once a second of audio without speech",
    u3_default="false",
    is_updatable=True,
    profiles=U3,
)

ROWS: tuple[Parameter[Any], ...] = (
    FORMAT_TURNS,
    CONFIDENCE_THRESHOLD,
    MIN_TURN_SILENCE,
    MAX_TURN_SILENCE,
    VAD_THRESHOLD,
    INCLUDE_PARTIAL_TURNS,
    FILTER_PROFANITY,
    FORMATTED_SOURCE,
    FORMATTED_FINALS,
    MODE,
    INTERRUPTION_DELAY,
    CONTINUOUS_PARTIALS,
    TURN_LEFT_PAD,
    ACKNOWLEDGE_SILENCE,
    Parameter("word_finalization_max_wait_time", Text(), State.WITHOUT_EFFECT, "pre-release name"),
)
