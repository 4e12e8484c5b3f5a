"""MoonshineStream: one session's state; ties voice activity, window, decoder and commit policy together.

Everything happens at fixed positions of the audio: a frame of 32 ms is judged at a time, and while somebody
speaks the window is decoded every `UPDATE_FRAMES` frames. In silence nothing is decoded but for looks.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tympan.core.config import FormattedSource
from tympan.core.units import ENGINE_SAMPLE_RATE_HZ, StreamMs, stream_ms
from tympan.core.vad import SpeechTracker
from tympan.core.words import Hypothesis, Report, TurnText, Word
from tympan.engines.base import Samples, StreamOptions
from tympan.engines.moonshine.hypothesis import Decode, DecodedWord
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.policy import AgreementPolicy
from tympan.engines.moonshine.window import Window
from tympan.engines.silero import FRAME_SAMPLES, SileroModel, SileroStream
from tympan.engines.turn_score import TurnFeatures, TurnScore

UPDATE_FRAMES = 8
"""Frames between two decodes while somebody speaks: 256 ms (policy findings: steps of 250 ms)."""

PRE_ROLL_FRAMES = 10
"""Audio before the detected onset that the recogniser hears too: 320 ms."""
