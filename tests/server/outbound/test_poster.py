"""One request, whoever the other side is and whatever it does."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from receiving import Boor, Receiver, says_nothing
from running_service import PATIENCE_S
from starlette.responses import Response

from certificates import make_certificate
from held_port import held_port
from tympan.core.errors import AddressRefused, Unreachable
from tympan.server.outbound.poster import Answer, Poster
from tympan.server.outbound.reach import Reach
from tympan.server.outbound.resolver import MAX_LOOKUPS, Resolver

HERE = Reach((ip_network("127.0.0.0/8"),))
NAME = "receiver.example"


def posted(
    url: str, reach: Reach = HERE, *, times: int = 1, timeout_s: float = PATIENCE_S, **limits: Any
) -> list[Answer | str]:
    """What each of so many posts brought, one after the other: an answer, or the text of the error."""
    kept = limits.pop("max_body_bytes", 0)

    async def post() -> list[Answer | str]:
        poster = Poster(reach, max_connections=4, **limits)
        came: list[Answer | str] = []
        for _ in range(times):
            try:
                came.append(await poster.post(url, {}, b"{}", timeout_s=timeout_s, max_body_bytes=kept))
            except Unreachable as error:
                came.append(f"{type(error).__name__}: {error}")
        assert poster.connection_count <= limits.get("max_idle", 0)
        await poster.close()
        return came

    return asyncio.run(post())


def knows(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> list[str]:
    """The system's lookup finds these addresses for `NAME`; returns the names that were looked up."""
    real, looked_up = socket.getaddrinfo, []

    def getaddrinfo(host: Any, port: Any, *arguments: Any, **options: Any) -> Any:
        if host != NAME:
            return real(host, port, *arguments, **options)
        looked_up.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


def test_an_answer_is_its_status_and_as_much_of_its_body_as_was_asked_for() -> None:
    answers = [Response("x" * 1000, headers={"Retry-After": "7"}), Response("x" * 1000, status_code=404)]
    with Receiver(answers) as receiver:
        assert posted(receiver.url, times=2, max_body_bytes=10) == [
            Answer(200, "7", b"x" * 10),
            Answer(404, None, b"x" * 10),
        ]


def test_a_connection_is_used_again_where_it_may_be() -> None:
    def talk(connection: socket.socket) -> None:
        came = b"{}"  # the end of a request
        while came.endswith(b"{}"):
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
            came = connection.recv(1000)
            while came and not came.endswith(b"{}"):
                came += connection.recv(1000)

    with Boor(talk) as receiver:
        posted(receiver.url, times=3, max_idle=1, max_body_bytes=10)
        assert receiver.visits == 1
        posted(receiver.url, times=3, max_body_bytes=10)
        assert receiver.visits == 4


def test_the_address_that_was_judged_is_connected_to_and_none_is_looked_up_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Receiver() as receiver:
        looked_up = knows(monkeypatch, "10.255.255.1", "127.0.0.1", "169.254.169.254")
        [answer] = posted(f"http://{NAME}:{receiver.port}/")
        assert isinstance(answer, Answer)
        assert looked_up == [NAME]
        assert receiver.posts[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_name_without_an_address_in_reach_is_refused_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    knows(monkeypatch, "10.255.255.1", "169.254.169.254", "127.0.0.1")
    with Receiver() as receiver:
        [told] = posted(f"http://{NAME}:{receiver.port}/", Reach())
        assert not receiver.posts
    assert told == (
        "AddressRefused: 10.255.255.1 is a private address; 169.254.169.254 is a link-local address; "
        "127.0.0.1 is a loopback address"
    )
    assert issubclass(AddressRefused, Unreachable)


def test_the_next_address_is_tried_when_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as receiver:
        knows(monkeypatch, "127.0.0.2", "127.0.0.1")  # the receiver listens at the second alone
        [answer] = posted(f"http://{NAME}:{receiver.port}/")
    assert isinstance(answer, Answer)


@pytest.mark.parametrize("value", ["Bearer secret ", "secret\r\nHost: elsewhere", "\0secret"])
def test_a_header_that_cannot_be_sent_is_not_told(value: str) -> None:
    async def post(url: str) -> None:
        await Poster(HERE, max_connections=1).post(url, {"Authorization": value}, b"{}", timeout_s=5)

    with Receiver() as receiver, pytest.raises(Unreachable, match="a header can't be sent as HTTP") as failure:
        asyncio.run(post(f"http://127.0.0.1:{receiver.port}/"))
    assert "secret" not in str(failure.value)
    assert receiver.posts == []


def test_nobody_listens_there() -> None:
    with held_port() as port:
        [told] = posted(f"http://127.0.0.1:{port}/")
    assert str(told).startswith("Unreachable: ConnectError: ")


def test_nothing_in_the_environment_leads_a_request_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy, Receiver() as receiver:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        posted(receiver.url)
        assert (len(proxy.posts), len(receiver.posts)) == (0, 1)


def test_a_certificate_must_be_trusted_by_the_system_and_fit_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    with Receiver(certificate=certificate) as receiver:
        [told] = posted(f"https://localhost:{receiver.port}/")
        assert "certificate verify failed" in str(told)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate.authority))
        [answer] = posted(f"https://localhost:{receiver.port}/")
        assert answer == Answer(200, None, b"")
        knows(monkeypatch, "127.0.0.1")
        [told] = posted(f"https://{NAME}:{receiver.port}/")
        assert "certificate verify failed" in str(told)
    assert len(receiver.posts) == 1


def forever(piece: bytes, pause_s: float = 0) -> Callable[[socket.socket], None]:
    def send(connection: socket.socket) -> None:
        while True:
            connection.sendall(piece)
            time.sleep(pause_s)

    return send


@pytest.mark.parametrize(
    ("behave", "told"),
    [
        (says_nothing, "no whole answer within 0.3 s"),
        (forever(b"H", pause_s=0.1), "no whole answer within 0.3 s"),
        (lambda connection: connection.close(), "RemoteProtocolError: Server disconnected"),
        (lambda connection: connection.sendall(b"220 mail ESMTP\r\n\r\n"), "RemoteProtocolError: illegal status line"),
        (forever(b"HTTP/1.1 102 Processing\r\n\r\n" * 100), "ReadError: the answer is too long"),
        (forever(b"\0" * 1000), "RemoteProtocolError"),
    ],
    ids=["silent", "drips", "hangs up", "is no web server", "never comes to the point", "sends noise"],
)
def test_a_boor_gets_no_more_than_its_time(behave: Callable[[socket.socket], None], told: str) -> None:
    with Boor(behave) as boor:
        [came] = posted(boor.url, timeout_s=0.3 if "within" in told else PATIENCE_S, max_read_bytes=32_768)
    assert told in str(came)


def test_headers_without_end_are_cut(tmp_path: Path) -> None:
    def send(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        forever(b"A: b\r\n" * 100)(connection)

    with Boor(send) as boor:
        [told] = posted(boor.url, max_read_bytes=32_768)
    assert "too long" in str(told)


def test_a_gigabyte_is_neither_read_nor_kept() -> None:
    sent = 0

    def send(connection: socket.socket) -> None:
        nonlocal sent
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
        with suppress(OSError):
            for _ in range(1024):
                connection.sendall(bytes(1_048_576))
                sent += 1

    with Boor(send) as boor:
        [answer] = posted(boor.url, max_body_bytes=1000)
    assert answer == Answer(200, None, bytes(1000))
    assert sent < 32, "what the sockets' own buffers take"


def test_what_timed_out_leaves_no_connection_behind() -> None:
    with Boor(says_nothing) as boor:
        told = posted(boor.url, times=12, timeout_s=0.05)
    assert set(told) == {"Unreachable: no whole answer within 0.05 s"}


def test_there_is_no_host_of_this_name() -> None:
    [told] = posted("http://no.such.host.invalid/")
    assert str(told).startswith("Unreachable: cannot look up the host: ")
    [told] = posted(f"http://{'a' * 64}.example/")
    assert str(told).startswith("Unreachable: cannot look up the host: ")


def test_a_lookup_that_never_ends_holds_up_no_loop_and_few_others(monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer = threading.Event()
    real = socket.getaddrinfo

    def getaddrinfo(host: Any, *arguments: Any, **options: Any) -> Any:
        if host == NAME:
            may_answer.wait(PATIENCE_S)
        return real("127.0.0.1", *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    resolver = Resolver()

    async def look_up(host: str) -> list[str] | None:
        try:
            async with asyncio.timeout(0.2):
                return await resolver.addresses(host, 80)
        except TimeoutError:
            return None

    async def all_at_once() -> None:
        stuck = await asyncio.gather(*(look_up(NAME) for _ in range(MAX_LOOKUPS + 3)))
        assert set(stuck) == {None}
        assert await look_up("other.example") is None, "all lookups are taken"
        may_answer.set()
        async with asyncio.timeout(PATIENCE_S):
            while await look_up("other.example") != ["127.0.0.1"]:
                pass

    asyncio.run(all_at_once())


def test_a_loop_that_ended_is_not_told_of_a_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    may_answer = threading.Event()

    def getaddrinfo(*arguments: Any, **options: Any) -> Any:
        may_answer.wait(PATIENCE_S)
        raise socket.gaierror("nothing")

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def give_up() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.05):
                await Resolver().addresses(NAME, 80)

    before = set(threading.enumerate())
    asyncio.run(give_up())
    [lookup] = [thread for thread in set(threading.enumerate()) - before if thread.name == "tympan lookup"]
    assert lookup.daemon, "the end of the process doesn't wait for it"
    may_answer.set()
    lookup.join(PATIENCE_S)
    assert not lookup.is_alive()


@pytest.mark.parametrize("host", ["[::1]", "[::ffff:127.0.0.1]"])
def test_an_ipv6_address_is_posted_to(host: str) -> None:
    try:
        listening = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True)
    except OSError:
        pytest.skip("no IPv6 here")
    came: list[bytes] = []

    def serve() -> None:
        connection, _ = listening.accept()
        with connection:
            while not (came and came[-1].endswith(b"{}")):
                came.append(connection.recv(65_536))
            connection.sendall(b"HTTP/1.1 204 No Content\r\n\r\n")

    serving = threading.Thread(target=serve, daemon=True)
    serving.start()
    port = listening.getsockname()[1]
    [answer] = posted(f"HTTP://{host}:{port}/a?b#c", Reach((ip_network("::1"), ip_network("127.0.0.1"))))
    serving.join(PATIENCE_S)
    listening.close()
    assert answer == Answer(204, None, b"")
    head = b"".join(came)
    assert head.startswith(b"POST /a?b HTTP/1.1\r\n")
    assert f"Host: {host}:{port}\r\n".encode() in head


def test_a_system_without_threads_left_gives_the_lookup_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def look_up() -> None:
        resolver = Resolver(max_lookups=1)
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            with pytest.raises(Unreachable, match="can't start new thread"):
                await resolver.addresses("127.0.0.1", 80)
        assert await resolver.addresses("127.0.0.1", 80) == ["127.0.0.1"]

    asyncio.run(look_up())
