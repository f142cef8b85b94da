"""What notebooks show, through the formatter of a real IPython: the viewer or, where it was not built, plain HTML.

That notebooks run the viewer, with the network off, is what `tests/page/test_notebook.py` sees.
"""

from __future__ import annotations

import contextlib
from html.parser import HTMLParser
from typing import Any

import pytest

import tracehound
from tests.model.test_viewer import PAGE
from tracehound.entities import Trace
from tracehound.model.viewer import read_page

HOSTILE = "<script>alert('x')</script><img src=x onerror=\"y()\">"


class Tags(HTMLParser):
    """Notes the elements and attributes of a page, and that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.frame: dict[str, str | None] = {}
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag == "iframe":
            self.frame = dict(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["iframe"]:  # what browsers show in place of a frame that they cannot show
            self.text += data


def shell() -> Any:
    """Return the notebook: outside of one there is nothing to switch."""
    from IPython.core.interactiveshell import InteractiveShell

    return InteractiveShell.instance()


def show(value: Any) -> tuple[Tags, str]:
    """Return the HTML that a notebook is given for a value, and the text for those that show none."""
    shown, _ = shell().display_formatter.format(value)
    page = Tags()
    page.feed(shown["text/html"])
    assert not page.open
    return page, shown["text/plain"]


def has_viewer(monkeypatch: pytest.MonkeyPatch, page: bytes | None) -> None:
    """Have the package built with this page, or without one."""
    monkeypatch.setattr("tracehound.model.viewer.viewer_page", lambda: page)
    monkeypatch.setattr("tracehound.client.frame.viewer_page", lambda: page)


@pytest.fixture(autouse=True)
def not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    has_viewer(monkeypatch, None)


@pytest.fixture
def built(not_built: None, monkeypatch: pytest.MonkeyPatch) -> None:
    has_viewer(monkeypatch, PAGE)


@pytest.fixture
def trace_id() -> str:
    with pytest.raises(ValueError, match="alert"), tracehound.start_span(HOSTILE, span_type=HOSTILE) as root:
        root.set_inputs({HOSTILE: HOSTILE})
        root.set_attributes({HOSTILE: HOSTILE})
        tracehound.update_current_trace(request_preview=HOSTILE, tags={HOSTILE: HOSTILE})
        with tracehound.start_span("inner") as inner:
            inner.set_outputs("long " * 10_000)
        raise ValueError(HOSTILE)
    return str(root.trace_id)


def test_a_trace_is_shown_as_a_tree_that_nothing_in_it_can_break(trace_id: str) -> None:
    page, text = show(tracehound.get_trace(trace_id))
    assert page.seen == {"div", "b", "span", "details", "summary", "pre"}
    assert page.attributes == {"style"}
    assert HOSTILE in page.text
    assert trace_id in page.text
    assert "48,002 characters more" in page.text
    assert trace_id in text


def test_a_result_is_shown_as_a_table_of_traces_that_open(trace_id: str) -> None:
    page, text = show(tracehound.search_traces())
    assert page.seen == {"div", "table", "tr", "th", "td", "span", "details", "summary", "pre"}
    assert page.attributes == {"style"}
    assert HOSTILE[:40] in page.text
    assert "trace_id" in text


def test_a_long_result_is_cut_with_a_count_of_the_rest() -> None:
    for _ in range(30):
        with tracehound.start_span("step"):
            pass
    page, _ = show(tracehound.search_traces())
    assert page.text.count("step") == 20 * 2  # the trace and its span
    assert "and 10 more" in page.text


def test_results_without_traces_or_spans_say_so() -> None:
    assert show(tracehound.search_traces())[0].text == "no traces"
    with tracehound.start_span("step"):
        pass
    assert "no spans were read" in show(tracehound.search_traces(include_spans=False))[0].text


def test_what_is_no_result_any_more_is_shown_as_pandas_does() -> None:
    with tracehound.start_span("step"):
        pass
    page, _ = show(tracehound.search_traces()[["state"]])
    assert "details" not in page.seen
    assert "state" in page.text


def test_a_deep_and_broad_trace_is_cut() -> None:
    with contextlib.ExitStack() as stack:
        spans = [stack.enter_context(tracehound.start_span("deeper")) for _ in range(300)]
    trace = tracehound.get_trace(spans[0].trace_id)
    page, _ = show(trace)
    assert page.text.count("deeper") == 1 + 30  # the name, and as many levels
    assert "and 100 more spans" in page.text


def shown_in(page: Tags) -> list[Trace]:
    """Return the traces that the frame holds, which may run scripts and do nothing else."""
    assert page.seen == {"iframe", "div"}
    assert page.frame["sandbox"] == "allow-scripts allow-popups"
    return [trace for trace, _ in read_page((page.frame["srcdoc"] or "").encode())]


@pytest.mark.usefixtures("built")
def test_a_trace_is_shown_in_the_viewer(trace_id: str) -> None:
    trace = tracehound.get_trace(trace_id)
    assert trace is not None
    page, text = show(trace)
    [shown] = shown_in(page)
    assert shown.data.spans[0] == trace.data.spans[0]
    assert shown.data.spans[1].outputs.endswith("… 40,002 characters more")
    how = f"tracehound show {trace_id} --html trace.html"
    assert page.text == f"{trace_id}. Left out: the ends of 1 value. All of it: {how}"
    assert trace_id in text


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("kind", ["pandas", "list"])
def test_a_result_is_shown_in_the_viewer_in_its_own_order(kind: Any) -> None:
    for name in ("b", "a", "c"):
        tracehound.start_span_no_context(name).end()
    found = tracehound.search_traces(order_by=["attributes.name ASC"], return_type=kind)
    page, text = show(found)
    assert [trace.info.name for trace in shown_in(page)] == ["a", "b", "c"]
    assert page.text == "3 traces"
    assert "a" in text


@pytest.mark.usefixtures("built")
def test_what_a_cell_holds_has_a_bound_and_what_is_not_there_is_told() -> None:
    for _ in range(205):
        tracehound.start_span_no_context("step").end()
    page, _ = show(tracehound.search_traces())
    assert len(shown_in(page)) == 200
    assert page.text == "200 of 205 traces are shown. All of it: tracehound export --html traces.html"


@pytest.mark.usefixtures("built")
def test_of_a_trace_with_very_many_values_the_first_spans_are_shown() -> None:
    with tracehound.start_span("root") as root:
        for number in range(400):
            with tracehound.start_span(f"step {number}") as step:
                step.set_outputs(str(number) * 3_000)
    page, _ = show(tracehound.get_trace(root.trace_id))
    [shown] = shown_in(page)
    assert 100 < len(shown.data.spans) < 401
    assert f"Left out: {401 - len(shown.data.spans)} spans." in page.text


@pytest.mark.usefixtures("built")
def test_without_spans_there_is_the_table() -> None:
    tracehound.start_span_no_context("step").end()
    assert "no spans were read" in show(tracehound.search_traces(include_spans=False))[0].text
    assert show(tracehound.search_traces("attributes.name = 'none'"))[0].text == "no traces"
    assert show(tracehound.search_traces("attributes.name = 'none'", return_type="list"))[0].text == "no traces"


@pytest.mark.usefixtures("built")
def test_the_viewer_is_switched_off_and_on_again(trace_id: str) -> None:
    values = [
        tracehound.get_trace(trace_id), tracehound.search_traces(), tracehound.search_traces(return_type="list")
    ]  # fmt: skip
    shell()
    tracehound.tracing.disable_notebook_display()
    tracehound.tracing.disable_notebook_display()
    try:
        seen = [show(value)[0].seen for value in values]
        assert all("iframe" not in each and "details" in each for each in seen)
    finally:
        tracehound.tracing.enable_notebook_display()
    tracehound.tracing.enable_notebook_display()
    assert all("iframe" in show(value)[0].seen for value in values)
