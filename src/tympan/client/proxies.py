"""Which proxy a connection goes through, where nobody has named one: what the environment says. Shell.

Rule: what is on this machine is asked directly, whatever the environment says. A proxy would look for it on a machine
of its own, and be shown the key.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from urllib.request import ProxyHandler

from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from tympan.client.address import is_this_machine


def websocket_proxy(address: str) -> str | None:
    """The proxy for a WebSocket address, None for none.

    Raises:
        InvalidURI: no WebSocket address.
    """
    uri = parse_uri(address)
    return None if is_this_machine(uri.host) else get_proxy(uri)


def http_proxies(address: str) -> ProxyHandler:
    """The same for an HTTP address, as `urllib.request.build_opener` takes it."""
    return ProxyHandler({} if is_this_machine(urlsplit(address).hostname or "") else None)
