"""Logging in to the page, and requests that the pages of other sites make a browser send."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.server.guarded import OURS, Guarded, guarding
from tracehound.server.app import create_app
from tracehound.server.guard.credentials import SESSION_S, Credentials, UnauthenticatedError
from tracehound.server.guard.guards import COOKIE, TokenGuard
from tracehound.server.guard.rights import Role
from tracehound.server.guard.tokens import create_token, read_tokens, revoke_token
from tracehound.settings import Settings
from tracehound.store.memory import MemoryStore

SEARCH = "/api/v1/traces/search"
ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def guarded(tmp_path: Path) -> Iterator[Guarded]:
    with guarding(tmp_path / "guarded.db") as found:
        yield found


def log_in(guarded: Guarded, token: str, address: str = "/") -> Any:
    content = {"token": guarded.tokens.get(token, token)}
    return guarded.client.post(address, data=content, headers=ORIGIN, follow_redirects=False)


def test_the_page_shows_a_form_until_a_token_was_pasted_into_it(guarded: Guarded) -> None:
    form = guarded.client.get("/?filter=x")
    assert (form.status_code, form.headers["content-type"]) == (401, "text/html; charset=utf-8")
    assert '<input name="token" type="password"' in form.text
    assert "default-src 'none'" in form.headers["content-security-policy"]
    led = log_in(guarded, "our read", "/?filter=x")
    assert (led.status_code, led.headers["location"]) == (303, "/?filter=x")
    cookie = led.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", f"Max-Age={SESSION_S}"} <= set(cookie.split("; ")[1:])
    assert guarded.client.get("/").status_code == 200
    found = guarded.client.post(SEARCH, json={}, headers=ORIGIN)
    assert [each["trace"]["trace_id"] for each in found.json()["traces"]] == [OURS.trace_id]


@pytest.mark.parametrize("token", ["", "nonsense", "expired", "revoked", "forged"])
def test_a_token_that_does_not_count_begins_no_session(token: str, guarded: Guarded) -> None:
    refused = log_in(guarded, token)
    assert refused.status_code == 401
    assert 'role="alert"' in refused.text
    assert "set-cookie" not in refused.headers
    assert "th_" not in refused.text


def test_a_session_ends_when_somebody_logs_out(guarded: Guarded) -> None:
    log_in(guarded, "read")
    assert guarded.client.get("/").status_code == 200
    answer = guarded.client.post("/logout", headers=ORIGIN, follow_redirects=False)
    assert answer.headers["location"] == "/login"
    assert guarded.client.get("/").status_code == 401


def test_a_session_ends_with_its_token(guarded: Guarded) -> None:
    log_in(guarded, "read")
    assert guarded.client.post(SEARCH, json={}, headers=ORIGIN).status_code == 200
    revoke_token(guarded.store, guarded.tokens["read"].split("_")[1], "a test")
    while guarded.client.post(SEARCH, json={}, headers=ORIGIN).status_code == 200:
        pass
    assert "was revoked" in guarded.client.post(SEARCH, json={}, headers=ORIGIN).json()["detail"]


def test_a_cookie_that_was_made_elsewhere_or_is_old_begins_no_session(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    create_token(store, Role.READ, "a test")
    [token] = read_tokens(store)
    here, elsewhere = (Credentials(store, is_required=False) for _ in range(2))
    here.refresh()
    cookie = here.begin_session(token)
    assert here.holder_of_session(cookie) == token
    for bad in (elsewhere.begin_session(token), cookie[:-1], "", token.token_id, "\N{SNOWMAN}"):
        with pytest.raises(UnauthenticatedError, match="session is over"):
            here.holder_of_session(bad)
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: 2**32)
    with pytest.raises(UnauthenticatedError, match="session is over"):
        here.holder_of_session(cookie)


def test_a_link_of_another_site_leads_to_the_page_that_loads_itself_again(guarded: Guarded) -> None:
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    arrived = guarded.client.get("/", headers=followed)
    assert arrived.status_code == 401
    assert '<meta http-equiv="refresh" content="0">' in arrived.text
    assert '<input name="token"' not in arrived.text
    again = guarded.client.get("/", headers={"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate"})
    assert '<input name="token"' in again.text


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://testserver.evil.example"},
    {"Origin": "http://testserver:8080"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"},
]


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_nothing_is_written_for_the_pages_of_other_sites(headers: dict[str, str], guarded: Guarded) -> None:
    log_in(guarded, "admin")
    for method, path in (("DELETE", f"/api/v1/traces/{OURS.trace_id}"), ("POST", "/"), ("POST", "/v1/traces")):
        answer = guarded.client.request(method, path, headers=headers)
        assert answer.status_code == 403
        assert "a page of another site" in answer.text
    assert guarded.store.read_traces([OURS.trace_id])


@pytest.fixture
def open_client() -> Iterator[TestClient]:
    """Ask a server without tokens, which listens on this machine alone."""
    store = MemoryStore()
    guard = TokenGuard(Credentials(store, is_required=False), ["localhost", "my-machine"])
    with TestClient(create_app(store, Settings("memory://"), guard=guard), base_url="http://localhost:5000") as client:
        yield client


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200), ("localhost:5000", 200), ("my-machine:5000", 200), ("MY-MACHINE", 200),
        ("127.0.0.1:5000", 200), ("[::1]:5000", 200), ("a.localhost:5000", 200),
        ("evil.example", 421), ("127.0.0.1.evil.example", 421), ("localhost.evil.example:5000", 421), ("", 421),
        ("[", 421),
    ],
)  # fmt: skip
def test_a_name_that_others_have_pointed_here_is_refused(host: str, status: int, open_client: TestClient) -> None:
    answer = open_client.post(SEARCH, json={}, headers={"Host": host})
    assert answer.status_code == status
    if status == 421:
        assert answer.json()["code"] == "WRONG_HOST"


@pytest.mark.parametrize("headers", FOREIGN, ids=str)
def test_without_tokens_other_sites_write_and_read_nothing_either(
    headers: dict[str, str], open_client: TestClient
) -> None:
    assert open_client.post(SEARCH, json={}, headers=headers).status_code == 403


def test_without_tokens_nobody_has_to_log_in(open_client: TestClient) -> None:
    assert open_client.get("/").status_code == 200
    led = open_client.post("/", data={"token": ""}, follow_redirects=False)
    assert (led.status_code, "set-cookie" in led.headers) == (303, False)


def test_where_names_are_given_the_server_has_no_others() -> None:
    store = MemoryStore()
    token, _ = create_token(store, Role.READ, "a test")
    for names, status in ((["traces.example"], 421), (["other.example"], 200), ([], 200)):
        guard = TokenGuard(Credentials(store, is_required=False), ["localhost"], names)
        with TestClient(create_app(store, Settings("memory://"), guard=guard)) as client:
            headers = {"Host": "other.example", "Authorization": f"Bearer {token}"}
            assert client.post(SEARCH, json={}, headers=headers).status_code == status


def test_that_the_server_lives_is_told_whatever_its_store_does(guarded: Guarded) -> None:
    guarded.store.close()
    assert guarded.client.get("/health").status_code == 200
    assert guarded.client.get("/ready").status_code == 503
    assert guarded.client.post(SEARCH, json={}).status_code == 503, "nobody is let in"
