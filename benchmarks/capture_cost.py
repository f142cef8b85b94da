"""What a traced call costs its caller, beside the same call untraced and a span of the OpenTelemetry SDK.

    ./dev shell python benchmarks/capture_cost.py [--with-mlflow PYTHON]

All variants run in turns in one process, so that the ratios hold on a noisy machine. The traced call captures one input
and one output and is on disk when it returns; "traced, child" is the same call inside of another traced one, which is
on disk when that returns. The SDK's span captures nothing: "bare" it is dropped when it ends, "batched" it goes through
the SDK's batch processor to an exporter that drops it. "idle" is alone; "busy" is beside a drainer in the same process
that brings a backlog into SQLite all the while.

`PYTHON` is an interpreter that has MLflow. The same call, traced by MLflow into a SQLite file as its documents have it,
then runs in a process of its own, in turns with the others; and the time until its queue has been written is told.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from rich.console import Console
from rich.table import Table

import tracehound
from tracehound import runtime
from tracehound.settings import Settings

CALLS = 1000
ROUNDS = 25
BACKLOG = 40_000
# What is measured, by its name: each returns the microseconds that a call takes.
Variants: TypeAlias = dict[str, Callable[[], float]]

REFERENCE = "SDK span, bare"
TRACED = "traced"

# For each line of its input: so many traced calls, then their cost in microseconds; at the end that of the whole.
MLFLOW = """
import logging, sys, time
import mlflow
logging.disable(logging.CRITICAL)
mlflow.set_tracking_uri(sys.argv[1])
@mlflow.trace
def answer(question):
    return {"answer": question}
answer("why is the sky blue?")
mlflow.flush_trace_async_logging()
total, begun = 0, time.perf_counter()
print("ready", flush=True)
for line in sys.stdin:
    calls = int(line)
    if not calls:
        mlflow.flush_trace_async_logging()
        print((time.perf_counter() - begun) / total * 1e6, flush=True)
        break
    start = time.perf_counter()
    for _ in range(calls):
        answer("why is the sky blue?")
    print((time.perf_counter() - start) / calls * 1e6, flush=True)
    total += calls
"""
MLFLOW_CALLS = 20


class DroppingExporter(SpanExporter):
    """Takes spans and does nothing with them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the SDK's signature
        """Drop the spans."""
        return SpanExportResult.SUCCESS


def answer(question: str) -> dict[str, str]:
    """Do next to nothing, so that what is measured is the tracing."""
    return {"answer": question}


def in_sdk_span(provider: TracerProvider) -> Callable[[str], object]:
    """Return `answer` inside of a span of the SDK."""
    tracer = provider.get_tracer("benchmark")

    def call(question: str) -> dict[str, str]:
        with tracer.start_as_current_span("answer"):
            return answer(question)

    return call


@tracehound.trace
def all_inside(call: Callable[[str], object]) -> float:
    """Return what a call costs that is made inside of this one."""
    return time_calls(call)


def main() -> None:
    """Measure every variant in turns, alone and beside a drainer, and print the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with-mlflow", metavar="PYTHON", help="an interpreter that has MLflow")
    python = parser.parse_args().with_mlflow
    batching = TracerProvider()
    batching.add_span_processor(BatchSpanProcessor(DroppingExporter()))
    traced = tracehound.trace(answer)
    variants: Variants = {
        "untraced": lambda: time_calls(answer),
        REFERENCE: lambda: time_calls(bare),
        "SDK span, batched": lambda: time_calls(batched),
        TRACED: lambda: time_calls(traced),
        "traced, child": lambda: all_inside(traced),
    }
    bare, batched = in_sdk_span(TracerProvider()), in_sdk_span(batching)
    with tempfile.TemporaryDirectory() as folder:
        written = runtime.Runtime(Settings(str(Path(folder, "written.db")), drain_interval_s=3600.0))
        runtime.replace(written)
        show("idle", [measure_all(variants) for _ in range(ROUNDS)])
        show("busy", measure_beside_drainer(variants, Path(folder, "drained.db"), written))
        if python:
            with mlflow_calls(python, Path(folder, "mlflow.db")) as in_mlflow:
                chosen = {name: variants[name] for name in (REFERENCE, TRACED)}
                show("beside MLflow", [measure_all({**chosen, "MLflow": in_mlflow}) for _ in range(ROUNDS)])
        written.abandon()  # what was measured needs not be stored


@contextmanager
def mlflow_calls(python: str, store: Path) -> Iterator[Callable[[], float]]:
    """Give a function that returns what calls cost which MLflow traces, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": "", "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [str(Path(python).absolute()), "-c", MLFLOW, f"sqlite:///{store}"]
    pipe = subprocess.PIPE
    folder = Path(store).parent  # MLflow keeps what it captures in the folder it is in
    with subprocess.Popen(  # noqa: S603 - the user's own interpreter
        command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=folder
    ) as process:

        def ask(calls: int) -> float:
            assert process.stdin is not None  # noqa: S101 - for the checker of types
            assert process.stdout is not None  # noqa: S101 - as above
            process.stdin.write(f"{calls}\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        assert process.stdout is not None  # noqa: S101 - as above
        while process.stdout.readline().strip() not in ("ready", ""):
            pass
        yield lambda: ask(MLFLOW_CALLS)
        print(f"MLflow, until its queue is written: {ask(0):.0f} µs a call")


def measure_beside_drainer(variants: Variants, store: Path, written: runtime.Runtime) -> list[dict[str, float]]:
    """Return the costs of rounds that lie wholly within the drain of a backlog."""
    drained = runtime.Runtime(Settings(str(store), drain_interval_s=3600.0))
    runtime.replace(drained)
    for _ in range(BACKLOG // CALLS):
        variants[TRACED]()
    drainer = threading.Thread(target=drained.drained_store)
    runtime.replace(written)
    drainer.start()
    rounds: list[dict[str, float]] = []
    while drainer.is_alive() and len(rounds) <= ROUNDS:
        rounds.append(measure_all(variants))
    drainer.join()
    drained.close()
    return rounds[1:-1]


def measure_all(variants: Variants) -> dict[str, float]:
    """Return the microseconds that a call of each variant takes, over a round of calls."""
    return {name: measure() for name, measure in variants.items()}


def time_calls(call: Callable[[str], object]) -> float:
    """Return the microseconds that a call takes, over a round of calls."""
    begun = time.perf_counter()
    for _ in range(CALLS):
        call("why is the sky blue?")
    return (time.perf_counter() - begun) / CALLS * 1e6


def show(title: str, rounds: list[dict[str, float]]) -> None:
    """Print a table of the medians, and of the medians of the ratios to the reference in the same round."""
    table = Table(box=None, title=f"{title}, {len(rounds)} rounds")
    for name in ("call", "µs, median", "µs, least", f"of {REFERENCE}"):
        table.add_column(name, justify="left" if name == "call" else "right")
    for name in rounds[0]:
        costs = [costs[name] for costs in rounds]
        ratio = statistics.median(costs[name] / costs[REFERENCE] for costs in rounds)
        table.add_row(name, f"{statistics.median(costs):.1f}", f"{min(costs):.1f}", f"{ratio:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
