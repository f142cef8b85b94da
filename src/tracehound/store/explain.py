"""How a search was answered, and for an answer without traces which condition left none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tracehound.query.access import conjuncts
from tracehound.query.printer import print_filter
from tracehound.query.search import Search
from tracehound.query.tree import And


@dataclass(frozen=True)
class Step:
    """One thing that was done: how many rows or values it looked at, and how long that took."""

    what: str
    rows_read: int
    time_ms: float


@dataclass(frozen=True)
class Choice:
    """A condition that an index could have led to traces by.

    `rows` is how many: counted up to the end or estimated, None where all that is known is that they are many.
    """

    condition: str
    rows: int | None
    is_counted: bool


@dataclass(frozen=True)
class Explanation:
    """How one page of a search came about.

    `driver` is the condition whose index led to the traces, None where they were looked at one by one. Where nothing
    was found, `emptied_by` is the condition that left nothing: by itself, or of what those in `emptied_after` had left.
    """

    driver: str | None
    choices: tuple[Choice, ...]
    steps: tuple[Step, ...]
    found: int
    emptied_by: str | None = None
    emptied_after: tuple[str, ...] = ()


def with_reason(explanation: Explanation, search: Search, finds: Callable[[Search], bool]) -> Explanation:
    """Return the explanation with the condition that emptied the answer, if one did; `finds` runs a search."""
    if explanation.found > 0:
        return explanation
    first = replace(search, after=None, limit=1)
    conditions = conjuncts(search.where)
    for each in conditions:
        if not finds(replace(first, where=each)):
            return replace(explanation, emptied_by=print_filter(each))
    for count in range(2, len(conditions) + 1):
        if not finds(replace(first, where=And(conditions[:count]))):
            before = tuple(print_filter(each) for each in conditions[: count - 1])
            return replace(explanation, emptied_by=print_filter(conditions[count - 1]), emptied_after=before)
    return explanation
