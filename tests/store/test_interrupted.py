"""A search that is interrupted, and one beside a writer: what SQLite hides, and what it shows of two moments."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.traces import part, span
from tracehound.errors import StoreBusyError, StoreError
from tracehound.model.trace import TraceInfo
from tracehound.query.numbers import number_in
from tracehound.query.search import parse_search
from tracehound.query.sql import NUMBER_IN
from tracehound.store.api import SegmentRange
from tracehound.store.sqlite import connection, finding, plan
from tracehound.store.sqlite.functions import FUNCTIONS
from tracehound.store.sqlite.plan import Choice
from tracehound.store.sqlite.store import SqliteStore

sends_ctrl_c = pytest.mark.skipif(sys.platform == "win32", reason="a process cannot send itself Ctrl-C there")


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Keep Ctrl-C from a callback of the garbage collector, where it ends nothing: hypothesis leaves one behind."""
    gc.disable()
    yield
    gc.enable()


@sends_ctrl_c
def test_ctrl_c_in_a_function_that_sqlite_calls_is_ctrl_c_and_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
    is_due = True

    def read_number(text: str | None) -> float | None:
        nonlocal is_due
        if is_due:
            is_due = False
            os.kill(os.getpid(), signal.SIGINT)
        return number_in(text)

    changed = [(name, count, read_number if name == NUMBER_IN else each) for name, count, each in FUNCTIONS]
    monkeypatch.setattr(connection, "FUNCTIONS", changed)
    store = filled(tmp_path)
    try:
        with pytest.raises(KeyboardInterrupt):
            search_or_be_interrupted(store)
        assert len(search_or_be_interrupted(store)) == 100
    finally:
        signal.signal(signal.SIGINT, before)
    store.close()


@sends_ctrl_c
def test_ctrl_c_at_any_moment_of_a_search_ends_it_and_does_no_damage(tmp_path: Path) -> None:
    store = filled(tmp_path)
    interrupted = 0
    with signals_that_interrupt_once() as signals:
        while interrupted < 100:
            try:
                signals.is_one_expected = True
                search_or_be_interrupted(store)
                signals.is_one_expected = False  # where none came: behind this block it would end the test
            except (StoreError, KeyboardInterrupt):
                interrupted += 1
    assert len(search_or_be_interrupted(store)) == 100
    store.close()


def filled(folder: Path) -> SqliteStore:
    store = SqliteStore(folder / "store.db")
    store.write([part(span(1, trace=number, start_ms=number), tags={"n": str(number)}) for number in range(1, 3001)])
    return store


@dataclass
class Signals:
    """Whether the next of the signals that come is to be a Ctrl-C."""

    is_one_expected: bool = False


@contextlib.contextmanager
def signals_that_interrupt_once() -> Iterator[Signals]:
    """Send this process a signal every 10 ms; the first that is expected is a Ctrl-C."""
    signals = Signals()
    is_over = threading.Event()

    def interrupt(*_: object) -> None:
        if signals.is_one_expected:
            signals.is_one_expected = False
            raise KeyboardInterrupt

    def send() -> None:
        while not is_over.wait(0.01):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, interrupt)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield signals
    finally:
        signals.is_one_expected = False
        is_over.set()
        sender.join()
        signal.signal(signal.SIGINT, before)


def search_or_be_interrupted(store: SqliteStore) -> list[TraceInfo]:
    try:
        return store.search(parse_search(["0"], None, ["cost", "tags.n"])).traces
    except StoreError as error:  # Ctrl-C just before a function of ours
        assert "this was interrupted" in str(error)
        raise


def test_a_search_sees_one_moment_though_a_trace_changes_after_its_path_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = SqliteStore(tmp_path / "store.db"), SqliteStore(tmp_path / "store.db")
    store.write([part(span(2, parent=1, start_ms=5), written_ns=1, tags={"k": "a"})])

    def choose_and_be_overtaken(reader: object, search: object, words: object) -> Choice:
        choice = plan.choose_plan(reader, search, words)  # type: ignore[arg-type]
        other.write([part(span(1, start_ms=0), written_ns=2, tags={"k": "b"})])
        return choice

    monkeypatch.setattr(finding, "choose_plan", choose_and_be_overtaken)
    assert len(store.search(parse_search(["0"], "tags.k != 'x'")).traces) == 1
    store.close()
    other.close()


def test_a_signal_handler_that_drains_inside_of_a_search_leaves_it_its_connection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, other = SqliteStore(tmp_path / "store.db"), SqliteStore(tmp_path / "store.db")
    store.write([part(span(1, trace=1))])

    def choose_and_drain(reader: object, search: object, words: object) -> Choice:
        choice = plan.choose_plan(reader, search, words)  # type: ignore[arg-type]
        range_ = SegmentRange("segment", 0, 10)
        assert other.write([part(span(1, trace=2))], range_)
        with pytest.raises(StoreBusyError):  # what this search sees has no position of the segment yet
            store.write([part(span(1, trace=2))], range_)
        return choice

    monkeypatch.setattr(finding, "choose_plan", choose_and_drain)
    assert len(store.search(parse_search(["0"], "tags.k IS NULL")).traces) == 1
    monkeypatch.undo()
    assert len(store.search(parse_search(["0"])).traces) == 2
    store.close()
    other.close()


@sends_ctrl_c
def test_ctrl_c_while_a_writer_waits_for_another_leaves_no_transaction_open(tmp_path: Path) -> None:
    store, path = filled(tmp_path), tmp_path / "store.db"
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        while not is_interrupted_while_it_waits(store, path):
            pass
        assert store.write([part(span(1, trace=4000))])
        with contextlib.closing(sqlite3.connect(path, isolation_level=None, timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")
    finally:
        signal.signal(signal.SIGINT, before)
    store.close()


def is_interrupted_while_it_waits(store: SqliteStore, path: Path) -> bool:
    """Have the store write while another holds the file, who lets go when Ctrl-C was sent; whether that ended it."""
    is_waiting = threading.Event()
    with store._file.writing() as writer:
        writer.set_trace_callback(lambda text: is_waiting.set() if text.startswith("BEGIN") else None)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")

    def interrupt() -> None:
        is_waiting.wait()
        os.kill(os.getpid(), signal.SIGINT)
        other.close()

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    try:
        try:
            store.write([part(span(1, trace=4001))])
        except KeyboardInterrupt:
            return True
        except StoreBusyError:  # it waits for a second, which a busy machine may need to let the thread begin
            interrupting.join()
    except KeyboardInterrupt:  # as late as that
        pass
    finally:
        interrupting.join()
        writer.set_trace_callback(None)
    return False
