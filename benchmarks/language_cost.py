"""What a filter costs to parse: the slowest of every beginning and every typing error of the ledger's valid filters.

    ./dev shell python benchmarks/language_cost.py

Times are of the whole way from the text to the checked tree, or to the error with its correction. Each is measured
once, the ten slowest again, as the least of five.
"""

from __future__ import annotations

import heapq
import statistics
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.query.test_language import VALID
from tests.query.typos import NOW_MS, beginnings, typos
from tracehound.errors import FilterError
from tracehound.query.check import parse_filter


def main() -> None:
    """Measure all of them and print how many there are, the middle one and the slowest."""
    texts = sorted({text for line in VALID for text in (line, *beginnings(line), *typos(line))})
    times = [cost_us(text) for text in texts]
    slowest = heapq.nlargest(10, zip(times, texts, strict=True))
    console = Console()
    console.print(
        f"{len(texts):,} texts, together {sum(times) / 1e6:.1f} s, the middle one {statistics.median(times):.0f} µs"
    )
    table = Table("µs, once", "µs, least of five", "text")
    for once, text in slowest:
        table.add_row(f"{once:.0f}", f"{min(cost_us(text) for _ in range(5)):.0f}", ascii(text))
    console.print(table)


def cost_us(text: str) -> float:
    """Return how long a text takes to its tree or its error, in microseconds."""
    start_ns = time.perf_counter_ns()
    try:
        parse_filter(text, NOW_MS)
    except FilterError as error:
        str(error)
    return (time.perf_counter_ns() - start_ns) / 1_000


if __name__ == "__main__":
    main()
