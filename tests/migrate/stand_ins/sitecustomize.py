"""On the path of a program under test: one of the vendor's hosts leads to the server of the test, the others nowhere.

What a hosts file and a redirected port do on a real machine, so that no program must be changed to be run.
`VENDOR_HOST` is the host, `VENDOR_PORT` the server's port; its certificate is trusted through `SSL_CERT_FILE`.

TLS is held at 1.2: the synchronous client of `websockets`, on which the old SDK builds, sometimes loses the answer to
its handshake when the server sends a session ticket of 1.3 meanwhile. The current SDK works round that.

SDKs give a busy machine a minute to connect and to tell the last words, not seconds.
"""

from __future__ import annotations

import os
import socket
import ssl
import sys
from functools import wraps
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from websockets.sync import client

_look_up = socket.getaddrinfo


def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name == os.environ["VENDOR_HOST"]:
        return _look_up("127.0.0.1", int(os.environ["VENDOR_PORT"]), *arguments, **options)
    if name is not None and name.endswith("assemblyai.com"):
        raise socket.gaierror(socket.EAI_NONAME, f"{name} serves something else")
    return _look_up(host, port, *arguments, **options)


_create_context = ssl.create_default_context


def create_context(*arguments: Any, **options: Any) -> ssl.SSLContext:
    context = _create_context(*arguments, **options)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


_connect = client.connect


@wraps(_connect)
def connect(*arguments: Any, **options: Any) -> client.ClientConnection:
    return _connect(*arguments, **{**options, "open_timeout": 60})


class CurrentSdk(PathFinder):
    """Changes a default of the current SDK when that is imported."""

    @classmethod
    def find_spec(cls, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        spec = super().find_spec(name, path, target) if name == "assemblyai.streaming.v3.models" else None
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                module.StreamingClientOptions.model_fields["terminate_timeout"].default = 60
                module.StreamingClientOptions.model_rebuild(force=True)

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


client.connect = connect
sys.meta_path.insert(0, CurrentSdk)
socket.getaddrinfo = look_up
ssl.create_default_context = create_context
