"""How fast the ClickHouse store is, on the engine in this process, with the mix of `search_speed`.

    ./dev chdb-shell python benchmarks/clickhouse_speed.py 1000000

A store is made in batches of 8,000 traces, as the drainer writes them, and kept (`--folder`). They are made and encoded
before the clock runs, 96,000 traces at a time; what the engine merges behind them counts. Then each search is asked
for, newest 100, and statistics by name and hour; beside the times stands what the engine's own logs say.
"""

from __future__ import annotations

import itertools
import random
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import msgspec
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
from tracehound.store.clickhouse.engine import OPTIONS_OF_PROCESS, Engine
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.sqlite.store import SqliteStore

BATCH = 8_000
AHEAD = 96_000
ROUNDS = 15
END_NS = 1_795_000_000 * 10**9
OK, ERROR = SpanStatus(SpanStatusCode.OK), SpanStatus(SpanStatusCode.ERROR)
LOGGED = (
    "SELECT count(), sum(query_duration_ms), sum(read_rows), sum(read_bytes), max(memory_usage) FROM system.query_log"
    " WHERE type = 'QueryFinish' AND query_kind = 'Select' AND has(databases, 'tracehound')"
)
WRITTEN = {
    "inserts": "SELECT arraySort(tables)[-1],"
    " sum(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']) AS used, count()"
    " FROM system.query_log WHERE type = 'QueryFinish' AND query_kind = 'Insert' AND has(databases, 'tracehound')"
    " GROUP BY 1 ORDER BY used DESC LIMIT 3",
    "looks at what is known": "SELECT tables[1],"
    " sum(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']) AS used, count()"
    " FROM system.query_log WHERE type = 'QueryFinish' AND query_kind = 'Select' AND has(databases, 'tracehound')"
    " GROUP BY 1 ORDER BY used DESC LIMIT 2",
    "merges": "SELECT table,"
    " sum(ProfileEvents['UserTimeMicroseconds'] + ProfileEvents['SystemTimeMicroseconds']) AS used, count()"
    " FROM system.part_log WHERE event_type = 'MergeParts' AND database = 'tracehound'"
    " GROUP BY 1 ORDER BY used DESC LIMIT 4",
}
IDLE = 10  # looks at the engine that find no merge, one behind the other
encode = msgspec.msgpack.Encoder().encode
read_batch = msgspec.msgpack.Decoder(list[TracePart]).decode
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
        say_how_fast("ClickHouse", size, store, partial(settle, engine))
        say_what_it_took(engine, size)
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


def say_how_fast(name: str, size: int, store: Store, settle: Callable[[], object] = lambda: None) -> None:
    """Fill a store, and say what that took: the processor's time of all threads, for others use the machine too."""
    cpu, taken = 0.0, 0.0
    making = batches(size)
    while ahead := [encode(batch) for batch in itertools.islice(making, AHEAD // BATCH)]:
        before, begun = cpu_seconds(), time.perf_counter()
        for frames in ahead:
            store.write(read_batch(frames))
        cpu, taken = cpu + cpu_seconds() - before, taken + time.perf_counter() - begun
    before, begun = cpu_seconds(), time.perf_counter()
    settle()
    settled, settling = cpu + cpu_seconds() - before, time.perf_counter() - begun
    spans = size * SPANS
    console.print(
        f"{name}: {spans / taken:,.0f} spans/s, {spans / cpu:,.0f} for a second of processor;"
        f" {spans / settled:,.0f} with all that was merged until {settling:.0f} s later"
    )


def settle(engine: Engine) -> None:
    """Wait until the engine merges nothing."""
    idle = 0
    while idle < IDLE:
        time.sleep(0.2)
        idle = 0 if engine.select(Sql("SELECT count() FROM system.merges"))[0][0] else idle + 1


def say_what_it_took(engine: Engine, size: int) -> None:
    """Print what the engine's logs say of inserting and merging, and how large the tables are."""
    engine.run("SYSTEM FLUSH LOGS")
    for title, text in WRITTEN.items():
        rows = engine.select(Sql(text))
        told = ", ".join(f"{table} {used / size:,.0f} µs ({count})" for table, used, count in rows)
        console.print(f"{title}, processor for a trace: {told}")


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
    """Open the engine with its logs of statements and of parts, which it keeps while this is open."""
    config = folder / "query_log.xml"
    config.write_text(
        "<clickhouse><query_log><database>system</database><table>query_log</table></query_log>"
        "<part_log><database>system</database><table>part_log</table></part_log></clickhouse>"
    )
    return Connection(f"{address.directory}?{urlencode({'config-file': str(config), **OPTIONS_OF_PROCESS})}")


def cpu_seconds() -> float:
    """Return the processor time of this process, of all its threads."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
