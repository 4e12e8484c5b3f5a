"""Options of engines: none is accepted without effect."""

from __future__ import annotations

from pathlib import Path

import pytest

from tympan.core.errors import ModelError, SettingsError
from tympan.engines import registry


@pytest.mark.parametrize(
    ("engine", "rest"),
    [("scripted", "it has none"), ("moonshine", "there are: precision, cache_dir, smart_turn")],
)
def test_an_engine_refuses_an_option_that_it_does_not_have(engine: str, rest: str) -> None:
    with pytest.raises(SettingsError, match=f"engine '{engine}' has no option 'volume'; {rest}"):
        registry.load(engine, None, {"volume": "11"})


def test_a_second_model_that_was_not_pulled_is_named_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TYMPAN_MODELS_DIR", str(tmp_path))
    with pytest.raises(ModelError, match="fetch it with: tympan models pull smart-turn"):
        registry.load("moonshine", None, {"smart_turn": "pulled"})


def test_a_second_model_by_path_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=f"expected the model smart-turn at {tmp_path / 'absent'}, found no"):
        registry.load("moonshine", None, {"smart_turn": str(tmp_path / "absent")})
