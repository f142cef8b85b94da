"""`tracehound run`: programs that import mlflow run unchanged, as Python runs them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tracehound
from tests.waiting import wait_until

PROGRAM = """
import sys
import mlflow
from mlflow.entities import SpanType

@mlflow.trace(span_type=SpanType.AGENT)
def answer(question):
    mlflow.update_current_trace(tags={"about": "running"})
    return question.upper()

if __name__ == "__main__":
    answer(sys.argv[1])
    print(sys.argv, sys.path[0], __file__)
"""


def execute(*command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command line of Python in the folder of the test."""
    known = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "TRACEHOUND"))}
    return subprocess.run(
        [sys.executable, *command], env={**known, **environment}, check=False, capture_output=True, text=True
    )


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return execute("-m", "tracehound", "run", *arguments, **environment)


def only_trace() -> Any:
    (trace,) = tracehound.search_traces(return_type="list")
    return trace


def test_an_unchanged_program_is_traced_under_its_own_name(tmp_path: Path) -> None:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "shop.py").write_text(PROGRAM)
    done = run("app/shop.py", "why?", "--store", "-x")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{['app/shop.py', 'why?', '--store', '-x']} {folder} {folder / 'shop.py'}\n"
    info = only_trace().info
    assert (info.tags["about"], info.tags["mlflow.traceName"]) == ("running", "answer")
    assert info.trace_metadata["mlflow.source.name"] == "shop.py"


def test_a_module_is_run_as_python_runs_it(tmp_path: Path) -> None:
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "orders.py").write_text(PROGRAM)
    done = run("-m", "shop.orders", "why?", "-m")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{[str(package / 'orders.py'), 'why?', '-m']} {tmp_path} {package / 'orders.py'}\n"
    assert only_trace().info.trace_metadata["mlflow.source.name"] == "shop.orders"


@pytest.mark.parametrize(
    "program",
    [
        "import sys; sys.exit(7)",
        "raise SystemExit('out of bones')",
        "def deep():\n    raise KeyError('bone')\ndeep()",
        "import tracehound; raise tracehound.NotFoundError('ours')",
        "import click; raise click.UsageError('theirs')",
        "print(__name__, __spec__, __package__, __builtins__)",
        "syntax error",
    ],
)
def test_output_errors_and_exit_codes_are_those_of_python(tmp_path: Path, program: str) -> None:
    (tmp_path / "shop.py").write_text(program)
    plain, ours = execute("shop.py"), run("shop.py")
    assert (ours.returncode, ours.stdout, ours.stderr) == (plain.returncode, plain.stdout, plain.stderr)


def test_a_program_that_is_not_there_is_told_by_python() -> None:
    plain, ours = execute("nowhere.py"), run("nowhere.py")
    assert (ours.returncode, ours.stderr) == (plain.returncode, plain.stderr) != (0, "")


def test_the_programs_that_it_starts_have_it_too(tmp_path: Path) -> None:
    (tmp_path / "child.py").write_text("import mlflow\nwith mlflow.start_span('child'): pass\n")
    (tmp_path / "shop.py").write_text(
        """
import multiprocessing, subprocess, sys
import mlflow

@mlflow.trace
def spawned(): ...

if __name__ == "__main__":
    subprocess.run([sys.executable, "child.py"], check=True)
    process = multiprocessing.get_context("spawn").Process(target=spawned)
    process.start()
    process.join()
    sys.exit(process.exitcode)
"""
    )
    done = run("shop.py")
    assert (done.returncode, done.stderr) == (0, "")
    names = {trace.info.tags["mlflow.traceName"] for trace in tracehound.search_traces(return_type="list")}
    assert names == {"child", "spawned"}


def test_what_the_machine_has_python_do_first_is_done_as_well(tmp_path: Path) -> None:
    machine = tmp_path / "machine"
    machine.mkdir()
    (machine / "sitecustomize.py").write_text("import sys; sys.began = 'by the machine'\n")
    (tmp_path / "shop.py").write_text("import sys, mlflow; print(sys.began, sys.path[1] == sys.argv[1])\n")
    path = os.pathsep.join([str(machine), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = run("shop.py", str(machine), PYTHONPATH=path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "by the machine True\n", "")


@pytest.mark.skipif(sys.platform == "win32", reason="signals are those of Unix")
def test_signals_reach_the_program(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text(
        "import pathlib, signal\ntry:\n    pathlib.Path('ready').touch()\n    signal.pause()\n"
        "except KeyboardInterrupt:\n    print('stopped', flush=True)\n    raise SystemExit(3)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "tracehound", "run", "shop.py"], stdout=subprocess.PIPE, text=True
    )
    wait_until((tmp_path / "ready").exists)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert (process.returncode, output) == (3, "stopped\n")


def test_a_place_that_is_not_ours_is_refused_before_the_program_runs(tmp_path: Path) -> None:
    (tmp_path / "shop.py").write_text("print('ran')\n")
    refused = run("shop.py", MLFLOW_TRACKING_URI="databricks")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.startswith("error: 'databricks' is a server of Databricks, which Tracehound cannot write to")
    assert "set TRACEHOUND_TRACKING_URI" in refused.stderr


def test_without_a_program_it_says_how_it_is_used() -> None:
    told = run()
    assert told.returncode == 2
    assert "FILE|-m MODULE [ARGUMENTS]" in told.stderr
