"""How fast traces are found, by the size of the store.

    ./dev shell python benchmarks/search_speed.py 10000 300000 1000000

For each size a store is made through the public interface, as an application would: an agent with four steps, inputs
and outputs, tags and metadata, over the last thirty days. It is kept (`--folder`), and used again the next time. Then
each search is asked for with values that differ from time to time, newest 100, whole traces in a DataFrame; then
statistics by name and hour. The last column is the ratio of the medians to those of the smallest store.
"""

from __future__ import annotations

import itertools
import os
import random
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from unittest import mock

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

import tracehound
from tracehound import runtime
from tracehound.store.sqlite import batch

ROUNDS = 40
STATISTICS_ROUNDS = 7
CHUNK = 5_000  # requests, after which it is waited until all of them can be found
SPANS = 5
MONTH_NS = 30 * 86_400 * 10**9
SYLLABLES = re.findall("..", "bacedifoguhajekilomunaperisotuvawexiyozu")
STEPS = (("plan", "CHAIN"), ("retrieve", "RETRIEVER"), ("call_model", "LLM"), ("check", "TOOL"))
AGENTS = [f"{kind}_agent" for kind in ("support", "sales", "search", "travel", "legal", "report", "code", "data")]

console = Console()


@click.command()
@click.argument("sizes", nargs=-1, type=int)
@click.option("--folder", default="/tmp/tracehound-benchmark", show_default=True, type=click.Path(path_type=Path))  # noqa: S108
@click.option("--no-words", is_flag=True, help="Make the stores without the text index.")
@click.option("--only", default="", help="Only the searches in whose names this is.")
def main(sizes: tuple[int, ...], folder: Path, *, no_words: bool, only: str) -> None:
    """Measure searches on stores of SIZES traces."""
    if no_words:
        mock.patch.multiple(batch, words_of=lambda _: None, add_words=lambda *_: None).start()
    folder.mkdir(parents=True, exist_ok=True)
    medians: dict[int, dict[str, float]] = {}
    for size in sorted(sizes or (10_000,)):
        path = folder / f"{size}.db"
        if not path.exists():
            generate(path, size)
        tracehound.set_tracking_uri(str(path))
        tracehound.search_traces(max_results=1)
        medians[size] = measure(size, medians.get(min(medians, default=size), {}), only)


def generate(path: Path, size: int) -> None:
    """Make a store of so many traces, and say how fast that was."""
    unfinished = path.with_suffix(".unfinished.db")
    tracehound.set_tracking_uri(str(unfinished))
    chance = random.Random(size)
    end_ns = time.time_ns()
    taken = cpu = 0.0
    with Progress(console=console) as progress:
        task = progress.add_task(f"{size:,} traces", total=size)
        for first in range(0, size, CHUNK):
            numbers = range(first, min(first + CHUNK, size))
            # Made before the clock runs: what the application itself does is not to be measured.
            requests = [make_request(chance, end_ns - MONTH_NS + MONTH_NS * number // size) for number in numbers]
            begun, cpu_before = time.perf_counter(), cpu_seconds()
            for request in requests:
                trace_one(request)
            report = tracehound.flush()
            taken += time.perf_counter() - begun
            cpu += cpu_seconds() - cpu_before
            progress.update(task, completed=numbers.stop)
    runtime.current().close()
    unfinished.rename(path)
    console.print(
        f"{size:,} traces of {SPANS} spans, all findable after {taken:.0f} s:"
        f" {size * SPANS / taken:,.0f} spans/s, {size * SPANS / cpu:,.0f} spans for a second of processor;"
        f" {path.stat().st_size / size:,.0f} bytes a trace; {report}"
    )


@dataclass(frozen=True)
class Request:
    """What the application is asked, and what its agent and its four steps say and take."""

    start_ns: int
    length_ns: int
    failed: bool
    agent: str
    tags: dict[str, object]
    metadata: dict[str, object]
    models: list[str]
    questions: list[str]
    answers: list[str]


def make_request(chance: random.Random, start_ns: int) -> Request:
    """Return a request of that time."""
    return Request(
        start_ns=start_ns,
        length_ns=int(chance.lognormvariate(7, 1) * 10**6),
        failed=chance.random() < 0.05,
        agent=chance.choices(AGENTS, weights=range(8, 0, -1))[0],
        tags={"env": chance.choice(("prod", "prod", "prod", "staging", "dev")), "region": chance.choice(("eu", "us"))},
        metadata={
            "mlflow.trace.user": f"user-{min(int(chance.paretovariate(0.6)), 20_000)}",
            "mlflow.trace.session": f"session-{start_ns // 10**12}",
            "app_version": f"1.{start_ns // (3 * 86_400 * 10**9) % 100}.{chance.randrange(3)}",
            "mlflow.source.git.commit": f"{start_ns // (86_400 * 10**9):040x}",
        },
        models=[chance.choice(("gpt-4o", "claude", "mistral")) for _ in STEPS],
        questions=[
            f"{sentence(chance, 20)} order {chance.randrange(10**8):08d}",
            *(sentence(chance, 30) for _ in STEPS),
        ],
        answers=[sentence(chance, 30), *(sentence(chance, 50) for _ in STEPS)],
    )


def trace_one(request: Request) -> None:
    """Trace one request of the application."""
    root = tracehound.start_span_no_context(
        request.agent,
        span_type="AGENT",
        inputs={"messages": [{"role": "user", "content": request.questions[0]}]},
        tags=request.tags,
        metadata=request.metadata,
        start_time_ns=request.start_ns,
    )
    at_ns = request.start_ns
    for at, (name, kind) in enumerate(STEPS):
        at_ns += request.length_ns // 5
        step = tracehound.start_span_no_context(
            name, span_type=kind, parent_span=root, inputs={"query": request.questions[at + 1]}, start_time_ns=at_ns,
            attributes={"model": request.models[at], "temperature": 0.2},
        )  # fmt: skip
        step.set_status("ERROR" if request.failed and name == "check" else "OK")
        step.end(outputs={"text": request.answers[at + 1]}, end_time_ns=at_ns + request.length_ns // 6)
    root.set_status("ERROR" if request.failed else "OK")
    root.end(outputs=request.answers[0], end_time_ns=request.start_ns + request.length_ns)


def measure(size: int, reference: dict[str, float], only: str) -> dict[str, float]:
    """Print a table of what searches take in milliseconds, and return the medians."""
    table = Table(box=None, title=f"{size:,} traces")
    for name in ("search", "found", "least ms", "p50 ms", "p95 ms", "of smallest"):
        table.add_column(name, justify="left" if name == "search" else "right")
    medians = {}
    for name, questions in all_questions():
        if only not in name:
            continue
        times, found = [], 0
        for ask in questions:
            begun = time.perf_counter()
            found += len(ask())
            times.append((time.perf_counter() - begun) * 1000)
        medians[name] = statistics.median(times)
        p95 = statistics.quantiles(times, n=20)[-1]
        ratio = f"{medians[name] / reference[name]:.2f}" if name in reference else ""
        mean = f"{found / len(times):.0f}"
        table.add_row(name, mean, f"{min(times):.1f}", f"{medians[name]:.1f}", f"{p95:.1f}", ratio)
    console.print(table)
    return medians


Arguments = tuple[str | None, int, list[str]]
EU_PROD = "tags.env = 'prod' AND tags.region = 'eu'"

SEARCHES: dict[str, Callable[[random.Random], Arguments]] = {
    "newest 100": lambda _: (None, 100, []),
    "by status": lambda chance: (f"attributes.status = '{chance.choice(('OK', 'ERROR'))}'", 100, []),
    "by tag": lambda chance: (f"tags.env = '{chance.choice(('prod', 'dev'))}'", 100, []),
    "by user": lambda chance: (f"attributes.user = 'user-{chance.randrange(1, 2000)}'", 100, []),
    "by name": lambda chance: (f"attributes.name = '{chance.choice(AGENTS)}'", 100, []),
    "by version": lambda chance: (f"metadata.app_version = '1.{chance.randrange(100)}.1'", 100, []),
    "slowest": lambda _: (None, 100, ["latency DESC"]),
    "slowest with a tag": lambda chance: (f"tags.env = '{chance.choice(('prod', 'dev'))}'", 100, ["latency DESC"]),
    "slowest of a user": lambda chance: (
        f"attributes.user = 'user-{chance.randrange(1, 2000)}'", 100, ["latency DESC"]
    ),
    "over 10 s, with a tag": lambda _: ("attributes.latency > 10000 AND tags.env = 'dev'", 100, []),
    "oldest with a tag": lambda _: ("tags.env = 'dev'", 100, ["timestamp ASC"]),
    "OR of two": lambda _: ("tags.env = 'dev' OR attributes.status = 'ERROR'", 100, []),
    "IN of three": lambda chance: (
        f"attributes.name IN ({', '.join(repr(each) for each in chance.sample(AGENTS, 3))})", 100, []
    ),
    "AND of three common": lambda chance: (
        f"{EU_PROD} AND attributes.name = '{chance.choice(AGENTS[:4])}'", 100, []
    ),
    "AND of three, one rare": lambda chance: (
        f"{EU_PROD} AND attributes.user = 'user-{chance.randrange(1, 99)}'", 100, []
    ),
    "tag is not": lambda _: ("tags.env != 'prod' AND attributes.status != 'OK'", 100, []),
    "LIKE on a user": lambda chance: (f"attributes.user LIKE '%{chance.randrange(100, 999)}'", 100, []),
    "a word": lambda chance: (f"trace.text LIKE '%{word(chance, 10, 1_000)}%'", 100, []),
    "a rare word": lambda chance: (f"trace.text LIKE '%{word(chance, 5_000, len(WORDS))}%'", 100, []),
    "a part of a word": lambda chance: (f"trace.text ILIKE '%{word(chance, 1_000, 2_000)[1:]}%'", 100, []),
    "two rare words": lambda chance: (
        f"trace.text CONTAINS '{word(chance, 500, 5_000)}' AND trace.text CONTAINS '{word(chance, 500, 5_000)}'",
        100, [],
    ),
    "a part of a number": lambda chance: (f"trace.text CONTAINS 'order {chance.randrange(10**5):05d}'", 100, []),
    "an expression": lambda chance: (f"trace.text RLIKE 'order {chance.randrange(10**4):04d}[0-5]+'", 100, []),
    "no such word": lambda _: ("trace.text LIKE '%Zebra crossing%'", 100, []),
    "a word, slowest": lambda chance: (
        f"trace.text LIKE '%{word(chance, 1_000, 2_000)}%'", 100, ["latency DESC"]
    ),
    "a word in an input": lambda chance: (
        f"span.inputs.query LIKE '%{word(chance, 1_000, 2_000)}%' AND span.name = 'retrieve'", 100, []
    ),
    "child of": lambda _: ("span(name = 'sales_agent') > span(status = 'ERROR')", 100, []),
    "one span of two": lambda _: ("span.type = 'TOOL' AND span.status = 'ERROR'", 100, []),
    "one span of three": lambda _: (
        "span.name = 'call_model' AND span.duration_ms > 4000 AND span.attributes.model = 'claude'", 100, []
    ),
    "then": lambda _: ("span(name = 'retrieve') THEN span(name = 'check' AND status = 'ERROR')", 100, []),
    "has no span": lambda _: ("NOT span.status = 'ERROR' AND span.name = 'plan'", 100, []),
    "count of spans": lambda _: ("count(span(status = 'ERROR')) >= 1 AND tags.env = 'dev'", 100, []),
    "nothing": lambda _: (f"{EU_PROD} AND tags.team = 'none'", 100, []),
}  # fmt: skip


METRICS = ["count", "error_rate", "p50", "p95", "p99"]
STATISTICS: dict[str, str | None] = {  # by name and hour, of what a filter is true of
    "statistics of all": None,
    "statistics of a tag": "tags.env = 'prod'",
    "statistics of a rarer tag": "tags.env = 'dev'",
    "statistics of two tags": EU_PROD,
    "statistics of errors": "attributes.status = 'ERROR'",
    "statistics of a user": "attributes.user = 'user-7'",
    "statistics of slow ones": "attributes.latency > 5000",
    "statistics of a day": "attributes.timestamp > now() - INTERVAL '1 day'",
}


def all_questions() -> Iterator[tuple[str, list[Callable[[], Sized]]]]:
    """Yield what is asked, each time the same in every run."""
    for name, make in SEARCHES.items():
        chance = random.Random(1)
        asked = [make(chance) for _ in range(ROUNDS)]
        yield name, [partial(tracehound.search_traces, None, *each, return_type="pandas") for each in asked]
    for name, filter_string in STATISTICS.items():
        yield name, [partial(tracehound.trace_stats, filter_string, "name", "1h", METRICS)] * STATISTICS_ROUNDS


_made = random.Random(7)
# As in a language: some words are everywhere, most are rare.
WORDS: list[str] = list(dict.fromkeys("".join(_made.choices(SYLLABLES, k=_made.randint(1, 4))) for _ in range(30_000)))
_SHARES = list(itertools.accumulate(1 / (rank + 10) for rank in range(len(WORDS))))
SENTENCES = {
    words: [" ".join(_made.choices(WORDS, cum_weights=_SHARES, k=words)) for _ in range(5_000)]
    for words in (20, 30, 50)
}


def sentence(chance: random.Random, words: int) -> str:
    """Return some words."""
    return chance.choice(SENTENCES[words])


def word(chance: random.Random, first: int, end: int) -> str:
    """Return a word whose rank, by how often it is used, lies in a range."""
    return WORDS[chance.randrange(first, end)]


def cpu_seconds() -> float:
    """Return the processor time of this process, of all its threads."""
    if sys.platform == "win32":
        return time.process_time()
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    os.environ.setdefault("TRACEHOUND_TRACKING_URI", "memory://")
    main()
