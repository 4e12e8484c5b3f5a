from __future__ import annotations

from pathlib import Path

import pytest

from tympan.engines.moonshine.precision import Precision, best_precision


@pytest.mark.parametrize(
    ("machine", "flags", "expected"),
    [
        ("x86_64", "avx2 avx512f avx512_vnni", Precision.S8),
        ("AMD64", "avx2 avx_vnni", Precision.S8),
        ("x86_64", "avx2 avx512f", Precision.U8),
        ("aarch64", "asimddp", Precision.S8),
        ("arm64", "", Precision.S8),
    ],
)
def test_signed_weights_are_used_where_products_of_bytes_are_exact(
    tmp_path: Path, machine: str, flags: str, expected: Precision
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags : {flags}\n")
    assert best_precision(machine, tmp_path / "cpuinfo") is expected


def test_a_system_that_does_not_tell_gets_unsigned_weights(tmp_path: Path) -> None:
    assert best_precision("x86_64", tmp_path / "absent") is Precision.U8
