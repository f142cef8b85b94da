"""What masking and the choice at the end cost the caller of a traced function, for small values and large ones.

    ./dev shell python benchmarks/screening_cost.py

All variants run in turns in one process, so that the differences hold on a noisy machine. The function takes a
conversation of the size and returns a short text. "off" is as programs run that ask for nothing; "secrets out"
takes all kinds of secrets out, of which the conversation has none, or a mail address in each message; "mask" calls a
function of the user that returns what it gets. "not kept" keeps no trace that has gone well, "kept by choice" nearly
all.
"""

from __future__ import annotations

import contextlib
import dataclasses
import statistics
import tempfile
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

import tracehound
from tracehound import runtime
from tracehound.runtime import Runtime
from tracehound.settings import Settings

SIZES = {"1 kB": (1_000, 500), "100 kB": (100_000, 30)}  # bytes, and calls in a round
ROUNDS = 15
MESSAGE = "Please summarise the quarterly report of the sales team in 12 bullet points,\nwith 3 tables of {}, thanks. "


@tracehound.trace
def answer(messages: list[dict[str, str]]) -> int:
    """Do next to nothing, so that what is measured is the tracing."""
    return len(messages)


def conversation(size: int, of: str) -> list[dict[str, str]]:
    """Return messages that take about so many bytes as JSON."""
    text = MESSAGE.format(of) * 3
    return [{"role": "user", "content": text} for _ in range(max(1, size // (len(text) + 40)))]


VARIANTS: dict[str, tuple[dict[str, object], str]] = {
    "off": ({}, "numbers"),
    "secrets out, none there": ({"redact": True}, "numbers"),
    "secrets out, some there": ({"redact": True}, "tom@example.org"),
    "not kept": ({"tail_sampling_ratio": 0.0}, "numbers"),
    "kept by choice": ({"tail_sampling_ratio": 0.9999999}, "numbers"),
    "mask": ({"mask": lambda value: value}, "numbers"),
}


def cost_us(size: int, calls: int, settings: dict[str, object], of: str) -> float:
    """Return the microseconds that a call takes."""
    messages = conversation(size, of)
    before = runtime.configure()
    configured = tracehound.tracing.configure(**settings) if settings else contextlib.nullcontext()  # type: ignore[arg-type] # of the table
    with configured:
        begun = time.perf_counter()
        for _ in range(calls):
            answer(messages)
        took = time.perf_counter() - begun
    assert runtime.current().settings == before  # noqa: S101 - of the benchmark
    return took / calls * 1e6


def main() -> None:
    """Measure every variant in turns and print the medians, and what masking adds."""
    table = Table("value", "call", "µs, median", "µs, least", "more than off", box=None)
    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(Settings(str(Path(folder, "cost.db"))), drain_interval_s=3600.0)
        runtime.replace(Runtime(settings))
        for name, (size, calls) in SIZES.items():
            costs: dict[str, list[float]] = {variant: [] for variant in VARIANTS}
            for _ in range(ROUNDS):
                for variant, (asked, of) in VARIANTS.items():
                    costs[variant].append(cost_us(size, calls, asked, of))
            for variant, found in costs.items():
                more = statistics.median(one - off for one, off in zip(found, costs["off"], strict=True))
                table.add_row(name, variant, f"{statistics.median(found):.1f}", f"{min(found):.1f}", f"{more:.1f}")
        runtime.current().abandon()  # what was measured needs not be stored
    Console().print(table)


if __name__ == "__main__":
    main()
