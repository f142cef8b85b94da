"""How fast servers take spans in over OTLP/HTTP, and in how much memory: ours, MLflow's and Phoenix's, in turns.

    ./dev bench

`./dev bench` makes an environment for theirs. Each is started by its own command, over SQLite in a folder of its own,
at a port of this machine, and is sent the same requests (`otlp_speed.py`) by the same cheap sender. Two moments are
measured, since they are not the same everywhere: when the last request was answered for, and when all spans are in the
store's table. What a server refuses is sent again, and counted. Memory is what the processes of a server have to
themselves, and their share of the rest.

MLflow's is given one worker: four, which it starts otherwise, have four times the memory, and wait for one file.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import click
import psutil
from otlp_speed import SPANS_OF_A_TRACE, send, to_body
from rich.console import Console
from rich.table import Table

READY_WITHIN_S: Final = 300.0
STORED_WITHIN_S: Final = 600.0
console = Console(width=120)


@dataclass(frozen=True)
class Kind:
    """A server: the command that starts it in a folder at a port, and how it is asked."""

    name: str
    command: Callable[[Path, int], list[str]]
    environment: Callable[[Path, int], Mapping[str, str]]
    health: str
    database: str
    count: str  # SQL
    per_count: int = 1
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """What was seen of one server in one round."""

    answered_s: float
    stored_s: float
    cpu_us: float
    idle_mb: float
    loaded_mb: float
    wait_ms: float
    refused: int


def kinds(peers: Path) -> dict[str, Kind]:
    """Return the servers by their names; theirs are in an environment."""
    return {
        "tracehound": Kind(
            "Tracehound",
            lambda folder, port: [
                sys.executable, "-m", "tracehound", "server", "--port", str(port), "--store",
                str(folder / "tracehound.db"),
            ],
            lambda _folder, _port: {},
            health="/health",
            database="tracehound.db",
            count="SELECT count(*) FROM trace",
            per_count=SPANS_OF_A_TRACE,
        ),
        "mlflow": Kind(
            "MLflow",
            lambda folder, port: [
                str(peers / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
                "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}",
                "--artifacts-destination", str(folder / "artifacts"),
            ],
            lambda _folder, _port: {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
            health="/health",
            database="mlflow.db",
            count="SELECT count(*) FROM spans",
            headers={"x-mlflow-experiment-id": "0"},
        ),
        "phoenix": Kind(
            "Phoenix",
            lambda _folder, _port: [str(peers / "phoenix"), "serve"],
            lambda folder, port: {
                "PHOENIX_WORKING_DIR": str(folder), "PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port),
                "PHOENIX_GRPC_PORT": str(free_port()), "PHOENIX_TELEMETRY_ENABLED": "false",
                "PHOENIX_ALLOW_EXTERNAL_RESOURCES": "false",
            },
            health="/healthz",
            database="phoenix.db",
            count="SELECT count(*) FROM spans",
        ),
    }  # fmt: skip


@click.command()
@click.argument("peers", type=click.Path(path_type=Path, exists=True))
@click.option("--spans", default=30_000, show_default=True, help="That ours is sent.")
@click.option("--peer-spans", default=2_000, show_default=True, help="That theirs are sent, which take longer.")
@click.option("--rounds", default=3, show_default=True)
@click.option("--connections", default=4, show_default=True)
@click.option("--only", multiple=True, type=click.Choice(["tracehound", "mlflow", "phoenix"]))
def main(peers: Path, spans: int, peer_spans: int, rounds: int, connections: int, only: tuple[str, ...]) -> None:
    """Measure our server and those in the environment whose programs are in PEERS."""
    results: defaultdict[str, list[Result]] = defaultdict(list)
    wanted = [kind for name, kind in kinds(peers.absolute()).items() if not only or name in only]
    for number in range(rounds):
        for kind in wanted:
            count = spans if kind.name == "Tracehound" else peer_spans
            console.print(f"[dim]round {number + 1}: {kind.name}, {count:,} spans; load {os.getloadavg()[0]:.1f}")
            results[kind.name].append(measure(kind, count, connections))
    console.print(to_table(results, spans, peer_spans))


def measure(kind: Kind, spans: int, connections: int) -> Result:
    """Start a server and send it so many spans."""
    chance = random.Random(7)
    bodies = [to_body(chance, 500) for _ in range(spans // 500)]
    with tempfile.TemporaryDirectory(prefix="tracehound-peers-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with running(kind, folder) as (port, process):
            tree = Tree(process)
            idle_mb, before_s = tree.memory_mb(), tree.cpu_s()
            with tree.watched() as most_mb:
                begun_s = time.perf_counter()
                taken_s, refused = send(port, bodies, connections, kind.headers)
                answered_s = time.perf_counter() - begun_s
                wait_for(
                    lambda: stored(kind, folder) >= spans, STORED_WITHIN_S, f"{kind.name} has not stored all spans"
                )
                stored_s = time.perf_counter() - begun_s
            cpu_us = (tree.cpu_s() - before_s) / spans * 1e6
    return Result(
        answered_s / spans, stored_s / spans, cpu_us, idle_mb, max(most_mb), statistics.median(taken_s) * 1000, refused
    )


@contextmanager
def running(kind: Kind, folder: Path) -> Iterator[tuple[int, psutil.Process]]:
    """Run a server until the block ends, and all processes that it has started; yield its port and its process."""
    port = free_port()
    with (folder / "log").open("wb") as log:
        started = subprocess.Popen(  # noqa: S603 - the commands above
            kind.command(folder, port), cwd=folder, stdout=log, stderr=log,
            env={**os.environ, **kind.environment(folder, port)},
        )  # fmt: skip
        process = psutil.Process(started.pid)
        try:
            wait_for(lambda: is_well(port, kind.health), READY_WITHIN_S, f"{kind.name} does not start")
            time.sleep(3)  # for what it does behind its start; what is idle is measured then
            yield port, process
        except click.ClickException:
            console.print((folder / "log").read_text("utf-8", "replace")[-3_000:])
            raise
        finally:
            below = process.children(recursive=True)
            for each in (process, *below):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.terminate()
            psutil.wait_procs(below, timeout=5)
            for each in (process, *below):
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            started.wait()


class Tree:
    """A process and all that it has started."""

    def __init__(self, process: psutil.Process) -> None:
        self._process = process
        self._cpu_s: dict[int, float] = {}

    def memory_mb(self) -> float:
        """Return how much memory they have, what they share counted once, where the system tells that."""
        total = 0
        for each in self._all():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                found = each.memory_full_info()
                total += getattr(found, "pss", found.rss)
        return total / 1e6

    def cpu_s(self) -> float:
        """Return how long they have worked, those that have ended meanwhile as far as that was seen."""
        for each in self._all():
            with contextlib.suppress(psutil.NoSuchProcess):
                times = each.cpu_times()
                self._cpu_s[each.pid] = times.user + times.system
        return sum(self._cpu_s.values())

    @contextmanager
    def watched(self) -> Iterator[list[float]]:
        """Look at the memory again and again, until the block ends."""
        seen = [self.memory_mb()]
        is_over = threading.Event()

        def look() -> None:
            while not is_over.wait(0.3):
                seen.append(self.memory_mb())
                self.cpu_s()

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield seen
        finally:
            is_over.set()
            thread.join()

    def _all(self) -> list[psutil.Process]:
        return [self._process, *self._process.children(recursive=True)]


def stored(kind: Kind, folder: Path) -> int:
    """Return how many spans are in the table of a server."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{folder / kind.database}?mode=ro", uri=True)) as connection:
            return int(connection.execute(kind.count).fetchone()[0]) * kind.per_count
    except sqlite3.OperationalError:  # it is locked
        return 0


def is_well(port: int, path: str) -> bool:
    """Whether a server answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def wait_for(condition: Callable[[], bool], seconds: float, told: str) -> None:
    """Wait until something is so; raise what is told where it is not so soon enough."""
    end_s = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end_s:
            raise click.ClickException(f"{told} within {seconds:.0f} s")
        time.sleep(0.05)


def free_port() -> int:
    """Return a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def to_table(results: Mapping[str, list[Result]], spans: int, peer_spans: int) -> Table:
    """Return the medians of all rounds; ratios are to what ours needs for a span until it is stored."""
    table = Table(box=None, title=f"OTLP/HTTP into SQLite: {spans:,} spans to ours, {peer_spans:,} to theirs; medians")
    for name in (
        "server",
        "answered/s",
        "stored/s",
        "times ours",
        "CPU µs a span",
        "idle MB",
        "loaded MB",
        "p50 ms",
        "refused",
    ):
        table.add_column(name, justify="right")
    median = {
        name: [statistics.median(each) for each in zip(*(vars(result).values() for result in rounds), strict=True)]
        for name, rounds in results.items()
    }
    own = median.get("Tracehound")
    for name, (answered_s, stored_s, cpu_us, idle_mb, loaded_mb, wait_ms, refused) in median.items():
        ratio = "" if own is None else f"{stored_s / own[1]:,.1f}"
        table.add_row(
            name, f"{1 / answered_s:,.0f}", f"{1 / stored_s:,.0f}", ratio, f"{cpu_us:,.0f}", f"{idle_mb:.0f}",
            f"{loaded_mb:.0f}", f"{wait_ms:,.0f}", f"{refused:.0f}",
        )  # fmt: skip
    return table


if __name__ == "__main__":
    main()
