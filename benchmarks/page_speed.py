"""How long the page takes to answer over a large store: from the key or the click to the painted answer.

    ./dev page && ./dev shell python benchmarks/search_speed.py 1000000 --folder FOLDER
    ./dev shell python benchmarks/page_speed.py FOLDER/1000000.db

A headless Chromium looks at a server over the store, which it only reads but may tidy up: give a copy of what matters.
Each thing is done several times with values that differ. `answer` is what was asked for: the rows of the table, or the
tree of the trace; `all` is the last of what stands around it, charts and facets. Both are counted from the event in
the browser to the frame behind the answer. `server` is what the server took of the processor meanwhile.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import click
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.table import Table

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
GOAL_MS = 200
# Notes when the event came that the next thing is counted from, and what was asked of the server since.
WATCH = """
window.watched = {from: 0, open: 0, last: 0, asked: []};
for (const kind of ['keydown', 'click']) addEventListener(kind, event => {
  if (!watched.armed) return;
  watched.armed = false;
  watched.from = event.timeStamp;
}, true);
const plain = window.fetch;
window.fetch = async (...given) => {
  const name = String(given[0]).replace('/api/v1/', ''), begun = performance.now();
  watched.open += 1;
  try {
    const response = await plain(...given);
    const text = await response.text();
    watched.asked.push([name, begun, performance.now(), given[1]?.body ?? '']);
    return new Response(text, response);
  } finally {
    watched.open -= 1;
    watched.last = performance.now();
  }
};
"""
ARM = "() => Object.assign(watched, {armed: true, from: 0, asked: [], last: 0})"
# Ends in the frame behind the one in which the condition is true for the first time.
WAIT = """async condition => {
  const frame = () => new Promise(requestAnimationFrame);
  const isThere = new Function('watched', 'return ' + condition);
  const until = performance.now() + 120_000;
  while (!watched.from || !isThere(watched)) {
    await frame();
    if (performance.now() > until) throw new Error('no answer within two minutes');
  }
  await frame();
  return performance.now() - watched.from;
}"""
SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame);
  let quiet = 0;
  while (quiet < 6) { await frame(); quiet = watched.open ? 0 : quiet + 1; }
  return [watched.last - watched.from, watched.asked.map(([name, from, to, body]) => [name, to - from, body])];
}"""
ROWS = "watched.asked.some(([name]) => name === 'traces/search')"
TREE = "document.querySelector('[role=treeitem]')"
OUTLINE = f"{TREE} && watched.asked.some(([name]) => name.includes('/outline'))"
TABLE = "document.querySelector('#row-0')"
ORDERS = ("Duration", "Name", "State", "Cost", "Tokens", "User", "Time")

console = Console()


@dataclass
class Measured:
    """What one kind of action took, in ms, each time."""

    answer: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    server: list[float] = field(default_factory=list)
    asked: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))


class Desk:
    """A page over the store, what is done on it, and what that took."""

    def __init__(self, page: Page, pid: int) -> None:
        self.page = page
        self._pid = pid
        self.measured: dict[str, Measured] = defaultdict(Measured)

    def do(self, name: str, act: Callable[[], object], condition: str = ROWS) -> None:
        """Do something, and note when its answer was painted and when everything was."""
        into, before_ms = self.measured[name], self._processor_ms()
        self.page.evaluate(ARM)
        act()
        into.answer.append(self.page.evaluate(WAIT, condition))
        last, asked = self.page.evaluate(SETTLED)
        into.whole.append(max(last, into.answer[-1]))
        into.server.append(self._processor_ms() - before_ms)
        console.print(f"{name}: {into.answer[-1]:.0f} ms", style="dim")
        for path, took, _ in asked:
            into.asked["/".join(part[:12] for part in path.split("?")[0].split("/"))].append(took)

    def settle(self) -> None:
        """Wait until nothing is asked for any more."""
        self.page.evaluate(SETTLED)

    def _processor_ms(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text("ascii").rpartition(")")[2].split()
        return sum(map(int, fields[11:13])) * 1_000 / os.sysconf("SC_CLK_TCK")


@click.command()
@click.argument("store", type=click.Path(exists=True, path_type=Path))
@click.option("--rounds", default=5, show_default=True)
def main(store: Path, rounds: int) -> None:
    """Measure the page over STORE, which search_speed.py has made."""
    with serving(store) as (url, pid), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.add_init_script(WATCH)
        page.goto(url)
        page.wait_for_selector("#row-0")
        desk = Desk(page, pid)
        desk.settle()
        for number in range(rounds):
            work(desk, number)
        browser.close()
    print_table(desk.measured, store)


def work(desk: Desk, number: int) -> None:
    """Do once what somebody does who looks for something."""
    keys, line = desk.page.keyboard, desk.page.locator(".filter .editor")
    for name, text in filters(number).items():
        line.click()
        keys.press("ControlOrMeta+a")
        keys.insert_text(text)
        desk.settle()
        keys.press("Escape")  # closes what completes; the key would choose from it
        line.click()
        desk.do(f"filter: {name}", lambda: keys.press("Enter"))
        keys.press("Escape")
        keys.press("Escape")
        if desk.page.locator(".told").count():
            raise SystemExit(f"the page does not understand {text!r}: what it took is no answer")
    desk.do("order within a filter", desk.page.get_by_role("columnheader", name="Duration").get_by_role("button").click)
    desk.do("without the filter", desk.page.get_by_role("button", name="Clear").click)
    for title in ORDERS:
        head = desk.page.get_by_role("columnheader", name=title)
        desk.do(f"order: {title}", head.get_by_role("button").click)
    facet = desk.page.locator(".facet button").nth(number % 3)
    desk.do("a facet", facet.click)
    desk.do("a facet, taken back", facet.click)
    desk.page.locator(".table").focus()
    for _ in range(3):
        desk.do("scroll to the next hundred", lambda: keys.press("End"))
    keys.press("Home")
    keys.press("j")
    desk.do("open a trace", lambda: keys.press("Enter"), TREE)
    desk.do("the next trace", lambda: keys.press("n"), OUTLINE)
    desk.do("back to the table", lambda: keys.press("Escape"), TABLE)


def filters(number: int) -> dict[str, str]:
    """Return filters of several kinds, others each time."""
    tag, region, user = ("staging", "dev")[number % 2], ("eu", "us")[number % 2], f"user-{number + 3}"
    return {
        "nothing passes": f"tags.env = 'nowhere-{number}'",
        "state": "attributes.status = 'ERROR'" + " " * number,
        "tag": f"tags.env = '{tag}'" + " " * (number // 2),
        "three terms": f"attributes.status = 'OK' AND tags.env = '{tag}' AND tags.region = '{region}'"
        + " " * (number // 2),
        "user": f"attributes.user = '{user}'",
        "latency": f"attributes.execution_time_ms > {4_000 + number}",
        "span": f"span.type = 'TOOL' AND span.duration_ms > {3_000 + number}",
        "word": f"attributes.request CONTAINS 'order {number}'",
    }


@contextmanager
def serving(store: Path) -> Iterator[tuple[str, int]]:
    """Run a server over the store on a free port."""
    command = [sys.executable, "-m", "tracehound", "server", "--port", "0", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running:  # noqa: S603 - ourselves
        url = next(word for line in running.stdout or () for word in line.split() if urlsplit(word).port)
        try:
            yield url, running.pid
        finally:
            running.kill()


def print_table(measured: dict[str, Measured], store: Path) -> None:
    """Print what each action took, and the requests behind it."""
    columns = ("what is done", "answer p50", "worst", "all p50", "server p50", "the requests behind it, p50 ms")
    table = Table(*columns, title=str(store))
    for name, found in measured.items():
        answer = statistics.median(found.answer)
        asked = ", ".join(f"{path} {statistics.median(took):.0f}" for path, took in found.asked.items())
        table.add_row(
            name, f"{answer:.0f}", f"{max(found.answer):.0f}", f"{statistics.median(found.whole):.0f}",
            f"{statistics.median(found.server):.0f}", asked, style="red" if answer > GOAL_MS else "",
        )  # fmt: skip
    console.print(table)


if __name__ == "__main__":
    main()
