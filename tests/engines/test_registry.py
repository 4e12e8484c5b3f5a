"""Engines by name."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from tympan.core.errors import ModelError
from tympan.engines import registry


def test_an_engine_is_loaded_by_its_name() -> None:
    recognizer = registry.load("scripted")
    assert (recognizer.name, recognizer.model) == ("scripted", "script")


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ModelError, match="no engine is called 'whispering'; there are: moonshine, scripted"):
        registry.load("whispering")


def test_a_missing_package_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    engines: Mapping[str, str] = {"absent": "package_that_is_not_there.engine:load"}
    monkeypatch.setattr(registry, "ENGINES", engines)
    with pytest.raises(ModelError, match=r"needs the package 'package_that_is_not_there'; install it with: pip"):
        registry.load("absent")


def test_the_default_engine_is_registered() -> None:
    assert registry.DEFAULT_ENGINE in registry.ENGINES
