"""What stands in the inputs of spans is looked for there, and found however the words of a row were written."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.traces import part, span
from tracehound.model.edit import Edit
from tracehound.model.record import replace
from tracehound.model.span import SpanStatus, SpanStatusCode
from tracehound.query.search import parse_search
from tracehound.query.words import words_of
from tracehound.store.clickhouse import rows
from tracehound.store.clickhouse.finding import Finder
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.memory import MemoryStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

TEXT = '{"q":"Parcel 42 für Ωmega 日本"}'
PARCEL = replace(span(2, parent=1, name="look up"), inputs_json='{"q":"nothing"}', outputs_json='"none"')
# A text in each place that a trace has for one.
PLACES = [
    replace(PARCEL, inputs_json=TEXT),
    replace(PARCEL, outputs_json=TEXT),
    replace(PARCEL, attributes_json={"q": TEXT}),
    replace(PARCEL, name="Parcel 42 für Ωmega 日本"),
    replace(PARCEL, status=SpanStatus(SpanStatusCode.ERROR, "Parcel 42 für Ωmega 日本")),
    replace(PARCEL, inputs_json=TEXT, outputs_json=TEXT),
    PARCEL,
]
COMPARISONS = [
    "LIKE '%arcel 4%'", "ILIKE '%PARCEL%'", "CONTAINS '2 für'", "LIKE '%Ωm%'", "LIKE '%日%'", "RLIKE 'ar.el 42'",
    "= 'Parcel 42 für Ωmega 日本'",
]  # fmt: skip
FIELDS = ["span.inputs.q", "span.outputs.q", "span.attributes.q.q", "span.name", "span.status_message"]
FILTERS = [f"{field} {asked}" for field in FIELDS for asked in COMPARISONS]
FILTERS += [f"{field} {each}" for field in ("trace.text", "span.content") for each in COMPARISONS[:-1]]
FILTERS += [
    "trace.request CONTAINS 'Parcel'",
    "trace.response CONTAINS 'Parcel'",
    "span.inputs.q LIKE '%cel 42%' AND span.outputs.q LIKE '%cel 42%'",
    "span.inputs.q LIKE '%cel 42%' OR span.name LIKE '%cel 42%'",
    "span(name = 'look up' AND inputs.q LIKE '%arcel%') AND NOT trace.response LIKE '%why%'",
    "span(name = 'root') > span(inputs.q CONTAINS 'Parcel' OR outputs.q CONTAINS 'Parcel')",
    "NOT span.inputs.q CONTAINS 'Parcel' AND trace.text CONTAINS 'Parcel'",
    "count(span(inputs.q CONTAINS 'Parcel')) >= 1",
]


@pytest.fixture
def store() -> Iterator[ClickHouseStore]:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as opened:
        yield opened


def test_what_was_written_before_and_now_is_found_wherever_it_stands(
    store: ClickHouseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = span(1, name="root")
    traces = [
        part(replace(root, trace_id=trace_id), replace(each, trace_id=trace_id))
        for number, each in enumerate([*PLACES, *PLACES])
        for trace_id in [f"tr-{number:032x}"]
    ]
    traces += [
        part(replace(span(1, trace=99), inputs_json='"Parcel 42"')),
        part(replace(span(1, trace=98), outputs_json='["Parcel"]')),
    ]
    edits = [Edit(traces[number].trace_id, "team", "blue", 9) for number in (0, 8)]  # a row of another version
    monkeypatch.setattr(rows, "words_by_place", words_of)
    store.write(traces[::2])
    monkeypatch.undo()
    store.write([*traces[1::2], *edits])
    memory = MemoryStore()
    memory.write([*traces, *edits])
    for filter_string in FILTERS:
        search = parse_search(["0"], filter_string)
        expected = {info.trace_id for info in memory.search(search).traces}
        assert {info.trace_id for info in store.search(search).traces} == expected, filter_string
        assert {trace.info.trace_id for trace in store.search_whole(search).traces} == expected, filter_string


@pytest.mark.parametrize(
    ("filter_string", "looked_at"),
    [
        ("span.inputs.q LIKE '%arcel%' AND span.name = 'look up'", 2),
        ("span.inputs.q = 'Parcel 42 für Ωmega 日本'", 2),
        ("trace.request CONTAINS 'Parcel'", 2),
        ("trace.text CONTAINS 'Parcel'", 6),
        ("span.outputs.q CONTAINS 'Parcel'", 6),  # rows from before have their words in the form of inputs
    ],
)
def test_only_what_has_the_words_in_inputs_is_looked_at_for_them(
    store: ClickHouseStore, filter_string: str, looked_at: int
) -> None:
    store.write(
        [part(replace(each, trace_id=f"tr-{number:032x}", parent_id=None)) for number, each in enumerate(PLACES)]
    )
    finder = Finder(store._engine(), parse_search(["0"], filter_string))
    assert finder.page()[0]
    assert finder.rows_read == looked_at
