"""Filters of any size and shape: every store answers them, or they are refused; nothing overflows."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store_contract.conftest import HERE, opened
from tests.traces import part, span
from tracehound.client.counting import count_traces
from tracehound.errors import FilterError
from tracehound.query.bounds import MAX_COMPARISONS, MAX_DEPTH, MAX_SCOPES
from tracehound.query.search import Search, parse_search
from tracehound.store.api import Store

LEAF = "tags.env = 'prod'"


def nested(depth: int, width: int) -> str:
    """Return a filter in which ANDs and ORs stand so deep inside of each other, each of so many comparisons."""
    text = LEAF
    for level in range(depth):
        word = " AND " if level % 2 else " OR "
        text = word.join(["attributes.latency >= 0"] * width + [f"({text})"])
    return text


NAMES = ", ".join(f"'{number}'" for number in range(9_999))
ANSWERED = {
    "a list of 10,000 texts": f"tags.env IN ('prod', {', '.join(f'{chr(39)}{n}{chr(39)}' for n in range(9_999))})",
    "a list of 10,000 durations": f"attributes.latency IN ({', '.join(map(str, range(9_999)))})",
    "a list of 10,000 numbers": f"tags.env NOT IN ({', '.join(map(str, range(9_998)))}) OR {LEAF}",
    "a list of 10,000 names": f"attributes.name NOT IN ({', '.join(f'{chr(39)}{n}{chr(39)}' for n in range(9_999))})",
    "a list of 10,000 names of spans": f"span.name IN ('step', {NAMES})",
    "10,000 numbers of an attribute": f"span.attributes.n IN ({', '.join(map(str, range(9_998)))}) OR {LEAF}",
    "1,000 scopes": " AND ".join([f"NOT span(name = '{n}')" for n in range(MAX_SCOPES - 1)] + ["span(name = 'step')"]),
    "300 scopes": " AND ".join(["span(name = 'step')"] * 150 + ["span(name = 'step' OR type = 'x')"] * 149 + [LEAF]),
    "a chain of 100 spans": f"NOT {' >> '.join(['span(status != {0}UNSET{0})'.format(chr(39))] * 100)}",
    "1,000 patterns": " OR ".join(f"tags.env LIKE '%{n}'" for n in range(1_000)) + f" OR {LEAF}",
    "1,000 keys": " AND ".join(f"tags.k{n} IS NULL" for n in range(1_000)),
    "1,000 parentheses inside of each other": "(" * 1_000 + LEAF + ")" * 1_000,
    "1,000 parentheses in a row": " AND ".join([f"({LEAF} OR tags.a = 'x')"] * 1_000),
    "a left-leaning row": "(" * 999 + LEAF + f" AND {LEAF})" * 999,
    "a right-leaning row": f"({LEAF} AND " * 999 + LEAF + ")" * 999,
    "NOTs at the limit": "NOT (" * MAX_DEPTH + LEAF + ")" * MAX_DEPTH,
    "ANDs and ORs at the limit": nested(MAX_DEPTH, 1),
    "wide ANDs and ORs at the limit": nested(MAX_DEPTH, 101),
    "a text of 100 KB": f"tags.env = 'prod' OR tags.env = '{'x' * 100_000}'",
    "a pattern of 100 KB": f"tags.env LIKE '{'%o' * 50_000}' OR {LEAF}",
    "a name of 10 KB": f"tags.`{'x' * 10_000}` = 'x' OR {LEAF}",
    "a name of 10,000 pieces": f"tags{'.x' * 10_000} = 'x' OR {LEAF}",
    "a number of 10,000 digits": f"tags.env != {'9' * 10_000} OR {LEAF}",
    "numbers beyond 64 bits": f"attributes.latency < {2**70} AND attributes.timestamp > -1e400 AND {LEAF}",
    "NULs": f"tags.`\0` = '\0' OR {LEAF}",
    "10,000 runs": f"attributes.run_id IN ({', '.join(f'{chr(39)}{n}{chr(39)}' for n in range(9_999))}) OR {LEAF}",
    "a run at the limit of depth": nested(MAX_DEPTH, 1).replace(LEAF, "attributes.run_id != 'x'"),
    "inputs that are quotes": f"metadata.`mlflow.traceInputs` = '{chr(34) * 499}' OR {LEAF}",
}
REFUSED = {
    "one comparison too many": " OR ".join([LEAF] * (MAX_COMPARISONS + 1)),
    "one scope too many": " AND ".join([f"NOT span(name = '{n}')" for n in range(MAX_SCOPES + 1)]),
    "a list of one too many": f"tags.a IN ({', '.join(['1'] * (MAX_COMPARISONS + 1))})",
    "one level too many": nested(MAX_DEPTH + 1, 1),
    "1,000 NOTs": "NOT (" * 1_000 + LEAF + ")" * 1_000,
    "1,000 parentheses that stay open": "(" * 1_000,
    "a text of 100 KB that stays open": f"tags.a = '{'x' * 100_000}",
    "100 KB of quotes": "'" * 100_001,
    "100 KB of one word": "x" * 100_000,
    "an attribute of 100 KB": f"attributes.{'x' * 100_000} = 1",
    "100 KB of blanks": " " * 100_000,
    "100 KB of NULs": "\0" * 100_000,
    "a lone surrogate": "tags.a = '\ud800'",
    "a regular expression of 100 KB": f"tags.a RLIKE '{'(' * 100_000}'",
}


@pytest.fixture(params=[*HERE, "asgi"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """Open a store. A server is asked without a socket, which makes no difference to a filter but takes its time."""
    with opened(request.param, request, tmp_path) as found:
        yield found


@pytest.mark.parametrize("name", ANSWERED)
def test_a_large_filter_is_answered(store: Store, name: str) -> None:
    store.write([part(span(1, duration_ms=5), tags={"env": "prod"}), part(span(1, trace=2, start_ms=9))])
    first = parse_search(["0", "7"], ANSWERED[name], ["latency", "status"], limit=1)
    page = store.search(first)
    assert page.traces[0].tags["env"] == "prod"
    if page.next_cursor is not None:
        assert len(store.search(first.behind(page.next_cursor)).traces) == 1
    assert count_traces(store, first) >= 1


@pytest.mark.parametrize("name", REFUSED)
def test_a_filter_that_no_store_answers_is_refused_in_few_words(name: str) -> None:
    with pytest.raises(FilterError) as raised:
        parse_search(["0"], REFUSED[name])
    assert len(str(raised.value)) < 3_000


def test_a_filter_is_parsed_far_down_the_stack() -> None:
    def down(depth: int) -> Search:
        return parse_search(["0"], nested(MAX_DEPTH, 2)) if depth == 0 else down(depth - 1)

    assert down(700).where is not None
