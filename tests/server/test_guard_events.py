"""Events of a guarded server: who listens hears of what he may see, as long as he may."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from tests.server.guarded import OURS, THEIRS, Team, fill
from tracehound.server.app import create_app
from tracehound.server.guard.credentials import Credentials, UnauthenticatedError
from tracehound.server.guard.guards import TokenGuard
from tracehound.server.guard.rights import Right, Role
from tracehound.server.guard.tokens import create_token, read_tokens, revoke_token
from tracehound.server.limits import ServerLimits
from tracehound.server.status import tell_events
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore

QUICK = ServerLimits(look_every_s=0.001, heartbeat_s=0.01)


def request_with(token: str) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"host", b"localhost")]
    return Request({"type": "http", "method": "GET", "path": "/api/v1/events", "headers": headers})


class Listening:
    """Somebody who listens with a token."""

    def __init__(self, app: Any, token: str) -> None:
        self._app = app
        self._request = request_with(token)
        self.heard = b""

    async def begin(self) -> None:
        served = self._app.state.served
        seen = self._app.state.views.of(await served.guard.admit(self._request, Right.READ))
        response: Any = await tell_events(seen, self._request)
        self._messages = response.body_iterator
        self.heard += await anext(self._messages)

    async def until(self, text: str) -> None:
        while text.encode() not in self.heard:
            self.heard += await anext(self._messages)

    async def to_the_end(self) -> None:
        async for message in self._messages:
            self.heard += message


async def fill_meanwhile(store: SqliteStore, whose: Team) -> None:
    await asyncio.to_thread(fill, store, whose)


def test_who_is_limited_hears_of_his_own_traces_alone(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    limited, _ = create_token(store, Role.READ, "a test", experiments=[OURS.experiment])
    whole, _ = create_token(store, Role.READ, "a test")

    async def listen() -> tuple[bytes, bytes]:
        app = create_app(store, Settings(str(tmp_path / "events.db")), QUICK, guard=guard_of(store))
        async with app.router.lifespan_context(app):
            some, all_of_it = Listening(app, limited), Listening(app, whole)
            for each in (some, all_of_it):
                await each.begin()
            await fill_meanwhile(store, THEIRS)
            await all_of_it.until(THEIRS.trace_id)
            await fill_meanwhile(store, OURS)
            await asyncio.gather(some.until(OURS.trace_id), all_of_it.until(OURS.trace_id))
            return some.heard, all_of_it.heard

    some, all_of_it = asyncio.run(listen())
    store.close()
    assert THEIRS.secret.encode() in all_of_it
    assert THEIRS.secret.encode() not in some
    assert THEIRS.trace_id.encode() not in some


def guard_of(store: SqliteStore) -> TokenGuard:
    return TokenGuard(Credentials(store, is_required=False), ["localhost"])


def test_who_may_not_listen_any_more_hears_nothing_more(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    token, _ = create_token(store, Role.READ, "a test")

    async def listen() -> bytes:
        app = create_app(store, Settings(str(tmp_path / "events.db")), QUICK, guard=guard_of(store))
        async with app.router.lifespan_context(app):
            listening = Listening(app, token)
            await listening.begin()
            await asyncio.to_thread(revoke_token, store, read_tokens(store)[0].token_id, "a test")
            await listening.to_the_end()
            await fill_meanwhile(store, OURS)
            with pytest.raises(UnauthenticatedError, match="was revoked"):
                await listening.begin()
            return listening.heard

    assert OURS.secret.encode() not in asyncio.run(listen())
    store.close()
