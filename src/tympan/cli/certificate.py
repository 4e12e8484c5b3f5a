"""A certificate for this machine, from an authority that is made for it and forgotten. Shell: writes files.

Rules: the authority's key never reaches the disk, so that who trusts the authority trusts this one certificate and
no other. The private key can be read by its owner alone from its first byte on. All files are written
before the first of them replaces an old one.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import trustme

from tympan.cli.errors import OutputError

VALID_DAYS = 825
"""The longest that Apple's systems accept (https://support.apple.com/en-us/103769)."""

_ORGANIZATION = "tympan, made on this machine"
_PRIVATE, _PUBLIC = 0o600, 0o644


@dataclass(frozen=True)
class CertificateFiles:
    """PEM files in one folder: the certificate, its private key, and the authority that clients must trust."""

    cert: Path
    key: Path
    authority: Path

    @classmethod
    def of(cls, folder: Path) -> CertificateFiles:
        return cls(folder / "cert.pem", folder / "key.pem", folder / "ca.pem")


def make_certificate(files: CertificateFiles, names: Sequence[str], now: datetime, *, overwrites: bool) -> datetime:
    """Write all three files, with the folder if there is none; when the certificate expires.

    `names` are host names and IP addresses.

    Raises:
        ValueError: a name can't be in a certificate.
        OutputError: a file is there and `overwrites` is false, or they can't be written.
    """
    authority = trustme.CA(organization_name=_ORGANIZATION, path_length=0)
    expires_at = now + timedelta(days=VALID_DAYS)
    issued = authority.issue_cert(
        *names, organization_name=_ORGANIZATION, not_before=now - timedelta(days=1), not_after=expires_at
    )
    _write_all(
        (
            (files.key, _PRIVATE, issued.private_key_pem.bytes()),
            (files.cert, _PUBLIC, issued.cert_chain_pems[0].bytes()),
            (files.authority, _PUBLIC, authority.cert_pem.bytes()),
        ),
        overwrites=overwrites,
    )
    return expires_at


def _write_all(contents: Sequence[tuple[Path, int, bytes]], *, overwrites: bool) -> None:
    for target, _, _ in contents:
        if not overwrites and (target.exists() or target.is_symlink()):
            raise OutputError(f"{target} is there already; give another folder, or --force to replace it")
    target = contents[0][0]
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as leftovers:
            drafts = []
            for target, mode, content in contents:
                with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
                    draft = Path(file.name)
                    leftovers.callback(draft.unlink, missing_ok=True)
                    file.write(content)
                draft.chmod(mode)
                drafts.append(draft)
            for draft, (target, _, _) in zip(drafts, contents, strict=True):
                draft.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {(error.strerror or str(error)).lower()}") from error
