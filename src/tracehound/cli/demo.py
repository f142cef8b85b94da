"""`tracehound demo`: the main job on real input.

The example application runs as a program of its own and only traces itself. What is shown afterwards is read back from
the file that it left, with the searches that are printed above the results.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import sys
import time
from importlib import resources
from pathlib import Path
from typing import Final

from tracehound import runtime
from tracehound.analysis.statistics import read_statistics
from tracehound.cli.render import print_heading, print_line, print_search
from tracehound.cli.stats import print_statistics
from tracehound.cli.tree import print_trace
from tracehound.client.search import search_traces
from tracehound.errors import TracehoundError
from tracehound.model.ids import experiment_id
from tracehound.query.search import parse_search
from tracehound.settings import child_environment, read_settings
from tracehound.store.targets import parse_target

EXPERIMENT: Final = "docs-assistant"
_METRICS: Final = ("count", "errors", "p50", "p95", "p99", "latency_max")
_EXAMPLE: Final = Path("examples", "docs_assistant")


def run_demo(store: str, questions: int) -> None:
    """Run the example with so many questions, then search and analyse what it left in the store."""
    path = parse_target(store).path
    if path is None:
        raise TracehoundError("the demo keeps its traces in a file, which is there when it has ended: --store PATH")
    settings = dataclasses.replace(read_settings(), tracking_uri=str(path), experiment=EXPERIMENT)
    program = _find_example()
    print_heading(f"1. A program runs and is traced: {program.name}, {questions} questions")
    begun_ms = int(time.time() * 1000)
    done = subprocess.run(  # noqa: S603 - our own example
        [sys.executable, str(program), "--questions", str(questions)], check=False, env=child_environment(settings)
    )
    if done.returncode != 0:
        raise TracehoundError(f"the example program ended with exit code {done.returncode}")
    runtime.replace(runtime.Runtime(settings))
    _show_results(store, f"attributes.timestamp_ms >= {begun_ms}")


def _show_results(store: str, this_run: str) -> None:
    """Print what the traces of this run tell, each part under the filter and order that found it."""
    print_heading("2. Newest errors: attributes.status = 'ERROR'")
    errors = search_traces(f"{this_run} AND attributes.status = 'ERROR'", max_results=5, return_type="list")
    print_search(errors)

    print_heading("3. Slowest calls: order by execution_time_ms DESC")
    slowest = search_traces(this_run, max_results=5, order_by=["execution_time_ms DESC"], return_type="list")
    print_search(slowest)

    print_heading("4. Latency and errors by name")
    search = parse_search([experiment_id(EXPERIMENT)], this_run)
    print_statistics(read_statistics(runtime.current().drained_store(), search, ["name"], None, _METRICS))

    shown = (errors or slowest)[0]
    program = _program()
    print_heading(f"5. One whole trace: {program} show {shown.info.trace_id} --store {store}")
    print_trace(shown)

    print_line("")
    print_line(f"The traces are kept in {store}. Ask more of them, for example:")
    print_line(f"  {program} search \"tags.app_version = '2.0'\" --store {store} --experiment {EXPERIMENT}")


def _program() -> str:
    """Return how the reader can call the program that is running: it need not be on the PATH."""
    return "tracehound" if shutil.which("tracehound") else os.path.relpath(sys.argv[0])


def _find_example() -> Path:
    """Return the example's folder: in the wheel beside this package, in a checkout at its top."""
    packaged = Path(str(resources.files("tracehound"))) / _EXAMPLE
    for candidate in (packaged, Path(__file__).parents[3] / _EXAMPLE):
        if candidate.is_dir():
            return candidate
    raise TracehoundError(f"the example program is missing from this installation ({packaged})")
