"""Who reads what arrives: the server itself, and under load a process beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from io import RawIOBase
from pathlib import Path
from typing import cast

import psutil
import pytest
from google.protobuf import json_format

from tests.server.otlp import request_of
from tests.waiting import wait_until
from tracehound.model.record import replace
from tracehound.model.trace import TracePart
from tracehound.server.reading import Pace, Reader
from tracehound.server.reading_process import JSON, PROTOBUF, Answer, Order, answer, read_answer, receive, send
from tracehound.store.sqlite.preparing import prepare
from tracehound.store.sqlite.store import SqliteStore
from tracehound.wire.intake import Intake
from tracehound.wire.otlp import DamagedRequestError

ORDER = Order(PROTOBUF, "shop", request_of((1, 1), (1, 2), (2, 1)).SerializeToString())
AT_ONCE = Pace(much_s=0.0)
TO_BE_PREPARED = replace(ORDER, is_to_be_prepared=True)


@contextmanager
def reading(pace: Pace) -> Iterator[Reader]:
    """Give a reader that has begun to start the other process, whatever machine this is."""
    reader = Reader(Intake(), preparer=SqliteStore.preparer, pace=pace)
    reader._not_before_s = 0.0
    reader.read(ORDER)
    try:
        yield reader
    finally:
        reader.close()


def other_process(reader: Reader) -> int:
    while (process_id := reader.process_id) is None:
        reader.read(ORDER)  # it may have been there and gone again: then another one is started
    return process_id


def never(_part: TracePart) -> TracePart:
    """Stand for what parts pass through where this process must not be the one that reads."""
    raise AssertionError


def is_right(found: Answer) -> bool:
    return found == answer(ORDER, Intake())


def test_a_server_with_little_to_do_reads_by_itself() -> None:
    reader = Reader(Intake())
    assert is_right(reader.read(ORDER))
    reader.close()
    assert reader.process_id is None


def test_the_other_process_reads_what_the_server_would() -> None:
    request = request_of((1, 1), (1, 2), (2, 1))
    as_json = json_format.MessageToJson(request, use_integers_for_enums=True).encode()
    with reading(AT_ONCE) as reader:
        assert psutil.pid_exists(other_process(reader))
        reader._intake = never
        assert is_right(reader.read(ORDER))
        assert reader.read(Order(JSON, "shop", as_json)) == answer(Order(JSON, "shop", as_json), Intake())


def test_the_other_process_makes_ready_for_the_store_what_the_server_would(tmp_path: Path) -> None:
    with reading(AT_ONCE) as reader, closing(SqliteStore(tmp_path / "ready.db")) as store:
        other_process(reader)
        reader._intake = never
        found = reader.read(TO_BE_PREPARED)
        parts = answer(ORDER, Intake()).parts
        assert (found.parts, found.spans, found.trace_ids) == ([], 3, [part.trace_id for part in parts])
        assert found.prepared == prepare(parts)
        store.write_prepared(found.changes)
        assert [len(store.read_traces([each])[each].data.spans) for each in found.trace_ids] == [2, 1]


def test_what_is_wrong_with_a_body_is_told_as_ever() -> None:
    request = request_of((1, 1), (2, 1))
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b"short"
    with reading(AT_ONCE) as reader:
        other_process(reader)
        order = Order(PROTOBUF, "shop", request.SerializeToString())
        partial = reader.read(order)
        assert (partial.refused, len(partial.parts)) == (1, 1)
        assert partial.reason == answer(order, Intake()).reason
        with pytest.raises(DamagedRequestError):
            reader.read(Order(PROTOBUF, "shop", b"no request"))


def test_the_other_process_is_ended_when_nothing_comes() -> None:
    with reading(Pace(much_s=0.0, idle_s=0.1)) as reader:
        process_id = other_process(reader)
        wait_until(lambda: reader.process_id is None)
        wait_until(lambda: not psutil.pid_exists(process_id))
        assert is_right(reader.read(ORDER))


def test_the_other_process_is_ended_with_the_reader() -> None:
    with reading(AT_ONCE) as reader:
        process_id = other_process(reader)
    assert not psutil.pid_exists(process_id)


def test_what_the_other_process_was_killed_over_is_read_all_the_same() -> None:
    found: list[Answer] = []
    with reading(AT_ONCE) as reader:
        process_id = other_process(reader)

        def read_until_it_is_gone() -> None:
            while psutil.pid_exists(process_id) or not found:
                found.append(reader.read(ORDER))

        threads = [threading.Thread(target=read_until_it_is_gone) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_until(lambda: len(found) > 10)
        psutil.Process(process_id).kill()
        for thread in threads:
            thread.join()
        wait_until(lambda: reader.process_id is None)
    assert all(map(is_right, found))


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be stopped there")
def test_a_process_that_is_stuck_is_not_waited_for() -> None:
    with reading(Pace(much_s=0.0, longest_s=0.05)) as reader:
        wait_until(lambda: reader.process_id is not None)  # without a word to it: its answer might take longer
        process_id = other_process(reader)
        os.kill(process_id, signal.SIGSTOP)
        assert is_right(reader.read(ORDER))
        wait_until(lambda: not psutil.pid_exists(process_id))


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process there")
def test_what_stops_the_server_leaves_the_other_process_to_it() -> None:
    with reading(AT_ONCE) as reader:
        process_id = other_process(reader)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(process_id, number)
        reader._intake = never
        assert is_right(reader.read(ORDER))


def test_a_process_of_another_version_is_none() -> None:
    command = [sys.executable, "-c", "from tracehound.server.reading_process import run; run(version='0.0.9')"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        with pytest.raises(EOFError):
            receive(cast("RawIOBase", process.stdout))
        assert process.wait(60) == 0


def test_the_other_process_ends_when_the_server_is_gone() -> None:
    command = [sys.executable, "-c", "from tracehound.server.reading_process import run; run()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        orders, answers = cast("RawIOBase", process.stdin), cast("RawIOBase", process.stdout)
        receive(answers)
        send(orders, ORDER)
        assert len(read_answer(receive(answers)).parts) == 2
        orders.close()
        assert process.wait(60) == 0
