"""What the client raises, as errors of the store, where no server of ours can be made to say it."""

from __future__ import annotations

import clickhouse_connect.driver.exceptions as engine_errors
import pytest

from tracehound.errors import SearchTimeoutError, StoreBusyError, StoreError
from tracehound.query.limit import SearchLimit
from tracehound.store.clickhouse.faults import store_errors

HTTP = "HTTP driver received HTTP status {}, server response: {} (for url http://db:8123)"
AWAY = (StoreBusyError, "db does not answer; what was traced waits in the spool")
UNKNOWN = (StoreError, "db does not know this user, or the password is another one")


@pytest.mark.parametrize(
    ("status", "text", "told"),
    [
        (502, "Bad Gateway", AWAY),
        (504, "<html>Gateway Time-out</html>", AWAY),
        (429, "", AWAY),
        (401, "Unauthorized", UNKNOWN),
        (401, "Code: 193, e.displayText() = DB::Exception: Wrong password for user ann", UNKNOWN),
        (
            500,
            "Code: 47. DB::Exception: Unknown identifier",
            (StoreError, r"db did not do what it was asked \(its error 47"),
        ),
        (
            503,
            "Code: 47. DB::Exception: Unknown identifier",
            (StoreError, r"db did not do what it was asked \(its error 47"),
        ),
        (
            500,
            "Code: 252. DB::Exception: Too many parts",
            (StoreBusyError, "db has not merged what was written before"),
        ),
        (404, "not found", (StoreError, "db did not do what it was asked; its log")),
    ],
)
def test_what_stands_in_front_of_a_server_is_told_from_it(
    status: int, text: str, told: tuple[type[StoreError], str]
) -> None:
    kind, message = told
    with pytest.raises(StoreError, match=message) as raised, store_errors("db"):
        raise engine_errors.DatabaseError(HTTP.format(status, text))
    assert type(raised.value) is kind


@pytest.mark.parametrize("what", ["WRONG_VERSION_NUMBER] wrong version number", "CERTIFICATE_VERIFY_FAILED]"])
def test_a_server_without_tls_that_is_trusted_is_no_server_that_is_away(what: str) -> None:
    text = f"Error HTTPSConnectionPool: (Caused by SSLError(SSLError(1, '[SSL: {what}')))"
    told = "db has no certificate that is trusted here, or does not speak TLS"
    with pytest.raises(StoreError, match=told) as raised, store_errors("db"):
        raise engine_errors.OperationalError(text)
    assert type(raised.value) is StoreError


def test_a_search_whose_time_is_over_is_no_server_that_is_away() -> None:
    limit = SearchLimit(1e-9)
    told = "the search has taken longer"
    with pytest.raises(SearchTimeoutError, match=told), store_errors("db", limit), limit.running():
        while not limit.is_over():
            pass
        limit.check()
