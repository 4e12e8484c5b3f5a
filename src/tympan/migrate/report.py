"""Findings as text, JSON and SARIF 2.1.0. PURE: returns texts.

The formats are documented in docs/howto/migrate.md: what programs read from them stays as it is.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote

from tympan.migrate.discovery import AnyRule
from tympan.migrate.project import UNREADABLE_CODE, FileResult, Located
from tympan.migrate.rule import Applicability

Form = Literal["text", "json", "sarif"]
"""How findings are written."""

_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_HOW = {
    Applicability.SAFE: "'tympan migrate fix' does it",
    Applicability.UNSAFE: "'tympan migrate fix --unsafe' does it; look at the result",
    Applicability.BY_HAND: "by hand",
}
_LEVELS = {Applicability.SAFE: "warning", Applicability.UNSAFE: "warning", Applicability.BY_HAND: "error"}


def render(results: Sequence[FileResult], rules: Iterable[AnyRule], form: Form, version: str) -> str:
    """What is left to do in these files; ends with a line end unless it is empty."""
    found = [located for result in results for located in result.left]
    match form:
        case "text":
            return _text(found, _why(rules))
        case "json":
            return _json([_as_json(located, _why(rules)) for located in found])
        case "sarif":
            return _json(_as_sarif(found, list(rules), version))


def summary(results: Sequence[FileResult]) -> str:
    """One line for people."""
    left = [located.finding for result in results for located in result.left]
    fixed = sum(len(result.fixed) for result in results)
    known = sum(result.is_known for result in results)
    parts = [f"{known} file{'' if known == 1 else 's'}"]
    if known < len(results):
        parts.append(f"{len(results) - known} of no kind that is looked at")
    if fixed:
        parts.append(f"{fixed} fixed")
    counts = {kind: sum(finding.applicability is kind for finding in left) for kind in Applicability}
    parts.append(f"{len(left)} finding{'' if len(left) == 1 else 's'}" + (" left" if fixed else ""))
    details = ", ".join(f"{count} {_COUNTED[kind]}" for kind, count in counts.items() if count)
    return ", ".join(parts) + (f" ({details})" if details else "")


_COUNTED = {
    Applicability.SAFE: "that 'fix' repairs",
    Applicability.UNSAFE: "that 'fix --unsafe' repairs",
    Applicability.BY_HAND: "to do by hand",
}


def diff(result: FileResult) -> str:
    """What a fix changes, as a unified diff."""
    name = result.path.as_posix()
    lines = difflib.unified_diff(
        result.before.splitlines(keepends=True),
        result.after.splitlines(keepends=True),
        fromfile=name,
        tofile=name,
    )
    return "".join(line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines)


def _text(found: Sequence[Located], why: Mapping[str, str]) -> str:
    """The findings, then why what they tell must change, once for each rule."""
    lines = [line for located in found for line in _lines(located)]
    codes = sorted({located.finding.code for located in found})
    return "".join(
        f"{line}\n" for line in (*lines, *([""] if codes else []), *(f"{code}: {why[code]}" for code in codes))
    )


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def _lines(located: Located) -> list[str]:
    finding, start = located.finding, located.start
    head = f"{located.path}:{start.line}:{start.column}: {finding.code} {finding.message}"
    return [head, f"    {finding.advice} ({_HOW[finding.applicability]})"]


def _why(rules: Iterable[AnyRule]) -> Mapping[str, str]:
    return {UNREADABLE_CODE: "What can't be read can't be checked; what can't be written can't be fixed.", **{rule.code: rule.why for rule in rules}}


def _as_json(located: Located, why: Mapping[str, str]) -> dict[str, Any]:
    finding = located.finding
    return {
        "file": located.path.as_posix(),
        "line": located.start.line,
        "column": located.start.column,
        "end_line": located.end.line,
        "end_column": located.end.column,
        "code": finding.code,
        "message": finding.message,
        "why": why[finding.code],
        "advice": finding.advice,
        "applicability": finding.applicability.value,
    }


def _as_sarif(found: Sequence[Located], rules: Sequence[AnyRule], version: str) -> dict[str, Any]:
    why = _why(rules)
    titles = {UNREADABLE_CODE: "A file that can't be parsed", **{rule.code: rule.title for rule in rules}}
    descriptions = [
        {
            "id": code,
            "shortDescription": {"text": titles[code]},
            "fullDescription": {"text": why[code]},
        }
        for code in why
    ]
    index = {code: number for number, code in enumerate(why)}
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "tympan migrate", "version": version, "rules": descriptions}},
                "columnKind": "unicodeCodePoints",
                "results": [_sarif_result(located, index[located.finding.code]) for located in found],
            }
        ],
    }


def _sarif_result(located: Located, rule_index: int) -> dict[str, Any]:
    finding = located.finding
    region = {
        "startLine": located.start.line,
        "startColumn": located.start.column,
        "endLine": located.end.line,
        "endColumn": located.end.column,
    }
    return {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.applicability],
        "message": {"text": f"{finding.message}. {finding.advice}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(located)},
                    "region": region,
                }
            }
        ],
        "properties": {"applicability": finding.applicability.value},
    }


def _uri(located: Located) -> str:
    path = located.path
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
