"""Each row of the route table, and whoever has no right to it. Rows that are added later are walked as well."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.guarded import NOBODY, OURS, THEIRS, Guarded, Team, guarding, kept_of
from tracehound.server.guard.rights import GIVEN, Right, Role
from tracehound.server.routes import ALL_ROUTES
from tracehound.server.rows import Row

OPEN = {"POST /", "GET /login", "POST /logout", "GET /health", "GET /ready"}
# What reads and shows nothing of what the teams of these tests have; and what has no end.
SHOWS_NOTHING = {
    "GET /", "GET /assets/{name}", "GET /metrics", "GET /api/v1/openapi.json", "GET /api/v1/events",
    "POST /api/v1/store/version", "POST /api/v1/store/explain",
    "GET /api/v1/traces/{trace_id}/matches", "POST /api/v1/store/experiments",
    "GET /api/v1/export-formats", "GET /api/v1/saved-searches",
}  # fmt: skip
ENDLESS = "GET /api/v1/events"


def name_of(row: Row) -> str:
    return f"{row.method} {row.path}"


GUARDED = [row for row in ALL_ROUTES if row.right is not Right.NONE]
FINITE = [row for row in GUARDED if name_of(row) != ENDLESS]


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with guarding(tmp_path / "guarded.db") as found:
        yield found


def told(answer: Any, whose: Team) -> tuple[int, str]:
    """Return the status and the text of an answer, with placeholders for what names the team and what is made anew."""
    text = answer.text
    for name in whose.names():
        text = text.replace(name, "NAME")
    return answer.status_code, re.sub(r"\b(1[67]\d{11,17}|20\d\d-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{32})\b", "MADE", text)


def test_the_rows_that_are_open_to_all_are_these() -> None:
    assert {name_of(row) for row in ALL_ROUTES if row.right is Right.NONE} == OPEN


@pytest.mark.parametrize("token", [None, "", "expired", "revoked", "unknown", "forged"])
def test_nobody_gets_in_without_a_token_that_counts(token: str | None, guarded: Guarded) -> None:
    let_in = {}
    for row in GUARDED:
        answer = guarded.ask(row, OURS, token)
        says_how = answer.headers.get("www-authenticate") == 'Bearer realm="tracehound"'
        if answer.status_code != 401 or not says_how or OURS.secret in answer.text:
            let_in[name_of(row)] = answer.status_code, answer.text
    assert let_in == {}


@pytest.mark.parametrize("role", Role)
def test_nobody_does_what_his_role_is_not_made_for(role: Role, guarded: Guarded) -> None:
    before = kept_of(guarded.store, OURS)
    let_in = {}
    for row in (row for row in GUARDED if row.right not in GIVEN[role]):
        answer = guarded.ask(row, OURS, role.value)
        if answer.status_code != 403 or OURS.secret in answer.text:
            let_in[name_of(row)] = answer.status_code, answer.text
    assert let_in == {}
    assert kept_of(guarded.store, OURS) == before


@pytest.mark.parametrize("role", Role)
def test_whoever_may_use_a_row_gets_an_answer(role: Role, guarded: Guarded) -> None:
    kept_out = {}
    allowed = [row for row in FINITE if row.right in GIVEN[role]]
    for row, whose in ((row, whose) for row in allowed for whose in (NOBODY, OURS)):
        answer = guarded.ask(row, whose, role.value)
        if answer.status_code in (401, 403) or answer.status_code >= 500:
            kept_out[name_of(row)] = answer.status_code, answer.text
    assert kept_out == {}


@pytest.mark.parametrize("role", Role)
def test_who_is_limited_cannot_tell_what_others_have_from_what_there_is_not(role: Role, guarded: Guarded) -> None:
    before = kept_of(guarded.store, THEIRS)
    shown = {}
    for row in FINITE:
        theirs, none = (guarded.ask(row, whose, f"our {role.value}") for whose in (THEIRS, NOBODY))
        if told(theirs, THEIRS) != told(none, NOBODY) or THEIRS.secret in theirs.text:
            shown[name_of(row)] = theirs.text, none.text
    assert shown == {}
    assert kept_of(guarded.store, THEIRS) == before
    assert kept_of(guarded.store, NOBODY) == (None, [{}, {}, {}])


@pytest.mark.parametrize("token", ["read", "our read"])
def test_who_may_read_sees_what_is_there(token: str, guarded: Guarded) -> None:
    """Or else what is asked above would show nothing, whoever asked."""
    kept_back = {}
    for row in (row for row in GUARDED if row.right is Right.READ and name_of(row) not in SHOWS_NOTHING):
        answer = guarded.ask(row, OURS, token)
        is_refused = (token, row.path, answer.status_code) == ("our read", "/api/v1/store/sql", 403)
        if OURS.secret not in answer.text and not is_refused:
            kept_back[name_of(row)] = answer.status_code, answer.text
    assert kept_back == {}
