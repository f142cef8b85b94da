"""How a search is answered by SQLite: what was asked before the path was chosen, and how many rows were looked at."""

from __future__ import annotations

import math
import sqlite3
import time

from tracehound.query.access import ByWords, InOrder
from tracehound.query.printer import print_filter
from tracehound.query.search import Search
from tracehound.query.sqlite import COUNTED, is_streamed
from tracehound.store.explain import Choice, Explanation, Step
from tracehound.store.sqlite.finding import follow_plan
from tracehound.store.sqlite.inserting import Row
from tracehound.store.sqlite.ordered import then_absent
from tracehound.store.sqlite.plan import Estimate, choose_plan
from tracehound.store.sqlite.text import Words


def explain(connection: sqlite3.Connection, search: Search) -> Explanation:
    """Run the search and return how that went; why it found nothing is for the caller to ask."""
    words = Words(connection)
    choice = choose_plan(connection, search, words)
    path = choice.plan.path
    rows_read = 0

    def count() -> int:
        nonlocal rows_read
        rows_read += 1
        return 1

    def find(part: Search) -> list[Row]:
        chosen = choice if part is search else choose_plan(connection, part, words)
        return follow_plan(connection, part, chosen, words, counted=True)

    connection.create_function(COUNTED, 0, count)
    begun = time.perf_counter()
    found = then_absent(find(search), search, path, find)
    time_ms = (time.perf_counter() - begun) * 1000
    driver = None if isinstance(path, InOrder) else print_filter(path.condition)
    along = "the traces" if driver is None else f"those with {driver}"
    way = "in order, up to the end of the page" if is_streamed(search, path) else "all of them, and sort"
    return Explanation(
        driver=driver,
        choices=tuple(_to_choice(each) for each in choice.estimates),
        steps=(*map(_to_step, choice.estimates), Step(f"look at {along} {way}", rows_read, time_ms)),
        found=len(found[: search.limit]),
    )


def _to_choice(estimate: Estimate) -> Choice:
    rows = None if estimate.rows == math.inf else round(estimate.rows)
    return Choice(print_filter(estimate.path.condition), rows, estimate.is_counted)


def _to_step(estimate: Estimate) -> Step:
    if isinstance(estimate.path, ByWords):
        what = f"look for the words of {print_filter(estimate.path.condition)}"
        return Step(what, estimate.rows_read, estimate.time_ms)
    looked = f"look through {estimate.values_read:,} values, " if estimate.values_read else ""
    return Step(
        f"{looked}count those with {print_filter(estimate.path.condition)}",
        estimate.values_read + estimate.rows_read,
        estimate.time_ms,
    )
