"""What `tympan probe` prints. Imported on use."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tympan.cli.exit_codes import ExitCode
from tympan.cli.legible import legible
from tympan.cli.output import print_result
from tympan.migrate.probe.address import Address, Protocol
from tympan.migrate.probe.findings import Finding, Latency, Report, Verdict
from tympan.migrate.probe.reach import tls_context
from tympan.migrate.probe.run import probe
from tympan.migrate.probe.scenes import Visitor
from tympan.migrate.probe.speech import load_speech

_STYLES = {
    Verdict.PASSED: "green",
    Verdict.NOTED: "yellow",
    Verdict.FAILED: "bold red",
    Verdict.LEFT_OUT: "dim",
}
_VERDICT_WIDTH, _CHECK_WIDTH = 9, 16


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """What the command line says."""

    url: str
    protocol: str | None
    api_key: str | None
    audio: Path | None
    text: Path | None
    parameters: Mapping[str, str]
    ca: Path | None
    timeout_s: float
    is_quick: bool
    is_json: bool


def run_probe(request: ProbeRequest) -> int:
    """Probe and print; the exit code.

    Raises:
        UsageError: no address.
        MediaError: the audio or its text can't be read.
        SettingsError: the certificates can't be read.
    """
    address = Address.parse(request.url, None if request.protocol is None else Protocol(request.protocol))
    visitor = Visitor(address, request.api_key, tls_context(request.ca), request.timeout_s, request.parameters)
    speech = None if request.is_quick else load_speech(request.audio, request.text)
    console = Console(highlight=False, soft_wrap=True)

    def tell(finding: Finding) -> None:
        if not request.is_json:
            console.print(_lines(finding))

    if not request.is_json:
        console.print(f"{address.shown} ({address.protocol.value})")
    report = asyncio.run(probe(visitor, speech, tell, is_quick=request.is_quick))
    if request.is_json:
        print_result(json.dumps(_document(report), indent=2) + "\n")
    else:
        _print_rest(console, report)
    return _exit_code(report)


def _lines(finding: Finding) -> Text:
    lines = Text.assemble(
        (finding.verdict.value.ljust(_VERDICT_WIDTH), _STYLES[finding.verdict]),
        " ",
        finding.check.ljust(_CHECK_WIDTH),
        " ",
        legible(finding.text),
    )
    if finding.advice:
        lines.append(f"\n{' ' * (_VERDICT_WIDTH + _CHECK_WIDTH + 2)}→ {finding.advice}")
    return lines


def _print_rest(console: Console, report: Report) -> None:
    if report.latencies:
        console.print(_latency_table(report.latencies))
    counts = [(report.count(verdict), verdict) for verdict in Verdict]
    told = ", ".join(f"{count} {verdict.value}" for count, verdict in counts if count)
    console.print(Text(told, style="green" if report.is_good else "bold red"))


def _latency_table(latencies: list[Latency]) -> Table:
    table = Table("delay in ms", box=None, pad_edge=False, header_style="bold")
    for name in ("n", "p50", "p95"):
        table.add_column(name, justify="right")
    for row in latencies:
        table.add_row(row.name, str(row.count), f"{row.p50_ms:.0f}", f"{row.p95_ms:.0f}")
    return table


def _document(report: Report) -> dict[str, object]:
    return {
        "address": report.address,
        "protocol": report.protocol,
        "is_good": report.is_good,
        "findings": [asdict(finding) for finding in report.findings],
        "latencies": [asdict(latency) for latency in report.latencies],
    }


def _exit_code(report: Report) -> ExitCode:
    if not report.is_reachable:
        return ExitCode.NETWORK
    return ExitCode.OK if report.is_good else ExitCode.CHECK_FAILED
