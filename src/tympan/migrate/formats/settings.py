"""Files of settings: `.env`, YAML, TOML, JSON, INI; and requirements. PURE."""

from __future__ import annotations

from tympan.migrate.formats.opened import Format, WholeFile
from tympan.migrate.matching.settings_text import CommentedSettings, IniSettings, SettingsDocument

_ENVIRONMENTS = ("development", "production", "staging", "test", "local", "example", "sample", "template", "dist")

COMMENTED = Format(
    "settings",
    (".env", ".yaml", ".yml", ".toml"),
    lambda text: WholeFile(CommentedSettings(text)),
    tuple(f".env.{name}" for name in _ENVIRONMENTS),
)
REQUIREMENTS = Format(
    "requirements",
    ("requirements.txt", "requirements.in", "requirements-dev.txt", "constraints.txt"),
    lambda text: WholeFile(CommentedSettings(text)),
)
INI = Format("ini", (".ini", ".cfg", ".conf", ".properties"), lambda text: WholeFile(IniSettings(text)))
JSON = Format("json", (".json",), lambda text: WholeFile(SettingsDocument(text)))
