"""`tracehound show` of one trace: what was said of it, what went wrong in it, and values as they are read."""

from __future__ import annotations

import pytest

import tracehound
from tests.cli.terminal import piped
from tracehound.entities import AssessmentSource


def shown(*options: str) -> list[str]:
    return piped("show", "last", "--format", "tree", *options).stdout.decode().splitlines()


def test_what_was_said_of_a_trace_stands_above_its_spans() -> None:
    with tracehound.start_span("answer") as outer:
        pass
    person, judge = AssessmentSource("HUMAN", "ana"), AssessmentSource("LLM_JUDGE", "gpt-4o")
    first = tracehound.log_feedback(trace_id=outer.trace_id, name="correct", value=False, source=judge)
    assert first.assessment_id is not None
    tracehound.override_feedback(
        trace_id=outer.trace_id,
        assessment_id=first.assessment_id,
        value=True,
        source=person,
        rationale="as in the book",
    )
    tracehound.log_feedback(trace_id=outer.trace_id, name="tone", error="the judge is away", source=judge)
    tracehound.log_expectation(trace_id=outer.trace_id, name="city", value={"name": "Zürich"}, source=person)
    assert [line for line in shown() if line.startswith(("feedback", "expected"))] == [
        "feedback correct=true  tone ✗ ASSESSMENT_ERROR: the judge is away",
        'expected city={"name": "Zürich"}',
    ]
    assert [line for line in shown("--full") if "(HUMAN" in line or "(LLM_JUDGE" in line] == [
        "feedback correct=false  (LLM_JUDGE gpt-4o, replaced later)",
        "         correct=true  (HUMAN ana): as in the book",
        "         tone ✗ ASSESSMENT_ERROR: the judge is away  (LLM_JUDGE gpt-4o)",
        'expected city={"name": "Zürich"}  (HUMAN ana)',
    ]


def test_a_traceback_has_its_own_lines_and_a_short_value_has_one() -> None:
    with pytest.raises(ZeroDivisionError), tracehound.start_span("divide", attributes={"by": [0, 0.0]}):
        print(1 // 0)
    told = shown("--full")
    assert "by = [0, 0.0]" in told
    assert told[-1].strip() == "ZeroDivisionError: integer division or modulo by zero"
    [first] = [line for line in told if line.startswith("  exception.stacktrace = Traceback (most recent call last):")]
    assert told.index(first) < len(told) - 2
    assert any(line.endswith("print(1 // 0)") for line in told)


def test_a_failed_span_that_says_nothing_of_why_is_one_all_the_same() -> None:
    with tracehound.start_span("silent") as span:
        span.set_status("ERROR")
    assert shown()[-1] == "✗ ERROR"
