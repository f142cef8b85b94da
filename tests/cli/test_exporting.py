"""Export and import of OTLP JSON lines: nothing is lost on the way, and doing it again changes nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import tracehound
from tests.cli.terminal import piped, traces_of_many_kinds, write
from tests.traces import part, span
from tracehound.model.record import replace

COLLECTOR = Path(__file__).parents[1] / "data" / "otlp" / "collector.jsonl"


@pytest.fixture
def many_traces(tmp_path: Path) -> Path:
    """Return a file with all traces of a store, some of them captured, edited, of another experiment."""
    write(*traces_of_many_kinds(), part(span(1, 77), experiment="shop", metadata={"k": "v"}, client_request_id="c"))
    with tracehound.start_span("agent", span_type="AGENT") as root:
        root.set_inputs({"n": [1, 2.5, None, 2**70]})
        tracehound.update_current_trace(tags={"draft": "yes"}, request_preview="asked")
        with tracehound.start_span("tool") as tool:
            tool.record_exception(ValueError("bad"))
    tracehound.delete_trace_tag(root.trace_id, "draft")
    tracehound.set_trace_tag(root.trace_id, "mlflow.traceName", "renamed")
    path = tmp_path / "all.jsonl"
    done = piped("export", "--all-experiments", "--output", str(path))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"9 traces exported\n")
    return path


def test_what_was_exported_and_imported_is_exported_the_same(many_traces: Path) -> None:
    for _ in range(2):  # the second time changes nothing
        done = piped("import", str(many_traces), "--store", "copy.db")
        assert (done.returncode, done.stderr) == (0, b"in the store: 10 spans of 9 lines\n")
        again = piped("export", "--all-experiments", "--store", "copy.db")
        assert again.stdout == many_traces.read_bytes()
    names = piped("search", "--all-experiments", "--store", "copy.db", "--fields", "name", "--format", "csv").stdout
    assert b"renamed" in names


def test_a_packed_file_holds_the_same(many_traces: Path) -> None:
    piped("export", "--all-experiments", "-o", "all.jsonl.gz")
    assert gzip.decompress(Path("all.jsonl.gz").read_bytes()) == many_traces.read_bytes()
    assert piped("import", "all.jsonl.gz", "--store", "copy.db").returncode == 0
    assert piped("export", "--all-experiments", "--store", "copy.db").stdout == many_traces.read_bytes()


def test_a_filter_and_a_time_choose_what_is_exported_and_what_runs_is_left_out() -> None:
    write(
        part(span(1, 1), tags={"env": "prod"}),
        part(span(1, 2), tags={"env": "dev"}),
        replace(part(span(1, 3, duration_ms=None), tags={"env": "prod"}), owner="nobody.1"),
    )
    done = piped("export", "tags.env = 'prod'", "--since", "2024-12-31")
    assert done.stdout.count(b"\n") == 1
    assert done.stderr == b"1 trace exported; 1 still running, left out\n"


def test_damaged_lines_are_told_with_their_numbers_and_all_others_are_imported() -> None:
    good = COLLECTOR.read_bytes().splitlines()
    done = piped("import", "-", "--experiment", "shop", stdin=b"\n".join([good[0], b"{", b"", b"[]", good[1]]))
    assert done.returncode == 1
    assert done.stderr.decode().splitlines() == [
        "line 2: it is not JSON, or cut off",
        "line 4: it is JSON, and no ExportTraceServiceRequest of OTLP",
        "in the store: 4 spans of 2 lines; 2 damaged lines left out",
    ]
    found = piped("search", "--experiment", "shop", "--fields", "name", "--format", "csv").stdout
    assert sorted(found.splitlines()) == [b"POST /ask", b"another trace", b"base64", b"name"]


def test_a_file_that_is_not_there_is_an_error_and_leaves_no_store() -> None:
    done = piped("import", "nothing.jsonl", "--store", "new.db")
    assert (done.returncode, done.stderr) == (2, b"error: nothing.jsonl cannot be read: No such file or directory\n")
    assert not Path("new.db").exists()
