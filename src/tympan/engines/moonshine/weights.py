"""A Moonshine model as typed arrays. Shapes are [in, out] for matrices; H is the hidden size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class QuantizedMatrix:
    """A matrix of unsigned bytes [in, out] with one scale and zero point: (values - zero_point) * scale."""

    values: NDArray[np.uint8]
    scale: float
    zero_point: int

    def dequantized(self) -> FloatArray:
        return (self.values.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


@dataclass(frozen=True, slots=True)
class AttentionWeights:
    """The four projections of an attention block, each [H, H]."""

    query: QuantizedMatrix
    key: QuantizedMatrix
    value: QuantizedMatrix
    output: QuantizedMatrix


@dataclass(frozen=True, slots=True)
class FeedForwardWeights:
    """fc1 is [H, F] in the encoder; in the decoder [H, 2F], the value half first and the gate half last."""

    fc1: QuantizedMatrix
    fc1_bias: FloatArray
    fc2: QuantizedMatrix
    fc2_bias: FloatArray


@dataclass(frozen=True, slots=True)
class EncoderLayer:
    """Norms are scales [H] without bias."""

    attention_norm: FloatArray
    attention: AttentionWeights
    feed_forward_norm: FloatArray
    feed_forward: FeedForwardWeights


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """Norms are scales [H] without bias."""

    attention_norm: FloatArray
    attention: AttentionWeights
    cross_attention_norm: FloatArray
    cross_attention: AttentionWeights
    feed_forward_norm: FloatArray
    feed_forward: FeedForwardWeights


@dataclass(frozen=True, slots=True)
class FrontEndWeights:
    """Three convolutions [out, in, width], the first without bias; a group norm follows it."""

    conv1: FloatArray
    norm_scale: FloatArray
    norm_shift: FloatArray
    conv2: FloatArray
    conv2_bias: FloatArray
    conv3: FloatArray
    conv3_bias: FloatArray


@dataclass(frozen=True, slots=True)
class ModelWeights:
    """Everything that the model has learnt. `embedding` is [vocabulary, H], `projection` [H, vocabulary]."""

    head_count: int
    front_end: FrontEndWeights
    encoder_layers: tuple[EncoderLayer, ...]
    encoder_norm: FloatArray
    embedding: QuantizedMatrix
    decoder_layers: tuple[DecoderLayer, ...]
    decoder_norm: FloatArray
    projection: QuantizedMatrix

    @property
    def hidden_size(self) -> int:
        return int(self.encoder_norm.shape[0])

    @property
    def head_size(self) -> int:
        return self.hidden_size // self.head_count

    @property
    def vocabulary_size(self) -> int:
        return int(self.embedding.values.shape[0])
