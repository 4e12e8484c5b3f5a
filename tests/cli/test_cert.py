"""`tympan cert`: files that TLS accepts, rights that keep the key private, and nothing lost by running it twice."""

from __future__ import annotations

import shlex
import ssl
import stat
from pathlib import Path

import pytest
from command_line import Run

FILES = ("ca.pem", "cert.pem", "key.pem")


def handshake(folder: Path, host: str) -> None:
    """A TLS handshake in memory: a server with the certificate, a client that trusts the authority alone.

    Raises:
        ssl.SSLError: one refuses the other.
    """
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    trusting = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT  # what newer Pythons ask for
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = serving.wrap_bio(to_server, to_client, server_side=True)
    client = trusting.wrap_bio(to_client, to_server, server_hostname=host)
    waiting = [client, server]
    while waiting:
        side = waiting.pop(0)
        try:
            side.do_handshake()
        except ssl.SSLWantReadError:
            waiting.append(side)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "::1", "ears.example"])
def test_a_client_that_trusts_the_authority_accepts_the_certificate(run: Run, tmp_path: Path, host: str) -> None:
    assert run("cert", tmp_path, "--name", "ears.example").code == 0
    handshake(tmp_path, host)


def test_no_other_name_is_accepted(run: Run, tmp_path: Path) -> None:
    run("cert", tmp_path)
    with pytest.raises(ssl.SSLCertVerificationError, match=r"ears\.example"):
        handshake(tmp_path, "ears.example")


def test_only_the_owner_can_read_the_key(run: Run, tmp_path: Path) -> None:
    run("cert", tmp_path / "new" / "folder")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "new" / "folder").iterdir()}
    assert modes == {"ca.pem": 0o644, "cert.pem": 0o644, "key.pem": 0o600}


def test_the_key_of_the_authority_is_nowhere(run: Run, tmp_path: Path) -> None:
    run("cert", tmp_path)
    assert sum(path.read_text().count("PRIVATE KEY-----") for path in tmp_path.iterdir()) == 2  # begin and end of one


def test_a_shell_can_read_what_is_printed(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "it's a folder"
    ran = run("cert", folder)
    words = [shlex.split(line) for line in ran.output.splitlines()]
    assert words == [["export", f"{name}={folder / 'ca.pem'}"] for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS")]
    command = shlex.split(ran.errors.splitlines()[1])
    assert command == ["tympan", "serve", "--tls-cert", str(folder / "cert.pem"), "--tls-key", str(folder / "key.pem")]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_there_is_left_alone_and_no_other_is_made(run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    ran = run("cert", tmp_path)
    assert (ran.code, ran.output) == (4, "")
    assert f"{name} is there already" in ran.errors
    assert "--force" in ran.errors
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {name: "mine"}


def test_force_replaces_all_of_it(run: Run, tmp_path: Path) -> None:
    run("cert", tmp_path)
    (tmp_path / "key.pem").chmod(0o644)
    before = {name: (tmp_path / name).read_bytes() for name in FILES}
    assert run("cert", tmp_path, "--force").code == 0
    assert all((tmp_path / name).read_bytes() != before[name] for name in FILES)
    assert stat.S_IMODE((tmp_path / "key.pem").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == list(FILES)
    handshake(tmp_path, "localhost")


@pytest.mark.parametrize("name", ["two words", "", "a..b", "-" * 300])
def test_what_is_no_name_is_refused_before_anything_is_written(run: Run, tmp_path: Path, name: str) -> None:
    ran = run("cert", tmp_path, "--name", name)
    assert ran.code == 2
    assert "--name" in ran.errors
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = run("cert", tmp_path / "file" / "folder")
    assert ran.code == 4
    assert "not a directory" in ran.errors
