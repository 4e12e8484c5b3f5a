"""The engine in this process, without a server: for what depends on the audio alone.

What is heard, and when on the audio clock, is the same as a server tells; computing and sending come on top.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from functools import cache
from typing import TypeVar

from bench.dataset import Samples
from tympan.core.config import SessionConfig
from tympan.core.effects import Finish
from tympan.core.listening import Heard
from tympan.engines.base import Recognizer
from tympan.engines.moonshine.assets import default_files
from tympan.engines.moonshine.cache import default_cache_dir
from tympan.engines.moonshine.model import MoonshineModel
from tympan.engines.moonshine.policy import CommitPolicy, ScoredAgreement
from tympan.engines.moonshine.precision import best_precision
from tympan.engines.moonshine.recognizer import MoonshineRecognizer
from tympan.engines.moonshine.stream import Parts
from tympan.engines.silero import SileroModel
from tympan.engines.turn_score import LogisticScore
from tympan.runtime.listener import Listener, stream_options

Item = TypeVar("Item")
Result = TypeVar("Result")


@cache
def default_model() -> MoonshineModel:
    """The default model, loaded once."""
    return MoonshineModel.load(default_files(), default_cache_dir(), best_precision())


@cache
def _default_vad() -> SileroModel:
    return SileroModel()


def default_recognizer(new_policy: Callable[[], CommitPolicy] = ScoredAgreement) -> MoonshineRecognizer:
    """What a server runs, but for the commit policy. Cheap once the model is loaded."""
    return MoonshineRecognizer(Parts(default_model(), _default_vad(), LogisticScore(), new_policy=new_policy))


def hear(recognizer: Recognizer, samples: Samples, config: SessionConfig) -> Iterator[Heard]:
    """A whole session, as fast as the processor allows."""
    with closing(Listener(recognizer.open_stream(stream_options(config)), config)) as listener:
        listener.feed(samples.tobytes())
        listener.mark(Finish())
        while (heard := listener.advance()) is not None:
            yield heard


def on_all_cores(work: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Results in the order of the items; `work` is a module's function, run in processes with a model each.

    Processes, not threads: of the work of a session on this small model, much is in Python itself.
    """
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        return list(pool.map(work, items))
