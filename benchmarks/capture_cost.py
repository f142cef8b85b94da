"""What a traced call costs its caller, beside the same call untraced and a span of the OpenTelemetry SDK.

    ./dev shell python benchmarks/capture_cost.py

All variants run in turns in one process, so that the ratios hold on a noisy machine. The traced call captures one input
and one output and is on disk when it returns. The SDK's span captures nothing: "bare" it is dropped when it ends,
"batched" it goes through the SDK's batch processor to an exporter that drops it. "idle" is alone; "busy" is beside a
drainer in the same process that brings a backlog into SQLite all the while.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

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
REFERENCE = "SDK span, bare"


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


def main() -> None:
    """Measure every variant in turns, alone and beside a drainer, and print the medians and ratios."""
    batching = TracerProvider()
    batching.add_span_processor(BatchSpanProcessor(DroppingExporter()))
    variants = {
        "untraced": answer,
        REFERENCE: in_sdk_span(TracerProvider()),
        "SDK span, batched": in_sdk_span(batching),
        "traced": tracehound.trace(answer),
    }
    with tempfile.TemporaryDirectory() as folder:
        written = runtime.Runtime(Settings(str(Path(folder, "written.db")), drain_interval_s=3600.0))
        runtime.replace(written)
        show("idle", [measure_all(variants) for _ in range(ROUNDS)])
        show("busy", measure_beside_drainer(variants, Path(folder, "drained.db"), written))
        written.abandon()  # what was measured needs not be stored


def measure_beside_drainer(
    variants: dict[str, Callable[[str], object]], store: Path, written: runtime.Runtime
) -> list[dict[str, float]]:
    """Return the costs of rounds that lie wholly within the drain of a backlog."""
    drained = runtime.Runtime(Settings(str(store), drain_interval_s=3600.0))
    runtime.replace(drained)
    for _ in range(BACKLOG):
        variants["traced"]("what is the drainer to do?")
    drainer = threading.Thread(target=drained.drained_store)
    runtime.replace(written)
    drainer.start()
    rounds: list[dict[str, float]] = []
    while drainer.is_alive() and len(rounds) <= ROUNDS:
        rounds.append(measure_all(variants))
    drainer.join()
    drained.close()
    return rounds[1:-1]


def measure_all(variants: dict[str, Callable[[str], object]]) -> dict[str, float]:
    """Return the microseconds that a call of each variant takes, over a round of calls."""
    return {name: measure(call) for name, call in variants.items()}


def measure(call: Callable[[str], object]) -> float:
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
