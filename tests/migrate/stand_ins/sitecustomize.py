"""On the path of a program under test: the vendor's hosts lead to the server of the test.

What a hosts file and a redirected port do on a real machine, so that no program must be changed to be run.
`VENDOR_PORT` is the server's; its certificate is trusted through `SSL_CERT_FILE`.
"""

from __future__ import annotations

import os
import socket
from typing import Any

HOSTS = ("api.assemblyai.com", "streaming.assemblyai.com")

_look_up = socket.getaddrinfo


def look_up(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name in HOSTS:
        return _look_up("127.0.0.1", int(os.environ["VENDOR_PORT"]), *arguments, **options)
    return _look_up(host, port, *arguments, **options)


socket.getaddrinfo = look_up
