"""The ledger of searches on every store: whole, and page by page."""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.traces import START_MS, part, span
from tracehound.errors import ArgumentError, FilterError
from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.record import replace, to_json_text
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import TracePart
from tracehound.query.expand import linked_run_key
from tracehound.query.search import parse_search
from tracehound.store.api import Searched, Store

LEDGER, MLFLOW, SPANS = (
    yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))
    for name in ("queries.yaml", "queries_mlflow.yaml", "queries_spans.yaml")
)
SEARCHES = [
    pytest.param(ledger["traces"], line, id=str(line.get("filter", line.get("order"))))
    for ledger in (LEDGER, MLFLOW, SPANS)
    for line in ledger["searches"]
]


@pytest.fixture
def filled(store: Store) -> Store:
    store.write(ledger_traces(LEDGER["traces"]))
    return store


@pytest.mark.parametrize(("traces", "line"), SEARCHES)
def test_a_search_finds_what_the_ledger_says(store: Store, traces: dict[str, Any], line: dict[str, Any]) -> None:
    store.write(ledger_traces(traces))
    assert found_in_pages(store, line, page_size=100) == [line["finds"]]


@pytest.mark.parametrize(("traces", "line"), SEARCHES)
def test_pages_of_two_make_the_same_result(store: Store, traces: dict[str, Any], line: dict[str, Any]) -> None:
    store.write(ledger_traces(traces))
    pages = found_in_pages(store, line, page_size=2)
    assert [name for page in pages for name in page] == line["finds"]
    assert all(len(page) == 2 for page in pages[:-1])


def test_a_trace_that_arrives_between_two_pages_moves_nothing(filled: Store) -> None:
    search = parse_search(["0"], limit=2)
    first = filled.search(search)
    filled.write([part(span(1, trace=99, start_ms=1000, name="newer"))])
    assert first.next_cursor is not None
    second = filled.search(search.behind(first.next_cursor))
    assert [info.name for info in second.traces] == ["gamma'x", "Beta"]


def test_a_cursor_of_another_search_is_refused(filled: Store) -> None:
    cursor = filled.search(parse_search(["0"], limit=2)).next_cursor
    assert cursor is not None
    with pytest.raises(ArgumentError, match="another search"):
        parse_search(["0"], "tags.env = 'prod'", cursor=cursor)
    with pytest.raises(ArgumentError, match="not one that a search returned"):
        parse_search(["0"], cursor="garbage")


def test_now_means_the_same_for_every_page(filled: Store) -> None:
    asked = "attributes.timestamp > now() - INTERVAL '1 m'"
    at_30_ms = START_MS + 60_000 + 30
    first = filled.search(parse_search(["0"], asked, ["timestamp ASC"], limit=1, now_ms=at_30_ms - 20))
    assert [info.name for info in first.traces] == ["gamma'x"]
    later = parse_search(["0"], asked, ["timestamp ASC"], limit=9, cursor=first.next_cursor, now_ms=at_30_ms)
    assert [info.name for info in filled.search(later).traces] == ["delta", "running"]
    assert later.now_ms == at_30_ms - 20
    assert later.where != parse_search(["0"], asked, now_ms=at_30_ms).where


@pytest.mark.parametrize("told", ["[]", "[1]", '[1,"2"]', "{}", '"x"', "1", "null", "[1,null]"])
def test_a_text_that_no_search_wrote_is_no_cursor(told: str) -> None:
    with pytest.raises(ArgumentError, match="not one that a search returned"):
        parse_search(["0"], cursor=base64.urlsafe_b64encode(told.encode()).decode())


def test_experiments_are_searched_alone_and_together(filled: Store) -> None:
    filled.write([part(span(1, trace=50, start_ms=500, name="other"), experiment="shop")])
    by_name = {each.name: each.experiment_id for each in filled.experiments()}
    assert by_name.keys() == {"Default", "shop"}
    assert by_name["Default"] == "0"
    assert names(filled, [by_name["shop"]]) == ["other"]
    assert names(filled, ["0", by_name["shop"]]) == ["other", "running", "delta", "gamma'x", "Beta", "alpha"]
    assert names(filled, ["12345"]) == []
    assert names(filled, []) == []


def test_a_value_too_long_for_the_index_is_compared_in_full(store: Store) -> None:
    long = "x" * 5000
    store.write([part(span(1, trace=1, name="long"), tags={"text": long}), part(span(1, trace=2), tags={"text": "x"})])
    assert names(store, ["0"], f"tags.text = '{long}'") == ["long"]
    assert names(store, ["0"], f"tags.text = '{long[:-1]}'") == []


def test_an_order_by_runs_has_each_trace_that_is_linked_to_one_once(store: Store) -> None:
    linked = {linked_run_key("r1"): "true"}
    own = [{"mlflow.sourceRun": "r1"}, linked, {"mlflow.sourceRun": "r2", **linked}, {}]
    store.write([part(span(1, trace=at + 1, start_ms=-at, name=str(at)), metadata=own[at]) for at in range(4)])
    for order, expected in (("run_id", "0213"), ("run_id DESC", "2013")):
        pages = found_in_pages(store, {"order": [order]}, page_size=1)
        assert "".join(name for page in pages for name in page) == expected


@pytest.mark.parametrize("word", [" OR ", " AND "])
def test_ten_thousand_terms_are_answered(filled: Store, word: str) -> None:
    many = word.join(f"tags.env {'=' if word == ' OR ' else '!='} '{number}'" for number in range(9_999))
    assert names(filled, ["0"], f"tags.env = 'prod'{word}{many}") == ["alpha"]


def ledger_traces(traces: dict[str, Any]) -> list[TracePart | Edit]:
    """Return the traces of a ledger, as parts, and what was said of them as edits."""
    parts: list[TracePart | Edit] = []
    for number, (name, told) in enumerate(traces.items(), start=1):
        root, *others = ledger_spans(number, name, told)
        parts.append(
            part(
                *others,
                root,
                tags=told.get("tags"),
                metadata=told.get("metadata"),
                client_request_id=told.get("client_request_id"),
            )
        )
        parts += [
            Edit(root.trace_id, said.assessment_id or "", to_json_text(said.to_dict()), 2, ASSESSMENT)
            for said in assessments(told)
        ]
    return parts


def ledger_spans(trace: int, name: str, told: dict[str, Any]) -> list[Span]:
    """Return the spans that a ledger says a trace has, the root first; where it says none, the root alone."""
    if "spans" not in told:
        failed = told.get("failed", False)
        return [span(1, trace=trace, start_ms=told["start"], duration_ms=told["duration"], name=name, failed=failed)]
    found: dict[str, Span] = {}
    spans = []
    for number, each in enumerate(told["spans"], start=1):
        above = found.get(each.get("parent", ""))
        made = span(
            number, trace=trace, start_ms=told["start"] + each.get("start", 0), duration_ms=each["duration"],
            name=each["name"],
        )  # fmt: skip
        made = replace(
            made,
            parent_id=None if above is None else above.span_id,
            span_type=each["type"],
            status=SpanStatus(SpanStatusCode("ERROR" if each.get("failed") else "OK"), each.get("message", "")),
            inputs_json=to_json_text(each["inputs"]) if "inputs" in each else None,
            outputs_json=to_json_text(each["outputs"]) if "outputs" in each else None,
            attributes_json={key: to_json_text(value) for key, value in each.get("attributes", {}).items()},
        )
        found.setdefault(made.name, made)
        spans.append(made)
    return spans


def assessments(told: dict[str, Any]) -> Iterator[Assessment]:
    """Yield what a ledger says of a trace: a value or several for each name; `replaced` are those that do not count."""
    ids = (f"a-{number}" for number in itertools.count())
    times: Any = {"create_time_ms": 1, "last_update_time_ms": 1}
    for name, values in told.get("feedback", {}).items():
        for value in values if isinstance(values, list) else [values]:
            yield Feedback(name, value, assessment_id=next(ids), **times)
    for name, value in told.get("replaced", {}).items():
        yield Feedback(name, value, assessment_id=next(ids), valid=False, **times)
    for name, value in told.get("expectation", {}).items():
        yield Expectation(name, value, assessment_id=next(ids), **times)


def found_in_pages(store: Searched, line: dict[str, Any], page_size: int) -> list[list[str]]:
    """Return the names that a line's search finds, page by page."""
    text = re.sub(r"\$(\d+)", lambda match: str(START_MS + int(match[1])), line.get("filter", ""))
    search = parse_search(["0"], text, line.get("order"), page_size)
    pages = []
    while True:
        page = store.search(search)
        pages.append([info.name for info in page.traces])
        if page.next_cursor is None:
            return pages
        search = search.behind(page.next_cursor)


def names(store: Store, experiments: list[str], filter_string: str | None = None) -> list[str]:
    return [info.name for info in store.search(parse_search(experiments, filter_string)).traces]


@pytest.mark.parametrize(
    "values", [[[], "x"], [1.5, "x"], [2**70, "x"], ["5", "x"], [None, "x"], [5, 5], [5, None], [True, "x"]]
)
def test_a_cursor_that_somebody_made_up_is_refused(filled: Store, values: list[Any]) -> None:
    first = parse_search(["0"])
    made_up = base64.urlsafe_b64encode(json.dumps([first.fingerprint, 1, *values]).encode()).decode()
    with pytest.raises(ArgumentError, match="not one that a search returned"):
        filled.search(first.behind(made_up))


@pytest.mark.parametrize("order", ["span.name", "trace.text", "attributes.request DESC", "span.inputs.city"])
def test_nothing_is_ordered_by_what_a_trace_has_many_of(order: str) -> None:
    with pytest.raises(FilterError, match="a trace has many spans and texts"):
        parse_search(["0"], None, [order])


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tags.a", "x" * 199, ["shorter"]),
        ("tags.a", "x" * 200 + "1", ["first"]),
        ("tags.a", "x" * 200, []),
        ("tags.a", "é" * 100, ["accents"]),
        ("tags.a", "bc", ["one"]),
        ("tags.ab", "c", ["two"]),
        ("metadata.a", "bc", ["metadata"]),
    ],
)
def test_values_that_begin_alike_and_keys_that_run_into_them_are_told_apart(
    store: Store, key: str, value: str, expected: list[str]
) -> None:
    tags = {
        "shorter": {"a": "x" * 199}, "first": {"a": "x" * 200 + "1"}, "second": {"a": "x" * 200 + "2"},
        "accents": {"a": "é" * 100}, "others": {"a": "é" * 100 + "e"}, "one": {"a": "bc"}, "two": {"ab": "c"},
    }  # fmt: skip
    store.write([part(span(1, trace=at, name=name), tags=tags[name]) for at, name in enumerate(tags, 1)])
    store.write([part(span(1, trace=50, name="metadata"), metadata={"a": "bc"})])
    assert names(store, ["0"], f"{key} = '{value}'") == expected
    expected_of_not = {*tags, "metadata"} - {*expected}
    assert {*names(store, ["0"], f"NOT {key} = '{value}'")} == expected_of_not
