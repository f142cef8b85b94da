"""Processes that trace into one store and search it, all at once: python -m tests.crowd [SECONDS] [--processes N].

Afterwards every trace whose call has returned has to be found, once; no process may have said or raised anything; and
the log of the database must have stayed short, however many readers there were. Ctrl-C ends it early, with the figures
so far. The exit code is 1 where anything was wrong.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

import tracehound
from tracehound import runtime
from tracehound.runtime import Runtime
from tracehound.settings import Settings

# The longest that the log may grow: it is emptied beyond 80 MB, and a batch may be on its way.
MAX_LOG_BYTES: Final = 100_000_000
_LOOK_EVERY_S: Final = 0.05

# Traces and searches until its input ends; writes the id of each call that has returned, and says how it fared.
MEMBER: Final = """
import sys, threading, tracehound

@tracehound.trace
def answer(number, text):
    tracehound.update_current_trace(tags={"member": sys.argv[1], "tens": str(number // 10)})
    return tracehound.get_active_trace_id()

over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
with open(sys.argv[2], "w") as returned:
    number = searches = 0
    is_first = True
    while is_first or not over.is_set():  # a busy machine may need all of the time to come here
        is_first = False
        for _ in range(20):
            number += 1
            last = answer(number, "why " * 100)
            print(last, file=returned)
        member = sys.argv[1]
        found = tracehound.search_traces(f"tags.member = '{member}'", max_results=10, return_type="list")
        assert len(found) == 10
        assert tracehound.get_trace(last) is not None  # what has returned is found at once
        tracehound.search_traces("attributes.status = 'ERROR'", max_results=1, return_type="list")
        searches += 2
    report = tracehound.flush()
    assert (report.pending, report.dropped) == (0, 0), report
print(searches)
"""


@dataclass
class Figures:
    """What was seen."""

    returned: int = 0
    found: int = 0
    lost: int = 0
    twice: int = 0
    searches: int = 0
    longest_log_bytes: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def is_good(self) -> bool:
        """Whether nothing was lost, twice or said, and the log stayed short."""
        return not (self.lost or self.twice or self.said) and self.longest_log_bytes < MAX_LOG_BYTES


def run(folder: Path, processes: int, seconds: float, console: Console) -> Figures:
    """Let so many processes trace and search in a folder for so long; return what was seen."""
    store = folder / "tracehound.db"
    figures = Figures()
    environment = {**os.environ, "TRACEHOUND_TRACKING_URI": str(store), "TRACEHOUND_RAISE_FAULTS": "1"}
    files = [folder / f"returned-{number}" for number in range(processes)]
    members = [
        subprocess.Popen(
            [sys.executable, "-c", MEMBER, str(number), str(file)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )
        for number, file in enumerate(files)
    ]  # fmt: skip
    try:
        with contextlib.suppress(KeyboardInterrupt):
            _watch(store, seconds, members, figures, console)
        for member in members:
            told, said = member.communicate(timeout=120)
            figures.searches += int(told) if told.strip().isdecimal() else 0
            if said or member.returncode != 0:
                figures.said.append(said or f"exit code {member.returncode}")
    finally:
        for member in members:
            if member.poll() is None:
                member.kill()
                member.communicate()
    _count(store, {line for file in files for line in file.read_text().split()}, figures)
    return figures


def _watch(
    store: Path, seconds: float, members: list[subprocess.Popen[str]], figures: Figures, console: Console
) -> None:
    """Look at the length of the log until the time is over, or a process has ended by itself."""
    log = store.with_name(f"{store.name}-wal")
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    begun_s = time.monotonic()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("running", total=seconds)
        while (now_s := time.monotonic() - begun_s) < seconds and all(each.poll() is None for each in members):
            with contextlib.suppress(FileNotFoundError):
                figures.longest_log_bytes = max(figures.longest_log_bytes, log.stat().st_size)
            progress.update(task, completed=now_s, description=f"log {figures.longest_log_bytes / 1e6:.1f} MB at most")
            time.sleep(_LOOK_EVERY_S)  # this is the clock of the measurement


def _count(store: Path, returned: set[str], figures: Figures) -> None:
    own = Runtime(Settings(str(store)))
    before = runtime.replace(own)
    try:
        traces = tracehound.search_traces(return_type="list")
    finally:
        runtime.replace(before)
        own.close()
    times = Counter(trace.info.trace_id for trace in traces)
    figures.returned, figures.found = len(returned), len(times)
    figures.lost = len(returned - times.keys())
    figures.twice = sum(count - 1 for count in times.values())


def main(arguments: list[str]) -> int:
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.crowd", description="Trace and search, all at once.")
    parser.add_argument("seconds", type=float, nargs="?", default=60.0, help="how long (60)")
    parser.add_argument("--processes", type=int, default=8, help="how many (8)")
    asked = parser.parse_args(arguments)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="tracehound-crowd-") as folder:
        figures = run(Path(folder), asked.processes, asked.seconds, console)
    names = ("processes", "returned", "found", "lost", "twice", "searches", "longest log, MB")
    values = (asked.processes, figures.returned, figures.found, figures.lost, figures.twice, figures.searches)
    table = Table(*names, box=None)
    table.add_row(*(f"{value:,}" for value in values), f"{figures.longest_log_bytes / 1e6:.1f}")
    console.print(table)
    for said in figures.said:
        console.print(said, style="red", markup=False)
    return 0 if figures.is_good else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
