"""When snapshots of running traces are taken, and what they hold."""

from __future__ import annotations

import dataclasses

import pytest

import tracehound
from tracehound import runtime
from tracehound.context.running import RunningTraces
from tracehound.model.trace import TracePart
from tracehound.runtime import Runtime
from tracehound.settings import Settings


class Kept:
    """Takes snapshots, as long as there is room."""

    def __init__(self) -> None:
        self.parts: list[TracePart] = []
        self.has_room = True

    def __call__(self, part: TracePart) -> bool:
        if self.has_room:
            self.parts.append(part)
        return self.has_room

    def names(self) -> list[list[str]]:
        return [[span.name for span in part.spans] for part in self.parts]


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def running(kept: Kept) -> RunningTraces:
    """What runs in a runtime that does not watch by itself."""
    settings = dataclasses.replace(Settings(), tracking_uri="memory://", snapshot_after_s=0.0, raise_faults=True)
    own = Runtime(settings)
    runtime.replace(own)
    return RunningTraces(own.open_spans, kept, own.clock_ns, first_after_s=1.0)


def test_snapshots_come_after_one_second_and_then_at_doubling_intervals(running: RunningTraces, kept: Kept) -> None:
    times: list[float] = []
    with tracehound.start_span("agent"):
        for half_seconds in range(400):
            running.take_due(half_seconds / 2)
            if len(kept.parts) > len(times):
                times.append(half_seconds / 2)
    assert times == [1.0, 3.0, 7.0, 15.0, 31.0, 63.0, 123.0, 183.0]


def test_a_snapshot_holds_what_runs_and_what_ended_since_the_last_one(running: RunningTraces, kept: Kept) -> None:
    with tracehound.start_span("agent"):
        with tracehound.start_span("first"):
            pass
        running.take_all()
        with tracehound.start_span("second"):
            running.take_all()
        running.take_all()
    running.take_all()
    assert kept.names() == [["first", "agent"], ["agent", "second"], ["second", "agent"]]


def test_what_could_not_be_kept_is_in_the_next_snapshot(running: RunningTraces, kept: Kept) -> None:
    with tracehound.start_span("agent"):
        with tracehound.start_span("first"):
            pass
        kept.has_room = False
        running.take_all()
        kept.has_room = True
        running.take_all()
    assert kept.names() == [["first", "agent"]]


def test_a_span_that_outlives_its_root_is_shown_alone(running: RunningTraces, kept: Kept) -> None:
    with tracehound.start_span("agent"), tracehound.start_span("step"):
        late = tracehound.start_span_no_context("late")
    running.take_all()
    late.end()
    running.take_all()
    assert kept.names() == [["late"]]


def test_what_is_set_later_does_not_change_a_snapshot(running: RunningTraces, kept: Kept) -> None:
    with tracehound.start_span("agent", attributes={"n": 1}) as span:
        running.take_all()
        span.set_attribute("n", 2)
        span.add_event("later")
        tracehound.update_current_trace(tags={"when": "later"}, state="OK")
    (part,) = kept.parts
    assert part.spans[0].get_attribute("n") == 1
    assert (part.spans[0].events, part.tags, part.state) == ([], {}, None)


def test_a_fault_while_watching_is_said_and_the_next_round_comes(
    running: RunningTraces, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    rounds = []

    def fail(now_s: float) -> None:
        rounds.append(now_s)
        if len(rounds) == 2:
            running._stop.set()
        raise RuntimeError("out of luck")

    monkeypatch.setattr("tracehound.context.running.TICK_S", 0.0)
    monkeypatch.setattr(running, "take_due", fail)
    running.start()
    running._thread.join()
    assert len(rounds) == 2
    assert "running traces were not shown" in caplog.text
