"""Options that several commands share: which service, which engine, what raw audio is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Annotated

import typer

from tympan.cli.errors import needs_extra
from tympan.client.raw_audio import MAX_RATE_HZ, MIN_RATE_HZ
from tympan.core.audio import Encoding

if TYPE_CHECKING:  # `--help` is fast
    from tympan.cli.converse import Service

Url = Annotated[
    str | None,
    typer.Option(help="Stream to this server, like ws://localhost:8000. Without it, all runs here."),
]
ApiKey = Annotated[str | None, typer.Option(envvar="TYMPAN_API_KEY", help="Key for the server.", show_default=False)]
SpeechModel = Annotated[
    str | None,
    typer.Option(help="Model of the server, by the protocol's name.", show_default="the server's default"),
]
Engine = Annotated[str, typer.Option(help="Engine, where everything runs here.", envvar="TYMPAN_ENGINE")]
Model = Annotated[
    str | None,
    typer.Option(
        help="Model of the engine: a name from 'tympan models list' or a path.",
        envvar="TYMPAN_MODEL",
        show_default="the engine's default",
    ),
]
SmartTurn = Annotated[
    str | None,
    typer.Option(
        help="Second model for the end of turns: a path, or 'pulled' after 'tympan models pull smart-turn'.",
        envvar="TYMPAN_SMART_TURN",
        show_default=False,
    ),
]
SampleRate = Annotated[
    int, typer.Option(min=MIN_RATE_HZ, max=MAX_RATE_HZ, help="Of raw PCM on standard input; a WAV header wins.")
]
Channels = Annotated[int, typer.Option(min=1, max=32, help="Of raw PCM on standard input; they are averaged.")]
RawEncoding = Annotated[Encoding, typer.Option("--encoding", help="Of raw PCM on standard input.")]


def open_service(
    url: str | None,
    api_key: str | None,
    speech_model: str | None,
    engine: str,
    model: str | None,
    smart_turn: str | None,
) -> AbstractContextManager[Service]:
    """The server at `url`, or an engine in this process.

    Raises:
        MissingExtra, ModelError, SettingsError: the engine can't be loaded.
    """
    # Imported on use: one needs the engine's packages, the other the network's.
    if url is not None:
        from tympan.cli.remote import RemoteService  # noqa: PLC0415

        return nullcontext(RemoteService(url, api_key, speech_model))
    with needs_extra("server"):
        from tympan.cli.local import local_service  # noqa: PLC0415
    return local_service(engine, model, {} if smart_turn is None else {"smart_turn": smart_turn})
