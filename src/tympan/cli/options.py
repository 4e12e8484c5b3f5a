"""Options that several commands share: which service, which engine, what raw audio is."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from tympan.cli.errors import needs_extra
from tympan.client.raw_audio import MAX_RATE_HZ, MIN_RATE_HZ
from tympan.core.audio import Encoding
from tympan.core.errors import SettingsError

if TYPE_CHECKING:  # `--help` is fast
    from tympan.cli.converse import Service
    from tympan.client.trust import Trust

Url = Annotated[
    str | None,
    typer.Option(help="Stream to this server, like ws://localhost:8000. Without it, all runs here."),
]
ApiKey = Annotated[str | None, typer.Option(envvar="TYMPAN_API_KEY", help="Key for the server.", show_default=False)]
Token = Annotated[
    str | None,
    typer.Option(
        envvar="TYMPAN_TOKEN",
        help="Temporary token for the server instead of a key; it has to be valid whenever a session begins.",
        show_default=False,
    ),
]
Authorities = Annotated[
    Path | None,
    typer.Option("--ca", help="Certificates of authorities (PEM) to trust besides the machine's.", show_default=False),
]
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


@dataclass(frozen=True, slots=True)
class ServerChoice:
    """The server that a command line names; none where `url` is None."""

    url: str | None
    api_key: str | None
    token: str | None
    authorities: Path | None
    speech_model: str | None


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """The engine that a command line names, for what runs here."""

    engine: str
    model: str | None
    smart_turn: str | None


_OF_A_SERVER = MappingProxyType(
    {"api_key": "--api-key", "token": "--token", "authorities": "--ca", "speech_model": "--speech-model"}
)
_OF_AN_ENGINE = MappingProxyType({"engine": "--engine", "model": "--model", "smart_turn": "--smart-turn"})
"""Options with an effect only with `--url`, or only without it, by their parameters' names."""


def refuse_without_effect(context: typer.Context, url: str | None) -> None:
    """Refuse an option that says something of a server where none is named, or of an engine where one is. A variable of
    the environment says it to other commands too, and is passed over.

    Raises:
        typer.BadParameter: names the option.
    """
    options, cure = (_OF_A_SERVER, "give --url too") if url is None else (_OF_AN_ENGINE, "leave it or --url out")
    for name, option in options.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            where = "without --url, where all runs here" if url is None else "with --url: the server chooses"
            raise typer.BadParameter(f"has no effect {where}; {cure}", param_hint=option)


def named_values(given: list[str] | None) -> dict[str, str]:
    """What `--param NAME=VALUE` gave, any number of times.

    Raises:
        typer.BadParameter: something else.
    """
    values = {}
    for pair in given or []:
        name, equals, value = pair.partition("=")
        if not name or not equals:
            raise typer.BadParameter(f"{pair!r}: expected NAME=VALUE", param_hint="--param")
        values[name] = value
    return values


def open_service(server: ServerChoice, engine: EngineChoice) -> AbstractContextManager[Service]:
    """The server, or an engine in this process.

    Raises:
        MissingExtra, ModelError, SettingsError: the engine can't be loaded, or the authorities can't be read.
    """
    # Imported on use: one needs the engine's packages, the other the network's.
    if server.url is not None:
        return nullcontext(_remote_service(server.url, server))
    with needs_extra("server"):
        from tympan.cli.local import local_service  # noqa: PLC0415
    options = {} if engine.smart_turn is None else {"smart_turn": engine.smart_turn}
    return local_service(engine.engine, engine.model, options)


def _remote_service(url: str, server: ServerChoice) -> Service:
    from tympan.cli.remote import RemoteService  # noqa: PLC0415

    # A key of the environment must not travel beside a token.
    api_key = server.api_key if server.token is None else None
    return RemoteService(url, api_key, server.token, trust_in(server.authorities), server.speech_model)


def trust_in(authorities: Path | None) -> Trust:
    """What `--ca` says.

    Raises:
        SettingsError: the file can't be read or holds no certificates.
    """
    from tympan.client.errors import TlsError  # noqa: PLC0415
    from tympan.client.trust import tls_context  # noqa: PLC0415

    try:
        return None if authorities is None else tls_context(authorities)
    except TlsError as error:
        raise SettingsError(f"--ca: {error}") from error
