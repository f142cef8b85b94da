"""A search ends in time, or when it is told to, and says what it has done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import tracehound
from tests.traces import part, span
from tracehound.errors import ArgumentError, SearchCancelledError, SearchTimeoutError
from tracehound.query.limit import SearchLimit
from tracehound.runtime import current

SLOW = "trace.text RLIKE '^[0-9]{40}$'"  # no index knows anything of that


class OverAfter(SearchLimit):
    """A limit that is over when it has been asked so often, however fast the machine is."""

    def __init__(self, times: int) -> None:
        super().__init__(seconds=3_600)
        self._left = times

    def is_over(self) -> bool:
        """Count down."""
        self._left -= 1
        return self._left < 0


@pytest.fixture(params=["memory://", "traces.db"])
def many(request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Three thousand traces, none of which a slow filter is true of."""
    tracehound.set_tracking_uri(request.param if "://" in request.param else str(tmp_path / request.param))
    current().drained_store().write([part(span(1, trace=number), tags={"k": "v"}) for number in range(3_000)])


ASKED: list[Callable[..., object]] = [
    lambda **named: tracehound.search_traces(SLOW, **named),
    lambda **named: tracehound.search_traces(SLOW, include_spans=False, return_type="list", **named),
    lambda **named: list(tracehound.search_traces(SLOW, return_type="iterator", **named)),
    lambda **named: tracehound.trace_stats(SLOW, interval="1h", **named),
]


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("ask", ASKED)
def test_a_search_that_takes_too_long_ends_and_says_what_it_did(ask: Callable[..., object]) -> None:
    with pytest.raises(SearchTimeoutError, match=r"the search has taken longer than 1e-09 s.* Narrow it: say when"):
        ask(timeout=1e-9)
    with pytest.raises(SearchTimeoutError, match="longer than 3600 s"):
        ask(timeout=OverAfter(3))
    ask(timeout=3_600)


@pytest.mark.usefixtures("many")
def test_the_error_tells_how_many_traces_were_looked_at() -> None:
    with pytest.raises(SearchTimeoutError, match=r"it has looked at [1-9][0-9,]* traces"):
        tracehound.search_traces(SLOW, timeout=OverAfter(5))


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("ask", ASKED)
def test_a_search_is_cancelled_by_another_thread(ask: Callable[..., object]) -> None:
    limit = SearchLimit()
    thread = threading.Timer(0.01, limit.cancel)
    thread.start()
    with pytest.raises(SearchCancelledError, match="the search was cancelled"):
        while True:  # however fast the machine is
            ask(timeout=limit)
    thread.join()
    assert len(tracehound.search_traces(max_results=10)) == 10


@pytest.mark.usefixtures("many")
def test_only_the_time_of_the_store_counts() -> None:
    limit = SearchLimit(seconds=60)
    found = tracehound.search_traces(return_type="iterator", timeout=limit)
    next(found)
    spent = limit._spent_s
    assert spent > 0
    assert limit._begun_s == {}  # between two pages nothing is counted
    assert sum(1 for _ in found) == 2_999
    assert limit._spent_s > spent


@pytest.mark.parametrize("timeout", [0, -1, "5 s", float("nan"), float("inf"), True])
def test_a_limit_is_a_number_of_seconds(timeout: object) -> None:
    with pytest.raises(ArgumentError, match="a time limit is a number of seconds above 0"):
        tracehound.search_traces(timeout=timeout)  # type: ignore[call-overload]
