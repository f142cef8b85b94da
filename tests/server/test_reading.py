"""Who reads what arrives: the server itself, and under load a process beside it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import RawIOBase
from typing import cast

import psutil
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.server.otlp import request_of
from tracehound.model.trace import TracePart
from tracehound.server.reading import Pace, Reader
from tracehound.server.reading_process import JSON, PROTOBUF, Order, read_answer, receive, send
from tracehound.wire.intake import Intake
from tracehound.wire.otlp import Arrived, DamagedRequestError
from tracehound.wire.otlp_json import read_otlp_json
from tracehound.wire.otlp_protobuf import read_otlp_protobuf

AT_ONCE = Pace(much_s=0.0)


@contextmanager
def reading(pace: Pace) -> Iterator[Reader]:
    """Give a reader that has begun to start the other process, whatever machine this is."""
    reader = Reader(Intake(), None, pace)
    reader._not_before_s = 0.0
    reader.read(PROTOBUF, body(), "shop")
    try:
        yield reader
    finally:
        reader.close()


def body(request: ExportTraceServiceRequest | None = None) -> bytes:
    return (request or request_of((1, 1), (1, 2), (2, 1))).SerializeToString()


def wait_for(what: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 60
    while not what():
        assert time.monotonic() < end_s
        time.sleep(0.01)  # between two looks


def other_process(reader: Reader) -> int:
    wait_for(lambda: reader.process_id is not None)
    process_id = reader.process_id
    assert process_id is not None
    return process_id


def never(_part: TracePart) -> TracePart:
    """Stand for what parts pass through where this process must not be the one that reads."""
    raise AssertionError


def is_right(arrived: Arrived) -> bool:
    return arrived == read_otlp_protobuf(body(), "shop", Intake())


def test_a_server_with_little_to_do_reads_by_itself() -> None:
    reader = Reader(Intake(), None)
    assert is_right(reader.read(PROTOBUF, body(), "shop"))
    reader.close()
    assert reader.process_id is None


def test_the_other_process_reads_what_the_server_would() -> None:
    request = request_of((1, 1), (1, 2), (2, 1))
    as_json = json_format.MessageToJson(request, use_integers_for_enums=True).encode()
    with reading(AT_ONCE) as reader:
        assert psutil.pid_exists(other_process(reader))
        reader._intake = never
        assert is_right(reader.read(PROTOBUF, body(), "shop"))
        assert reader.read(JSON, as_json, "shop") == read_otlp_json(as_json, "shop", Intake())


def test_what_is_wrong_with_a_body_is_told_as_ever() -> None:
    request = request_of((1, 1), (2, 1))
    request.resource_spans[0].scope_spans[0].spans[0].span_id = b"short"
    with reading(AT_ONCE) as reader:
        other_process(reader)
        partial = reader.read(PROTOBUF, body(request), "shop")
        assert (partial.refused, len(partial.parts)) == (1, 1)
        assert partial.reason == read_otlp_protobuf(body(request), "shop", Intake()).reason
        with pytest.raises(DamagedRequestError):
            reader.read(PROTOBUF, b"no request", "shop")


def test_the_other_process_is_ended_when_nothing_comes() -> None:
    with reading(Pace(much_s=0.0, idle_s=0.1)) as reader:
        process_id = other_process(reader)
        wait_for(lambda: reader.process_id is None)
        wait_for(lambda: not psutil.pid_exists(process_id))
        assert is_right(reader.read(PROTOBUF, body(), "shop"))


def test_the_other_process_is_ended_with_the_reader() -> None:
    with reading(AT_ONCE) as reader:
        process_id = other_process(reader)
    assert not psutil.pid_exists(process_id)


def test_what_the_other_process_was_killed_over_is_read_all_the_same() -> None:
    found: list[Arrived] = []
    with reading(AT_ONCE) as reader:
        process_id = other_process(reader)

        def read_until_it_is_gone() -> None:
            while psutil.pid_exists(process_id) or not found:
                found.append(reader.read(PROTOBUF, body(), "shop"))

        threads = [threading.Thread(target=read_until_it_is_gone) for _ in range(3)]
        for thread in threads:
            thread.start()
        wait_for(lambda: len(found) > 10)
        psutil.Process(process_id).kill()
        for thread in threads:
            thread.join()
        wait_for(lambda: reader.process_id is None)
    assert all(map(is_right, found))


@pytest.mark.skipif(sys.platform == "win32", reason="a process cannot be stopped there")
def test_a_process_that_is_stuck_is_not_waited_for() -> None:
    with reading(Pace(much_s=0.0, idle_s=0.1, longest_s=0.05)) as reader:
        process_id = other_process(reader)
        os.kill(process_id, signal.SIGSTOP)
        assert is_right(reader.read(PROTOBUF, body(), "shop"))
        wait_for(lambda: not psutil.pid_exists(process_id))


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process there")
def test_what_stops_the_server_leaves_the_other_process_to_it() -> None:
    with reading(AT_ONCE) as reader:
        process_id = other_process(reader)
        for number in (signal.SIGINT, signal.SIGTERM):
            os.kill(process_id, number)
        reader._intake = never
        assert is_right(reader.read(PROTOBUF, body(), "shop"))


def test_the_other_process_ends_when_the_server_is_gone() -> None:
    command = [sys.executable, "-c", "from tracehound.server.reading_process import run; run()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        orders, answers = cast("RawIOBase", process.stdin), cast("RawIOBase", process.stdout)
        receive(answers)
        send(orders, Order(PROTOBUF, "shop", body()))
        assert len(read_answer(receive(answers)).parts) == 2
        orders.close()
        assert process.wait(60) == 0
