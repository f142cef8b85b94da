"""Outlines: what is read of a payload without decoding the rest is what the spans themselves say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.model.trace_strategies import JSON, spans
from tracehound.errors import StoreError
from tracehound.model.record import replace
from tracehound.model.reserved import SPAN_COST, SPAN_MODEL, SPAN_USAGE
from tracehound.model.span import Span
from tracehound.model.trace import TraceData, TracePart
from tracehound.store.sqlite.spans import PayloadSpans
from tracehound.wire.outline import find_span, outline_of
from tracehound.wire.payload import to_payload

TRACE = f"tr-{7:032x}"
NUMBERS = st.sampled_from(['{"total_tokens":3}', '{"total_cost":0.5}', '{"total_cost":true}'])
TOLD = st.fixed_dictionaries({}, optional={SPAN_MODEL: JSON, SPAN_USAGE: JSON | NUMBERS, SPAN_COST: JSON | NUMBERS})
SPANS = st.lists(
    st.builds(lambda span, told: replace(span, attributes_json=span.attributes_json | told), spans(TRACE), TOLD),
    max_size=6,
)


def stored(written: list[Span]) -> PayloadSpans:
    """Return the spans as the one payload of a trace holds them."""
    return PayloadSpans(to_payload(TracePart(TRACE, "Default", 1, written)), Path("a.db"))


@given(SPANS)
def test_an_outline_of_a_payload_is_that_of_its_spans(written: list[Span]) -> None:
    payload = stored(written)
    assert outline_of(TraceData(payload)) == outline_of(TraceData(payload.read_spans()))


@given(SPANS)
def test_a_span_is_found_in_a_payload_as_it_is_found_among_spans(written: list[Span]) -> None:
    payload = stored(written)
    whole = payload.read_spans()
    for each in (*(span.span_id for span in whole), "0" * 16, "nowhere", ""):
        assert find_span(TraceData(payload), each) == find_span(TraceData(whole), each)


def test_a_damaged_payload_is_told_with_its_file() -> None:
    damaged = TraceData(PayloadSpans(b"nothing", Path("a.db")))
    for read in (outline_of, lambda data: find_span(data, "0" * 16)):
        with pytest.raises(StoreError, match=r"a\.db"):
            read(damaged)
