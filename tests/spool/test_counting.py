"""What waits is counted without reading all of it, and the count is that of whoever reads it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.traces import part, span
from tracehound.model.edit import Deletion, Edit
from tracehound.model.record import replace
from tracehound.model.trace import Origin, TracePart, TraceState
from tracehound.spool.counting import count_finished_parts
from tracehound.wire.frames import Good, read_frames, to_frame

FULL = replace(
    part(span(1), span(2)),
    tags={"k": "v"},
    client_request_id="c",
    request_preview="q",
    response_preview="a",
    state=TraceState.OK,
    origin={"o": "p"},
)
FRAMES = (
    part(span(1)), FULL, part(span(1, duration_ms=None), owner="somebody"), replace(FULL, owner="somebody"),
    Edit(FULL.trace_id, "k", "v", 1), Deletion(FULL.trace_id, 1), Origin({"k": "v"}),
)  # fmt: skip


@given(st.lists(st.sampled_from(FRAMES)), st.binary(max_size=30), st.integers(0, 400))
def test_the_count_is_that_of_the_finished_parts_among_whole_frames(
    frames: list[TracePart | Edit | Deletion | Origin], damage: bytes, at: int
) -> None:
    whole = b"".join(map(to_frame, frames))
    for data in (whole, whole[:at] + damage + whole[at:], whole[:at]):
        read = [item for item in read_frames(data) if isinstance(item, Good)]
        assert count_finished_parts(data) == sum(item.is_finished_part for item in read)
