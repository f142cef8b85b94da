"""Ask what nobody would ask: ./dev fuzz [MINUTES].

Filters, orders, groups and SQL are cut out of those that are known, mixed, repeated and sown with pieces of SQL,
quotes, NULs, half characters and letters of all scripts. Each has to be answered, by both stores alike, or refused
with a clean error, each within a second of processor time. The texts that were not are printed; then the exit code is
1. Every processor runs its own; the seeds are printed, and `--seed` repeats one.
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from tests.query.typos import NOW_MS, check_answer_or_clean_error
from tests.traces import part, span
from tracehound.errors import ArgumentError, FilterError, StoreError, TracehoundError
from tracehound.model.assessment import Feedback
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.record import to_json_text
from tracehound.query.limit import SearchLimit
from tracehound.query.search import parse_search
from tracehound.query.statistics import StatisticsQuery, parse_groups
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.store import SqliteStore

MOST_S: Final = 1.0
LONGEST: Final = 100_000
LEDGERS: Final = sorted(Path(__file__).parent.glob("*/*.yaml"))
PIECES: Final = [
    *("AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "CONTAINS", "IS NULL", "IS NOT NULL", "THEN"),
    *("(", ")", "((", "))", ",", ".", "=", "!=", "<", "<=", ">", ">=", "'", '"', "`", "''", "--", ";", "/*", "*/"),
    *("\\", ">>"),
    *("span(", "count(", "span.name", "tags.env", "trace.text", "feedback.quality", "attributes.latency", "now()"),
    *("'; DROP TABLE trace; --", "' OR 1=1 --", "UNION SELECT", "sqlite_master", "?", ":a", "%", "_", "NULL", "TRUE"),
    *("0", "-1", "1e999", "9" * 40, "0x10", "NaN", "1_000", "INTERVAL '1 day'", "TIMESTAMP '2025-01-01'"),
    *("\0", "\ud800", "\udfff", "\u202e", "\ufeff", "é", "日本語", "🐕", "ſ", "\u0130", "\n", "\t", "\u2028", "\x7f"),
    *("(?i)", "[[:alpha:]]", "(a|b)*", "\\pN", "(((((", "x" * 300, "a.b.c.d.e.f", "$", "@", "{", "}", "[", "]"),
]  # fmt: skip
QUERIES: Final = [
    "SELECT name, count(*) FROM traces GROUP BY name", "SELECT * FROM spans WHERE inputs LIKE '%a%' LIMIT 3",
    "WITH t AS (SELECT trace_id FROM tags) SELECT * FROM t JOIN assessments USING (trace_id)",
]  # fmt: skip


NAMES: Final = [
    "latency DESC", "tags.env", "metadata.`a b` ASC", "attributes.name", "cost", "tag.n desc", "user, status",
]  # fmt: skip


class Finding(Exception):  # noqa: N818 - what a fuzzer finds
    """A text that was neither answered nor refused as it has to be."""


class Fuzzer:
    """Two stores of the same traces, and texts to ask them."""

    def __init__(self, seed: int, folder: str) -> None:
        self._chance = random.Random(seed)
        self._stores: list[Store] = [MemoryStore(), SqliteStore(Path(folder, "fuzz.db"))]
        for store in self._stores:
            store.write(some_changes())
        self.answered: Counter[str] = Counter()
        self.slowest_s = self._begun = 0.0
        known = known_filters()
        # In these shares: what is asked, how, and what it is made of.
        self._asked: list[tuple[str, Callable[[str], None], list[str]]] = [
            *[("filter", self._filter, known)] * 5,
            ("order", self._order, NAMES),
            ("group", self._group, NAMES),
            ("SQL", self._sql, QUERIES),
        ]

    def step(self) -> None:
        """Ask one text; raise `Finding` for what is wrong."""
        what, ask, known = self._chance.choice(self._asked)
        text = self._text(known)
        self._begun = time.thread_time()
        try:
            ask(text)
            self.answered[what] += 1
        except (FilterError, ArgumentError):
            self.answered[f"{what}, refused"] += 1
        except StoreError as error:
            if "the filter asks for more at once than this SQLite can do" not in str(error):
                raise Finding(f"{what}: {text!r}\n{traceback.format_exc()}") from error
        except Exception as error:
            raise Finding(f"{what}: {text!r}\n{traceback.format_exc()}") from error
        self._done(what, text)

    def _done(self, what: str, text: str) -> None:
        """Raise `Finding` where the last question took too long; the next begins."""
        taken_s = time.thread_time() - self._begun
        self._begun = time.thread_time()
        self.slowest_s = max(self.slowest_s, taken_s)
        if taken_s > MOST_S:
            raise Finding(f"{what} took {taken_s:.1f} s: {text[:2000]!r}")

    def _filter(self, text: str) -> None:
        check_answer_or_clean_error(text)
        search = parse_search(["0"], text, limit=3, now_ms=NOW_MS)
        memory, sqlite = (store.search(search).traces for store in self._stores)
        if memory != sqlite:
            raise Finding(f"the stores differ: {text!r}")
        memory_counts, sqlite_counts = (
            store.statistics(StatisticsQuery(search, wanted=frozenset())) for store in self._stores
        )
        if memory_counts != sqlite_counts:
            raise Finding(f"the statistics differ: {text!r}")

    def _order(self, text: str) -> None:
        search = parse_search(["0"], None, [text], limit=3, now_ms=NOW_MS)
        memory, sqlite = (store.search(search).traces for store in self._stores)
        if memory != sqlite:
            raise Finding(f"the stores differ: order {text!r}")

    def _group(self, text: str) -> None:
        query = StatisticsQuery(parse_search(["0"]), tuple(parse_groups([text])), wanted=frozenset())
        memory, sqlite = (store.statistics(query) for store in self._stores)
        if memory != sqlite:
            raise Finding(f"the statistics differ: group {text!r}")

    def _sql(self, text: str) -> None:
        try:
            self._stores[1].sql(text, (), SearchLimit(MOST_S / 2))
        except TracehoundError as error:
            if isinstance(error, StoreError) or re.search(r"sqlite3|Traceback|<class", str(error)):
                raise

    def _text(self, known: list[str]) -> str:
        """Return a text that nobody wrote."""
        chance = self._chance
        text = chance.choice(known)
        for _ in range(chance.choice([1, 1, 1, 1, 2, 2, 3, 5, 8])):
            at, other = chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)
            low, high = min(at, other), max(at, other)
            how = chance.choice([0, 1, 2, 3, 4, 4, 4, 4, 4, 5, 6])
            if how == 0:
                text = text[:low] + text[high:]
            elif how == 1:
                text = text[:at] + chance.choice(PIECES) + text[at:]
            elif how == 2:
                text = f"{text[:at]} {chance.choice(PIECES)} {text[at:]}"
            elif how == 3:
                source = chance.choice(known)
                begin = chance.randrange(len(source) + 1)
                text = text[:low] + source[begin : begin + 40] + text[high:]
            elif how == 4:
                text = f"{text} {chance.choice(['AND', 'OR', 'AND NOT'])} {chance.choice(known)}"
            elif how == 5:
                text = text[:low] + text[low:high] * chance.choice([2, 3, 50, 1_000]) + text[high:]
            else:
                text = text[:low] + text[high:] + text[low:high]
            text = text[:LONGEST]
        return text


def known_filters() -> list[str]:
    """Return every filter of the ledgers."""

    def filters_in(value: Any) -> list[str]:
        if isinstance(value, dict):
            own = [value["filter"]] if isinstance(value.get("filter"), str) else []
            return own + [each for inner in value.values() for each in filters_in(inner)]
        return [each for inner in value for each in filters_in(inner)] if isinstance(value, list) else []

    found = [each for path in LEDGERS for each in filters_in(yaml.safe_load(path.read_text("utf-8")))]
    return sorted(set(found))


def some_changes() -> list[Any]:
    """Return traces in which some of what is asked is found."""
    said = Feedback("quality", value=0.9, assessment_id="a-1", create_time_ms=1, last_update_time_ms=1)
    return [
        part(span(1, trace=1, name="alpha", duration_ms=5), span(2, trace=1, parent=1, name="child"),
             tags={"env": "prod", "n": "5"}, metadata={"mlflow.trace.user": "alice"}),
        part(span(1, trace=2, name="Beta", start_ms=9, duration_ms=None), tags={"env": "dev"}),
        part(span(1, trace=3, name="日本", start_ms=20, failed=True), tags={"env": ""}, client_request_id="C-1"),
        Edit(f"tr-{1:032x}", "a-1", to_json_text(said.to_dict()), 1, ASSESSMENT),
    ]  # fmt: skip


def run(seed: int, seconds: float, results: Any) -> None:
    """Ask for so long; hand over what was found."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    findings: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(seed, folder)
        end = time.monotonic() + seconds
        while time.monotonic() < end and len(findings) < 10:
            try:
                fuzzer.step()
            except Finding as finding:
                findings.append(str(finding))
    results.put((dict(fuzzer.answered), fuzzer.slowest_s, findings))


def main(arguments: list[str]) -> int:
    """Fuzz on all processors, and print what came of it."""
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.splitlines()[0])
    parser.add_argument("minutes", nargs="?", type=float, default=10.0, help="how long (10)")
    parser.add_argument("--seed", type=int, help="the seed of the only process")
    given = parser.parse_args(arguments)
    count = multiprocessing.cpu_count() if given.seed is None else 1
    seeds = [given.seed or random.SystemRandom().randrange(2**32) for _ in range(count)]
    print(f"{given.minutes:g} minutes on {count} processors, seeds {seeds}", flush=True)
    results: Any = multiprocessing.Queue()
    processes = [multiprocessing.Process(target=run, args=(seed, given.minutes * 60, results)) for seed in seeds]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    asked = sum((Counter(each[0]) for each in found), Counter[str]())
    for what, number in sorted(asked.items()):
        print(f"{number:>10,}  {what}")
    print(f"{asked.total():,} texts, the slowest {max(each[1] for each in found) * 1000:.0f} ms")
    findings = [finding for each in found for finding in each[2]]
    for finding in findings:
        print(f"\n{finding}")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
