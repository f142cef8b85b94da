"""The certificate that a server shows, and its key."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tracehound.errors import ArgumentError

_NO_PAIR: Final = "they are to be a certificate in PEM, and its key without a password"


@dataclass(frozen=True)
class Certificate:
    """Files in PEM: a certificate, with those that vouch for it behind it, and its key, which may be in it too."""

    chain: Path
    key: Path


def check_certificate(chain: str | None, key: str | None) -> Certificate | None:
    """Return the certificate in files, None where there is none; raise `ArgumentError` where they cannot be used."""
    if chain is None:
        if key is not None:
            raise ArgumentError("--key is the key of a certificate: name that with --certificate")
        return None
    found = Certificate(Path(chain), Path(key or chain))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(found.chain, found.key, password=_refuse_password)
    except (OSError, ValueError) as error:
        reason = _NO_PAIR if isinstance(error, (ssl.SSLError, ValueError)) else error.strerror
        files = " and ".join(dict.fromkeys((str(found.chain), str(found.key))))
        raise ArgumentError(f"{files} cannot be used: {reason}") from error
    return found


def _refuse_password() -> str:
    """Raise: somebody would have to type it whenever the server starts."""
    raise ValueError("the key has a password")
