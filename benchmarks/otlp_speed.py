"""How many spans a second a server takes over OTLP/HTTP, and in how much memory.

    ./dev shell python benchmarks/otlp_speed.py 100000

A span counts when it is answered for, which is when the transaction that it is in has been synced to the disk. The
requests are made before the clock starts, in this process; the server and what it starts are processes of their own,
and all of their work is counted: HTTP, protobuf, the conventions of others, the index of words, SQLite. A trace has
five spans, one of which is the call of a model in OpenTelemetry's own names. In the end every trace is looked for.

With --sdk the stock exporter of the OpenTelemetry SDK sends instead: then the sender is the slower one.
"""

from __future__ import annotations

import functools
import http.client
import json
import os
import queue
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import psutil
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from rich.console import Console
from rich.table import Table

SPANS_OF_A_TRACE = 5
SYLLABLES = re.findall("..", "bacedifoguhajekilomunaperisotuvawexiyozu")
console = Console()


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    port: int
    process: psutil.Process

    def memory_mb(self) -> float:
        """Return how much memory it has now, with the process that reads for it."""
        return sum(float(each.memory_info().rss / 1e6) for each in self._processes())

    def cpu_s(self) -> float:
        """Return how long it has worked, with the process that reads for it."""
        return sum(float(times.user + times.system) for times in (each.cpu_times() for each in self._processes()))

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children()]


@click.command()
@click.argument("spans", type=int, default=100_000)
@click.option("--request", "per_request", default=500, show_default=True, help="How many spans a request has.")
@click.option("--connections", default=4, show_default=True)
@click.option("--rounds", default=3, show_default=True)
@click.option("--length", default=1.0, show_default=True, help="Of the texts: 1 is 200 words a trace.")
@click.option("--sdk", "is_sdk", is_flag=True, help="Have the stock exporter of OpenTelemetry's SDK send.")
def main(spans: int, per_request: int, connections: int, rounds: int, length: float, *, is_sdk: bool) -> None:
    """Measure how fast SPANS spans are taken in."""
    chance = random.Random(7)
    rates: list[float] = []
    how = "sent by the SDK" if is_sdk else f"in requests of {per_request}, {connections} connections"
    table = Table(box=None, title=f"{spans:,} spans {how}")
    for name in ("round", "spans/s", "s", "server's CPU µs a span", "p50 ms a request", "idle MB", "loaded MB"):
        table.add_column(name, justify="right")
    for number in range(rounds):
        bodies = [] if is_sdk else [to_body(chance, per_request, length) for _ in range(spans // per_request)]
        with running_server() as server:
            idle_mb, before_s = server.memory_mb(), server.cpu_s()
            begun_s = time.perf_counter()
            taken_s = send_by_sdk(server, spans) if is_sdk else send(server.port, bodies, connections)[0]
            seconds = time.perf_counter() - begun_s
            cpu_us = (server.cpu_s() - before_s) / spans * 1e6
            loaded_mb = server.memory_mb()
            check(server, spans // SPANS_OF_A_TRACE)
        rates.append(spans / seconds)
        median_ms = f"{statistics.median(taken_s) * 1000:.0f}" if taken_s else ""
        table.add_row(
            str(number + 1), f"{rates[-1]:,.0f}", f"{seconds:.1f}", f"{cpu_us:.0f}", median_ms, f"{idle_mb:.0f}",
            f"{loaded_mb:.0f}",
        )  # fmt: skip
    console.print(table)
    console.print(f"median {statistics.median(rates):,.0f} spans/s")


@contextmanager
def running_server() -> Iterator[Server]:
    """Run a server over a store of its own, on a free port."""
    with tempfile.TemporaryDirectory(prefix="tracehound-otlp-") as folder:
        command = [sys.executable, "-m", "tracehound", "server", "--port", "0", "--store", str(Path(folder) / "a.db")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603
            assert running.stdout is not None  # noqa: S101 - it has a pipe
            address = running.stdout.readline().split("http://")[1].split()[0]
            try:
                yield Server(int(address.rpartition(":")[2]), psutil.Process(running.pid))
            finally:
                running.terminate()
                running.stdout.read()


def send(
    port: int, bodies: list[bytes], connections: int, headers: Mapping[str, str] = MappingProxyType({})
) -> tuple[list[float], int]:
    """Send all bodies over so many connections, those that are refused again.

    Return how long each was waited for, and how many times one was refused.
    """
    waiting: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    for body in bodies:
        waiting.put(body)
    taken_s: list[float] = []
    refused: list[int] = []

    def send_some() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            try:
                body = waiting.get_nowait()
            except queue.Empty:
                connection.close()
                return
            begun_s = time.perf_counter()
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf", **headers})
            response = connection.getresponse()
            response.read()
            if response.status == 200:
                taken_s.append(time.perf_counter() - begun_s)
                continue
            waiting.put(body)
            refused.append(response.status)
            if len(refused) > len(bodies):
                raise click.ClickException(f"the server refuses what it is sent: {sorted(set(refused))}")

    with ThreadPoolExecutor(connections) as senders:
        for sender in [senders.submit(send_some) for _ in range(connections)]:
            sender.result()
    return taken_s, len(refused)


def send_by_sdk(server: Server, spans: int) -> list[float]:
    """Make spans with the SDK, and wait until its exporter has sent them all."""
    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{server.port}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=spans + 1))
    tracer = provider.get_tracer("benchmark")
    for number in range(spans // SPANS_OF_A_TRACE):
        with tracer.start_as_current_span("request", attributes={"number": number}):
            for _ in range(SPANS_OF_A_TRACE - 1):
                tracer.start_span("step", attributes={"model": "m-1", "tokens": 120}).end()
    provider.force_flush(600_000)
    provider.shutdown()
    return []


def check(server: Server, traces: int) -> None:
    """Raise unless all traces are there."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    asked = json.dumps({"metrics": ["count"]})
    connection.request("POST", "/api/v1/traces/stats", asked, {"Content-Type": "application/json"})
    found = json.loads(connection.getresponse().read())["rows"][0][0]
    connection.close()
    if found != traces:
        raise click.ClickException(f"{found:,} traces are there, not {traces:,}")


def to_body(chance: random.Random, spans: int, length: float = 1.0) -> bytes:
    """Return a request with so many spans, of traces with five each."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.add(key="service.name").value.string_value = "benchmark"
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = "benchmark"
    for _ in range(spans // SPANS_OF_A_TRACE):
        add_trace(scope_spans, chance, length)
    return request.SerializeToString()


def add_trace(scope_spans: trace_pb2.ScopeSpans, chance: random.Random, length: float) -> None:
    """Add a request that retrieves, calls a model and a tool, and checks."""
    question, answer = text(chance, int(12 * length)), text(chance, int(40 * length))
    trace_id, root, now_ns = os.urandom(16), os.urandom(8), time.time_ns()
    user = f"user {chance.randrange(1_000)}"
    steps: list[tuple[str, dict[str, Any]]] = [
        ("answer", {"mlflow.spanType": "AGENT", "mlflow.spanInputs": {"question": question},
                    "mlflow.spanOutputs": answer, "user.id": user}),
        ("retrieve", {"mlflow.spanType": "RETRIEVER", "mlflow.spanInputs": {"query": question},
                      "mlflow.spanOutputs": [text(chance, int(30 * length)) for _ in range(3)], "k": 3}),
        ("chat m-1", {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m-1", "gen_ai.request.temperature": 0.2,
                      "gen_ai.usage.input_tokens": chance.randrange(900), "gen_ai.usage.output_tokens": 60,
                      "gen_ai.input.messages": said_by("user", question),
                      "gen_ai.output.messages": said_by("assistant", answer)}),
        ("look up", {"mlflow.spanType": "TOOL", "mlflow.spanInputs": {"city": text(chance, 2)},
                     "http.response.status_code": 200}),
        ("check", {"score": chance.random(), "verdict": "good"}),
    ]  # fmt: skip
    for number, (name, attributes) in enumerate(steps):
        span = scope_spans.spans.add(
            trace_id=trace_id,
            span_id=root if number == 0 else os.urandom(8),
            parent_span_id=b"" if number == 0 else root,
            name=name,
            kind=1,
            start_time_unix_nano=now_ns + number * 10**6,
            end_time_unix_nano=now_ns + chance.randrange(10**7, 10**9),
        )
        for key, value in attributes.items():
            fill(span.attributes.add(key=key).value, value)


def said_by(role: str, content: str) -> str:
    """Return a message as OpenTelemetry's conventions write it into an attribute."""
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": content}]}])


def fill(said: common_pb2.AnyValue, value: Any) -> None:
    """Put a plain value into an attribute, as exporters do."""
    if isinstance(value, str):
        said.string_value = value
    elif isinstance(value, int):
        said.int_value = value
    elif isinstance(value, float):
        said.double_value = value
    elif isinstance(value, list):
        for each in value:
            fill(said.array_value.values.add(), each)
    else:
        for key, each in value.items():
            fill(said.kvlist_value.values.add(key=key).value, each)


def text(chance: random.Random, words: int) -> str:
    """Return so many words, common ones more often, and a number that nobody else has."""
    numbers = [int(20_000 ** chance.random()) for _ in range(words)]  # as often as their rank, as in languages
    return " ".join([*map(word, numbers), str(chance.randrange(10**9))])


@functools.cache
def word(number: int) -> str:
    """Return the word of a number, shorter for lower ones."""
    before, last = divmod(number, len(SYLLABLES))
    return f"{word(before)}{SYLLABLES[last]}" if before else SYLLABLES[last]


if __name__ == "__main__":
    main()
