"""What the instrumentors of twenty-one libraries say of a call, and how it reads here.

The files under tests/data/instrumentors were recorded (`tests.instrumentations.record`), in environments of their own,
with the versions that their first lines tell. Each is one trace, asked of the same server; what is read of it, in our
words only, stands beside it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.golden import check_golden
from tests.traces import part
from tests.wire.dialect_spans import Event, foreign_span
from tracehound.autologging.table import INTEGRATIONS
from tracehound.model.derive import TOKEN_USAGE, derive_metadata, sayings_of
from tracehound.model.record import replace
from tracehound.model.reserved import SPAN_MODEL, SPAN_USAGE
from tracehound.model.span import Span, SpanStatus, SpanStatusCode, SpanType
from tracehound.wire.dialects.translate import translate_part

FOLDER = Path(__file__).parents[1] / "data" / "instrumentors"
NAMES = sorted(path.stem for path in FOLDER.glob("*.jsonl"))
# They trace what is around the calls of a model, and leave these to the instrumentation of its client.
AROUND = {"ag2", "crewai", "google_adk", "instructor"}
CALLING = sorted({*NAMES} - AROUND)
COUNTING = sorted({*CALLING} - {"dspy"})  # which does not tell of tokens


def read_trace(name: str) -> list[Span]:
    """Return the spans of a file, translated."""
    _, *lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    return translate_part(part(*(_to_span(json.loads(line), number) for number, line in enumerate(lines)))).spans


def _to_span(form: dict[str, Any], number: int) -> Span:
    events = [Event(each["name"], each["attributes"]) for each in form["events"]]
    above = None if form["parent"] is None else form["parent"] + 1
    made = foreign_span(form["attributes"], events=events, number=number + 1, parent=above, name=form["name"])
    code, description = form["status"]
    return replace(made, status=SpanStatus(SpanStatusCode(code), description or ""), kind=form["kind"])


@pytest.mark.parametrize("name", NAMES)
def test_what_an_instrumentor_has_recorded_reads_as(name: str, update_golden: bool) -> None:
    _, *lines = (FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()
    spans = read_trace(name)
    told = {
        "tokens": json.loads(derive_metadata(spans, sayings_of(spans)).get(TOKEN_USAGE, "null")),
        "spans": [_told(span, json.loads(line)) for span, line in zip(spans, lines, strict=True)],
    }
    text = json.dumps(told, indent=1, ensure_ascii=False) + "\n"
    check_golden(FOLDER / f"{name}.golden.json", text, update=update_golden)


@pytest.mark.parametrize("name", NAMES)
def test_an_instrumentor_that_was_recorded_is_of_the_table(name: str) -> None:
    row = INTEGRATIONS[name]
    versions = json.loads((FOLDER / f"{name}.jsonl").read_text("utf-8").splitlines()[0])
    assert versions.keys() == {row.package, row.distribution} - {None}


def calls_in(spans: list[Span]) -> list[Span]:
    """Return the calls of models."""
    return [span for span in spans if span.span_type == SpanType.CHAT_MODEL]


@pytest.mark.parametrize("name", CALLING)
def test_the_call_of_the_model_says_what_was_asked_and_answered(name: str) -> None:
    calls = calls_in(read_trace(name))
    assert calls
    for span in calls:
        assert span.inputs["messages"][-1]["content"]
        message = span.outputs["choices"][0]["message"]
        assert message["content"] or message["tool_calls"]
        assert span.get_attribute(SPAN_MODEL)


@pytest.mark.parametrize("name", COUNTING)
def test_the_tokens_of_the_trace_are_those_of_its_calls(name: str) -> None:
    spans = read_trace(name)
    usage = json.loads(derive_metadata(spans, sayings_of(spans))[TOKEN_USAGE])
    counted = [span.get_attribute(SPAN_USAGE)["total_tokens"] for span in calls_in(spans)]
    assert usage["total_tokens"] == sum(counted) > 0


def _told(span: Span, form: dict[str, Any]) -> dict[str, Any]:
    """Return what a span says after its translation, in our words only."""
    added = {key: value for key, value in span.attributes.items() if key not in form["attributes"]}
    return {"name": span.name, "type": span.span_type, "inputs": span.inputs, "outputs": span.outputs, "added": added}
