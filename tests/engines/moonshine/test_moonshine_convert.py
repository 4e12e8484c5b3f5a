from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tympan.core.errors import ModelError
from tympan.engines.moonshine.assets import FILE_NAMES, ModelFiles, files_in
from tympan.engines.moonshine.convert import check_shapes, read_weights
from tympan.engines.moonshine.weights import ModelWeights, QuantizedMatrix


def test_sizes_of_the_tiny_model_are_read_from_its_weights(weights: ModelWeights) -> None:
    assert (weights.hidden_size, weights.head_count, weights.head_size) == (288, 8, 36)
    assert (len(weights.encoder_layers), len(weights.decoder_layers)) == (6, 6)
    assert weights.vocabulary_size == 32768


def test_matrices_are_spread_over_the_bytes_around_their_zero_point(weights: ModelWeights) -> None:
    query = weights.decoder_layers[0].cross_attention.query
    assert query.values.dtype == np.uint8
    assert query.dequantized().std() == pytest.approx(query.values.std() * query.scale, rel=1e-4)
    assert abs(query.dequantized().mean()) < query.scale * 2


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    for name in FILE_NAMES:
        (tmp_path / name).write_bytes(b"PK\x03\x04" + b"\0" * 64)
    with pytest.raises(ModelError, match="isn't in ONNX Runtime's format"):
        read_weights(files_in(tmp_path))


def test_a_truncated_file_is_refused(model_files: ModelFiles, tmp_path: Path) -> None:
    for name in FILE_NAMES:
        content = (model_files.directory / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 100])
    with pytest.raises(ModelError, match="is damaged"):
        read_weights(files_in(tmp_path))


def test_a_model_of_another_kind_is_refused_by_naming_what_it_lacks(model_files: ModelFiles, tmp_path: Path) -> None:
    for name in FILE_NAMES:
        (tmp_path / name).symlink_to(model_files.encoder)
    with pytest.raises(ModelError, match="has no weight 'else_branch'"):
        read_weights(files_in(tmp_path))


def test_weights_that_do_not_fit_together_are_refused_with_both_shapes(
    weights: ModelWeights, model_files: ModelFiles
) -> None:
    narrow = QuantizedMatrix(weights.projection.values[:, :100], 1.0, 0)
    with pytest.raises(ModelError, match=r"projection has shape \(288, 100\), expected \(288, 32768\)"):
        check_shapes(replace(weights, projection=narrow), model_files)
