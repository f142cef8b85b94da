"""The page about spans in filters: each of its questions is a filter, and finds what it says in an agent's traces."""

from __future__ import annotations

import re
from pathlib import Path

import tracehound
from tracehound.query.fields import SPAN_FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "searching-spans.md").read_text("utf-8")
QUESTIONS = dict(re.findall(r"^\| (Which [^|]*\?) \| `(.*)` \|$", PAGE, re.MULTILINE))


def make_traces() -> dict[str, str]:
    """Run two agents, the second of which does everything that the page asks for; return their ids."""
    with tracehound.start_span("calm", span_type="AGENT") as calm, tracehound.start_span("plan", span_type="CHAIN"):
        pass
    with tracehound.start_span("busy", span_type="AGENT") as busy:
        busy.set_inputs({"messages": [{"role": "system"}, {"role": "user", "content": "A Refund, please"}]})
        for number in range(11):
            with tracehound.start_span("weather", span_type="TOOL") as tool:
                tool.set_inputs({"city": "Zurich"})
                if number == 0:
                    tool.set_status("ERROR")
                    model = tracehound.start_span_no_context(
                        "gpt", span_type="LLM", attributes={"model": "gpt-4o", "temperature": 0.7}
                    )
                    model.end(end_time_ns=model.start_time_ns + 6_000_000_000)
        tracehound.start_span_no_context("again", span_type="LLM").end()
    return {calm.trace_id: "calm", busy.trace_id: "busy"}


def test_every_question_of_the_page_finds_the_trace_that_it_asks_for() -> None:
    names = make_traces()
    for question, filter_string in QUESTIONS.items():
        found = tracehound.search_traces(None, filter_string, return_type="list")
        assert [names[trace.info.trace_id] for trace in found] == ["busy"], question
    assert len(QUESTIONS) == 12


def test_the_page_names_every_field_of_a_span() -> None:
    names = {field.name for field in SPAN_FIELDS.values()}
    assert {name for name in names if not re.search(rf"`(span\.)?{name}`", PAGE)} == set()
