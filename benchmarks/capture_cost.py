"""What a traced call costs its caller, beside the same call untraced and a bare span of the OpenTelemetry SDK.

    ./dev shell python benchmarks/capture_cost.py

All variants run in turns in one process, so that the ratios hold on a noisy machine. The traced call captures one input
and one output and is on disk when it returns; the SDK's span captures nothing and is dropped. "idle" leaves the spool
undrained; "busy" drains it meanwhile, into SQLite, in a thread of the same process.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from rich.console import Console
from rich.table import Table

import tracehound
from tracehound import runtime
from tracehound.settings import Settings

CALLS = 1000
ROUNDS = 15


def answer(question: str) -> dict[str, str]:
    """Do next to nothing, so that what is measured is the tracing."""
    return {"answer": question}


def main() -> None:
    """Measure every variant in turns and print the medians and ratios."""
    tracer = TracerProvider().get_tracer("benchmark")
    traced = tracehound.trace(answer)

    def in_sdk_span(question: str) -> dict[str, str]:
        with tracer.start_as_current_span("answer"):
            return answer(question)

    with tempfile.TemporaryDirectory() as folder:
        places = {"idle": Settings(str(Path(folder, "idle.db")), drain_interval_s=3600.0),
                  "busy": Settings(str(Path(folder, "busy.db")), drain_interval_s=0.0)}  # fmt: skip
        runtimes = {name: runtime.Runtime(settings) for name, settings in places.items()}
        costs: dict[str, list[float]] = {"untraced": [], "SDK span": [], "traced, idle": [], "traced, busy": []}
        for _ in range(ROUNDS):
            costs["untraced"].append(measure(answer))
            costs["SDK span"].append(measure(in_sdk_span))
            for name, place in runtimes.items():
                runtime.replace(place)
                costs[f"traced, {name}"].append(measure(traced))
        for place in runtimes.values():
            place.close()
    show({name: statistics.median(found) for name, found in costs.items()})


def measure(call: Callable[[str], object]) -> float:
    """Return the microseconds that a call takes, over a round of calls."""
    begun = time.perf_counter()
    for _ in range(CALLS):
        call("why is the sky blue?")
    return (time.perf_counter() - begun) / CALLS * 1e6


def show(medians: dict[str, float]) -> None:
    """Print a table of the medians, and of their ratios to the SDK's span."""
    table = Table(box=None)
    table.add_column("call")
    table.add_column("µs, median", justify="right")
    table.add_column("of an SDK span", justify="right")
    for name, cost in medians.items():
        table.add_row(name, f"{cost:.1f}", f"{cost / medians['SDK span']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
