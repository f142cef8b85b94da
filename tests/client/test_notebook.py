"""What notebooks show, through the formatter of a real IPython."""

from __future__ import annotations

import contextlib
from html.parser import HTMLParser
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell

import tracehound

HOSTILE = "<script>alert('x')</script><img src=x onerror=\"y()\">"


class Tags(HTMLParser):
    """Notes the elements and attributes of a page, and that what is opened is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.seen.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def show(value: Any) -> tuple[Tags, str]:
    """Return the HTML that a notebook is given for a value, and the text for those that show none."""
    formatter: Any = InteractiveShell.instance().display_formatter
    shown, _ = formatter.format(value)
    page = Tags()
    page.feed(shown["text/html"])
    assert not page.open
    return page, shown["text/plain"]


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
