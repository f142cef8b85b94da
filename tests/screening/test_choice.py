"""Which traces are kept when they end, and that statistics estimate all."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import context as otel_context
from opentelemetry import trace as otel
from opentelemetry.sdk.trace import TracerProvider

import tracehound
from tests.traces import part, span
from tracehound import runtime
from tracehound.client.counting import count_traces
from tracehound.client.doctor import examine
from tracehound.context.running import RunningTraces
from tracehound.errors import ArgumentError
from tracehound.model.merge import merge_parts
from tracehound.model.trace import TracePart
from tracehound.model.weight import WEIGHT, read_weight, write_weight
from tracehound.query.search import parse_search
from tracehound.runtime import Runtime
from tracehound.screening.choice import is_chosen
from tracehound.settings import Settings, child_environment, read_settings
from tracehound.spool.segment import SUFFIX
from tracehound.store.targets import parse_target

NOT_CHOSEN = next(number for number in range(1, 100) if not is_chosen(f"tr-{number:032x}", 0.1))
CHOSEN = next(number for number in range(1, 100) if is_chosen(f"tr-{number:032x}", 0.1))


class Ids:
    """Ids of traces that are chosen or not, as a test wishes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._spans = 0

    def trace_id(self) -> int:
        return self.number

    def span_id(self) -> int:
        self._spans += 1
        return self._spans


class Drawn:
    """Ids that look drawn and are the same in each run, and so is which traces are kept."""

    def __init__(self) -> None:
        self._draw = random.Random(7)

    def trace_id(self) -> int:
        return self._draw.getrandbits(128)

    def span_id(self) -> int:
        return self._draw.getrandbits(64)


def begin(path: Path, number: int | None = None, **changes: Any) -> Runtime:
    settings = dataclasses.replace(
        Settings(), tracking_uri=str(path), tail_sampling_ratio=0.1, drain_interval_s=3600.0, snapshot_after_s=0.0,
        raise_faults=True,
    )  # fmt: skip
    return Runtime(dataclasses.replace(settings, **changes), Drawn() if number is None else Ids(number))


@pytest.fixture
def dropping(store_path: Path) -> Iterator[Path]:
    """A place where the trace that begins next is not in the share that is kept."""
    before = runtime.replace(begin(store_path, NOT_CHOSEN))
    yield store_path
    last = runtime.replace(before)
    assert last is not None
    last.close()


def segment_bytes(store: Path) -> int:
    folder = store.with_name(f"{store.name}-spool")
    return sum(path.stat().st_size for path in folder.glob(f"*{SUFFIX}"))


def names() -> list[str]:
    return sorted(span.name for trace in tracehound.search_traces(return_type="list") for span in trace.data.spans)


def test_a_trace_that_went_well_and_is_not_chosen_is_never_on_disk(dropping: Path) -> None:
    with tracehound.start_span("root"), tracehound.start_span("child"):
        pass
    assert segment_bytes(dropping) == 0
    assert names() == []
    with tracehound.start_span("fails") as span:
        span.set_status("ERROR")
    assert segment_bytes(dropping) > 0
    assert tracehound.flush().accepted == 1


def test_one_that_is_chosen_says_how_many_it_stands_for(store_path: Path) -> None:
    before = runtime.replace(begin(store_path, CHOSEN))
    with tracehound.start_span("root"), tracehound.start_span("child"):
        pass
    (trace,) = tracehound.search_traces(return_type="list")
    assert trace.info.trace_metadata[WEIGHT] == "10"
    assert names() == ["child", "root"]
    runtime.replace(before)


@pytest.mark.usefixtures("dropping")
def test_a_failure_is_always_kept_also_where_the_caller_has_caught_it() -> None:
    with tracehound.start_span("root"), contextlib.suppress(ValueError), tracehound.start_span("child"):
        math.sqrt(-1)
    assert names() == ["child", "root"]
    (trace,) = tracehound.search_traces(return_type="list")
    assert str(trace.info.state) == "OK"
    assert WEIGHT not in trace.info.trace_metadata


@pytest.mark.usefixtures("dropping")
def test_a_trace_that_is_said_to_have_failed_is_kept() -> None:
    with tracehound.start_span("root"):
        tracehound.update_current_trace(state="ERROR")
    assert names() == ["root"]


@pytest.mark.parametrize(("length_ms", "kept"), [(1999, []), (2000, ["root"])])
@pytest.mark.usefixtures("dropping")
def test_a_slow_trace_is_kept(length_ms: int, kept: list[str]) -> None:
    with tracehound.tracing.configure(slower_than_ms=2000):
        start_ns = 1_735_689_600_000_000_000
        tracehound.start_span_no_context("root", start_time_ns=start_ns).end(end_time_ns=start_ns + length_ms * 10**6)
        assert names() == kept


@pytest.mark.usefixtures("dropping")
def test_a_child_that_outlives_its_root_follows_the_decision_even_if_it_fails() -> None:
    root = tracehound.start_span_no_context("root")
    late = tracehound.start_span_no_context("late", parent_span=root)
    root.end()
    late.end(status="ERROR")
    assert names() == []


@pytest.mark.usefixtures("dropping")
def test_a_child_that_outlives_a_root_that_failed_is_kept() -> None:
    root = tracehound.start_span_no_context("root")
    late = tracehound.start_span_no_context("late", parent_span=root)
    root.end(status="ERROR")
    late.end()
    assert names() == ["late", "root"]


@pytest.mark.parametrize(("status", "kept"), [("ERROR", ["late", "root"]), ("OK", [])])
@pytest.mark.usefixtures("dropping")
def test_a_child_that_ends_while_its_root_is_being_handed_over_follows_too(
    monkeypatch: pytest.MonkeyPatch, status: str, kept: list[str]
) -> None:
    here = runtime.current()
    submit = here.submit

    def submit_in_between(part: TracePart) -> None:
        if part.spans[-1].name == "root":
            late.end()
        submit(part)

    monkeypatch.setattr(here, "submit", submit_in_between)
    root = tracehound.start_span_no_context("root")
    late = tracehound.start_span_no_context("late", parent_span=root)
    root.end(status=status)
    assert names() == kept


@pytest.mark.usefixtures("dropping")
def test_a_child_that_begins_when_its_root_has_ended_follows_as_well() -> None:
    with tracehound.start_span("root") as root:
        root.set_status("ERROR")
    tracehound.start_span_no_context("after", parent_span=root).end()
    assert names() == ["after", "root"]


def test_parts_of_a_chosen_trace_all_have_its_weight(store_path: Path) -> None:
    before = runtime.replace(begin(store_path, CHOSEN))
    root = tracehound.start_span_no_context("root")
    late = tracehound.start_span_no_context("late", parent_span=root)
    root.end()
    late.end()
    (trace,) = tracehound.search_traces(return_type="list")
    assert (trace.info.trace_metadata[WEIGHT], len(trace.data.spans)) == ("10", 2)
    runtime.replace(before)


@pytest.mark.usefixtures("dropping")
def test_what_was_shown_of_a_trace_while_it_ran_is_taken_away() -> None:
    here = runtime.current()
    running = RunningTraces(here.open_spans, here._keep_snapshot, here.clock_ns, 1.0)
    with tracehound.start_span("root"):
        with tracehound.start_span("child"):
            pass
        running.take_all()
        assert names() == ["child", "root"]
        late = tracehound.start_span_no_context("late")
        running.take_all()
    assert names() == []
    running.take_all()  # of the child that runs still
    assert names() == []
    late.end()
    assert names() == []


@pytest.mark.usefixtures("dropping")
def test_a_snapshot_that_is_just_being_written_is_taken_away_too() -> None:
    here = runtime.current()

    def keep(part: TracePart) -> bool:
        root.end()  # in the midst: the decision falls before the snapshot is in the spool
        return here._keep_snapshot(part)

    running = RunningTraces(here.open_spans, keep, here.clock_ns, 1.0)
    root = tracehound.start_span_no_context("root")
    running.take_all()
    assert names() == []


def test_in_memory_as_well() -> None:
    before = runtime.replace(begin(Path(), NOT_CHOSEN, tracking_uri="memory://"))
    here = runtime.current()
    running = RunningTraces(here.open_spans, here._keep_snapshot, here.clock_ns, 1.0)
    with tracehound.start_span("root"):
        running.take_all()
        assert names() == ["root"]
    assert names() == []
    runtime.replace(before)


@pytest.mark.usefixtures("dropping")
def test_spans_of_the_sdk_are_chosen_with_their_traces() -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(tracehound.tracing.get_span_processor())
    tracer = provider.get_tracer("sdk")
    kept = []
    for number in range(40):
        with tracer.start_as_current_span(f"serve {number}") as outer, tracehound.start_span("inside"):
            trace_id = f"tr-{outer.get_span_context().trace_id:032x}"
        kept += [trace_id] if is_chosen(trace_id, 0.1) else []
    with tracer.start_as_current_span("fails") as outer:
        outer.set_status(otel.StatusCode.ERROR)
    found = tracehound.search_traces(return_type="list")
    assert {trace.info.trace_id for trace in found if trace.info.name != "fails"} == set(kept)
    assert "fails" in {trace.info.name for trace in found}


def below(number: int) -> otel_context.Context:
    """Return what a service that has begun a trace sends with its request."""
    above = otel.SpanContext(number, 0xABC, is_remote=True, trace_flags=otel.TraceFlags(otel.TraceFlags.SAMPLED))
    return otel.set_span_in_context(otel.NonRecordingSpan(above))


@pytest.mark.usefixtures("dropping")
def test_all_services_choose_the_same_traces() -> None:
    for number in range(1, 60):
        token = otel_context.attach(below(number))
        with tracehound.start_span("served"):
            pass
        otel_context.detach(token)
    found = {trace.info.trace_id for trace in tracehound.search_traces(return_type="list")}
    assert found == {f"tr-{number:032x}" for number in range(1, 60) if is_chosen(f"tr-{number:032x}", 0.1)}


PROGRAM = """
import tracehound
from opentelemetry import context, trace as otel
for number in range(1, 60):
    above = otel.SpanContext(number, 0xABC, is_remote=True, trace_flags=otel.TraceFlags(1))
    token = context.attach(otel.set_span_in_context(otel.NonRecordingSpan(above)))
    with tracehound.start_span("elsewhere") as span:
        if number % 10 == 0:
            span.set_status("ERROR")
    context.detach(token)
"""


def test_a_trace_of_two_processes_is_whole_where_neither_fails_and_counts_once_where_one_does(dropping: Path) -> None:
    for number in range(1, 60):
        token = otel_context.attach(below(number))
        with tracehound.start_span("served"):
            pass
        otel_context.detach(token)
    environment = {**child_environment(runtime.current().settings), "TRACEHOUND_TAIL_SAMPLING_RATIO": "0.1"}
    subprocess.run([sys.executable, "-c", PROGRAM], check=True, env=environment, cwd=dropping.parent)
    for trace in tracehound.search_traces(return_type="list"):
        number = int(trace.info.trace_id[3:], 16)
        is_whole = is_chosen(trace.info.trace_id, 0.1)
        assert is_whole or number % 10 == 0
        assert len(trace.data.spans) == (2 if is_whole else 1)
        assert read_weight(trace.info.trace_metadata.get(WEIGHT)) == (1 if number % 10 == 0 else 10)


def test_threads_that_end_spans_of_one_trace_agree(store_path: Path) -> None:
    before = runtime.replace(begin(store_path, NOT_CHOSEN))
    for _ in range(50):
        root = tracehound.start_span_no_context("root")
        children = [tracehound.start_span_no_context("child", parent_span=root) for _ in range(4)]
        threads = [threading.Thread(target=each.end) for each in (*children, root)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert names() == []
    runtime.replace(before)


def test_statistics_estimate_all_traces_from_those_that_were_kept(store_path: Path) -> None:
    """Of 4,000 traces a quarter is kept; what is estimated lies within four standard errors of what there was."""
    before = runtime.replace(begin(store_path, tail_sampling_ratio=0.25))
    count, errors, start_ns = 4000, 0, 1_735_689_600_000_000_000
    lengths = [number % 100 + 1 for number in range(count)]
    with tracehound.tracing.configure(slower_than_ms=99):
        for number, length_ms in enumerate(lengths):
            tokens = {"mlflow.chat.tokenUsage": {"input_tokens": length_ms, "output_tokens": 1}}
            each = tracehound.start_span_no_context("root", start_time_ns=start_ns, attributes=tokens)
            failed = number % 50 == 7
            errors += failed
            each.end(end_time_ns=start_ns + length_ms * 10**6, status="ERROR" if failed else "OK")
    kept = len(tracehound.search_traces(return_type="list", include_spans=False))
    metrics = ["count", "errors", "error_rate", "latency_mean", "latency_max", "p50", "p95", "input_tokens"]
    for filter_string in (None, "attributes.name = 'root'"):
        (found,) = tracehound.trace_stats(filter_string, metrics=metrics, return_type="list")
        spread = math.sqrt(count * 3) * 4  # of a sum of weights of 4, each kept with a chance of a quarter
        assert kept < count / 3
        assert abs(found["count"] - count) < spread
        assert found["errors"] == errors  # all of them were kept
        assert abs(found["error_rate"] - errors / count) < 0.003
        assert found["latency_max"] == 100
        assert abs(found["latency_mean"] - 50.5) < 4
        assert abs(found["p50"] - 50) < 6
        assert abs(found["p95"] - 95) < 3
        assert abs(found["input_tokens"] - sum(lengths)) < spread * 60
    assert examine(parse_target(str(store_path)), is_full=True).problems == []
    runtime.replace(before)


def test_a_count_of_traces_to_be_deleted_is_of_those_that_are_there(store_path: Path) -> None:
    before = runtime.replace(begin(store_path, CHOSEN))
    with tracehound.start_span("root"):
        pass
    assert tracehound.trace_stats(metrics="count", return_type="list") == [{"count": 10}]
    assert count_traces(runtime.current().drained_store(), parse_search(["0"])) == 1
    runtime.replace(before)


@given(st.floats(1e-19, 1.0))
def test_a_weight_is_read_as_it_was_written(ratio: float) -> None:
    assert read_weight(write_weight(1 / ratio)) == 1 / ratio


def test_a_trace_stands_for_no_more_than_the_part_that_was_surest_to_be_kept() -> None:
    ten, other = {WEIGHT: "10"}, {WEIGHT: "4"}
    root = part(span(1), metadata=ten)

    def weight(*parts: TracePart) -> str | None:
        return merge_parts(list(parts)).info.trace_metadata.get(WEIGHT)

    assert weight(root) == "10"
    assert weight(root, part(span(2, parent=1), metadata=ten, written_ns=2)) == "10"
    assert weight(root, part(span(2, parent=1), metadata=other, written_ns=2)) == "4"
    assert weight(root, part(span(2, parent=1), written_ns=2)) is None
    assert weight(root, part(span(2, parent=1, duration_ms=None), written_ns=2, owner="A")) == "10"


def test_the_choice_is_configured() -> None:
    settings = read_settings({"TRACEHOUND_TAIL_SAMPLING_RATIO": "0.2", "TRACEHOUND_SLOWER_THAN_MS": "1500"})
    assert (settings.tail_sampling_ratio, settings.slower_than_ms) == (0.2, 1500.0)
    with pytest.raises(ArgumentError, match="tail_sampling_ratio is a number from 0"):
        tracehound.tracing.configure(tail_sampling_ratio=2)
    with pytest.raises(ArgumentError, match="TRACEHOUND_SLOWER_THAN_MS is a number of milliseconds, 0 or"):
        read_settings({"TRACEHOUND_SLOWER_THAN_MS": "x"})


def test_it_goes_with_the_ratio_that_decides_when_a_trace_begins(store_path: Path) -> None:
    before = runtime.replace(begin(store_path, sampling_ratio=0.5, tail_sampling_ratio=0.5))
    for _ in range(2000):
        with tracehound.start_span("root"):
            pass
    (found,) = tracehound.trace_stats(metrics="count", return_type="list")
    assert abs(found["count"] - 1000) < 4 * math.sqrt(2000)  # of those that were begun, which was half of all
    kept = len(tracehound.search_traces(return_type="list", include_spans=False))
    assert abs(kept - 500) < 4 * math.sqrt(500)
    runtime.replace(before)


def test_where_what_was_shown_cannot_be_taken_away_the_trace_is_kept_or_counted_as_dropped(
    dropping: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = runtime.current()
    here.settings = dataclasses.replace(here.settings, raise_faults=False)
    running = RunningTraces(here.open_spans, here._keep_snapshot, here.clock_ns, 1.0)
    spool = here._spool
    assert spool is not None
    with caplog.at_level(logging.ERROR), tracehound.start_span("root"):
        running.take_all()
        spool._writer.limit(0)  # the spool is full
    assert segment_bytes(dropping) > 0
    assert tracehound.flush().dropped == 1
    assert "a trace could not be kept" in caplog.text
