"""A server that lets a program do some things and not others: nothing that waits keeps anything else from going on."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracehound
from tests.asgi import Stage
from tests.cli.terminal import piped
from tests.remote.test_trouble import trace, tracing_to
from tests.remote.troubled import spool_of
from tests.traces import part, span
from tracehound.client.doctor import examine
from tracehound.client.refused import describe, discard_refused, list_refused, retry_refused
from tracehound.errors import StoreDeniedError
from tracehound.model.edit import Edit
from tracehound.query.search import parse_search
from tracehound.server.app import create_app
from tracehound.server.guard.credentials import Credentials
from tracehound.server.guard.guards import TokenGuard
from tracehound.server.guard.rights import Role
from tracehound.server.guard.tokens import create_token
from tracehound.settings import Settings
from tracehound.spool.drain import Drainer
from tracehound.spool.segment import SegmentWriter
from tracehound.store.remote.store import RemoteStore
from tracehound.store.sqlite.store import SqliteStore
from tracehound.store.targets import parse_target
from tracehound.wire.frames import to_frame


@pytest.fixture
def guarded_url(stage: Stage, address: str, served: SqliteStore, tmp_path: Path) -> Iterator[str]:
    guard = TokenGuard(Credentials(served, is_required=True), ["localhost"])
    with stage.showing(create_app(served, Settings(str(tmp_path / "served.db")), guard=guard)):
        yield address
    guard.close()


def stored(store: SqliteStore, experiment: str) -> set[str]:
    ids = [each.experiment_id for each in store.experiments() if each.name == experiment]
    return {each.trace_id for each in store.search(parse_search(ids, limit=100)).traces} if ids else set()


def test_what_another_program_may_send_holds_up_nobody(guarded_url: str, served: SqliteStore, state: Path) -> None:
    ours, _ = create_token(served, Role.INGEST, "a test", experiments=["ours"])
    theirs, _ = create_token(served, Role.INGEST, "a test", experiments=["theirs"])
    target = parse_target(guarded_url)
    folder = target.spool_directory
    assert folder is not None
    folder.mkdir(parents=True)
    for number, experiment in enumerate(["theirs", "ours"], start=1):  # the one of the others is older
        writer = SegmentWriter(folder, 1_000_000)
        writer.append(to_frame(part(span(1, number), experiment=experiment)))
        writer.close()

    def drain(token: str) -> None:
        with contextlib.closing(RemoteStore(guarded_url, folder, token=token)) as store:
            Drainer(folder, lambda: store, token=token).drain()

    with pytest.raises(StoreDeniedError, match="may not send traces to the experiment 'theirs'"):
        drain(ours)
    assert (len(stored(served, "ours")), len(stored(served, "theirs"))) == (1, 0)
    [refused] = list_refused(target)
    assert [describe(each) for each in refused.changes] == [
        f"the trace {span(1, 1).trace_id} for the experiment 'theirs'"
    ]
    drain(ours)  # it is not asked again
    drain(theirs)  # which finds what the other token was refused
    assert len(stored(served, "theirs")) == 1
    assert not spool_of(state)


@pytest.mark.parametrize("has_prices", [False, True])
def test_what_is_refused_in_a_program_holds_up_nothing_behind_it_and_is_counted(
    guarded_url: str,
    served: SqliteStore,
    state: Path,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    has_prices: bool,
) -> None:
    """With prices of its own a program reads its frames itself."""
    prices = tmp_path / "prices.json"
    prices.write_text("{}")
    token, _ = create_token(served, Role.INGEST, "a test", experiments=["Default"])
    with tracing_to(guarded_url, token=token, drain_interval_s=60, prices=str(prices) if has_prices else None) as own:
        expected = {trace("before")}
        for number in range(40):
            tracehound.set_experiment("theirs" if number % 3 == 1 else "Default")
            known = trace(f"{number}")
            expected |= set() if number % 3 == 1 else {known}
        own.keep_edit(Edit(span(1, 1).trace_id, "reviewed", "yes", 1))  # which takes another right, too
        report = tracehound.flush()
        assert (report.accepted, report.stored, report.pending, report.dropped) == (41, 28, 0, 13)
        assert stored(served, "Default") == expected
        assert caplog.text.count("`tracehound refused` shows it") == 1
        expected.add(trace("behind"))
        assert tracehound.flush().stored == 29
        assert stored(served, "Default") == expected
    [aside] = state.glob("spool/*/*.refused")
    [found] = list_refused(parse_target(guarded_url))
    assert found.name == aside.name
    assert len(found.changes) == 14
    assert describe(found.changes[-1]) == f"the tag reviewed of {span(1, 1).trace_id}"
    assert "trace" not in caplog.text.replace("`tracehound refused`", "").partition("(said once)")[2]
    problem = examine(parse_target(guarded_url), token=token).problems[-1]
    assert "`tracehound refused` shows it, --retry sends it once more and --discard throws it away" in problem


def test_an_edit_of_who_may_only_read_is_set_aside_and_told_once(
    guarded_url: str, served: SqliteStore, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    served.write([part(span(1, 1))])
    reading, _ = create_token(served, Role.READ, "a test")
    with tracing_to(guarded_url, token=reading, drain_interval_s=60):
        for value in ("yes", "no"):
            [found] = tracehound.search_traces(return_type="list")
            tracehound.set_trace_tag(found.info.trace_id, "reviewed", value)
            tracehound.search_traces(return_type="list")
            tracehound.search_traces(return_type="list")
        assert len(caplog.records) == 1
        assert "takes a token that may send traces" in caplog.text
        assert "it was set aside: `tracehound refused` shows it (said once)" in caplog.text
        assert len(list(state.glob("spool/*/*.refused"))) == 2
        assert not list(state.glob("spool/*/*.seg"))
    writing, _ = create_token(served, Role.WRITE, "a test")
    with tracing_to(guarded_url, token=writing):
        [found] = tracehound.search_traces(return_type="list")
        assert found.info.tags["reviewed"] == "no"
    assert not spool_of(state)


def test_what_was_refused_is_sent_once_more_or_thrown_away(guarded_url: str, served: SqliteStore, state: Path) -> None:
    token, _ = create_token(served, Role.WRITE, "a test", experiments=["Default"])
    target = parse_target(guarded_url)
    with tracing_to(guarded_url, token=token, drain_interval_s=60) as own:
        for number in (1, 2):
            own.keep_edit(Edit(span(1, number).trace_id, "reviewed", "yes", 1))  # of what the server does not know yet
        tracehound.flush()
        served.write([part(span(1, 1))])
        assert retry_refused(target) == 1
        with pytest.raises(StoreDeniedError, match=f"there is no trace {span(1, 2).trace_id}"):
            own.drain(must_succeed=True)
        assert served.read_traces([span(1, 1).trace_id])[span(1, 1).trace_id].info.tags["reviewed"] == "yes"
        [left] = list_refused(target)
        assert [describe(each) for each in left.changes] == [f"the tag reviewed of {span(1, 2).trace_id}"]
        assert discard_refused(target) == 1
        assert own.flush().dropped == 0, "an edit is no trace"
    assert not spool_of(state)


def test_the_command_shows_sends_and_discards_what_was_refused(
    guarded_url: str, served: SqliteStore, store_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.write([part(span(1, 1))])
    trace_id = span(1, 1).trace_id
    reading, _ = create_token(served, Role.READ, "a test")
    writing, _ = create_token(served, Role.WRITE, "a test")
    monkeypatch.setenv("TRACEHOUND_TRACKING_TOKEN", reading)
    there = ("--store", guarded_url)
    refused = piped("tags", "set", trace_id, "reviewed=yes", *there)
    assert refused.returncode == 1
    assert b"it was set aside: `tracehound refused` shows it" in refused.stderr
    shown = piped("refused", *there).stdout.decode().splitlines()
    assert shown[1:] == [f"  the tag reviewed of {trace_id}"]
    assert piped("refused", "--retry", *there).returncode == 1
    assert piped("refused", *there).stdout.decode().splitlines() == shown
    monkeypatch.setenv("TRACEHOUND_TRACKING_TOKEN", writing)
    assert piped("refused", "--retry", *there).stdout == b"1 file sent once more, and taken\n"
    assert served.read_traces([trace_id])[trace_id].info.tags["reviewed"] == "yes"
    monkeypatch.setenv("TRACEHOUND_TRACKING_TOKEN", reading)
    assert piped("tags", "set", trace_id, "reviewed=no", *there).returncode == 1
    assert piped("refused", "--discard", *there).stdout == b"1 file thrown away\n"
    assert piped("refused", *there).stdout == b"nothing was refused\n"
    for arguments in (("--retry", "--discard", *there), ("--store", "memory://")):
        assert piped("refused", *arguments).returncode != 0


def test_what_is_refused_takes_no_more_room_than_what_waits_may(
    guarded_url: str, served: SqliteStore, state: Path
) -> None:
    token, _ = create_token(served, Role.INGEST, "a test", experiments=["Default"])
    with tracing_to(guarded_url, token=token, drain_interval_s=60, max_spool_bytes=2_000):
        tracehound.set_experiment("theirs")
        tracehound.start_span_no_context("small", inputs="x" * 900).end()
        assert tracehound.flush().dropped == 1
        tracehound.start_span_no_context("small, too", inputs="x" * 900).end()
        report = tracehound.flush()
        assert (report.pending, report.dropped) == (1, 1)
    [aside] = state.glob("spool/*/*.refused")
    assert aside.stat().st_size <= 2_000


def test_a_tag_that_is_not_taken_holds_up_no_traces(
    guarded_url: str, served: SqliteStore, state: Path, caplog: pytest.LogCaptureFixture
) -> None:
    token, _ = create_token(served, Role.WRITE, "a test", experiments=["Default"])
    with tracing_to(guarded_url, token=token, snapshot_after_s=0):
        first = trace("first")
        with tracehound.start_span("second") as second:
            tracehound.set_trace_tag(second.trace_id, "tag", "x")  # of a trace that the server knows nothing of
            tracehound.flush()
        last = trace("last")
        report = tracehound.flush()
    assert stored(served, "Default") == {first, second.trace_id, last}
    assert report.pending == 0
    assert served.read_traces([second.trace_id])[second.trace_id].info.tags["tag"] == "x", "it is in the trace too"
    assert "it was set aside: `tracehound refused` shows it" in caplog.text
    assert list(state.glob("spool/*/*.refused"))


def test_a_token_is_shown_to_the_server_and_to_nobody_else(guarded_url: str, served: SqliteStore) -> None:
    token, _ = create_token(served, Role.WRITE, "a test")
    tracehound.set_tracking_uri(guarded_url, token=token)
    with tracehound.start_span("answer") as outer:
        pass
    assert tracehound.get_trace(outer.trace_id) is not None
    assert token not in repr(tracehound.runtime.current().settings)
    with pytest.raises(tracehound.ArgumentError) as caught:
        tracehound.set_tracking_uri(guarded_url, token="a b")
    assert "a b" not in str(caught.value)


def test_who_may_only_read_goes_on_reading_beside_what_the_server_does_not_take(
    guarded_url: str, served: SqliteStore, caplog: pytest.LogCaptureFixture
) -> None:
    served.write([part(span(1, 1))])
    token, _ = create_token(served, Role.READ, "a test")
    with tracing_to(guarded_url, token=token, drain_interval_s=60) as own:
        [found] = tracehound.search_traces(return_type="list")
        tracehound.set_trace_tag(found.info.trace_id, "reviewed", "yes")
        trace("own")
        assert [each.info.trace_id for each in tracehound.search_traces(return_type="list")] == [found.info.trace_id]
        assert "may not): set TRACEHOUND_TRACKING_TOKEN" in caplog.text
        assert "what was finished last may be missing here, and is kept in the spool" in caplog.text
        with pytest.raises(StoreDeniedError, match="takes a token that may send traces"):
            own.drain(must_succeed=True)


def test_the_doctor_shows_the_token_of_the_program(guarded_url: str, served: SqliteStore) -> None:
    target = parse_target(guarded_url)
    assert target.spool_directory is not None
    SegmentWriter(target.spool_directory, 1_000_000).append(to_frame(part(span(1, 1))))
    token, _ = create_token(served, Role.WRITE, "a test")
    assert examine(target, token=token).problems == []
    [problem] = examine(target).problems
    assert "a token is needed" in problem
