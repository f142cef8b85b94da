"""The SDK of OpenTelemetry sends a hundred thousand spans, over HTTP and over gRPC: ./dev senders [SPANS].

Two programs with its stock exporters share every trace: one begins it, the other goes on with it, as a header says.
Afterwards each span that one of them has made has to be there, once, in the trace that it was made in, and there have
to be as many traces as were begun. The exit code is 1 where anything is missing, twice or more.
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Column, Table

from tests.server.killing import spans_in
from tests.server.process import ServerProcess

SPANS_OF_A_TRACE: Final = 5
_TIMEOUT_S: Final = 120  # of a request, and for the last of them: the machine may be busy
_AT_A_TIME: Final = 100
_PROPAGATOR: Final = TraceContextTextMapPropagator()


@dataclass(frozen=True)
class Seen:
    """What became of the spans that one way was sent on."""

    way: str
    sent: int
    missing: int
    twice: int
    strange: int
    traces: int
    seconds: float

    @property
    def is_good(self) -> bool:
        """Whether each span is there, once, in its own trace."""
        return not (self.missing or self.twice or self.strange) and self.traces * SPANS_OF_A_TRACE == self.sent


def main(arguments: list[str]) -> int:
    """Send as the command line says, and return the exit code."""
    parser = argparse.ArgumentParser(prog="./dev senders", description="Send spans by the SDK of OpenTelemetry.")
    parser.add_argument("spans", type=int, nargs="?", default=100_000, help="over each of the two ways (100,000)")
    asked = parser.parse_args(arguments)
    table = Table(*(Column(each.name, justify="right") for each in fields(Seen)), box=SIMPLE, pad_edge=False)
    seen = [send(way, asked.spans // SPANS_OF_A_TRACE) for way in ("http", "grpc")]
    for each in seen:
        way, *numbers = astuple(each)
        table.add_row(way, *(f"{number:,.0f}" for number in numbers))
    Console().print(table)
    return 0 if all(each.is_good for each in seen) else 1


def send(way: str, traces: int) -> Seen:
    """Have two programs send so many traces that they share to a server of their own."""
    with tempfile.TemporaryDirectory(prefix="tracehound-senders-") as folder:
        store = Path(folder) / "tracehound.db"
        server = ServerProcess(store, "--grpc-port", "0")
        begun_s = time.monotonic()
        try:
            address = _address(way, server)
            sent = _run_programs(way, address, traces, Path(folder))
        finally:
            server.stop()
        seconds = time.monotonic() - begun_s
        found = spans_in(store)
    return Seen(
        way=way,
        sent=len(sent),
        missing=len(sent - found.keys()),
        twice=sum(count - 1 for count in found.values()),
        strange=len(found.keys() - sent),
        traces=len({trace_id for trace_id, _ in found}),
        seconds=seconds,
    )


def _address(way: str, server: ServerProcess) -> str:
    told = re.search(r"OTLP/gRPC: (\S+)", server.next_line())
    assert told is not None
    return f"{server.url}/v1/traces" if way == "http" else f"http://{told[1]}"


def _run_programs(way: str, address: str, traces: int, folder: Path) -> set[tuple[str, str]]:
    """Return the ids of all spans that they have made, with those of their traces."""
    context = multiprocessing.get_context("spawn")
    taking, giving = context.Pipe(duplex=False)
    files = [folder / name for name in ("shop", "kitchen")]
    programs = [
        context.Process(target=begin_traces, args=(way, address, files[0], traces, giving)),
        context.Process(target=go_on_with_traces, args=(way, address, files[1], taking)),
    ]
    for program in programs:
        program.start()
    giving.close()
    taking.close()
    for program in programs:
        program.join()
    if any(program.exitcode != 0 for program in programs):
        raise RuntimeError("a program that sends has failed; its error stands above")
    lines = [line.split() for file in files for line in file.read_text().splitlines()]
    return {(trace_id, span_id) for trace_id, span_id in lines}


class Sender:
    """A program's provider of spans, and the file in which it notes the ids of those that it has made."""

    def __init__(self, way: str, address: str, file: Path) -> None:
        self._provider = TracerProvider(resource=Resource.create({"service.name": file.name}))
        # What the SDK's queue has no room for it throws away: that is not what is looked for here.
        self._provider.add_span_processor(BatchSpanProcessor(_exporter(way, address), max_queue_size=10_000_000))
        self.tracer = self._provider.get_tracer("tests.senders")
        self._file = file
        self._ids: list[str] = []

    def note(self, span: object) -> None:
        """Note that a span was made."""
        assert isinstance(span, Span)
        context = span.get_span_context()
        self._ids.append(f"tr-{context.trace_id:032x} {context.span_id:016x}")

    def close(self) -> None:
        """Wait until all is sent."""
        assert self._provider.force_flush(_TIMEOUT_S * 1000)
        self._provider.shutdown()
        self._file.write_text("\n".join(self._ids))


@contextmanager
def _sending(way: str, address: str, file: Path) -> Iterator[Sender]:
    sender = Sender(way, address, file)
    yield sender
    sender.close()


def begin_traces(way: str, address: str, file: Path, traces: int, others: Connection) -> None:
    """Make the first two spans of each trace, and say how to go on with it."""
    with _sending(way, address, file) as sender:
        for _ in range(traces // _AT_A_TIME):
            carriers: list[dict[str, str]] = []
            for number in range(_AT_A_TIME):
                with sender.tracer.start_as_current_span("order", attributes={"number": number}) as span:
                    sender.note(span)
                    with sender.tracer.start_as_current_span("ask the kitchen") as asking:
                        sender.note(asking)
                        carriers.append({})
                        _PROPAGATOR.inject(carriers[-1])
            others.send(carriers)
        others.close()


def go_on_with_traces(way: str, address: str, file: Path, others: Connection) -> None:
    """Make the other spans of each trace that another program has begun."""
    with _sending(way, address, file) as sender:
        while True:
            try:
                carriers: list[dict[str, str]] = others.recv()
            except EOFError:
                return
            for carrier in carriers:
                with sender.tracer.start_as_current_span("cook", context=_PROPAGATOR.extract(carrier)) as span:
                    sender.note(span)
                    for _ in range(SPANS_OF_A_TRACE - 3):
                        with sender.tracer.start_as_current_span("step", attributes={"tokens": 120}) as step:
                            sender.note(step)


def _exporter(way: str, address: str) -> SpanExporter:
    if way == "http":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as OverHttp

        return OverHttp(endpoint=address, timeout=_TIMEOUT_S)
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as OverGrpc

    return OverGrpc(endpoint=address, insecure=True, timeout=_TIMEOUT_S)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
