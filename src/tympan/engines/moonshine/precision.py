"""How the weights are multiplied, and what suits this processor."""

from __future__ import annotations

import platform
from enum import StrEnum
from pathlib import Path


class Precision(StrEnum):
    """All hold the same numbers; products differ by rounding alone (8-bit ones round activations too)."""

    S8 = "s8"
    """Signed bytes: the fastest where the processor multiplies signed by unsigned bytes exactly."""
    U8 = "u8"
    """Unsigned bytes, as the model's makers stored them."""
    FP32 = "fp32"
    """Dequantised. Three times the memory; exact tests use it."""


def best_precision(machine: str | None = None, cpu_info: Path = Path("/proc/cpuinfo")) -> Precision:
    """The fastest precision that loses nothing on this processor.

    Signed weights need the dot-product instructions: VNNI on x86-64 (without it the kernel's 16-bit sums may
    saturate), always safe on arm64. Where the operating system doesn't tell (macOS and Windows on x86-64),
    unsigned is the careful choice.
    """
    machine = (machine or platform.machine()).lower()
    if machine in ("arm64", "aarch64"):
        return Precision.S8
    try:
        flags = cpu_info.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return Precision.U8
    return Precision.S8 if "avx512_vnni" in flags or "avx_vnni" in flags else Precision.U8
