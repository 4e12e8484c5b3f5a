"""On the path of a program under test: one of the vendor's hosts leads to the server of the test, the others nowhere.

What a hosts file and a redirected port do on a real machine, so that no program must be changed to be run.
`VENDOR_HOST` is the host, `VENDOR_PORT` the server's port; its certificate is trusted through `SSL_CERT_FILE`.
"""

from __future__ import annotations

import os
import socket
from typing import Any

_look_up = socket.getaddrinfo


def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name == os.environ["VENDOR_HOST"]:
        return _look_up("127.0.0.1", int(os.environ["VENDOR_PORT"]), *arguments, **options)
    if name is not None and name.endswith("assemblyai.com"):
        raise socket.gaierror(socket.EAI_NONAME, f"{name} serves something else")
    return _look_up(host, port, *arguments, **options)


socket.getaddrinfo = look_up
