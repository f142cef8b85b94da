"""The kinds of results of `search_traces`, what else can be asked for, and fields of spans as columns."""

from __future__ import annotations

import gc
import io
import itertools
import sqlite3
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import polars as pl
import pyarrow as pa
import pytest

import tracehound
from tests.traces import START_MS, part, span
from tracehound import runtime
from tracehound.client.pages import once, read_pages
from tracehound.client.progress import with_progress
from tracehound.errors import ArgumentError, NotFoundError, StoreError
from tracehound.model.edit import Facts
from tracehound.model.span import Span
from tracehound.model.trace import Trace, TracePart
from tracehound.query.search import parse_search
from tracehound.store.memory import MemoryStore

IDS = [f"tr-{at + 1:032x}" for at in range(3)]


def step(number: int, trace: int, *, name: str, start_ms: int, inputs: str | None, **attributes: str) -> Span:
    return Span(
        trace_id=f"tr-{trace:032x}", span_id=f"{number:016x}", parent_id=None if number == 1 else f"{1:016x}",
        name=name, start_time_ns=(START_MS + start_ms) * 10**6, end_time_ns=(START_MS + start_ms + 5) * 10**6,
        inputs_json=inputs, outputs_json='{"a":{"b":[10,{"c.d":"deep"}]},"x.y":1}', attributes_json=attributes,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def three() -> None:
    runtime.current().drained_store().write(
        [
            TracePart(
                f"tr-{at + 1:032x}", "Default", 1,
                [
                    step(3, at + 1, name="look.up", start_ms=9, inputs='{"n":"second"}'),
                    step(
                        2, at + 1, name="look.up", start_ms=5, inputs='{"n":"first"}' if at else None,
                        **{"llm.model": '"m"'},
                    ),
                    step(1, at + 1, name="answer", start_ms=-at * 1000, inputs='"why?"'),
                ],
                metadata={"mlflow.sourceRun": f"run-{at}", "mlflow.modelId": "m-1"},
            )
            for at in range(3)
        ]
        + [Facts("run", f"run-{at}", {"experiment": "Default"}, 1) for at in range(3)]
    )  # fmt: skip


def test_an_iterator_gives_the_traces_of_a_list_one_by_one() -> None:
    listed = tracehound.search_traces(return_type="list")
    one_by_one = tracehound.search_traces(return_type="iterator")
    assert isinstance(one_by_one, Iterator)
    assert [trace.info.trace_id for trace in listed] == IDS
    assert list(one_by_one) == listed
    assert [each.name for each in listed[0].data.spans] == ["answer", "look.up", "look.up"]


def test_arrow_results_are_a_stream_whose_types_do_not_depend_on_the_values() -> None:
    reader = tracehound.search_traces(return_type="arrow")
    none = tracehound.search_traces("tags.no = 'x'", return_type="arrow")
    assert isinstance(reader, pa.RecordBatchReader)
    assert reader.schema == none.schema
    assert none.read_all().num_rows == 0
    rows = reader.read_all().to_pylist()
    assert [row["trace_id"] for row in rows] == IDS
    assert rows[0]["request"] == '"why?"'
    assert dict(rows[0]["trace_metadata"])["mlflow.sourceRun"] == "run-0"
    spans = tracehound.search_traces()["spans"][0]
    assert [dict(each["attributes"]) for each in rows[0]["spans"]] == [each["attributes"] for each in spans]
    assert [each["name"] for each in rows[0]["spans"]] == ["answer", "look.up", "look.up"]


def test_polars_results_have_the_columns_of_arrow() -> None:
    frame = tracehound.search_traces(return_type="polars", extract_fields=["answer.outputs.a.b"])
    assert isinstance(frame, pl.DataFrame)
    assert frame["trace_id"].to_list() == IDS
    assert frame["execution_duration"].sum() == 15
    assert frame["answer.outputs.a.b"].to_list() == ['[10,{"c.d":"deep"}]'] * 3


def test_without_spans_none_are_read_and_the_beginnings_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("spans are read")

    monkeypatch.setattr(type(runtime.current().drained_store()), "search_whole", fail)
    with pytest.raises(AssertionError, match="spans are read"):
        tracehound.search_traces()
    frame: Any = tracehound.search_traces(include_spans=False)
    assert frame["spans"].tolist() == [[], [], []]
    assert frame["request"].tolist() == [None] * 3
    assert frame["request_preview"].tolist() == ['"why?"'] * 3
    assert frame["trace_id"].tolist() == IDS
    for trace in tracehound.search_traces(include_spans=False, return_type="list"):
        assert trace.data.spans == []
        assert trace.info.request_preview == '"why?"'


def test_runs_models_and_locations_narrow_a_search() -> None:
    def found(**arguments: Any) -> list[str]:
        return [trace.info.trace_id for trace in tracehound.search_traces(return_type="list", **arguments)]

    assert found(run_id="run-1") == [IDS[1]]
    assert found(model_id="m-1") == IDS
    assert found(model_id="m-1", filter_string="attributes.run_id = 'run-2' OR attributes.run_id = 'run-0'") == [
        IDS[0], IDS[2]
    ]  # fmt: skip
    with pytest.raises(NotFoundError, match="there is no run"):
        found(run_id="x' OR attributes.status = 'OK")
    assert found(run_id="run-1", model_id="m-2") == []
    assert found(locations=["0"], flush=True) == IDS
    assert found(locations=[]) == []
    with pytest.raises(NotFoundError, match="no experiment with the id '5'"):
        found(locations=["5"])
    assert found(order_by=["timestamp ASC"], run_id="run-2", filter_string="metadata.`mlflow.modelId` = 'm-1'") == [
        IDS[2]
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sql_warehouse_id": "w"}, "sql_warehouse_id='w' names no warehouse; there are none"),
        ({"locations": "0"}, r"locations is a list of ids: \['0'\]"),
        ({"locations": ["0"], "experiment_ids": ["0"]}, "experiment_ids and locations say the same"),
        ({"run_id": 5}, "run_id is a text, not 5"),
        ({"model_id": ["m"]}, r"model_id is a text, not \['m'\]"),
        ({"include_spans": "no"}, "include_spans is True or False, not 'no'"),
        ({"flush": 1}, "flush is True or False, not 1"),
        ({"return_type": "rows"}, "'polars', 'arrow' or 'iterator', not 'rows'"),
        ({"return_type": ["list"]}, "return_type is 'pandas'"),
        ({"extract_fields": "a.inputs"}, r"extract_fields is a list of texts such as \['a.inputs'\]"),
        ({"extract_fields": [5]}, "extract_fields is a list of texts"),
        ({"extract_fields": ["a.inputs"], "return_type": "list"}, "return_type='list' has none"),
        ({"extract_fields": ["a.inputs"], "return_type": "iterator"}, "return_type='iterator' has none"),
        ({"extract_fields": ["a.inputs"], "include_spans": False}, "leave include_spans=False out"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tracehound.search_traces(**arguments)


@pytest.mark.parametrize(
    ("return_type", "package", "line"),
    [
        ("pandas", "pandas", r"pip install 'tracehound\[pandas\]'"),
        ("polars", "polars", r"pip install 'tracehound\[polars,arrow\]'"),
        ("arrow", "pyarrow", r"pip install 'tracehound\[arrow\]'"),
    ],
)
def test_what_is_not_installed_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, return_type: Any, package: str, line: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ArgumentError, match=f"needs {package}: {line}"):
        tracehound.search_traces(return_type=return_type)


def test_without_pandas_results_are_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert [type(each) for each in tracehound.search_traces()] == [Trace] * 3


FIELDS = {
    "answer.inputs": "why?",
    "answer.inputs.question": None,
    "answer.outputs": {"a": {"b": [10, {"c.d": "deep"}]}, "x.y": 1},
    "answer.outputs.a.b": [10, {"c.d": "deep"}],
    "answer.outputs.a.b.0": 10,
    "answer.outputs.a.b.7": None,
    "answer.outputs.a.b.1.`c.d`": "deep",
    "answer.outputs.a.b.1.c.d": "deep",
    "answer.outputs.x.y": 1,
    "answer.outputs.`x.y`": 1,
    "`look.up`.inputs.n": "first",
    "`look.up`.attributes.llm.model": "m",
    "`look.up`.attributes.`llm.model`": "m",
    "`look.up`.attributes.`mlflow.spanType`": "UNKNOWN",
    "`look.up`.attributes.nothing": None,
    "nobody.outputs": None,
}


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_of_a_span_is_a_column_named_by_its_text_without_backticks(field: str) -> None:
    frame: Any = tracehound.search_traces(run_id="run-1", extract_fields=[field])
    assert frame.columns[12:].tolist() == [field.replace("`", "")]
    assert frame[field.replace("`", "")].tolist() == [FIELDS[field]]
    none = tracehound.search_traces("tags.no = 'x'", extract_fields=[field])
    assert none.columns[12:].tolist() == [field.replace("`", "")]


def test_the_first_span_of_a_name_counts_even_where_it_lacks_the_field() -> None:
    frame: Any = tracehound.search_traces(extract_fields=["`look.up`.inputs.n", "`look.up`.inputs.n"])
    assert frame["look.up.inputs.n"].tolist() == [None, "first", "first"]
    renamed = frame.rename(columns={"look.up.inputs.n": "customer"})
    assert renamed["customer"].tolist() == [None, "first", "first"]


@pytest.mark.parametrize(
    ("field", "at", "message"),
    [
        ("", 0, "a name is missing"),
        ("answer", 6, "there is no field behind the name of the span"),
        ("answer.", 7, "a name is missing"),
        ("answer.input", 7, "no 'input'"),
        ("answer.inputs.", 14, "a name is missing"),
        ("answer..inputs", 7, "a name is missing"),
        ("answer.attributes", 17, "attributes need a key"),
        ("`answer.inputs", 0, "a backtick is not closed"),
        ("`answer`inputs", 8, "a dot has to stand behind a name in backticks"),
        ("``.inputs", 0, "a name is missing"),
    ],
)
def test_a_field_that_is_none_is_refused_with_the_place_and_the_form(field: str, at: int, message: str) -> None:
    with pytest.raises(ArgumentError) as caught:
        tracehound.search_traces(extract_fields=[field])
    told = str(caught.value)
    assert message in told
    assert f"    {field}\n    {' ' * at}^\n" in told
    assert "write SPAN.inputs.FIELD" in told


def test_a_damaged_trace_is_told_when_its_spans_are_asked_for(store_path: Any) -> None:
    with tracehound.start_span("whole"):
        pass
    tracehound.flush()
    with sqlite3.connect(store_path) as connection:
        connection.execute("UPDATE part SET payload = x'28b52ffd00'")
    connection.close()
    (*_, last) = tracehound.search_traces(return_type="iterator")
    with pytest.raises(StoreError, match=r"a trace in .*tracehound\.db is damaged"):
        _ = last.data.spans
    with pytest.raises(StoreError, match=r"a trace in .*tracehound\.db is damaged"):
        tracehound.search_traces()


def test_spans_stay_readable_when_the_store_is_closed(tmp_path: Any) -> None:
    first = tracehound.search_traces(return_type="list")[0]
    tracehound.set_tracking_uri(str(tmp_path / "other.db"))
    tracehound.search_traces()
    assert len(first.data.spans) == 3
    assert first.data.span_dicts() == [each.to_dict() for each in first.data.spans]


def many(count: int) -> MemoryStore:
    store = MemoryStore()
    store.write([part(span(1, trace=at + 1, start_ms=at)) for at in range(count)])
    return store


def test_pages_neither_repeat_nor_skip_while_traces_arrive() -> None:
    store, search = many(1300), parse_search(["0"])
    pages = read_pages(store, search)
    seen = [trace.info.trace_id for trace in next(pages)]
    store.write([part(span(1, trace=10_000 + at, start_ms=10_000 + at)) for at in range(5)])
    seen += [trace.info.trace_id for page in pages for trace in page]
    assert seen == [f"tr-{at:032x}" for at in range(1300, 0, -1)]


def test_a_trace_that_moves_while_it_is_read_is_in_a_result_once() -> None:
    traces = list(itertools.chain(*read_pages(many(3), parse_search(["0"]))))
    pages = once(iter([traces[:2], traces[1:]]))
    assert [[trace.info.trace_id for trace in page] for page in pages] == [
        [trace.info.trace_id for trace in traces[:2]], [traces[2].info.trace_id]
    ]  # fmt: skip


@pytest.mark.parametrize("return_type", ["iterator", "arrow"])
def test_a_long_read_holds_no_more_than_a_page(return_type: Any) -> None:
    text = "x" * 5_000
    spans = [step(1, 100 + at, name="long", start_ms=at, inputs=f'"{at}{text}"') for at in range(1200)]
    runtime.current().drained_store().write([TracePart(each.trace_id, "long", 1, [each]) for each in spans])
    ids = [tracehound.set_experiment("long").experiment_id]

    def peak_of(count: int) -> int:
        gc.collect()
        tracemalloc.start()
        found = 0
        for each in tracehound.search_traces(ids, max_results=count, return_type=return_type):
            found += each.num_rows if return_type == "arrow" else len(each.data.spans)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert found == count
        return peak

    peak_of(100)  # what is made once
    assert peak_of(1200) < 2 * peak_of(300)


def test_progress_is_shown_to_a_terminal_only_and_ends_with_the_read(monkeypatch: pytest.MonkeyPatch) -> None:
    class Screen(io.StringIO):
        def isatty(self) -> bool:
            return True

    def read(stream: io.StringIO) -> str:
        ticks = itertools.count(0, 2)
        monkeypatch.setattr("tracehound.client.progress.time.monotonic", lambda: next(ticks))
        monkeypatch.setattr(sys, "stderr", stream)
        assert list(with_progress(iter([[1, 2], [3]]), None)) == [[1, 2], [3]]
        return stream.getvalue()

    monkeypatch.setenv("TERM", "xterm")
    assert "reading traces" in read(Screen())
    assert read(io.StringIO()) == ""


def test_a_read_that_is_interrupted_takes_its_progress_away(monkeypatch: pytest.MonkeyPatch) -> None:
    def pages() -> Iterator[list[int]]:
        yield [1]
        yield [2]
        raise KeyboardInterrupt

    ticks = itertools.count(0, 2)
    monkeypatch.setattr("tracehound.client.progress.time.monotonic", lambda: next(ticks))
    with pytest.raises(KeyboardInterrupt):
        list(with_progress(pages(), 5))
