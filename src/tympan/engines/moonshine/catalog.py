"""The Moonshine models that we know, and where they come from. PURE: standard library only.

Rules: only models in the three-file layout that this engine reads (`encoder_model.ort`,
`decoder_model_merged.ort`, `tokenizer.bin`) and that the publisher's public file listings show. Sizes of
models that the wheel doesn't carry are the listings', rounded. `is_tested` means that this engine has
transcribed speech with it.

Sources: https://huggingface.co/UsefulSensors/moonshine/tree/main/onnx/merged (listings of base/quantized,
tiny-ar/float, tiny-ko/float and tiny-vi/float); licences: https://github.com/moonshine-ai/moonshine/blob/main/LICENSE
(English models MIT; the others of this kind under the Moonshine Community License, which is non-commercial).
The folders tiny-ko and tiny-vi hold models of the size of base, and the publisher's own loader takes them as
base; they are called so here.
"""

from __future__ import annotations

from dataclasses import dataclass

HUB_REPOSITORY = "UsefulSensors/moonshine"
MIT = "MIT"
COMMUNITY = "Moonshine Community License (non-commercial)"


@dataclass(frozen=True, slots=True)
class HubFolder:
    """A folder of a repository on a Hugging Face hub."""

    repository: str
    folder: str = ""

    def __str__(self) -> str:
        return f"{self.repository}/{self.folder}".rstrip("/")


@dataclass(frozen=True, slots=True)
class KnownModel:
    """A published model. `hub` is None for the one that comes with the install."""

    name: str
    language: str
    licence: str
    size_bytes: int
    hub: HubFolder | None
    is_tested: bool = False

    @property
    def source(self) -> str:
        return "the package moonshine-voice 0.1.0" if self.hub is None else str(self.hub)


def _on_hub(name: str, language: str, licence: str, size_bytes: int, folder: str) -> KnownModel:
    return KnownModel(name, language, licence, size_bytes, HubFolder(HUB_REPOSITORY, f"onnx/merged/{folder}"))


KNOWN_MODELS = (
    KnownModel("tiny-en", "English", MIT, 43_943_830, None, is_tested=True),
    _on_hub("base-en", "English", MIT, 63_600_000, "base/quantized"),
    _on_hub("tiny-ar", "Arabic", COMMUNITY, 39_000_000, "tiny-ar/float"),
    _on_hub("base-ko", "Korean", COMMUNITY, 64_800_000, "tiny-ko/float"),
    _on_hub("base-vi", "Vietnamese", COMMUNITY, 64_800_000, "tiny-vi/float"),
)


def known_model(name: str) -> KnownModel | None:
    """The known model of that name."""
    return next((model for model in KNOWN_MODELS if model.name == name), None)
