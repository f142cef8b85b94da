"""Guards: who stands before the routes, is shown each request with its row, and says what whoever asks may do."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from starlette.requests import Request

from tracehound.server.guard.credentials import (
    ArrivedFromElsewhereError,
    Credentials,
    UnauthenticatedError,
    token_in,
)
from tracehound.server.guard.origins import check_host, check_origin, is_arrival
from tracehound.server.guard.rights import EVERYTHING, NOTHING, Right, Rights

COOKIE: Final = "tracehound_session"
_MISSING: Final = (
    "a token is needed: send it as `Authorization: Bearer TOKEN`, or set TRACEHOUND_TRACKING_TOKEN;"
    " `tracehound token create` makes one"
)


class Guard(Protocol):
    """Says what whoever asks may do."""

    async def admit(self, request: Request, right: Right) -> Rights:
        """Return the rights of whoever sends a request for what takes this right; raise where he has not got it."""
        ...

    def admit_caller(self, authorization: str | None, right: Right) -> Rights:
        """Do the same for a call that is none of HTTP, in a thread that may wait."""
        ...

    async def log_in(self, token: str) -> str | None:
        """Return what the cookie of a session holds; None where nobody has to log in."""
        ...

    def close(self) -> None:
        """Release what it has begun."""
        ...


class OpenGuard:
    """Lets everybody do everything."""

    async def admit(self, _request: Request, _right: Right) -> Rights:
        """Return all rights."""
        return EVERYTHING

    def admit_caller(self, _authorization: str | None, _right: Right) -> Rights:
        """Return all rights."""
        return EVERYTHING

    async def log_in(self, _token: str) -> str | None:
        """Return None."""
        return None

    def close(self) -> None:
        """Do nothing."""


class TokenGuard:
    """Lets in who shows a token, as soon as there is one, and nobody whom the page of another site has sent.

    Without `names` any name of a host will do where tokens are needed: a page that has pointed its name here (DNS
    rebinding) has no token. Where none are needed, `own_names` are those under which this server may be asked.
    """

    def __init__(self, credentials: Credentials, own_names: Collection[str], names: Collection[str] = ()) -> None:
        self._credentials = credentials
        self._own_names = frozenset({*own_names, *names})
        self._has_names = bool(names)
        # One thread of its own: those that search may all be waiting for the store.
        self._asking = ThreadPoolExecutor(1, "tracehound-guard")

    async def admit(self, request: Request, right: Right) -> Rights:
        """Return the rights of whoever sends a request for what takes this right; raise where he has not got it."""
        if right is not Right.NONE and not self._credentials.is_fresh():
            await self._ask()  # but that the process lives is told whatever the store does
        are_needed = self._credentials.are_needed()
        if self._has_names or not are_needed:
            check_host(request, self._own_names)
        check_origin(request)
        if right is Right.NONE:
            return NOTHING
        if not are_needed:
            return EVERYTHING
        rights = await self._rights_of(request)
        rights.need(right)
        return rights

    def admit_caller(self, authorization: str | None, right: Right) -> Rights:
        """Do the same for a call that is none of HTTP, in a thread that may wait."""
        self._credentials.refresh()
        if not self._credentials.are_needed():
            return EVERYTHING
        text = None if authorization is None else token_in(authorization)
        if text is None:
            raise UnauthenticatedError(_MISSING)
        if self._credentials.is_strange(text):
            shown_s = time.monotonic()
            time.sleep(self._credentials.asked_again_in_s())
            self._credentials.refresh(shown_s)
        rights = self._credentials.holder_of(text).rights
        rights.need(right)
        return rights

    async def log_in(self, token: str) -> str | None:
        """Return what the cookie of a session holds; raise `UnauthenticatedError` where the token does not count."""
        await self._ask()
        if not self._credentials.are_needed():
            return None
        await self._know(token)
        return self._credentials.begin_session(self._credentials.holder_of(token))

    def close(self) -> None:
        """Release the thread."""
        self._asking.shutdown(wait=False)

    async def _rights_of(self, request: Request) -> Rights:
        text = token_in(request.headers.get("authorization", ""))
        if text is not None:
            await self._know(text)
            return self._credentials.holder_of(text).rights
        cookie = request.cookies.get(COOKIE)
        if cookie is not None:
            return self._credentials.holder_of_session(cookie).rights
        raise ArrivedFromElsewhereError(_MISSING) if is_arrival(request) else UnauthenticatedError(_MISSING)

    async def _know(self, text: str) -> None:
        """Ask the store for a token that is not known: it may have been made a moment ago.

        All who have shown such tokens meanwhile wait for the same answer.
        """
        if self._credentials.is_strange(text):
            shown_s = time.monotonic()
            await asyncio.sleep(self._credentials.asked_again_in_s())
            await self._ask(shown_s)

    async def _ask(self, since_s: float | None = None) -> None:
        await asyncio.get_running_loop().run_in_executor(self._asking, self._credentials.refresh, since_s)
