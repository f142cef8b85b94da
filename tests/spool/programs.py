"""Programs that the tests of the spool start as processes of their own, and kill."""

from __future__ import annotations

import os
from pathlib import Path

from tests.forked import Program

# Traces without end and prints each id when its call has returned.
ENDLESS = """
import itertools, tracehound
@tracehound.trace
def work(number):
    tracehound.update_current_trace(tags={"pid": "%s"})
    return tracehound.get_current_active_span().trace_id
for number in itertools.count():
    print(work(number), flush=True)
"""

# Traces before and after a fork, in both processes, the child by an end that runs no handlers.
FORKING = """
import os, warnings, tracehound
warnings.simplefilter("ignore")  # Python 3.12 warns of forking beside the thread that drains
def trace(name):
    with tracehound.start_span(name):
        pass
trace("before")
os.chdir("/")
child = os.fork()
for _ in range(2):
    trace("child" if child == 0 else "parent")
if child == 0:
    os._exit(0)
os.waitpid(child, 0)
"""


def start(program: str, store: Path) -> Program:
    """Start a program that keeps its traces in the store."""
    return Program(program, {**os.environ, "TRACEHOUND_TRACKING_URI": str(store)})


def kill_after(process: Program, lines: int) -> list[str]:
    """Kill the process when it has printed so many lines; return every whole line that it printed."""
    process.stdin.close()
    printed = [process.stdout.readline() for _ in range(lines)]
    process.kill()
    with process.stdout:
        printed += process.stdout.readlines()
    process.wait()
    return [line.strip() for line in printed if line.endswith("\n")]
