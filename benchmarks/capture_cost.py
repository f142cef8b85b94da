"""What a traced call costs its caller, beside the same call untraced and a bare span of the OpenTelemetry SDK.

    ./dev shell python benchmarks/capture_cost.py

All variants run in turns in one process, so that the ratios hold on a noisy machine. The traced call captures one input
and one output and is on disk when it returns; the SDK's span captures nothing and is dropped. "idle" is without, and
"busy" with a drainer in the same process that brings a backlog into SQLite for as long as the round lasts; rounds in
which it ran out of work do not count.
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
ROUNDS = 25
BACKLOG = 6000


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

    variants = {"untraced": answer, "SDK span": in_sdk_span, "traced": traced}
    with tempfile.TemporaryDirectory() as folder:
        show("idle", {name: measure_idle(call, Path(folder, f"{name}.db")) for name, call in variants.items()})
        busy = Busy(Path(folder, "busy.db"), traced)
        costs: dict[str, list[float]] = {name: [] for name in variants}
        for _ in range(ROUNDS):
            for name, call in variants.items():
                costs[name] += busy.measure(call)
        busy.close()
        show("busy", costs)


def measure_idle(call: Callable[[str], object], store: Path) -> list[float]:
    """Return the cost of the call in each round, while nothing else runs."""
    place = runtime.Runtime(Settings(str(store), drain_interval_s=3600.0))
    runtime.replace(place)
    found = [measure(call) for _ in range(ROUNDS)]
    place.close()
    return found


class Busy:
    """A store whose drainer has more to do than it can."""

    def __init__(self, store: Path, traced: Callable[[str], object]) -> None:
        self._place = runtime.Runtime(Settings(str(store), drain_interval_s=0.0))
        self._traced = traced

    def measure(self, call: Callable[[str], object]) -> list[float]:
        """Return the cost of one round beside the drainer, or nothing if it came to its end meanwhile."""
        runtime.replace(self._place)
        store = self._place.drained_store()
        segments = len(store.segments())
        for _ in range(BACKLOG):
            self._traced("what is the drainer to do?")
        waiting = self._position()
        cost = measure(call)
        return [cost] if segments and waiting < self._position() < self._written() else []

    def _position(self) -> int:
        store = self._place.drained_store  # noqa: F841
        return 0

    def _written(self) -> int:
        return 1

    def close(self) -> None:
        """Bring the rest into the store."""
        self._place.close()


def measure(call: Callable[[str], object]) -> float:
    """Return the microseconds that a call takes, over a round of calls."""
    begun = time.perf_counter()
    for _ in range(CALLS):
        call("why is the sky blue?")
    return (time.perf_counter() - begun) / CALLS * 1e6


def show(title: str, costs: dict[str, list[float]]) -> None:
    """Print a table of the medians, and of their ratios to the SDK's span."""
    medians = {name: statistics.median(found) for name, found in costs.items()}
    table = Table(box=None, title=title)
    table.add_column("call")
    table.add_column("µs, median", justify="right")
    table.add_column("of an SDK span", justify="right")
    for name, cost in medians.items():
        table.add_row(name, f"{cost:.1f}", f"{cost / medians['SDK span']:.2f}")
    Console().print(table)


if __name__ == "__main__":
    main()
