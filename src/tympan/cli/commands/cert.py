"""`tympan cert`: a certificate for localhost, and what clients need to trust it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from tympan.cli.errors import needs_extra
from tympan.cli.output import print_result

_LOCAL = ("localhost", "127.0.0.1", "::1")


def cert(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where cert.pem, key.pem and ca.pem go.", file_okay=False)
    ] = Path("tympan-cert"),
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Another host name or address that clients will use; repeatable."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there.")] = False,
) -> None:
    """Make a certificate for localhost, for clients that accept nothing but wss.

    An authority is made for it; its key is thrown away, so who trusts it trusts this certificate alone. The
    variables that make Python and Node.js trust it go to standard output, for a shell to read:
    eval "$(tympan cert)".
    """
    with needs_extra("cert"):
        from tympan.cli.certificate import CertificateFiles, make_certificate  # noqa: PLC0415
    files = CertificateFiles.of(folder.absolute())
    names = (*_LOCAL, *(name or ()))
    try:
        expires_at = make_certificate(files, names, datetime.now(UTC), overwrites=force)
    except ValueError as error:
        raise typer.BadParameter(f"not a host name or an address: {error}", param_hint="'--name'") from error
    typer.echo(f"A certificate for {', '.join(names)} until {expires_at:%Y-%m-%d}. Serve with it:", err=True)
    serve = f"tympan serve --tls-cert {quote(str(files.cert))} --tls-key {quote(str(files.key))}"
    typer.echo(f"    {serve}", err=True)
    authority = quote(str(files.authority))
    print_result(f"export SSL_CERT_FILE={authority}\nexport NODE_EXTRA_CA_CERTS={authority}\n")
