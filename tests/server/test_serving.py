"""A server in a process of its own: what users run, stop and kill."""

from __future__ import annotations

import errno
import http.client
import json
import os
import random
import signal
import socket
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

import tracehound
from tests.forked import run
from tests.server.killing import AT_LEAST, Killing
from tests.server.otlp import request_of
from tests.server.process import ServerProcess
from tracehound.model.trace import Trace

SPANS = 5_000
ROUNDS = 10


def post(port: int, path: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": kind})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def send(port: int, *pairs: tuple[int, int]) -> int:
    return post(port, "/v1/traces", request_of(*pairs).SerializeToString(), "application/x-protobuf")[0]


def search(port: int, **asked: Any) -> dict[str, Any]:
    status, body = post(port, "/api/v1/traces/search", json.dumps(asked).encode())
    assert status == 200, body
    found: dict[str, Any] = json.loads(body)
    return found


@contextmanager
def exporting_to(server: ServerProcess, service: str) -> Iterator[TracerProvider]:
    """Give a provider of the OpenTelemetry SDK with its stock exporter, and wait at the end until all is sent."""
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    exporter = OTLPSpanExporter(endpoint=f"{server.url}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=2 * SPANS))
    yield provider
    assert provider.force_flush()
    provider.shutdown()


def everything() -> list[Trace]:
    return tracehound.search_traces(return_type="list")


def test_none_of_the_spans_of_the_sdk_is_missing_and_none_is_there_twice(server: ServerProcess) -> None:
    sent: list[int] = []
    with exporting_to(server, "shop") as provider:
        tracer = provider.get_tracer("tests")
        for number in range(SPANS // 5):
            with tracer.start_as_current_span("request", attributes={"number": number}) as root:
                sent.append(root.get_span_context().span_id)
                for _ in range(4):
                    with tracer.start_as_current_span("step") as span:
                        sent.append(span.get_span_context().span_id)
    traces = everything()
    assert len(traces) == SPANS // 5
    found = Counter(span.span_id for trace in traces for span in trace.data.spans)
    assert found == Counter(f"{each:016x}" for each in sent)
    assert {trace.info.name for trace in traces} == {"request"}


def test_a_trace_that_runs_through_two_services_is_one_trace(server: ServerProcess) -> None:
    carrier: dict[str, str] = {}
    propagator = TraceContextTextMapPropagator()
    with exporting_to(server, "shop") as shop, exporting_to(server, "kitchen") as kitchen:
        with shop.get_tracer("tests").start_as_current_span("order"):
            propagator.inject(carrier)
        kitchen.get_tracer("tests").start_span("cook", context=propagator.extract(carrier)).end()
    [trace] = everything()
    order, cook = trace.data.spans
    assert (order.name, cook.name, cook.parent_id) == ("order", "cook", order.span_id)
    assert (order.attributes["service.name"], cook.attributes["service.name"]) == ("shop", "kitchen")


def test_nothing_that_was_answered_for_is_lost_when_the_server_is_killed(store_path: Path) -> None:
    killing = Killing(store_path, random.Random(7))
    for _ in range(ROUNDS):
        killing.play()
    seen = killing.look()
    assert (seen.rounds, seen.lost, seen.twice) == (ROUNDS, 0, 0)
    assert seen.answered >= AT_LEAST * ROUNDS


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process there")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_that_is_stopped_ends_what_it_has_begun(server: ServerProcess, number: int) -> None:
    results: list[int] = []
    threads = [
        threading.Thread(target=lambda each=each: results.append(send(server.port, (each, 1)))) for each in range(1, 9)
    ]
    for thread in threads:
        thread.start()
    assert send(server.port, (100, 1)) == 200
    for thread in threads:
        thread.join()
    events = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    events.request("GET", "/api/v1/events")
    listening = events.getresponse()
    assert listening.readline() == b": still here\n"
    code, said = server.stop(number)
    assert (code, said.splitlines()[-1]) == (0, "stopped; everything that was answered for is kept")
    assert listening.read().strip() == b""
    events.close()
    assert results == [200] * 8
    assert not Path("tracehound.db-wal").exists()
    assert len(everything()) == 9


def test_a_port_that_is_taken_is_told(server: ServerProcess, tmp_path: Path) -> None:
    folder = tmp_path / "second"
    folder.mkdir()
    done = run(["server", "--port", str(server.port), "--store", str(folder / "other.db")], {}, folder)
    assert done.returncode == 2
    assert (
        f"127.0.0.1 port {server.port} cannot be listened on ({os.strerror(errno.EADDRINUSE)})".encode() in done.stderr
    )
    assert not (folder / "other.db").exists()


def test_what_programs_on_this_machine_trace_is_found_by_the_server(server: ServerProcess) -> None:
    with tracehound.start_span("beside the server"):
        pass
    [found] = search(server.port)["traces"]
    assert found["trace"]["name"] == "beside the server"


def test_a_sender_that_goes_away_leaves_nothing_behind(server: ServerProcess) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: 99\r\n\r\nhalf"
        )
    assert send(server.port, (1, 1)) == 200
    asking = http.client.HTTPConnection("127.0.0.1", server.port)
    asking.request("GET", "/ready")
    assert json.loads(asking.getresponse().read())["waiting_bytes"] == 0
    asking.close()
