"""How fast whole results are read, and in how much memory, by the kind of result.

    ./dev shell python benchmarks/read_speed.py 50000 --folder /tmp/tracehound-benchmark

It reads the stores that benchmarks/search_speed.py makes: all traces with their spans, each kind of result in a process
of its own for the memory, and all of them in turns in one process for the speed. The floor is what cannot be avoided:
the same rows read with `sqlite3`, decompressed, and decoded from JSON. The ratio is to that.
"""

from __future__ import annotations

import contextlib
import resource
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import zstandard
from rich.console import Console
from rich.table import Table

import tracehound
from tracehound.model.record import from_json

KINDS: tuple[Any, ...] = ("pandas", "list", "iterator", "arrow", "polars")
console = Console()


@click.command()
@click.argument("size", type=int, default=50_000)
@click.option("--folder", default="/tmp/tracehound-benchmark", show_default=True, type=click.Path(path_type=Path))  # noqa: S108
@click.option("--traces", type=int, default=None, help="Read so many, not all.")
@click.option("--rounds", type=int, default=5, show_default=True)
@click.option("--kind", "kinds", type=click.Choice(KINDS), multiple=True, help="These kinds of result, not all.")
@click.option("--memory-of", "measured", type=click.Choice(KINDS), hidden=True)
def main(size: int, folder: Path, traces: int | None, rounds: int, kinds: tuple[Any, ...], measured: Any) -> None:
    """Measure reading from the store of SIZE traces."""
    path, wanted = folder / f"{size}.db", traces or size
    if not path.exists():
        raise click.ClickException(f"there is no {path}: benchmarks/search_speed.py {size} --folder {folder} makes it")
    tracehound.set_tracking_uri(str(path))
    if measured:
        before = peak_mb()
        read(measured, wanted)
        click.echo(f"{before} {peak_mb()}")
        return
    # First: a process is told the peak of the one that started it, where that is higher.
    memory = {kind: memory_of(kind, path, wanted) for kind in kinds or KINDS}
    ways: dict[str, Callable[[], int]] = {"floor": lambda: floor(path, wanted)}
    ways |= {kind: lambda kind=kind: read(kind, wanted) for kind in memory}
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            begun = time.perf_counter()
            assert way() == wanted  # noqa: S101 - this is a benchmark
            times[name].append(time.perf_counter() - begun)
    print_table(path, wanted, times, memory)


def print_table(path: Path, wanted: int, times: dict[str, list[float]], memory: dict[str, tuple[str, str]]) -> None:
    """Print what was measured, with the memory of each kind."""
    table = Table(box=None, title=f"{wanted:,} traces of {path.name}")
    for name in ("result", "traces/s, best", "traces/s, median", "of the floor", "peak MB", "of it before"):
        table.add_column(name, justify="left" if name == "result" else "right")
    for name, taken in times.items():
        ratios = [own / least for own, least in zip(taken, times["floor"], strict=True)]
        before, peak = memory.get(name, ("", ""))
        table.add_row(
            name, f"{wanted / min(taken):,.0f}", f"{wanted / statistics.median(taken):,.0f}",
            f"{statistics.median(ratios):.2f}", peak, before,
        )  # fmt: skip
    console.print(table)


def read(kind: Any, wanted: int) -> int:
    """Read so many traces, and look at the spans of each; return how many there were."""
    found: Any = tracehound.search_traces(max_results=wanted, return_type=kind)
    if kind == "arrow":
        return sum(batch.num_rows for batch in found)
    if kind in ("list", "iterator"):
        return sum(1 for trace in found if trace.data.spans)
    return len(found)


def floor(path: Path, wanted: int) -> int:
    """Read, decompress and decode the same rows."""
    with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        rows = connection.execute(
            "SELECT t.*, p.payload FROM trace AS t INDEXED BY trace_by_start CROSS JOIN part AS p ON p.trace = t.seq"
            " WHERE t.experiment = 0 ORDER BY t.experiment, t.start_ms DESC LIMIT ?",
            (wanted,),
        )
        decompress = zstandard.ZstdDecompressor().decompress
        return sum(1 for row in rows if from_json(decompress(row[-1])))


def memory_of(kind: str, path: Path, wanted: int) -> tuple[str, str]:
    """Return the peak memory of a process before it reads and in the end, in MB."""
    command = [sys.executable, __file__, path.stem, "--folder", str(path.parent), "--traces", str(wanted)]
    done = subprocess.run([*command, "--memory-of", kind], check=True, capture_output=True, text=True)  # noqa: S603
    before, after = done.stdout.split()
    return before, after


def peak_mb() -> int:
    """Return the most memory that this process has had."""
    unit = 1_000_000 if sys.platform == "darwin" else 1_000
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


if __name__ == "__main__":
    main()
