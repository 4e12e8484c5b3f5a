"""The pages of the rules, from the rules themselves. PURE: returns texts."""

from __future__ import annotations

from collections.abc import Iterable

from tympan.migrate.discovery import AnyRule, all_rules
from tympan.migrate.project import UNREADABLE_CODE
from tympan.migrate.rule import Applicability, Invalid

_FENCES = {".py": "python", ".ipynb": "json", ".env": "sh", ".js": "js", ".ts": "ts"}
_MEANINGS = {
    Applicability.SAFE: "`tympan migrate fix` does it.",
    Applicability.UNSAFE: "`tympan migrate fix --unsafe` does it: look at the result.",
    Applicability.BY_HAND: "It is told, and left to you.",
}


def page_name(rule: AnyRule) -> str:
    """File name of a rule's page."""
    return f"{rule.code}.md"


def rule_blocks(rule: AnyRule) -> tuple[str, ...]:
    """What a rule's page says below its title, as blocks of Markdown."""
    suffix = rule.file_name[rule.file_name.rfind(".") :]
    fence = _FENCES.get(suffix, "text")
    examples = [block for case in rule.invalid for block in _example(case, fence)]
    return (
        rule.what,
        f"**Why.** {rule.why}",
        f"**Fix: {rule.applicability.value}.** {_MEANINGS[rule.applicability]}",
        "## Found",
        *examples,
        "## Not found",
        *[block for case in rule.valid for block in (*_about(case.about), _fenced(case.source, fence))],
        f"To keep a line as it is: `# tympan: ignore[{rule.code}]` at its end.",
    )


def index_rows() -> list[tuple[str, str, str]]:
    """Code with a link, title and applicability of every rule."""
    rows = [(f"[{rule.code}]({page_name(rule)})", rule.title, rule.applicability.value) for rule in all_rules()]
    return [(UNREADABLE_CODE, "a file that can't be parsed is left alone", Applicability.BY_HAND.value), *rows]


def _example(case: Invalid, fence: str) -> Iterable[str]:
    yield from _about(case.about)
    yield _fenced(case.source, fence)
    if case.fixed is None:
        yield "is told, and left to you."
    else:
        yield "becomes" + (", with `--unsafe`," if case.is_unsafe else "")
        yield _fenced(case.fixed, fence)


def _about(text: str) -> list[str]:
    return [f"{text[0].upper()}{text[1:]}:"] if text else []


def _fenced(source: str, fence: str) -> str:
    return f"```{fence}\n{source.rstrip()}\n```"
