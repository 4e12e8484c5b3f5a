"""Asynchronous v3 client: a session that outlives its connections.

    async with connect(url, api_key=key, parameters=SessionParameters(sample_rate=16000)) as session:
        await session.send_audio(chunk)
        await session.terminate()
        async for event in session:
            ...

Rules:
- The first message is `Begin`, kept as `session.begin`; iteration gives the others and stops after `Termination`.
- When the connection is lost, audio and controls are kept, another one is opened, and the transcript goes on:
  `Reconnecting` and `Reconnected` tell of it. What can't be mended is a ClientError, raised by iteration.
- Leaving the block ends the session: gracefully and within a bounded time, or at once when an exception leaves
  with it. No task and no socket is left behind.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

from tympan.client.connection import Target, Timeouts
from tympan.client.conversation import Conversation
from tympan.client.dialer import Dialer, Token
from tympan.client.inbox import Inbox
from tympan.client.outgoing import Outgoing
from tympan.client.parameters import (
    SessionParameters,
    audio_format,
    has_partials,
    is_told_twice,
    longest_silence_ms,
    parameter_values,
)
from tympan.client.retry import ReconnectPolicy
from tympan.client.seam import Seam
from tympan.client.session import Session
from tympan.client.timing import Timing
from tympan.client.trust import Trust
from tympan.core.audio import AudioFormat
from tympan.wire.v3.client import ParameterValue

__all__ = ["MAX_KEPT_AUDIO_S", "Session", "Timing", "connect"]

MAX_KEPT_AUDIO_S = 600
"""Audio kept for a lost connection: 19 MB at 16 kHz. Live audio is settled within seconds; the rest is for a network
that is away for minutes."""


@asynccontextmanager
async def connect(
    url: str,
    *,
    api_key: str | None = None,
    token: Token | None = None,
    parameters: SessionParameters | Mapping[str, ParameterValue] | None = None,
    tls: Trust = None,
    proxy: str | Literal[True] | None = True,
    reconnect: ReconnectPolicy | None = ReconnectPolicy(),  # noqa: B008  (frozen)
    timeouts: Timeouts = Timeouts(),  # noqa: B008
    max_kept_audio_s: float = MAX_KEPT_AUDIO_S,
    timing: Timing = Timing(),  # noqa: B008
) -> AsyncIterator[Session]:
    """Open a session and wait for its `Begin`.

    `url`: host, host and port, or an address (ws, wss, http, https), with or without path. `token`: a temporary
    token, or a function that fetches one for each connection. `tls`: an SSL context, or the path of a PEM file with
    the authorities to trust besides the system's. `proxy`: True as the environment says, an address, or None for
    none. `reconnect`: None where a lost connection ends the session.

    The first connection is attempted once. Compressed audio can't be given to a new session from a point in time: with
    an encoding other than PCM and mu-law, a session goes on only where the server keeps it, as tympan does, and a lost
    connection ends it elsewhere. `max_kept_audio_s` then means as many bytes as PCM at 16 kHz would have.

    Raises:
        ClientError: no server there, or it refuses the session. On leaving: the session failed, or couldn't be ended,
            and iterating hasn't told so.
    """
    values = parameter_values(parameters)
    audio = audio_format(values)
    wishes: dict[str, ParameterValue] = {} if reconnect is None else {"resumable": True}
    conversation = Conversation(
        Dialer(Target(url, tls, proxy, timeouts), values | wishes, api_key, token),
        Outgoing(audio or AudioFormat(), max_kept_ms=int(max_kept_audio_s * 1000), keeps_sent=reconnect is not None),
        Seam(is_told_twice(values), longest_silence_ms(values)),
        Inbox(),
        policy=reconnect,
        can_begin_again=audio is not None,
        tells_partials=has_partials(values),
        timing=timing,
    )
    session = Session(conversation, await conversation.open(), audio)
    talking = asyncio.create_task(conversation.run(), name="tympan client session")
    try:
        yield session
        await session.end(talking)
    finally:
        conversation.is_leaving = True
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)
