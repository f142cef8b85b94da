"""Pages of HTML from the command line: written, looked at elsewhere (`tests/page`), and read back."""

from __future__ import annotations

from pathlib import Path

import pytest

import tracehound
from tests.cli.terminal import piped, traces_of_many_kinds, write
from tests.model.test_viewer import PAGE
from tests.traces import part, span
from tracehound.cli.main import main
from tracehound.entities import Trace
from tracehound.model.record import replace
from tracehound.model.viewer import read_page


@pytest.fixture(autouse=True)
def built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracehound.model.viewer.viewer_page", lambda: PAGE)


def command(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Run the command in this process; return its exit code and what it says."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return int(ended.value.code or 0), capsys.readouterr().err


@pytest.fixture
def traces(store_path: Path) -> list[Trace]:
    """Return all traces of a store: of two experiments, some edited, one with assessments of every kind."""
    write(*traces_of_many_kinds(), part(span(1, 77), experiment="shop", metadata={"k": "v"}, client_request_id="c"))
    with tracehound.start_span("agent", span_type="AGENT") as root:
        root.set_inputs({"n": [1, 2.5, None, 2**70]})
        with tracehound.start_span("tool") as tool:
            tool.record_exception(ValueError("bad"))
    tracehound.set_trace_tag(root.trace_id, "mlflow.traceName", "renamed")
    tracehound.log_expectation(trace_id=root.trace_id, name="city", value={"name": "Paris"})
    first = tracehound.log_feedback(trace_id=root.trace_id, name="good", value=0.5, span_id=tool.span_id)
    tracehound.override_feedback(trace_id=root.trace_id, assessment_id=first.assessment_id or "", value=1)
    tracehound.log_feedback(trace_id=root.trace_id, name="judge", error=ValueError("no answer"))
    return everything("tracehound.db")


def everything(path: str) -> list[Trace]:
    """Return all traces of a store, in one order."""
    tracehound.flush()
    tracehound.set_tracking_uri(path)
    known = [each.experiment_id for each in tracehound.search_experiments()]
    return tracehound.search_traces(known, order_by=["trace_id ASC"], return_type="list")


def in_page(path: str) -> list[Trace]:
    return sorted((trace for trace, _ in read_page(Path(path).read_bytes())), key=lambda each: each.info.trace_id)


def test_the_page_holds_the_traces_exactly(traces: list[Trace], capsys: pytest.CaptureFixture[str]) -> None:
    assert command(capsys, "export", "--all-experiments", "--html", "all.html") == (0, "9 traces exported\n")
    assert in_page("all.html") == traces
    assert command(capsys, "export", "tags.env = 'prod'", "--html", "some.html") == (0, "7 traces exported\n")
    newest_first = [trace.info.request_time for trace, _ in read_page(Path("some.html").read_bytes())]
    assert newest_first == sorted(newest_first, reverse=True)


def test_what_was_in_a_page_is_in_the_store_with_what_was_said_of_it(
    traces: list[Trace], capsys: pytest.CaptureFixture[str]
) -> None:
    command(capsys, "export", "--all-experiments", "--html", "all.html")
    for _ in range(2):  # the second time changes nothing
        told = "in the store: 10 spans of 9 traces\n"
        assert command(capsys, "import", "all.html", "--store", "copy.db") == (0, told)
        assert everything("copy.db") == traces
    told = "in the store: 10 spans of 9 traces\n"
    assert command(capsys, "import", "all.html", "--store", "other.db", "--experiment", "elsewhere") == (0, told)
    found = everything("other.db")
    assert [each.data for each in found] == [each.data for each in traces]
    assert {each.info.experiment_id for each in found} == {found[0].info.experiment_id}


def test_one_trace_is_written_by_show(traces: list[Trace], capsys: pytest.CaptureFixture[str]) -> None:
    trace = next(each for each in traces if each.info.name == "renamed")
    assert command(capsys, "show", trace.info.trace_id, "--html", "one.html") == (0, "")
    assert list(read_page(Path("one.html").read_bytes())) == [(trace, "Default")]


def test_what_runs_is_not_exported_and_not_imported(capsys: pytest.CaptureFixture[str]) -> None:
    running = replace(part(span(1, 3, duration_ms=None)), owner="nobody.1")
    write(part(span(1, 1)), running)
    assert command(capsys, "export", "--html", "all.html") == (0, "1 trace exported; 1 still running, left out\n")
    command(capsys, "show", running.trace_id, "--html", "one.html")
    assert command(capsys, "import", "one.html", "--store", "new.db") == (0, "in the store: 0 spans of 0 traces\n")


def test_mistakes_are_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    write(part(span(1, 1)))
    assert command(capsys, "export", "--html", "a.html", "-o", "b") == (
        2,
        "error: --html is a format and a file of its own: leave --format and --output out\n",
    )
    Path("other.html").write_text("<html></html>")
    code, told = command(capsys, "import", "other.html", "--store", "new.db")
    assert (code, "holds no traces" in told, Path("new.db").exists()) == (2, True, False)
    code, told = command(capsys, "import", "none.html")
    assert (code, told) == (2, "error: none.html cannot be read: No such file or directory\n")
    monkeypatch.setattr("tracehound.model.viewer.viewer_page", lambda: None)
    code, told = command(capsys, "export", "--html", "a.html")
    assert (code, "./dev page" in told, Path("a.html").exists()) == (1, True, False)


def test_the_program_has_the_options() -> None:
    assert b"--html FILE" in piped("export", "--help").stdout
    assert b"--html FILE" in piped("show", "--help").stdout
