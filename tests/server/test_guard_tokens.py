"""When a token begins to count, and how often the store is asked for those that nobody knows."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.server.guarded import guarding
from tracehound.server.guard.credentials import Credentials, UnauthenticatedError
from tracehound.server.guard.guards import TokenGuard
from tracehound.server.guard.rights import Right, Role
from tracehound.server.guard.tokens import create_token
from tracehound.store.memory import MemoryStore


def test_a_token_counts_when_it_has_been_made_though_the_store_was_asked_a_moment_ago(tmp_path: Path) -> None:
    with guarding(tmp_path / "guarded.db") as guarded:
        for _ in range(10):
            text, _ = create_token(guarded.store, Role.READ, "a test")
            headers = {"Authorization": f"Bearer {text}"}
            assert guarded.client.post("/api/v1/traces/search", json={}, headers=headers).status_code == 200


class CountingStore(MemoryStore):
    """A store that counts how often it was asked for facts."""

    asked = 0

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind."""
        self.asked += 1
        return super().facts(kind, subject)


def test_who_shows_tokens_that_nobody_knows_has_the_store_asked_no_more_than_twenty_times_a_second() -> None:
    store = CountingStore()
    create_token(store, Role.READ, "a test")
    guard = TokenGuard(Credentials(store, is_required=False), ["localhost"])
    strange, _ = create_token(MemoryStore(), Role.ADMIN, "a test")

    def ask(_: int) -> None:
        with pytest.raises(UnauthenticatedError, match="this token is not one of this store"):
            guard.admit_caller(f"Bearer {strange}", Right.READ)

    begun_s, store.asked = time.monotonic(), 0
    with ThreadPoolExecutor(20) as threads:
        list(threads.map(ask, range(100)))
    assert 1 <= store.asked <= 2 + (time.monotonic() - begun_s) / 0.05
