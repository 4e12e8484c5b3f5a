"""A loaded Moonshine model: samples to features to encoding to text. Shared by all streams and threads.

Nothing here changes after loading: what belongs to a stream is in its `FeatureWindow`, what belongs to a
decode in the decode itself. ONNX Runtime lets several threads run one session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tympan.engines.moonshine.assets import ModelFiles
from tympan.engines.moonshine.cache import cached_graphs
from tympan.engines.moonshine.decoder import Decoder, Decoding
from tympan.engines.moonshine.encoder import Encoded, Encoder
from tympan.engines.moonshine.frontend import FeatureWindow, FrontEnd
from tympan.engines.moonshine.hypothesis import DecodedWord
from tympan.engines.moonshine.precision import Precision
from tympan.engines.moonshine.sessions import open_session
from tympan.engines.moonshine.timestamps import SilenceTrack, decoded_words
from tympan.engines.moonshine.tokens import Vocabulary
from tympan.engines.moonshine.weights import FloatArray


@dataclass(frozen=True, slots=True)
class MoonshineModel:
    """The parts of a model, loaded."""

    name: str
    precision: Precision
    vocabulary: Vocabulary
    front_end: FrontEnd
    encoder: Encoder
    decoder: Decoder

    @classmethod
    def load(cls, files: ModelFiles, cache_dir: Path, precision: Precision, intra_threads: int = 1) -> MoonshineModel:
        """Load a model; converts it first when the cache lacks it.

        Raises:
            ModelError: the files are damaged or of an unknown kind, or the cache can't be written.
        """
        graphs = cached_graphs(files, cache_dir, precision)
        sessions = {name: open_session(path, intra_threads) for name, path in graphs.items()}
        vocabulary = Vocabulary.read(files.tokenizer)
        return cls(
            name=files.name,
            precision=precision,
            vocabulary=vocabulary,
            front_end=FrontEnd(sessions["convolutions"], sessions["features"]),
            encoder=Encoder(sessions["encoder"]),
            decoder=Decoder(sessions["decoder"], vocabulary),
        )

    def open_window(self, start_sample: int = 0) -> FeatureWindow:
        """A stream's audio from that sample on."""
        return FeatureWindow(self.front_end, start_sample)

    def encode(self, features: FloatArray) -> Encoded:
        """Encode a window's features [1, frames, hidden]. The cost grows faster than the length."""
        return self.encoder.encode(features)

    def decode(self, encoded: Encoded, draft_tokens: Sequence[int] = (), max_tokens: int | None = None) -> Decoding:
        """The most probable text of a window.

        `draft_tokens` are the expected text: right ones save time, wrong ones cost little. `max_tokens`
        defaults to the most that speech of that length can hold.
        """
        return self.decoder.decode(encoded, draft_tokens, max_tokens)

    def words(self, decoding: Decoding, silence: SilenceTrack, window_start_ms: int) -> list[DecodedWord]:
        """A decode's words with times; `silence` covers the window."""
        return decoded_words(decoding, self.vocabulary.spans(decoding.tokens), silence, window_start_ms)
