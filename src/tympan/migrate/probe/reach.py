"""Is somebody there: TCP, TLS, HTTP health. Shell."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import ssl
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tympan.client.address import is_this_machine
from tympan.client.proxies import http_proxies, websocket_proxy
from tympan.core.errors import SettingsError
from tympan.migrate.probe.address import Address
from tympan.migrate.probe.findings import Finding, failed, left_out, noted, passed
from tympan.migrate.probe.record import Refusal, SessionRecord, Trouble
from tympan.migrate.probe.v3_session import opening_advice

_HEALTH_PATH = "/v3/ws/health"
_DAY_S = 86_400
_SOON_DAYS = 14
_MAX_BODY_BYTES = 10_000
_MAX_TOLD_CHARS = 120


def tls_context(ca: Path | None) -> ssl.SSLContext:
    """What is trusted: the machine's authorities, or those of a file.

    Raises:
        SettingsError: the file holds no certificates.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # ssl's own errors are among them
        raise SettingsError(f"cannot read certificates from {ca}: {error.strerror or error}") from error


async def check_reachable(address: Address, timeout_s: float) -> Finding:
    """`reachable`: a TCP connection."""
    if _is_behind_proxy(address):
        return left_out("reachable", "by way of the proxy that the environment names")
    started = time.monotonic()
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(address.host, address.port)
    except OSError as error:  # TimeoutError is one
        refusal = refusal_of(error)
        return failed("reachable", f"{address.origin}: {refusal.detail}", _advice(refusal))
    delay_ms = (time.monotonic() - started) * 1000
    writer.close()
    return passed("reachable", f"{address.origin} answers in {delay_ms:.0f} ms")


async def check_tls(address: Address, context: ssl.SSLContext, unix_s: float, timeout_s: float) -> Finding:
    """`tls`: the certificate is trusted, names the host, and doesn't expire soon."""
    if not address.is_tls:
        if is_this_machine(address.host):
            return left_out("tls", "not asked for, and nothing leaves this machine")
        return noted("tls", "audio and key travel unencrypted", "use wss://; tympan serve has --tls-cert and --tls-key")
    if _is_behind_proxy(address):
        return left_out("tls", "by way of the proxy that the environment names; 'begin' tells whether it works")
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await asyncio.open_connection(address.host, address.port, ssl=context)
    except OSError as error:
        refusal = refusal_of(error)
        if refusal.trouble is Trouble.NETWORK:  # TCP works: it is TLS that isn't understood
            refusal = Refusal(Trouble.TLS, refusal.detail)
        return failed("tls", f"{refusal.trouble.value}: {refusal.detail}", _advice(refusal))
    try:
        shown: Any = writer.get_extra_info("peercert")
        version = writer.get_extra_info("ssl_object").version()
    finally:
        writer.transport.abort()
    days = (ssl.cert_time_to_seconds(shown["notAfter"]) - unix_s) / _DAY_S
    if days < _SOON_DAYS:
        return noted("tls", f"{version}, the certificate expires in {days:.0f} days", "renew the certificate")
    return passed("tls", f"{version}, the certificate is trusted and holds {days:.0f} days more")


async def check_health(address: Address, context: ssl.SSLContext, timeout_s: float) -> Finding:
    """`health`: the HTTP health check, where there is one."""
    url = address.http(_HEALTH_PATH)
    try:
        status, body = await asyncio.to_thread(_get, url, context if address.is_tls else None, timeout_s)
    except OSError as error:
        return left_out("health", f"GET {_HEALTH_PATH}: {str(error)[:_MAX_TOLD_CHARS]!r}")
    if status == 503:
        advice = "wait until the server has loaded its model, then look at its log"
        return failed("health", f"GET {_HEALTH_PATH} answers 503 {body}", advice)
    if not 200 <= status < 300:
        return left_out("health", f"none: GET {_HEALTH_PATH} answers {status}")
    return passed("health", f"GET {_HEALTH_PATH} answers {status} {body}".rstrip())


def refusal_of(error: Exception) -> Refusal:
    """Why a connection could not be opened, for what the operating system or TLS says."""
    match error:
        case ssl.SSLCertVerificationError():
            return Refusal(Trouble.CERTIFICATE, error.verify_message)
        case ssl.SSLError():
            return Refusal(Trouble.TLS, error.reason or str(error))
        case socket.gaierror():
            return Refusal(Trouble.NO_HOST, error.strerror or str(error))
        case TimeoutError():
            return Refusal(Trouble.TIMEOUT, "no answer in time")
        case ConnectionRefusedError():
            return Refusal(Trouble.REFUSED, "connection refused")
        case OSError():
            return Refusal(Trouble.NETWORK, error.strerror or str(error) or type(error).__name__)
        case _:
            return Refusal(Trouble.NOT_WEBSOCKET, str(error) or type(error).__name__)


def _advice(refusal: Refusal) -> str:
    return opening_advice(SessionRecord(refusal=refusal))


def _get(url: str, context: ssl.SSLContext | None, timeout_s: float) -> tuple[int, str]:
    """Status and a short body. Raises OSError."""
    try:
        with _answer(url, context, timeout_s) as answer:
            return answer.status or 0, _brief(answer.read(_MAX_BODY_BYTES))
    except urllib.error.URLError as error:
        raise OSError(str(error.reason)) from error
    except (http.client.HTTPException, ValueError) as error:
        raise OSError("no HTTP is spoken there") from error


def _answer(url: str, context: ssl.SSLContext | None, timeout_s: float) -> Any:
    """The answer, whatever its status; an HTTPError is one."""
    opener = urllib.request.build_opener(http_proxies(url), urllib.request.HTTPSHandler(context=context))
    try:
        return opener.open(url, timeout=timeout_s)
    except urllib.error.HTTPError as error:
        return error


def _brief(body: bytes) -> str:
    """The values of a flat JSON object, else nothing."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(document, dict):
        return ""
    return ", ".join(f"{name} {value}" for name, value in document.items() if isinstance(value, str | int))[
        :_MAX_TOLD_CHARS
    ]


def _is_behind_proxy(address: Address) -> bool:
    """Whether sessions go by way of a proxy."""
    return websocket_proxy(address.shown) is not None
