"""Certificates for localhost, signed by an authority that nobody trusts unless a test says so."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """PEM files: the certificate, its key, both in one, and the authority to trust."""

    cert: Path
    key: Path
    both: Path
    authority: Path


def make_certificate(folder: Path) -> Certificate:
    """A new authority and a certificate of it, in files of this folder."""
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    files = Certificate(*(folder / f"{name}.pem" for name in ("cert", "key", "both", "authority")))
    issued.cert_chain_pems[0].write_to_path(files.cert)
    issued.private_key_pem.write_to_path(files.key)
    issued.private_key_and_cert_chain_pem.write_to_path(files.both)
    authority.cert_pem.write_to_path(files.authority)
    return files
