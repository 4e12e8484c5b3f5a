"""NGINX and Caddy as Debian has them, each with its example file: only ports, paths and a timeout are replaced, and
Caddy's options get some more.

A replacement that isn't found is an error, so that what runs here is what the example says.
"""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from certificates import Certificate

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

NGINX_MAIN = """
daemon off;
worker_processes 1;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/tympan.conf;
}}
"""

CADDY_OPTIONS = """
{{
	admin unix/{folder}/admin.sock
	auto_https disable_redirects
	servers {{
		timeouts {{
			idle {silence_s:g}s
			read_header {silence_s:g}s
		}}
	}}
"""


@dataclass(frozen=True)
class ReverseProxy:
    """One that runs."""

    port: int
    certificate: Certificate
    process: subprocess.Popen[bytes]
    reload: Callable[[], None]
    """Read the configuration again, as after an edit of it; returns when that is done."""
    folder: Path

    @property
    def url(self) -> str:
        return f"wss://localhost:{self.port}"

    @property
    def http(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def logged(self) -> str:
        """Whatever it has written into its logs."""
        return "".join(log.read_text() for log in self.folder.glob("*.log"))

    @property
    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate.authority)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
    return port


def replaced(text: str, replacements: Mapping[str, str]) -> str:
    for old, new in replacements.items():
        assert text.count(old) == 1, f"{old!r} must be in the example once"
        text = text.replace(old, new)
    return text


@contextmanager
def nginx(folder: Path, certificate: Certificate, upstream: int, *, silence_s: float = 60) -> Iterator[ReverseProxy]:
    """NGINX before the server at that port; it cuts what is silent for `silence_s`."""
    program = _program("nginx", "nginx-light")
    port = free_port()
    example = (EXAMPLES / "nginx" / "tympan.conf").read_text(encoding="utf-8")
    replacements = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "server_name speech.example": "server_name localhost",
        "/etc/nginx/tympan/cert.pem": str(certificate.cert),
        "/etc/nginx/tympan/key.pem": str(certificate.key),
        "/var/log/nginx/tympan.log": f"{folder}/access.log",
        "/var/log/nginx/tympan-error.log": f"{folder}/tympan-error.log",
        "http://127.0.0.1:8000": f"http://127.0.0.1:{upstream}",
        "proxy_read_timeout 60s": f"proxy_read_timeout {round(silence_s * 1000)}ms",
    }
    (folder / "tympan.conf").write_text(replaced(example, replacements))
    main = folder / "nginx.conf"
    main.write_text(NGINX_MAIN.format(folder=folder))
    command = [program, "-c", str(main), "-p", str(folder), "-e", f"{folder}/error.log"]
    log = folder / "error.log"
    with _running(command, port, log, {}) as process:

        def reload() -> None:
            workers = _children(process.pid)
            subprocess.run([*command, "-s", "reload"], check=True, timeout=10)
            _wait_until(lambda: bool(_children(process.pid) - workers), log)

        yield ReverseProxy(port, certificate, process, reload, folder)


@contextmanager
def caddy(folder: Path, certificate: Certificate, upstream: int, *, silence_s: float = 60) -> Iterator[ReverseProxy]:
    """Caddy before the server at that port; `silence_s` bounds what it bounds by itself."""
    program = _program("caddy", "caddy")
    port = free_port()
    example = (EXAMPLES / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    replacements = {
        "speech.example {": f"localhost:{port} {{",
        "/etc/caddy/tympan/cert.pem": str(certificate.cert),
        "/etc/caddy/tympan/key.pem": str(certificate.key),
        "reverse_proxy 127.0.0.1:8000": f"reverse_proxy 127.0.0.1:{upstream}",
    }
    options = CADDY_OPTIONS.format(folder=folder, silence_s=silence_s)
    main = folder / "Caddyfile"
    main.write_text(replaced(example, {"\n{\n": options} | replacements))
    home = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder)}
    files = ["--config", str(main), "--adapter", "caddyfile"]
    log = folder / "caddy.log"
    with _running([program, "run", *files], port, log, home) as process:

        def reload() -> None:
            command = [program, "reload", "--force", *files, "--address", f"unix/{folder}/admin.sock"]
            subprocess.run(command, check=True, timeout=10, env=os.environ | home, stderr=subprocess.DEVNULL)

        yield ReverseProxy(port, certificate, process, reload, folder)


def _program(name: str, package: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if path is None:
        pytest.skip(f"{name} isn't installed: on Debian, the package {package}")
    return path


@contextmanager
def _running(
    command: list[str], port: int, log: Path, variables: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as told:
        process = subprocess.Popen(command, stdout=told, stderr=told, env=os.environ | dict(variables))
    try:
        _wait_until(lambda: process.poll() is not None or _answers(port), log)
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        finally:
            process.kill()


def _children(pid: int) -> set[str]:
    return set(Path(f"/proc/{pid}/task/{pid}/children").read_text().split())


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _wait_until(is_true: Callable[[], bool], log: Path) -> None:
    give_up_at_s = time.monotonic() + 10
    while not is_true():
        assert time.monotonic() < give_up_at_s, log.read_text()
        time.sleep(0.02)
