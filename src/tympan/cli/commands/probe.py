"""`tympan probe`: is this endpoint what a client needs?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tympan.cli.options import named_values
from tympan.core.errors import UsageError


def probe(
    url: Annotated[
        str,
        typer.Argument(
            metavar="URL", help="Like wss://HOST or localhost:8000; without a path it is the protocol's own."
        ),
    ],
    api_key: Annotated[
        str | None, typer.Option(envvar="TYMPAN_API_KEY", help="Key for the service.", show_default=False)
    ] = None,
    audio: Annotated[
        Path | None,
        typer.Option(
            help="Recording to play, at its own pace. Without it: 13 s that the model's package carries.",
            show_default=False,
        ),
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="File with what --audio says, for the word error rate.", show_default=False)
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="Parameter for every session, like speech_model=u3-rt-pro.", show_default=False
        ),
    ] = None,
    protocol: Annotated[
        str | None, typer.Option(help="v3 or v2, where the path doesn't tell.", show_default="by the path, else v3")
    ] = None,
    ca: Annotated[
        Path | None, typer.Option(help="Certificates to trust (PEM) instead of the machine's.", show_default=False)
    ] = None,
    timeout_s: Annotated[
        float, typer.Option("--timeout", min=0.1, max=120, help="Seconds to wait for each answer.")
    ] = 6.0,
    quick: Annotated[bool, typer.Option("--quick", help="Leave out what needs speech: done in a few seconds.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> int:
    """Check a streaming service as clients meet it.

    Holds real sessions and judges every message: reachability, TLS, health, Begin, transcription, times,
    formatting, ForceEndpoint, UpdateConfiguration, the end, refusals and delays. Each line is passed, noted (works,
    but not for every client), failed or left out, with advice.
    """
    from tympan.cli.probing import ProbeRequest, run_probe  # noqa: PLC0415  (needs the network's packages)

    if text is not None and audio is None:
        raise typer.BadParameter("--text says what --audio holds: give --audio too", param_hint="--text")
    if protocol not in (None, "v3", "v2"):
        raise typer.BadParameter(f"{protocol!r}: expected v3 or v2", param_hint="--protocol")
    parameters = named_values(param)
    try:
        return run_probe(
            ProbeRequest(
                url=url,
                protocol=protocol,
                api_key=api_key,
                audio=audio,
                text=text,
                parameters=parameters,
                ca=ca,
                timeout_s=timeout_s,
                is_quick=quick,
                is_json=as_json,
            )
        )
    except UsageError as error:
        raise typer.BadParameter(str(error), param_hint="URL") from error
