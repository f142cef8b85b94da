"""Whatever goes wrong on the way to a server: what was finished is stored there, all of it, and nothing twice."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette

import tracehound
from tests.asgi import Stage
from tests.remote.troubled import TroubledWay, answer, scripted, spool_of
from tests.traces import part, span
from tracehound import runtime
from tracehound.errors import StoreError
from tracehound.model.edit import Deletion
from tracehound.model.record import replace
from tracehound.query.search import parse_search
from tracehound.runtime import Runtime
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.settings import Settings
from tracehound.spool.backoff import Backoff
from tracehound.spool.drain import Drainer
from tracehound.spool.segment import SegmentWriter
from tracehound.store.api import SegmentRange
from tracehound.store.remote.store import RemoteStore
from tracehound.store.sqlite.store import SqliteStore
from tracehound.wire.frames import to_frame

PORT = "http://127.0.0.1:"


@contextlib.contextmanager
def tracing_to(url: str, **settings: object) -> Iterator[Runtime]:
    """Trace to a server meanwhile, impatiently."""
    made = Settings(tracking_uri=url, raise_faults=True, drain_interval_s=0.005)
    own = Runtime(dataclasses.replace(made, **settings))  # type: ignore[arg-type] # fields of it
    before = runtime.replace(own)
    try:
        yield own
    finally:
        runtime.replace(before)
        own.close()


def trace(name: str) -> str:
    with tracehound.start_span(name) as outer, tracehound.start_span("inner"):
        pass
    return outer.trace_id


def stored(store: SqliteStore) -> dict[str, int]:
    """Return the traces of a store, with how many spans they have."""
    page = store.search_whole(parse_search(["0"], limit=10_000))
    return {each.info.trace_id: len(each.data.spans) for each in page.traces}


def spans_taken(app: Starlette) -> float:
    """Return how many spans the server has applied, each as often as it was."""
    text: str = app.state.served.metrics.to_text().decode()
    lines = [line for line in text.splitlines() if line.startswith("tracehound_spans_accepted_total")]
    return sum(float(line.rpartition(" ")[2]) for line in lines)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_cut_off_or_refused_at_any_place_arrives_once(
    seed: int, url: str, app: Starlette, served: SqliteStore, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    way = TroubledWay(int(url.removeprefix(PORT)), seed)
    with contextlib.closing(way), tracing_to(way.url) as own:
        expected = set()
        while way.troubles < 25:
            expected |= {trace(f"{seed} {number}") for number in range(5)}
            report = own.flush()
            assert report.accepted == len(expected)
            assert (report.stored + report.pending, report.dropped) == (report.accepted, 0)
        way.is_troubled = False
        while (report := own.flush()).pending:
            pass
        assert (report.stored, report.dropped) == (len(expected), 0)
        assert stored(served) == dict.fromkeys(expected, 2)
        assert spans_taken(app) == 2 * len(expected)
        assert not list(state.glob("spool/*/*.damaged"))
    assert not spool_of(state)


def test_two_clients_of_one_server_leave_each_other_alone(
    url: str, served: SqliteStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two machines: each has a state folder of its own."""
    expected = set()
    for machine in ("one", "other"):
        monkeypatch.setenv("TRACEHOUND_STATE", str(tmp_path / machine))
        with tracing_to(url, snapshot_after_s=0.001) as own:
            running = tracehound.start_span_no_context(f"runs on {machine}")
            own.show_running()
            expected |= {trace(f"on {machine}"), running.trace_id}
            while own.drained_store().search(parse_search(["0"], "attributes.status = 'IN_PROGRESS'")).traces == []:
                pass
            running.end()
            own.flush()
    assert set(stored(served)) == expected
    assert {info.state for info in served.search(parse_search(["0"])).traces} == {"OK"}


def test_what_others_have_sent_is_no_business_of_a_drainer_here_or_there(
    url: str, served: SqliteStore, tmp_path: Path
) -> None:
    stores = [RemoteStore(url, tmp_path / name) for name in ("one", "other")]
    name = f"{1:020d}-1-aaaaaaaa"  # long ago: a drainer that took it for its own would forget it
    running = part(span(1, duration_ms=None), owner=name)
    assert stores[0].write([running], SegmentRange(f"{name}.000001.seg", 0, 10))
    assert stores[1].segments() == stores[1].running_owners() == []
    assert stores[1].position(f"{name}.000001.seg") == 0
    for store, folder in ((stores[1], tmp_path / "other"), (served, tmp_path / "served.db-spool")):
        folder.mkdir(exist_ok=True)
        Drainer(folder, lambda store=store: store).drain()  # type: ignore[misc] # bound now
    assert stores[0].segments() == [f"{name}.000001.seg"]
    assert stores[0].running_owners() == [name]
    assert stores[0].position(f"{name}.000001.seg") == 10
    stores[0].end_owner(name)
    assert stores[0].running_owners() == []
    stores[0].forget_segment(f"{name}.000001.seg")
    assert stores[0].segments() == []
    for store in stores:
        store.close()


def test_what_a_client_takes_for_settled_others_may_still_send(url: str, served: SqliteStore, tmp_path: Path) -> None:
    with contextlib.closing(RemoteStore(url, tmp_path / "one")) as store:
        store.write([part(span(1)), Deletion(span(1).trace_id, 5)])
        store.settle(10**18)
        store.write([part(span(1))])
        assert stored(served) == {}


def test_a_trace_is_one_whoever_brings_its_parts(url: str, served: SqliteStore, tmp_path: Path) -> None:
    with tracing_to(url), contextlib.closing(RemoteStore(url, tmp_path / "elsewhere")) as elsewhere:
        outer = tracehound.start_span_no_context("outer")
        child = replace(span(9, name="elsewhere"), trace_id=outer.trace_id, parent_id=outer.span_id)
        elsewhere.write([part(child)])
        outer.end()
        found = tracehound.get_trace(outer.trace_id)
        assert found is not None
        assert [each.name for each in found.data.spans] == ["outer", "elsewhere"]


def test_a_server_that_was_put_back_is_sent_again_what_is_still_here(
    url: str, stage: Stage, served: SqliteStore, tmp_path: Path
) -> None:
    path = tmp_path / "earlier.db"
    with tracing_to(url) as own:
        first = trace("first")
        assert own.flush().stored == 1
        with contextlib.closing(SqliteStore(path)) as earlier, stage.showing(create_app(earlier, Settings(str(path)))):
            second = trace("second")
            own.flush()
            own.flush()  # now it is known that the server has another store
            assert set(stored(earlier)) == {first, second}


def test_a_trace_that_the_server_never_takes_is_set_aside_and_the_others_arrive(
    stage: Stage, url: str, served: SqliteStore, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    small = create_app(served, Settings("memory://"), ServerLimits(max_body_bytes=20_000))
    with stage.showing(small), tracing_to(url) as own:
        expected = {trace("before")}
        tracehound.start_span_no_context("large", inputs="x" * 30_000).end()
        expected |= {trace(f"after {number}") for number in range(50)}
        report = own.flush()
        assert (report.accepted, report.stored, report.pending, report.dropped) == (52, 51, 0, 1)
        assert set(stored(served)) == expected
    [aside] = state.glob("spool/*/*.damaged")
    assert b"x" * 30_000 in aside.read_bytes()
    assert "was set aside" in caplog.text


def test_damage_in_a_segment_is_set_aside_here_and_the_rest_is_sent(
    url: str, served: SqliteStore, tmp_path: Path
) -> None:
    folder = tmp_path / "spool"
    writer = SegmentWriter(folder, 1_000_000)
    frames = [to_frame(part(span(1, trace=number))) for number in range(1, 4)]
    writer.append(frames[0])
    writer.append(frames[1][:-3] + b"???")
    writer.append(frames[2])
    store = RemoteStore(url, folder)
    Drainer(folder, lambda: store).drain()
    assert set(stored(served)) == {span(1, trace=1).trace_id, span(1, trace=3).trace_id}
    [aside] = folder.glob("*.damaged")
    assert aside.read_bytes() == frames[1][:-3] + b"???"
    writer.close()
    store.close()


def test_what_is_kept_on_disk_is_bounded_while_a_server_is_away(state: Path) -> None:
    with scripted({"*": answer("503 Service Unavailable")}) as url, tracing_to(url, max_spool_bytes=20_000) as own:
        for number in range(100):
            trace(f"{number}")
        report = own.flush()
        assert report.stored == 0
        assert report.dropped > 0
        assert report.pending + report.dropped == 100
        assert sum(path.stat().st_size for path in spool_of(state)) < 25_000


def test_an_edit_is_safe_before_the_server_is_back(url: str, served: SqliteStore) -> None:
    way = TroubledWay(int(url.removeprefix(PORT)), 0)
    way.is_troubled = False
    with contextlib.closing(way), tracing_to(way.url) as own:
        trace_id = trace("edited")
        own.flush()
        tracehound.set_trace_tag(trace_id, "k", "v")
        assert [each.info.tags["k"] for each in tracehound.search_traces(return_type="list")] == ["v"]


@given(st.floats(0.01, 5), st.floats(5, 60), st.integers(1, 40))
def test_waits_grow_with_a_random_part_up_to_a_limit_and_begin_again_after_a_success(
    first_s: float, longest_s: float, failures: int
) -> None:
    backoff = Backoff(first_s, longest_s)
    wait_s = 0.0
    for number in range(1, failures + 1):
        wait_s = backoff.fail(StoreError("away"))
        full_s = min(first_s * 2**number, max(first_s, longest_s))
        assert max(first_s, full_s / 2) - 1e-9 <= wait_s <= full_s + 1e-9
    error = StoreError("busy")
    error.retry_after_s = 120.0
    assert backoff.fail(error) == 120.0
    assert backoff.succeed() == first_s
    assert wait_s <= longest_s


def test_threads_of_a_client_ask_at_once(url: str, served: SqliteStore, tmp_path: Path) -> None:
    store = RemoteStore(url, tmp_path / "spool")
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            for each in range(10):
                trace_id = span(1, trace=1 + 100 * number + each).trace_id
                assert store.write([part(span(1, trace=1 + 100 * number + each))])
                assert store.read_traces([trace_id]).keys() == {trace_id}
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    store.close()
    assert not failures
    assert len(stored(served)) == 60
