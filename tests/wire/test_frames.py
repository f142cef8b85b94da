"""Frames: what is written is read; what is damaged does not take its neighbours with it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound.model.trace import TracePart, TraceState
from tracehound.wire.frames import MARK, Damaged, Good, read_frames, to_frame
from tracehound.wire.payload import from_payload, to_payload

TEXTS = st.text(max_size=30)
PARTS = st.builds(
    TracePart,
    trace_id=st.just(span(1).trace_id),
    experiment=TEXTS,
    written_ns=st.integers(0, 2**62),
    spans=st.lists(
        st.builds(span, st.integers(1, 9), parent=st.none() | st.integers(1, 9), name=TEXTS, failed=st.booleans())
    ),
    tags=st.dictionaries(TEXTS, TEXTS, max_size=3),
    metadata=st.dictionaries(TEXTS, TEXTS, max_size=3),
    client_request_id=st.none() | TEXTS,
    request_preview=st.none() | TEXTS,
    response_preview=st.none() | TEXTS,
    state=st.none() | st.sampled_from(TraceState),
)
ONE, TWO, THREE = (part(span(1, trace=number)) for number in (1, 2, 3))


@given(st.lists(PARTS, max_size=4))
def test_frames_read_as_they_were_written(parts: list[TracePart]) -> None:
    data = b"".join(map(to_frame, parts))
    items = list(read_frames(data))
    assert [item.frame for item in items if isinstance(item, Good)] == parts
    assert [item.end for item in items][-1:] == ([len(data)] if parts else [])


@given(PARTS)
def test_payloads_read_as_they_were_written(written: TracePart) -> None:
    assert from_payload(to_payload(written)) == written


@given(st.integers(1, len(to_frame(ONE)) - 1))
def test_a_frame_that_is_cut_off_is_waited_for(length: int) -> None:
    data = to_frame(ONE) + to_frame(TWO)[:length]
    assert [type(item) for item in read_frames(data)] == [Good]


@pytest.mark.parametrize("place", range(len(to_frame(TWO))))
def test_a_flipped_byte_costs_one_frame_and_no_other(place: int) -> None:
    damaged = bytearray(to_frame(TWO))
    damaged[place] ^= 0x55
    data = to_frame(ONE) + bytes(damaged) + to_frame(THREE)
    items = list(read_frames(data))
    assert [item.frame for item in items if isinstance(item, Good)] == [ONE, THREE]
    assert b"".join(item.data for item in items if isinstance(item, Damaged)) == bytes(damaged)


@given(st.binary(max_size=60), st.binary(max_size=60))
def test_rubbish_around_a_frame_does_not_hide_it(before: bytes, behind: bytes) -> None:
    items = list(read_frames(before.replace(MARK, b"") + to_frame(ONE) + behind.replace(MARK, b"") + to_frame(TWO)))
    assert [item.frame for item in items if isinstance(item, Good)] == [ONE, TWO]
