"""Kill processes that trace and drain, round by round, and look for what they had returned: ./dev torture [ROUNDS].

In every round four processes trace into one store and now and then search it, by which each drains what the others
wrote. All are killed with SIGKILL, each at a random moment. Then every trace whose call had returned has to be found,
once and whole, and the spool has to be tidy. Ctrl-C ends it after the round, with the figures so far; the exit code is
1 where anything was lost, twice or torn.

The processes are forked from one that has everything imported already, so that a round is short.

For every four of these rounds there is one in which a server takes spans in over OTLP from four senders and is killed:
then every span that it had answered for has to be there, once. And there is one in which three programs trace to a
server, and they and the server are killed. In the end a server is away for a minute while a program traces on to it.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import hashlib
import itertools
import multiprocessing
import operator
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Column, Table

import tracehound
from tests.ports import held_port
from tracehound import runtime
from tracehound.model.trace import Trace
from tracehound.runtime import Runtime
from tracehound.settings import Settings

if TYPE_CHECKING:
    from tests.remote.away import Away
    from tests.remote.killing import RemoteKilling
    from tests.server.killing import Killed, Killing

    MakeKilling: TypeAlias = Callable[[Path, random.Random], Killing | RemoteKilling]

PROCESSES: Final = 4
ROUNDS_OF_A_STORE: Final = 20
CALLS_A_SECOND: Final = 500  # of the program whose server is away
LONGEST_ROUND_S: Final = 0.15
START_TIMEOUT_S: Final = 60.0
# Mostly small, some larger than what is written with the interpreter lock held.
SIZES: Final = (50, 200, 400, 1_000, 5_000, 50_000)
WEIGHTS: Final = (40, 20, 20, 10, 9, 1)
# The default, and one that makes a writer begin segments all the time.
SEGMENT_BYTES: Final = (64_000_000, 50_000)
PRELOADED: Final = [
    "argparse", "hashlib", "rich.console", "rich.progress", "rich.table", "tracehound.capture.current",
    "tracehound.capture.decorator", "tracehound.client.search", "tracehound.store.sqlite.store",
]  # fmt: skip


@dataclasses.dataclass
class Figures:
    """What was seen in all rounds."""

    rounds: int = 0
    returned: int = 0
    found: int = 0
    twice: int = 0
    lost: int = 0
    torn: int = 0
    untidy: int = 0

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, twice or torn, and the spool was tidy."""
        return not (self.lost or self.twice or self.torn or self.untidy)


def text_of(key: str, size: int) -> str:
    """Return the text that a trace holds; whoever reads it can tell whether it is whole."""
    digest = hashlib.sha256(key.encode()).hexdigest()
    return (digest * (size // len(digest) + 1))[:size]


def trace_without_end(store: str, experiment: str, returned: str, seed: int, start: Event) -> None:
    """Trace and now and then search, until killed; write down the id of every trace whose call has returned."""
    if not start.wait(START_TIMEOUT_S):
        return  # nobody is there to kill this process
    chance = random.Random(seed)
    settings = Settings(store, experiment=experiment, max_segment_bytes=chance.choice(SEGMENT_BYTES))
    runtime.replace(Runtime(settings))

    @tracehound.trace
    def answer(key: str, size: int) -> str:
        return text_of(key, size)

    @tracehound.trace
    def request(key: str, size: int) -> tuple[str, str]:
        return tracehound.get_active_trace_id() or "", answer(key, size)

    searches_every = chance.choice((5, 50, 500))
    ids = os.open(returned, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for number in itertools.count():
        (size,) = chance.choices(SIZES, WEIGHTS)
        trace_id, _ = request(f"{seed}-{number}", size)
        os.write(ids, f"{trace_id}\n".encode())
        if chance.random() < 1 / searches_every:
            tracehound.search_traces(max_results=1, return_type="list")


class Arena:
    """A store, and the processes that are killed over it."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        self._folder = folder
        self._store = folder / "tracehound.db"
        self._chance = chance
        if sys.platform == "win32":
            self._context = multiprocessing.get_context("spawn")
        else:
            self._context = multiprocessing.get_context("forkserver")
        self._settings = Settings(str(self._store))

    def play(self, figures: Figures) -> None:
        """Run one round and add what was seen to the figures."""
        experiment = f"round {figures.rounds}"
        returned = self._run_and_kill(experiment)
        own = Runtime(dataclasses.replace(self._settings, experiment=experiment))
        before = runtime.replace(own)
        try:
            traces = tracehound.search_traces(return_type="list")
        finally:
            runtime.replace(before)
            own.close()
        times = Counter(trace.info.trace_id for trace in traces)
        figures.rounds += 1
        figures.returned += len(returned)
        figures.found += len(times)
        figures.lost += len(returned - times.keys())
        figures.twice += sum(count - 1 for count in times.values()) + self._rows_twice()
        figures.torn += sum(not is_whole(trace) for trace in traces)
        figures.untidy += len(list(self._spool().glob("*.seg")))

    def _run_and_kill(self, experiment: str) -> set[str]:
        """Return the ids of the traces whose calls have returned."""
        files = [self._folder / f"{experiment} {number}" for number in range(PROCESSES)]
        start = self._context.Event()
        processes: list[BaseProcess] = [
            self._context.Process(
                target=trace_without_end,
                args=(str(self._store), experiment, str(file), self._chance.randrange(2**32), start),
            )
            for file in files
        ]
        try:
            for process in processes:
                process.start()
            start.set()
            pauses_s = sorted(self._chance.uniform(0, LONGEST_ROUND_S) for _ in processes)
            self._chance.shuffle(processes)
            for process, pause_s, last_s in zip(processes, pauses_s, [0.0, *pauses_s], strict=False):
                time.sleep(pause_s - last_s)  # what is waited for is the moment itself
                process.kill()
        finally:
            for process in processes:
                if process.pid is not None:
                    process.kill()
                    process.join()
        if any((process.exitcode or 0) > 0 for process in processes):
            raise RuntimeError("a process has ended by itself; its error stands above")
        texts = [file.read_text() for file in files if file.exists()]
        return {line for text in texts for line in text.split("\n")[:-1]}  # the last one may be cut off

    def _rows_twice(self) -> int:
        """Return how many rows of the store are of a trace that has one already."""
        with contextlib.closing(sqlite3.connect(self._store)) as connection:
            rows, ids = connection.execute("SELECT count(*), count(DISTINCT trace_id) FROM trace").fetchone()
        return int(rows - ids)

    def _spool(self) -> Path:
        return self._store.with_name(f"{self._store.name}-spool")


def is_whole(trace: Trace) -> bool:
    """Whether the trace has both spans, once each, the one below the other, with all that they returned."""
    spans = {span.name: span for span in trace.data.spans}
    if len(trace.data.spans) != 2 or spans.keys() != {"request", "answer"}:
        return False
    outer, inner = spans["request"], spans["answer"]
    text = text_of(**inner.inputs)
    return inner.parent_id == outer.span_id and inner.outputs == text and outer.outputs == [trace.info.trace_id, text]


def run(rounds: int, seed: int, console: Console) -> Figures:
    """Play so many rounds, or until Ctrl-C, and return what was seen."""
    figures = Figures()
    chance = random.Random(seed)
    interrupts = catch_interrupts()
    columns = (TextColumn("rounds"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task("rounds", total=rounds, told="")
        while figures.rounds < rounds and not interrupts:
            with tempfile.TemporaryDirectory(prefix="tracehound-torture-") as folder:
                arena = Arena(Path(folder), chance)
                last = min(figures.rounds + ROUNDS_OF_A_STORE, rounds)
                while figures.rounds < last and not interrupts:
                    arena.play(figures)
                    told = f"{figures.returned:,} returned, {figures.lost} lost"
                    progress.update(task, completed=figures.rounds, told=told)
    return figures


def catch_interrupts() -> list[int]:
    """Return a list that Ctrl-C fills from now on, instead of ending anything: a round is played to its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform != "win32":
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload(PRELOADED)
        forkserver.ensure_running()  # it and its children inherit that
    interrupts: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _frame: interrupts.append(number))
    return interrupts


def run_killing(name: str, make: MakeKilling, rounds: int, seed: int, console: Console) -> Killed:
    """Kill so many times, or until Ctrl-C, and return what was seen of all rounds together."""
    from tests.server.killing import Killed

    total = Killed()
    chance = random.Random(seed)
    interrupts = catch_interrupts()
    columns = (TextColumn(name), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"))
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console) as progress:
        task = progress.add_task(name, total=rounds, told="")
        while total.rounds < rounds and not interrupts:
            with tempfile.TemporaryDirectory(prefix="tracehound-torture-") as folder:
                killing = make(Path(folder) / "tracehound.db", chance)
                for _ in range(min(ROUNDS_OF_A_STORE, rounds - total.rounds)):
                    if not interrupts:
                        killing.play()
                        progress.advance(task)
                seen = dataclasses.astuple(killing.look())
            total = Killed(*map(operator.add, dataclasses.astuple(total), seen))
            progress.update(task, told=f"{total.answered:,} answered for, {total.lost} lost")
    return total


def run_away(seconds: float, console: Console) -> Away:
    """Have a server be away for so long while a program traces, and return what was seen."""
    from tests.remote.away import be_away

    with console.status(f"a server is away for {seconds:.0f} s"), tempfile.TemporaryDirectory() as folder:
        seen = be_away(Path(folder), seconds, CALLS_A_SECOND)
    console.print(
        f"away for {seen.seconds:.0f} s: {seen.returned:,} calls returned, {seen.found:,} traces found,"
        f" {seen.lost} lost, {seen.twice} twice, {seen.dropped} dropped"
    )
    console.print(f"the program's memory: {seen.memory_before_mb:.0f} MB before, at most {seen.memory_most_mb:.0f} MB")
    console.print(
        f"on its disk: at most {seen.disk_most_mb:.1f} MB, {seen.disk_after_mb:.1f} MB"
        f" {seen.caught_up_s:.1f} s after the server was back"
    )
    return seen


def show(figures: Figures | Killed, seconds: float, console: Console) -> None:
    """Print the summary."""
    names = [
        {"untidy": "left", "answered": "answered for"}.get(each.name, each.name) for each in dataclasses.fields(figures)
    ]
    values = dataclasses.astuple(figures)
    table = Table(
        *(Column(name, justify="right") for name in (*names, "seconds", "s a round")), box=SIMPLE, pad_edge=False
    )
    table.add_row(*(f"{value:,}" for value in values), f"{seconds:.1f}", f"{seconds / max(1, figures.rounds):.2f}")
    console.print(table)


def main(arguments: list[str]) -> int:
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="./dev torture", description="Kill traced processes; find what they traced.")
    parser.add_argument("rounds", type=int, nargs="?", default=200, help="how many rounds (200)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the sizes and the moments")
    parser.add_argument(
        "--away", type=float, default=60.0, help="how many seconds a server is away (60); 0 is not at all"
    )
    asked = parser.parse_args(arguments)
    # Here: the processes of the first rounds import this module, and have no time for what servers need.
    from tests.remote.killing import RemoteKilling
    from tests.server.killing import Killing

    console = Console()
    console.print(f"{PROCESSES} processes a round, seed {asked.seed}")
    begun_s = time.monotonic()
    figures = run(asked.rounds, asked.seed, console)
    show(figures, time.monotonic() - begun_s, console)
    is_good = figures.is_good
    with held_port() as port:
        kinds: tuple[tuple[str, MakeKilling], ...] = (
            ("servers", Killing),
            ("clients", functools.partial(RemoteKilling, port=port)),
        )
        for name, make in kinds:
            begun_s = time.monotonic()
            killed = run_killing(name, make, figures.rounds // 4, asked.seed, console)
            show(killed, time.monotonic() - begun_s, console)
            is_good = is_good and killed.is_good
    if asked.away > 0:
        is_good = run_away(asked.away, console).is_good and is_good
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
