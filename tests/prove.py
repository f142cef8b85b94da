"""Check the properties with many random cases: ./dev prove [CASES].

So many random searches, with their statistics, are compared between the stores; the other tests that are marked `prove`
have a fifth as many cases each. As many processes as there are cores share them, each from a seed of its own. At the
end stands how many cases each property was checked with, and what share of them held what `hypothesis.event` names.
Ctrl-C ends it with the figures so far; the exit code is 1 where a property failed. What is not random (every typing
error of the ledger) runs whole in the first process.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import is_hypothesis_test
from hypothesis.statistics import collector
from rich.console import Console
from rich.table import Table

from tests.conftest import PROVE, SEARCHES_OF_TRACES

FIGURES: Final = "TRACEHOUND_PROVE_FIGURES"
OPTIONS: Final = [
    "-q", "-m", "prove", "-o", "faulthandler_timeout=0", "-p", "no:xdist", "-p", "no:cacheprovider", "--no-header",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # hypothesis is imported before pytest begins
]  # fmt: skip
NOT_RANDOM: Final = "tests/query/test_typos.py"


class Figures:
    """A plugin of pytest: counts the cases of each test and what they held, and keeps the figures in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cases: Counter[str] = Counter()
        self._labels: dict[str, Counter[str]] = {}

    @pytest.hookimpl(wrapper=True, trylast=True)  # inside of hypothesis' own plugin, which collects, too
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        """Collect what hypothesis tells about the cases of this test."""
        with collector.with_value(lambda told: self._take(item.nodeid, told)):  # type: ignore[arg-type]
            return (yield)

    def pytest_sessionfinish(self) -> None:
        """Write the figures, also of a session that was interrupted."""
        self._path.write_text(json.dumps({"cases": self._cases, "labels": self._labels}), "utf-8")

    def _take(self, test: str, told: dict[str, Any]) -> None:
        for phase in ("reuse-phase", "generate-phase"):
            for case in told.get(phase, {}).get("test-cases", []):
                if case["status"] in ("valid", "interesting"):
                    self._cases[test] += 1
                    self._labels.setdefault(test, Counter()).update(case["events"])


class Properties:
    """A plugin of pytest: counts the tests that take random values."""

    count = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Count them."""
        self.count = sum(is_hypothesis_test(getattr(item, "obj", None)) for item in session.items)


def main(arguments: list[str]) -> int:
    """Start the processes, wait for them, and print what they found."""
    parser = argparse.ArgumentParser(prog="./dev prove", description=__doc__.splitlines()[0])
    parser.add_argument("cases", nargs="?", type=int, default=100_000, help="how many searches to compare (100,000)")
    cases = parser.parse_args(arguments).cases
    console = Console()
    properties = Properties()
    with contextlib.redirect_stdout(io.StringIO()):
        pytest.main([*OPTIONS, "--collect-only"], plugins=[properties])
    processes = os.cpu_count() or 1
    each = max(1, -(-cases // processes))
    console.print(
        f"{properties.count} properties, {processes} processes, {each:,} searches in each, {SEARCHES_OF_TRACES} a case"
    )
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, f"{number}.json") for number in range(processes)]
        running = [
            _start(path, each, console, [] if path is paths[0] else [f"--deselect={NOT_RANDOM}"]) for path in paths
        ]
        signal.signal(signal.SIGINT, lambda *_: None)  # the processes were interrupted, too, and end with their figures
        exits = [process.wait() for process in running]
        figures = [json.loads(path.read_text("utf-8")) for path in paths if path.exists()]
    _print_figures(figures, console)
    return max(exits)


def _start(path: Path, cases: int, console: Console, options: list[str]) -> subprocess.Popen[bytes]:
    seed = secrets.randbelow(2**32)
    console.print(f"pytest -m prove --hypothesis-seed={seed}")
    command = [sys.executable, "-m", "tests.prove", "--run", f"--hypothesis-seed={seed}", *options]
    return subprocess.Popen(command, env={**os.environ, PROVE: str(cases), FIGURES: str(path)})


def _run(arguments: list[str]) -> int:
    """Run the properties in this process."""
    return pytest.main([*OPTIONS, *arguments], plugins=[Figures(Path(os.environ[FIGURES]))])


def _print_figures(figures: list[dict[str, Any]], console: Console) -> None:
    cases = sum((Counter(each["cases"]) for each in figures), Counter[str]())
    table = Table("property", "cases", "of them", "")
    for test, count in sorted(cases.items()):
        table.add_row(test.rsplit("::", 1)[-1], f"{count:,}", "", "")
        labels = sum((Counter(each["labels"].get(test, {})) for each in figures), Counter[str]())
        for label, seen in labels.most_common():
            table.add_row("", "", f"{seen / count:.1%}", label)
    console.print(table)
    console.print(f"{cases.total():,} cases")


if __name__ == "__main__":
    sys.exit(_run(sys.argv[2:]) if sys.argv[1:2] == ["--run"] else main(sys.argv[1:]))
