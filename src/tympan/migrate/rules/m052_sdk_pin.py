"""TM052: requirements that keep the SDK at its old versions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tympan.migrate.document import Span
from tympan.migrate.matching.settings_text import SettingsDocument
from tympan.migrate.rule import Applicability, Finding, Invalid, Rule, Target, Valid

_REQUIREMENT = re.compile(
    r"(?<![\w./-])assemblyai(?:\[[\w, -]*\])?[\"']?[ \t]*"
    r"(?:[=:][ \t]*(?:\{[ \t]*version[ \t]*=[ \t]*)?[\"'])?"
    r"(?P<versions>[ \t]*(?:[<>=~!^]{1,3})?[ \t]*\d[\w.*]*(?:[ \t]*,[ \t]*[<>=~!]{1,3}[ \t]*\d[\w.*]*)*)"
)
"""In requirements files, `pyproject.toml` with or without Poetry, and Conda's environments."""
_CLAUSE = re.compile(r"(?P<operator>[<>=~!^]*)\s*(?P<major>\d+)(?P<rest>[\w.*]*)")


class SdkPin(Rule[SettingsDocument]):
    """Versions of the SDK that are allowed."""

    code = "TM052"
    title = "Requirements that allow old versions of the SDK only"
    what = (
        "Finds requirements of `assemblyai` that exclude version 1 and later: `==0.33`, `<1`, `~=0.30`, `^0.33`; in "
        "`requirements.txt`, `pyproject.toml` and the like."
    )
    why = "The client that rewritten programs use is that of the current SDK; old versions lack it, or parts of it."
    applicability = Applicability.BY_HAND
    document_type = SettingsDocument
    file_name = "requirements.txt"
    valid = (
        Valid("assemblyai\n"),
        Valid("assemblyai>=0.33\n", "the current one is allowed"),
        Valid("assemblyai>=1,<2\n# assemblyai==0.33.0\n"),
        Valid('"dependencies": {"assemblyai": "^4.9.0"}\n', "the JavaScript SDK"),
        Valid("my-assemblyai==0.1\nassemblyai-tools==0.1\n", "other packages"),
    )
    invalid = (
        Invalid("assemblyai==0.33.0\n", None),
        Invalid("assemblyai[extras]>=0.20, <1 ; python_version > '3.8'\n", None),
        Invalid('assemblyai = "^0.33"\n', None, about="Poetry"),
        Invalid('assemblyai = { version = "~0.33", extras = ["extras"] }\n', None),
        Invalid('dependencies = ["httpx", "assemblyai~=0.30"]\n', None),
    )

    def check(self, document: SettingsDocument, target: Target) -> Iterator[Finding]:
        for found in _REQUIREMENT.finditer(document.text):
            if document.is_comment(found.start()) or not _excludes_current(found["versions"]):
                continue
            message = f"{found['versions'].strip()} allows no current version of the SDK"
            advice = (
                "Allow one, assemblyai>=1, together with the rewritten program. It is yours to say when; a program "
                "that only transcribes files may stay."
            )
            yield self.by_hand(Span(found.start(), found.end("versions")), message, advice)


def _excludes_current(versions: str) -> bool:
    return any(_is_old(clause) for clause in _CLAUSE.finditer(versions))


def _is_old(clause: re.Match[str]) -> bool:
    """Whether no version from 1 on satisfies it."""
    operator, major = clause["operator"], int(clause["major"])
    if operator == "<":
        return major == 0 or (major == 1 and not clause["rest"].strip(".0"))
    return major == 0 and operator in ("", "=", "==", "===", "~=", "~", "^", "<=")
