"""Who asks: the tokens of a store as they were a moment ago, and the token or the session that a request brings.

A session is a cookie with the id of a token, signed by this process; whoever has one has shown the token. It counts as
long as the token does, and no longer than half a day.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import threading
import time
from typing import Final

from itsdangerous import BadSignature, URLSafeTimedSerializer

from tracehound.errors import TracehoundError
from tracehound.server.guard.tokens import Token, id_in, read_tokens
from tracehound.store.api import Store

SESSION_S: Final = 12 * 3600
_FRESH_S: Final = 0.5  # how long after it was revoked a token may count still
_ASKED_AGAIN_S: Final = 0.05  # and how often the store is asked for tokens that are not known


class UnauthenticatedError(TracehoundError):
    """Whoever asks has not said who he is, or not truly."""


class ArrivedFromElsewhereError(UnauthenticatedError):
    """A link of another site has led here, with which browsers send no cookie: they do when they load it again."""


class Credentials:
    """Whose a token or a session is. The store is asked by `refresh` alone; the rest waits for nothing."""

    def __init__(self, store: Store, *, is_required: bool) -> None:
        self._store = store
        self._is_required = is_required
        self._signer = URLSafeTimedSerializer(secrets.token_bytes(32), "tracehound session")
        self._lock = threading.Lock()
        self._known: dict[str, Token] = {}
        self._asked_s = self._read_s = -1e9  # when that was begun last, and when last with an answer

    def is_fresh(self) -> bool:
        """Whether the store was asked for its tokens a moment ago."""
        return time.monotonic() - self._read_s <= _FRESH_S

    def refresh(self, since_s: float | None = None) -> None:
        """Ask the store for its tokens, unless somebody has begun to since a time, or else a moment ago."""
        since_s = time.monotonic() - _FRESH_S if since_s is None else since_s
        with self._lock:
            if self._read_s < since_s:
                self._asked_s = time.monotonic()
                self._known = {each.token_id: each for each in read_tokens(self._store)}
                self._read_s = self._asked_s

    def has_any(self) -> bool:
        """Whether there is a token, or was one."""
        return bool(self._known)

    def are_needed(self) -> bool:
        """Whether nobody gets in without a token: there are some, or were, or somebody wants it so."""
        self._is_required = self._is_required or bool(self._known)
        return self._is_required

    def is_strange(self, text: str) -> bool:
        """Whether the text is a token that is not known, and may have been made a moment ago."""
        token_id = id_in(text)
        return token_id is not None and token_id not in self._known

    def asked_again_in_s(self) -> float:
        """Return after how many seconds the store may be asked for tokens that are not known."""
        return max(0.0, self._asked_s + _ASKED_AGAIN_S - time.monotonic())

    def holder_of(self, text: str) -> Token:
        """Return the token that a text is; raise `UnauthenticatedError` where it does not count."""
        known = self._known.get(id_in(text) or "")
        if known is None or not known.is_that(text):
            raise UnauthenticatedError("this token is not one of this store: `tracehound token list` shows which are")
        return _in_force(known)

    def begin_session(self, token: Token) -> str:
        """Return what the cookie of a session holds."""
        return str(self._signer.dumps(token.token_id))

    def holder_of_session(self, cookie: str) -> Token:
        """Return the token that was shown when a session began; raise `UnauthenticatedError` where it is over."""
        try:
            known = self._known.get(self._signer.loads(cookie, max_age=SESSION_S))
        except BadSignature:
            known = None
        if known is None:
            raise UnauthenticatedError("this session is over: load the page again, and log in")
        return _in_force(known)


def token_in(authorization: str) -> str | None:
    """Return the token in an `Authorization` header: behind `Bearer`, or as the password of `Basic`."""
    scheme, _, rest = authorization.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest.strip(), validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return None


def _in_force(token: Token) -> Token:
    state = token.state(time.time_ns() // 1_000_000)
    if state != "in force":
        said = "has expired" if state == "expired" else "was revoked"
        raise UnauthenticatedError(f"{token.who} {said}: ask whoever runs this server for another one")
    return token
