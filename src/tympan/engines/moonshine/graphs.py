"""Weights to our own ONNX graphs, written for streaming. Needs `onnx`, which only a conversion imports.

    convolutions   samples → statistics and un-normalised features of conv2
    features       those → the encoder's input, once the window's mean and variance are known
    encoder        that → keys and values for the cross-attention of every decoder layer
    decoder        tokens, past keys and values → best next tokens with their log-probs, attention peaks

Graphs compute all they can, so that Python never touches rows as wide as the vocabulary. B, S, P, T and N
stand for batch, new tokens or frames, past tokens, audio frames and selected rows; H and D for heads and
their size.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tympan.engines.moonshine.decoder import MAX_TOKENS
from tympan.engines.moonshine.encoder import MAX_FRAMES
from tympan.engines.moonshine.front_end_graphs import convolutions, features
from tympan.engines.moonshine.graph_builder import CONTRIB, INT64, GraphBuilder, Port
from tympan.engines.moonshine.precision import Precision
from tympan.engines.moonshine.tokens import WATCHED_TOKENS
from tympan.engines.moonshine.weights import (
    AttentionWeights,
    DecoderLayer,
    FeedForwardWeights,
    FloatArray,
    ModelWeights,
)

_ROTARY_SIZE = 32
"""Dimensions of each head that carry the position, in tiny and base alike."""
_ROTARY_BASE = 10_000.0
_NORM_EPSILON = 1e-5

_ONSET_HEADS: Mapping[tuple[int, int], tuple[int, int]] = {(6, 8): (4, 6)}
"""(layers, heads) → (layer, head) whose attention peaks at word onsets: the best of all 48 of tiny-en."""


def build_graphs(weights: ModelWeights, precision: Precision) -> dict[str, bytes]:
    """The content of the .onnx files by name."""
    return {
        "convolutions": convolutions(weights.front_end),
        "features": features(weights.front_end),
        "encoder": _Transformer(weights, precision).encoder(),
        "decoder": _Transformer(weights, precision).decoder(),
    }


class _Transformer:
    """One graph of transformer layers in the making."""

    def __init__(self, weights: ModelWeights, precision: Precision) -> None:
        self._weights = weights
        self._precision = precision
        self._g = GraphBuilder()
        self._hidden, self._heads, self._size = weights.hidden_size, weights.head_count, weights.head_size
        self._split_shape = self._g.integers(0, 0, self._heads, self._size)
        self._joined_shape = self._g.integers(0, 0, self._hidden)

    def encoder(self) -> bytes:
        """`features` [1, S, hidden] → `cross_key_i`, `cross_value_i` [1, H, S, D] of decoder layer i."""
        g = self._g
        frames = g.operator("Shape", "features", start=1, end=2)
        positions = g.operator("Range", self._scalar(0), g.operator("Squeeze", frames), self._scalar(1))
        rotation = self._rotation(g.operator("Unsqueeze", positions, g.integers(0)), MAX_FRAMES)
        x = "features"
        for layer in self._weights.encoder_layers:
            query, key, value = self._rotated(self._norm(x, layer.attention_norm), layer.attention, rotation)
            attended, _ = self._attend(query, key, value, None)
            x = g.operator("Add", x, self._joined(attended, layer.attention))
            inner = self._feed(self._norm(x, layer.feed_forward_norm), layer.feed_forward)
            inner = g.operator("Gelu", inner, domain=CONTRIB)
            x = g.operator("Add", x, self._feed_out(inner, layer.feed_forward))
        x = self._norm(x, self._weights.encoder_norm)
        outputs = []
        for number, decoder_layer in enumerate(self._weights.decoder_layers):
            attention = decoder_layer.cross_attention
            both = g.matrix_product(x, [attention.key, attention.value], self._precision)
            both = g.operator("Reshape", both, g.integers(0, 0, 2 * self._heads, self._size))
            both = g.operator("Transpose", both, perm=[0, 2, 1, 3])
            key, value = g.split(both, [self._heads, self._heads], axis=1)
            g.output(key, f"cross_key_{number}")
            g.output(value, f"cross_value_{number}")
            outputs += self._pair("cross", number, "B", "S")
        return g.serialized([Port("features", ("B", "S", self._hidden))], outputs)

    def decoder(self) -> bytes:
        """One forward over new tokens.

        Inputs: `tokens`, `positions` [B, S]; `self_mask` [B, 1, S, P+S] and `cross_mask` [B, 1, 1, T],
        added to attention scores; `rows` [N], indices into the B·S positions whose next token is wanted;
        of each layer i `past_key_i`, `past_value_i` [B, H, P, D] and `cross_key_i`, `cross_value_i` [B,
        H, T, D].

        Outputs: `best` [N, 2], the two most probable next tokens, and `best_log_probs` [N, 2];
        `watched_log_probs` [N, W] of WATCHED_TOKENS; `peaks` [B, S], the frame where the onset head
        attends most; of each layer `present_key_i`, `present_value_i` [B, H, P+S, D].
        """
        g, weights = self._g, self._weights
        rotation = self._rotation("positions", MAX_TOKENS)
        x = self._embedded()
        inputs = [
            Port("tokens", ("B", "S"), INT64),
            Port("positions", ("B", "S"), INT64),
            Port("self_mask", ("B", 1, "S", "P+S")),
            Port("cross_mask", ("B", 1, 1, "T")),
            Port("rows", ("N",), INT64),
        ]
        outputs = [
            Port("best", ("N", 2), INT64),
            Port("best_log_probs", ("N", 2)),
            Port("watched_log_probs", ("N", len(WATCHED_TOKENS))),
            Port("peaks", ("B", "S"), INT64),
        ]
        attentions = []
        for number, layer in enumerate(weights.decoder_layers):
            inputs += self._pair("past", number, "B", "P") + self._pair("cross", number, "B", "T")
            outputs += self._pair("present", number, "B", "P+S")
            x, attention = self._decoder_layer(x, number, layer, rotation)
            attentions.append(attention)
        x = self._norm(x, weights.decoder_norm)
        self._predictions(g.operator("Gather", g.operator("Reshape", x, g.integers(-1, self._hidden)), "rows"))
        g.output(self._peaks(attentions), "peaks")
        return g.serialized(inputs, outputs)

    def _decoder_layer(self, x: str, number: int, layer: DecoderLayer, rotation: tuple[str, str]) -> tuple[str, str]:
        """What comes out of it, and its cross-attention."""
        g = self._g
        query, key, value = self._rotated(self._norm(x, layer.attention_norm), layer.attention, rotation)
        key = g.operator("Concat", f"past_key_{number}", key, axis=2)
        value = g.operator("Concat", f"past_value_{number}", value, axis=2)
        g.output(key, f"present_key_{number}")
        g.output(value, f"present_value_{number}")
        attended, _ = self._attend(query, key, value, "self_mask")
        x = g.operator("Add", x, self._joined(attended, layer.attention))
        normed = self._norm(x, layer.cross_attention_norm)
        query = self._split(g.matrix_product(normed, [layer.cross_attention.query], self._precision))
        attended, attention = self._attend(query, f"cross_key_{number}", f"cross_value_{number}", "cross_mask")
        x = g.operator("Add", x, self._joined(attended, layer.cross_attention))
        inner = self._feed(self._norm(x, layer.feed_forward_norm), layer.feed_forward)
        half = layer.feed_forward.fc2.values.shape[0]
        plain, gate = g.split(inner, [half, half], axis=-1)
        inner = g.operator("Mul", plain, g.operator("QuickGelu", gate, domain=CONTRIB, alpha=1.0))
        return g.operator("Add", x, self._feed_out(inner, layer.feed_forward)), attention

    def _predictions(self, rows: str) -> None:
        g = self._g
        logits = g.matrix_product(rows, [self._weights.projection], self._precision)
        log_probs = g.operator("LogSoftmax", logits, axis=-1)
        values, tokens = g.operator_with(2, "TopK", log_probs, g.integers(2), axis=-1)
        g.output(tokens, "best")
        g.output(values, "best_log_probs")
        g.output(g.operator("Gather", log_probs, g.integers(*WATCHED_TOKENS), axis=1), "watched_log_probs")

    def _peaks(self, attentions: list[str]) -> str:
        """Argmax over frames of the onset head; of the mean of the last layers' heads where none is known."""
        g = self._g
        chosen = _ONSET_HEADS.get((len(attentions), self._heads))
        if chosen is not None:
            layer, head = chosen
            row = g.operator("Gather", attentions[layer], self._scalar(head), axis=1)
        else:
            upper = g.operator("Concat", *attentions[len(attentions) // 2 :], axis=1)
            row = g.operator("ReduceMean", upper, g.integers(1), keepdims=0)
        return g.operator("ArgMax", row, axis=-1, keepdims=0)

    def _embedded(self) -> str:
        g, embedding = self._g, self._weights.embedding
        rows = g.operator("Cast", g.operator("Gather", g.constant(embedding.values), "tokens"), to=1)
        centred = g.operator("Sub", rows, g.constant(np.array(embedding.zero_point, np.float32)))
        return g.operator("Mul", centred, g.constant(np.array(embedding.scale, np.float32)))

    def _rotation(self, positions: str, count: int) -> tuple[str, str]:
        """Cosines and sines [B, S, 1, rotary / 2] of the positions [B, S]."""
        g = self._g
        frequencies = _ROTARY_BASE ** -(np.arange(0, _ROTARY_SIZE, 2) / _ROTARY_SIZE)
        angles = np.outer(np.arange(count), frequencies)
        axis = g.integers(2)
        cosines, sines = (
            g.operator("Unsqueeze", g.operator("Gather", g.constant(table.astype(np.float32)), positions), axis)
            for table in (np.cos(angles), np.sin(angles))
        )
        return cosines, sines

    def _rotated(self, x: str, attention: AttentionWeights, rotation: tuple[str, str]) -> list[str]:
        """Query, key and value [B, H, S, D]; the first two turned by their positions."""
        g, heads = self._g, self._heads
        order = _half_split_order(heads, self._size)
        columns = np.concatenate([order, self._hidden + order, 2 * self._hidden + np.arange(self._hidden)])
        matrices = [attention.query, attention.key, attention.value]
        joined = g.matrix_product(x, matrices, self._precision, columns=columns)
        joined = g.operator("Reshape", joined, g.integers(0, 0, 3 * heads, self._size))
        turning, value = g.split(joined, [2 * heads, heads], axis=2)
        half = _ROTARY_SIZE // 2
        first, second, rest = g.split(turning, [half, half, self._size - _ROTARY_SIZE], axis=-1)
        cosines, sines = rotation
        turned = [
            g.operator("Sub", g.operator("Mul", first, cosines), g.operator("Mul", second, sines)),
            g.operator("Add", g.operator("Mul", second, cosines), g.operator("Mul", first, sines)),
        ]
        turning = g.operator("Transpose", g.operator("Concat", *turned, rest, axis=-1), perm=[0, 2, 1, 3])
        query, key = g.split(turning, [heads, heads], axis=1)
        return [query, key, g.operator("Transpose", value, perm=[0, 2, 1, 3])]

    def _attend(self, query: str, key: str, value: str, mask: str | None) -> tuple[str, str]:
        """What is attended [B, H, S, D] and the attention itself [B, H, S, keys]."""
        g = self._g
        scale = self._size**-0.5
        scores = g.operator("FusedMatMul", query, key, domain=CONTRIB, transB=1, alpha=scale)
        if mask is not None:
            scores = g.operator("Add", scores, mask)
        attention = g.operator("Softmax", scores, axis=-1)
        return g.operator("MatMul", attention, value), attention

    def _split(self, x: str) -> str:
        g = self._g
        return g.operator("Transpose", g.operator("Reshape", x, self._split_shape), perm=[0, 2, 1, 3])

    def _joined(self, attended: str, attention: AttentionWeights) -> str:
        g = self._g
        rows = g.operator("Reshape", g.operator("Transpose", attended, perm=[0, 2, 1, 3]), self._joined_shape)
        return g.matrix_product(rows, [attention.output], self._precision)

    def _norm(self, x: str, scale: FloatArray) -> str:
        g = self._g
        return g.operator("LayerNormalization", x, g.constant(scale), axis=-1, epsilon=_NORM_EPSILON)

    def _feed(self, x: str, feed_forward: FeedForwardWeights) -> str:
        return self._g.matrix_product(x, [feed_forward.fc1], self._precision, bias=feed_forward.fc1_bias)

    def _feed_out(self, x: str, feed_forward: FeedForwardWeights) -> str:
        return self._g.matrix_product(x, [feed_forward.fc2], self._precision, bias=feed_forward.fc2_bias)

    def _scalar(self, value: int) -> str:
        return self._g.constant(np.array(value, np.int64))

    def _pair(self, kind: str, layer: int, batch: str, length: str) -> list[Port]:
        shape = (batch, self._heads, length, self._size)
        return [Port(f"{kind}_key_{layer}", shape), Port(f"{kind}_value_{layer}", shape)]


def _half_split_order(heads: int, size: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Columns of a projection such that rotary pairs lie half a block apart instead of side by side.

    The model turns dimensions (0, 1), (2, 3) …; halves can be turned without shuffling. Queries and keys are
    reordered alike, so their products stay.
    """
    even, odd = np.arange(0, _ROTARY_SIZE, 2), np.arange(1, _ROTARY_SIZE, 2)
    one_head = np.concatenate([even, odd, np.arange(_ROTARY_SIZE, size)])
    return np.concatenate([head * size + one_head for head in range(heads)])
