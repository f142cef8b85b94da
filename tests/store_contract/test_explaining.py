"""What a store tells of how it answered, on every store."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.traces import part, span
from tracehound.model.record import replace
from tracehound.query.search import parse_search
from tracehound.store.api import Store
from tracehound.store.explain import Explanation
from tracehound.store.sqlite.store import SqliteStore


@pytest.fixture
def filled(store: Store) -> Store:
    return fill(store)


@pytest.mark.parametrize(
    ("filter_string", "emptied_by", "after"),
    [
        ("tags.env = 'prod' AND tags.team = 'none'", "tags.team = 'none'", ()),
        ("tags.env = 'prod' AND attributes.status = 'ERROR' AND tags.team = 'none'", "tags.team = 'none'", ()),
        (
            "tags.parity = 'odd' AND attributes.status = 'OK' AND tags.env = 'prod' AND tags.number > 3",
            "tags.env = 'prod'",
            ("tags.parity = 'odd'", "attributes.status = 'OK'"),
        ),
        ("NOT (tags.env = 'prod' OR tags.env = 'dev')", "NOT (tags.env = 'prod' OR tags.env = 'dev')", ()),
        ("tags.number BETWEEN 5000 AND 6000", "tags.number >= 5000", ()),
    ],
)
def test_an_empty_answer_names_the_condition_that_emptied_it(
    filled: Store, filter_string: str, emptied_by: str, after: tuple[str, ...]
) -> None:
    explanation = filled.explain(parse_search(["0"], filter_string))
    assert explanation.found == 0
    assert (explanation.emptied_by, explanation.emptied_after) == (emptied_by, after)


def test_an_answer_with_traces_was_emptied_by_nothing(filled: Store) -> None:
    explanation = filled.explain(parse_search(["0"], "tags.env = 'prod'", limit=3))
    assert explanation.found == 3
    assert (explanation.emptied_by, explanation.emptied_after) == (None, ())
    assert all(step.time_ms >= 0 for step in explanation.steps)


def test_an_experiment_without_traces_is_not_the_fault_of_a_condition_that_nothing_meets_there(store: Store) -> None:
    assert store.explain(parse_search(["0"])).emptied_by is None
    assert store.explain(parse_search([], "tags.env = 'prod'")).found == 0


def test_sqlite_is_led_by_the_rarest_term_and_looks_at_no_other_trace(tmp_path: Path) -> None:
    explanation = explain(tmp_path, "tags.parity = 'odd' AND tags.number = '7' AND attributes.status = 'OK'")
    assert explanation.driver == "tags.number = '7'"
    assert explanation.steps[-1].rows_read == 1
    assert {choice.condition: choice.rows for choice in explanation.choices}["tags.number = '7'"] == 1


def test_sqlite_ends_with_the_page_where_the_index_has_the_order(tmp_path: Path) -> None:
    explanation = explain(tmp_path, "tags.parity = 'even'", limit=5)
    assert explanation.steps[-1].rows_read <= 5 + 2  # the one that tells of a next page; SQLite reads one ahead


def test_sqlite_looks_through_the_values_of_a_key(tmp_path: Path) -> None:
    explanation = explain(tmp_path, "tags.number > 597 AND tags.env LIKE '%o%'")
    assert explanation.driver == "tags.number > 597"
    assert explanation.steps[-1].rows_read == 2
    assert explanation.found == 2


def test_sqlite_reads_only_the_time_in_which_all_terms_lie(tmp_path: Path) -> None:
    explanation = explain(tmp_path, "tags.parity = 'even' AND tags.half = 'first'", order_by=["name"])
    assert explanation.steps[-1].rows_read == 150


@pytest.mark.parametrize(
    "filter_string",
    [
        "trace.text CONTAINS 'number 77 of'",
        "trace.text ILIKE '%ber 77 %'",
        "trace.text RLIKE 'ber 77 o[f]'",
        "span.inputs.what = 'the number 77 of all'",
        "span.content LIKE '% 77 of%' AND tags.env = 'prod'",
        "trace.text LIKE '% 77 %' OR span.inputs.what CONTAINS ' 78 '",
    ],
)
def test_sqlite_is_led_by_words_and_looks_at_no_other_trace(tmp_path: Path, filter_string: str) -> None:
    store = fill(SqliteStore(tmp_path / "explained.db"))
    explanation = store.explain(parse_search(["0"], filter_string))
    assert explanation.found == (2 if " OR " in filter_string else 1)
    assert explanation.steps[-1].rows_read <= explanation.found
    store.close()


def test_sqlite_asks_the_words_of_traces_in_order_where_many_have_them(tmp_path: Path) -> None:
    explanation = explain(tmp_path, "trace.text CONTAINS 'of all'", limit=5)
    assert explanation.driver is None
    assert explanation.steps[-1].rows_read <= 5 + 3  # the last but one of the traces has no such text


def explain(folder: Path, filter_string: str, limit: int = 100, order_by: list[str] | None = None) -> Explanation:
    store = fill(SqliteStore(folder / "explained.db"))
    explanation = store.explain(parse_search(["0"], filter_string, order_by, limit))
    store.close()
    return explanation


def fill(store: Store) -> Store:
    """Put 600 traces of production into the store, the odd ones failed, and an odd one of development that did not."""
    store.write(
        [
            part(
                replace(
                    span(1, trace=number + 1, start_ms=number, failed=number % 2 == 1),
                    inputs_json=f'{{"what":"the number {number} of all"}}',
                ),
                tags={
                    "number": str(number),
                    "parity": "odd" if number % 2 else "even",
                    "env": "prod",
                    "half": "first" if number < 300 else "second",
                },
            )
            for number in range(600)
        ]
    )
    store.write([part(span(1, trace=900, start_ms=900), tags={"env": "dev", "parity": "odd"})])
    return store
