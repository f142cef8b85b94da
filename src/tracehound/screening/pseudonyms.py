"""What stands in the place of a secret: the same for the same secret, so that masked traces can still be joined.

The letters are those of a keyed hash. Who has the key can try out what the secret may have been, which for e-mail
addresses and card numbers is feasible; so the key is never in the store, and a copy of the store tells nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path
from typing import Final

KEY_SUFFIX: Final = "-redaction.key"
_KEY_BYTES: Final = 32
_HASH_BYTES: Final = 8
# No digits, or some of them would look like the number of a card.
_LETTERS: Final = str.maketrans("0123456789", "ghijklmnop")

_logger = logging.getLogger("tracehound.screening")


class Pseudonyms:
    """Gives names to secrets. The key is asked for when there is a first secret."""

    def __init__(self, read_key: Callable[[], bytes]) -> None:
        self._read_key = read_key
        self._key: bytes | None = None
        self._lock = threading.Lock()

    def of(self, kind: str, value: str) -> str:
        """Return what stands for a secret of a kind.

        >>> names = Pseudonyms(lambda: key_of_text("a key of my own"))
        >>> names.of("email", "tom@example.org")
        '[EMAIL_jcegegaljefdieni]'
        """
        data = value.encode("utf-8", "surrogatepass")
        digest = blake2b(
            data, digest_size=_HASH_BYTES, key=self._key or self._known_key(), person=kind.encode()[:16]
        ).hexdigest()
        return f"[{kind.upper()}_{digest.translate(_LETTERS)}]"

    def _known_key(self) -> bytes:
        """Return the key that one of several threads has read."""
        with self._lock:
            if self._key is None:
                self._key = self._read_key()
            return self._key


def key_of_text(text: str) -> bytes:
    """Return the key that a text of any length stands for."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def random_key() -> bytes:
    """Return a key that nobody else has."""
    return os.urandom(_KEY_BYTES)


def key_beside(store: Path) -> bytes:
    """Return the key of a store, which lies in a file of its own beside it, made where there is none yet.

    Of several processes that make it at once, all get the same. Where it can neither be read nor made, the key is good
    for this process alone, which is said.
    """
    path = store.with_name(f"{store.name}{KEY_SUFFIX}")
    try:
        if not path.exists():
            _make(path)
        key = path.read_bytes()
        if len(key) == _KEY_BYTES:
            return key
        reason: object = f"{len(key)} bytes are in it"
    except OSError as error:
        reason = error
    _logger.warning(
        "the key for what stands in place of secrets, %s, cannot be used (%s): what this process masks cannot be joined"
        " with what others have masked. TRACEHOUND_REDACTION_KEY names a key of your own",
        path, reason,
    )  # fmt: skip
    return random_key()


def _make(path: Path) -> None:
    """Write a new key, readable for its owner alone, unless somebody else has been quicker."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f"{path.name}.{os.getpid()}-{os.urandom(4).hex()}")
    descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(random_key())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(made, path)  # whole or not at all, and never over another one
        except OSError:  # another process was quicker, or this file system has no second names
            if not path.exists():
                made.replace(path)
    finally:
        with contextlib.suppress(OSError):
            made.unlink()
