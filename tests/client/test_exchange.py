"""Files of whole traces: what a store exports, another one imports and exports again, byte for byte."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.traces import part, span
from tests.wire.test_otlp_json import KEYS, PLAIN_TEXT, TRACES
from tracehound.client.exchange import columnar
from tracehound.client.exchange.reading import Destination, Item, read_items
from tracehound.client.exchange.writing import FILE_FORMATS, Tally, export_traces
from tracehound.errors import ArgumentError
from tracehound.model.assessment import Assessment, AssessmentSource, Expectation, Feedback, IssueReference
from tracehound.model.edit import ASSESSMENT, METADATA, TAG, Change, Edit
from tracehound.model.merge import PROCESS_ENDED
from tracehound.model.record import replace, to_json_text
from tracehound.model.reserved import IMMUTABLE_TAGS
from tracehound.model.trace import Trace, TracePart, TraceState
from tracehound.model.whole import to_whole
from tracehound.query.search import Search, parse_search
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.wire.intake import Intake
from tracehound.wire.packing import packing, unpacked

HERE = Destination("elsewhere", is_for_all=False, intake=Intake(None))
FORMATS = sorted(FILE_FORMATS.keys() - {"warehouse"})  # which is for a table elsewhere, and not imported
OLDEST_FIRST = ["timestamp_ms ASC", "trace_id ASC"]

TIMES_MS = st.integers(0, 2**40)
COMMON = {
    "metadata": st.none() | st.dictionaries(KEYS, PLAIN_TEXT, max_size=2),
    "rationale": st.none() | PLAIN_TEXT,
    "create_time_ms": TIMES_MS,
    "last_update_time_ms": TIMES_MS,
    "source": st.builds(AssessmentSource, st.sampled_from(["HUMAN", "CODE", "LLM_JUDGE"]), PLAIN_TEXT),
}
JSON = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN_TEXT
ASSESSMENTS: st.SearchStrategy[Assessment] = st.one_of(
    st.builds(Feedback, PLAIN_TEXT, JSON | st.lists(JSON), st.none() | PLAIN_TEXT, **COMMON),
    st.builds(Expectation, PLAIN_TEXT, PLAIN_TEXT | st.dictionaries(PLAIN_TEXT, JSON), **COMMON),
    st.builds(IssueReference, PLAIN_TEXT, PLAIN_TEXT, **COMMON),
)


@st.composite
def changes_of_a_trace(draw: st.DrawFn) -> list[Change]:
    """Return parts of one trace, one of them perhaps a snapshot of a process that is gone, and edits of it."""
    trace: Trace = draw(TRACES)
    assume(trace.info.state is not TraceState.IN_PROGRESS)
    whole = to_whole(trace, draw(st.sampled_from(["shop", "Default", "日本"]))).part
    trace_id = whole.trace_id
    parts = [whole]
    if draw(st.booleans()):
        said = draw(st.dictionaries(KEYS, PLAIN_TEXT, max_size=2))
        last = replace(whole.spans[-1], span_id="ff" * 8, parent_id=whole.spans[0].span_id, end_time_ns=None)
        parts.append(
            TracePart(trace_id, "shop", whole.written_ns + 1, [last], metadata=said, owner="gone", has_ended=True)
        )
    known = [key for key in trace.info.tags if key not in IMMUTABLE_TAGS], [*trace.info.trace_metadata]
    edits = [
        Edit(trace_id, key, draw(st.none() | PLAIN_TEXT), whole.written_ns, kind)
        for kind, keys in zip((TAG, METADATA), known, strict=True)
        for key in draw(st.lists(KEYS | st.sampled_from(keys or [""]), max_size=2, unique=True))
    ]
    said_later = [
        Edit(
            trace_id, f"a-{number}", to_json_text(each.changed(assessment_id=f"a-{number}").to_dict()), 1, ASSESSMENT
        )
        for number, each in enumerate(draw(st.lists(ASSESSMENTS, max_size=3)))
    ]  # fmt: skip
    return [*parts, *edits, *said_later]


def everything(store: Store) -> Search:
    return parse_search([each.experiment_id for each in store.experiments()], None, OLDEST_FIRST)


def exported(store: Store, form: str) -> bytes:
    return b"".join(export_traces(store, everything(store), form))


def items_of(data: bytes, folder: Path | None = None, destination: Destination = HERE) -> list[Item]:
    if folder is None:
        return list(read_items(None, io.BytesIO(data), destination))
    path = folder / "traces"
    path.write_bytes(data)
    with path.open("rb") as file:
        return list(read_items(path, file, destination))


def imported(data: bytes, folder: Path | None = None, destination: Destination = HERE) -> MemoryStore:
    store = MemoryStore()
    for _ in range(2):  # the second time changes nothing
        for item in items_of(data, folder, destination):
            assert item.fault is None
            store.write(item.changes)
    return store


@pytest.mark.prove
@given(changes=changes_of_a_trace())
def test_what_was_exported_and_imported_is_exported_the_same(
    tmp_path_factory: pytest.TempPathFactory, changes: list[Change]
) -> None:
    store = MemoryStore()
    store.write(changes)
    for form in FORMATS:
        data = exported(store, form)
        again = imported(data, tmp_path_factory.getbasetemp() if form == "parquet" else None)  # one for all cases
        assert exported(again, form) == data
        if form != "jsonl":  # which has the values of events, not their letters
            assert exported(again, "otlp") == exported(store, "otlp")


@pytest.mark.parametrize("form", FORMATS)
def test_what_runs_is_left_out_and_a_store_without_traces_is_a_file_without_any(form: str, tmp_path: Path) -> None:
    store = MemoryStore()
    assert items_of(exported(store, form), tmp_path) == []
    store.write([part(span(1, duration_ms=None), owner="a/b"), part(span(1, 2))])
    tally = Tally()
    data = b"".join(export_traces(store, everything(store), form, tally))
    assert (tally.written, tally.running) == (1, 1)
    assert [item.changes[0].trace_id for item in items_of(data, tmp_path)] == [span(1, 2).trace_id]


def test_many_traces_are_several_row_groups_and_none_is_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columnar, "_SPANS_A_GROUP", 300)
    store = MemoryStore()
    store.write([part(span(1, trace), span(2, trace, parent=1)) for trace in range(1, 500)])
    data = exported(store, "parquet")
    path = tmp_path / "many.parquet"
    path.write_bytes(data)
    assert pq.ParquetFile(path).num_row_groups == 3
    assert exported(imported(data, tmp_path), "otlp") == exported(store, "otlp")


@pytest.mark.parametrize("name", ["traces.gz", "traces.zst", "traces.jsonl"])
def test_a_packed_file_holds_the_same_and_one_that_is_cut_off_is_told(name: str, tmp_path: Path) -> None:
    data = b"".join(b"line %d\n" % number for number in range(20_000))
    plain = io.BytesIO()
    with packing(plain, name) as out:
        out.write(data)
    packed = plain.getvalue()
    assert unpacked(io.BytesIO(packed)).read() == data
    assert unpacked(io.BytesIO(packed + packed)).read() == data + data
    if name != "traces.jsonl":
        assert len(packed) < len(data) // 2
        with pytest.raises((OSError, EOFError)):
            unpacked(io.BytesIO(packed[:-20])).read()
        with pytest.raises(ArgumentError, match="traces cannot be read"):
            items_of(packed[:-20], tmp_path)


def test_all_can_be_put_into_one_experiment_and_lie_there(tmp_path: Path) -> None:
    store = MemoryStore()
    store.write([part(span(1), experiment="shop")])
    for form in FORMATS:
        there = imported(exported(store, form), tmp_path, replace_all("farm"))
        assert [each.name for each in there.experiments()] == ["farm"]
        [trace] = there.search_whole(everything(there)).traces
        assert trace.info.experiment_id in trace.info.tags["mlflow.artifactLocation"]


def test_a_trace_that_mlflow_wrote_goes_into_the_experiment_that_is_named() -> None:
    store = MemoryStore()
    store.write([part(span(1), experiment="shop")])
    [trace] = store.search_whole(everything(store)).traces
    there = imported(trace.to_json().encode() + b"\n")
    assert [each.name for each in there.experiments()] == ["elsewhere"]


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b'{"experiment": 7, "info": {}, "data": {}}', "experiment is a text"),
        (b'{"info": {}, "data": {}}', "trace_location is missing"),
        (b'{"info": ', "JSON"),
        (b'{"experiment"', "JSON"),
    ],
)
def test_a_line_that_is_no_trace_is_told_and_the_others_are_read(line: bytes, fault: str) -> None:
    store = MemoryStore()
    store.write([part(span(1))])
    damaged, good = items_of(line + b"\n\n" + exported(store, "jsonl"))
    assert (damaged.number, damaged.changes) == (1, [])
    assert fault in str(damaged.fault)
    assert good.number == 3


def test_parquet_of_something_else_is_refused_by_name(tmp_path: Path) -> None:
    import pyarrow as pa

    pq.write_table(pa.table({"trace_id": ["tr-1"]}), tmp_path / "rows")
    with pytest.raises(ArgumentError, match="no column 'experiment'"):
        items_of((tmp_path / "rows").read_bytes(), tmp_path)
    with pytest.raises(ArgumentError, match="read from a file"):
        items_of((tmp_path / "rows").read_bytes())
    with pytest.raises(ArgumentError, match="cannot be read as Parquet"):
        items_of(b"PAR1" + b"\0" * 100, tmp_path)


def test_a_span_that_ran_when_its_process_ended_is_exported_as_ended() -> None:
    store = MemoryStore()
    store.write([replace(part(span(1, duration_ms=None), owner="gone"), has_ended=True)])
    [trace] = imported(exported(store, "otlp")).search_whole(everything(store)).traces
    assert (trace.info.state, trace.data.spans[0].status) == (TraceState.ERROR, PROCESS_ENDED)


def replace_all(experiment: str) -> Destination:
    return Destination(experiment, is_for_all=True, intake=HERE.intake)
