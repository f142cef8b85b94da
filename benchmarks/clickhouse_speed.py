"""How fast the ClickHouse store is, on the engine in this process, with the mix of `search_speed`.

    ./dev chdb-shell python benchmarks/clickhouse_speed.py 1000000

A store is made in batches of 5,000 traces, as the drainer writes them, and kept (`--folder`). Then each search is asked
for, newest 100, and statistics by name and hour; beside the times stands what the engine's own log of statements says.
"""

from __future__ import annotations

import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
from chdb.state.sqlitelike import Connection
from rich.console import Console
from rich.table import Table
from search_speed import METRICS, MONTH_NS, SEARCHES, SPANS, STATISTICS, STATISTICS_ROUNDS, STEPS, Request, make_request

from tracehound.analysis.statistics import parse_metric
from tracehound.model.record import to_json_text
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import TracePart
from tracehound.query.periods import parse_period
from tracehound.query.search import Search, parse_search
from tracehound.query.sql import Sql
from tracehound.query.statistics import StatisticsQuery, parse_groups
from tracehound.store.api import Store
from tracehound.store.clickhouse.address import ClickHouseAddress, parse_address
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.sqlite.store import SqliteStore

BATCH = 5_000
ROUNDS = 15
END_NS = 1_795_000_000 * 10**9
OK, ERROR = SpanStatus(SpanStatusCode.OK), SpanStatus(SpanStatusCode.ERROR)
LOGGED = (
    "SELECT count(), sum(query_duration_ms), sum(read_rows), sum(read_bytes), max(memory_usage) FROM system.query_log"
    " WHERE type = 'QueryFinish' AND query_kind = 'Select' AND has(databases, 'tracehound')"
)
console = Console(width=160)


@click.command()
@click.argument("size", type=int, default=100_000)
@click.option("--folder", default="/tmp/tracehound-benchmark", show_default=True, type=click.Path(path_type=Path))  # noqa: S108
@click.option("--sqlite", is_flag=True, help="Fill a file of SQLite as well, to compare disk and processor time.")
@click.option("--only", default="", help="Only the searches in whose names this is.")
def main(size: int, folder: Path, *, sqlite: bool, only: str) -> None:
    """Measure the store with SIZE traces."""
    folder.mkdir(parents=True, exist_ok=True)
    address = parse_address(f"chdb://{folder / f'{size}.chdb'}")
    log = keep_log(folder, address)
    engine, store = Engine(address), ClickHouseStore(address)
    if not store.experiments():
        say_how_fast("ClickHouse", size, store)
        if sqlite:
            path = folder / f"{size}.parts.db"
            file = SqliteStore(path)
            say_how_fast("SQLite", size, file)
            file.make_durable()
            file.close()
            console.print(f"SQLite: {path.stat().st_size / size:,.0f} bytes a trace")
    asked = "SELECT table, sum(bytes_on_disk) FROM system.parts WHERE active AND database = ? GROUP BY table"
    sizes = engine.select(Sql(asked, (address.database,)))
    told = ", ".join(f"{table} {found / size:,.0f}" for table, found in sorted(sizes, key=lambda row: -row[1]))
    console.print(f"ClickHouse: {sum(found for _, found in sizes) / size:,.0f} bytes a trace: {told}")
    measure(engine, store, only)
    log.close()


def say_how_fast(name: str, size: int, store: Store) -> None:
    """Fill a store, and say what that took: the processor's time of all threads, for others use the machine too."""
    cpu, taken = 0.0, 0.0
    for batch in batches(size):
        before, begun = cpu_seconds(), time.perf_counter()
        store.write(batch)
        cpu, taken = cpu + cpu_seconds() - before, taken + time.perf_counter() - begun
    spans = size * SPANS
    console.print(f"{name}: {spans / cpu:,.0f} spans for a second of processor, {spans / taken:,.0f} spans/s")


def batches(size: int) -> Iterator[list[TracePart]]:
    """Yield the traces of the benchmark mix, a month of them, as parts."""
    chance = random.Random(size)
    for first in range(0, size, BATCH):
        numbers = range(first, min(first + BATCH, size))
        yield [to_part(chance, make_request(chance, END_NS - MONTH_NS + MONTH_NS * each // size)) for each in numbers]


def to_part(chance: random.Random, request: Request) -> TracePart:
    """Return what `search_speed.trace_one` traces."""
    trace_id = f"tr-{chance.getrandbits(128):032x}"
    ids = [f"{chance.getrandbits(64):016x}" for _ in range(SPANS)]
    asked = to_json_text({"messages": [{"role": "user", "content": request.questions[0]}]})
    end_ns = request.start_ns + request.length_ns
    status = ERROR if request.failed else OK
    spans = [
        Span(
            trace_id, ids[0], None, request.agent, request.start_ns, end_ns, status, "AGENT", asked,
            to_json_text(request.answers[0]),
        )
    ]  # fmt: skip
    at_ns = request.start_ns
    for at, (name, kind) in enumerate(STEPS):
        at_ns += request.length_ns // SPANS
        spans.append(
            Span(
                trace_id, ids[at + 1], ids[0], name, at_ns, at_ns + request.length_ns // 6,
                ERROR if request.failed and name == "check" else OK, kind,
                to_json_text({"query": request.questions[at + 1]}), to_json_text({"text": request.answers[at + 1]}),
                {"model": f'"{request.models[at]}"', "temperature": "0.2"},
            )
        )  # fmt: skip
    origin = {"mlflow.source.name": "benchmarks/search_speed.py", "mlflow.source.type": "LOCAL"}
    tags, metadata = ({key: str(value) for key, value in each.items()} for each in (request.tags, request.metadata))
    return TracePart(trace_id, "Default", end_ns, spans, tags, metadata, origin=origin)


def measure(engine: Engine, store: Store, only: str) -> None:
    """Print a table of what searches and statistics take, and what the engine's log says of the last of each."""
    table = Table(box=None)
    for name in (
        "search",
        "found",
        "p50 ms",
        "processor ms",
        "statements",
        "engine ms",
        "rows read",
        "MB read",
        "MB held",
    ):
        table.add_column(name, justify="left" if name == "search" else "right")
    for name, make in SEARCHES.items():
        if only in name:
            chance = random.Random(1)
            asked = [make(chance) for _ in range(ROUNDS)]
            searches = [parse_search(["0"], text, order, limit) for text, limit, order in asked]
            table.add_row(name, *timed(engine, [partial(count_found, store, each) for each in searches]))
    metrics = [parse_metric(name) for name in METRICS]
    wanted = frozenset(each.wanted for each in metrics if each.wanted is not None)
    fractions = tuple(each.fraction for each in metrics if each.fraction is not None)
    for name, filter_string in STATISTICS.items():
        if only in name:
            search = parse_search(["0"], filter_string, now_ms=END_NS // 10**6)
            groups, hourly = tuple(parse_groups(["name"])), parse_period("1h")
            query = StatisticsQuery(search, groups, hourly, wanted, are_weighted=True, fractions=fractions)
            table.add_row(name, *timed(engine, [partial(count_groups, store, query)] * STATISTICS_ROUNDS))
    console.print(table)


def count_found(store: Store, search: Search) -> int:
    """Return how many whole traces a page of a search has."""
    return len(store.search_whole(search).traces)


def count_groups(store: Store, query: StatisticsQuery) -> int:
    """Return how many groups statistics have."""
    return len(store.statistics(query))


def timed(engine: Engine, questions: Sequence[Callable[[], int]]) -> tuple[str, ...]:
    """Return how many were found, the median times, and what the last question made the engine do."""
    times, processor, found = [], [], 0
    for ask in questions:
        engine.run("TRUNCATE TABLE IF EXISTS system.query_log")
        begun, used = time.perf_counter(), cpu_seconds()
        found += ask()
        times.append((time.perf_counter() - begun) * 1000)
        processor.append((cpu_seconds() - used) * 1000)
        engine.run("SYSTEM FLUSH LOGS")
    statements, engine_ms, rows, read, held = engine.select(Sql(LOGGED))[0]
    return (
        f"{found / len(times):.0f}", f"{statistics.median(times):.0f}", f"{statistics.median(processor):.0f}",
        str(statements), str(engine_ms), f"{rows:,}", f"{read / 1e6:,.1f}", f"{held / 1e6:,.1f}",
    )  # fmt: skip


def keep_log(folder: Path, address: ClickHouseAddress) -> Any:
    """Open the engine with its log of statements, which it keeps while this is open."""
    config = folder / "query_log.xml"
    config.write_text(
        "<clickhouse><query_log><database>system</database><table>query_log</table></query_log></clickhouse>"
    )
    return Connection(f"{address.directory}?config-file={config}")


def cpu_seconds() -> float:
    """Return the processor time of this process, of all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
