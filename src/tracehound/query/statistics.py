"""What is asked of the statistics of traces: of which, in which groups, and what has to be known of each group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.model.summary import SUMMED, Summary
from tracehound.query.fields import ASSESSED, ATTRIBUTES, Field
from tracehound.query.names import parse_names, resolve_bare
from tracehound.query.periods import Period
from tracehound.query.search import KeyValue, Search

# What has to be known beside counts: how durations are distributed, what they add up to with the least and greatest,
# sums, and how many different values there are.
DURATIONS: Final = "durations"
LENGTHS: Final = "lengths"
DISTINCT: Final[Mapping[str, Field]] = {"users": ATTRIBUTES["user"], "sessions": ATTRIBUTES["session"]}
ALL: Final = frozenset({DURATIONS, LENGTHS, *SUMMED, *DISTINCT})

# The start of the period, where time is cut, then the values of the fields; None where a trace has none.
GroupKey: TypeAlias = "tuple[KeyValue, ...]"
Groups: TypeAlias = "dict[GroupKey, Summary]"


@dataclass(frozen=True)
class StatisticsQuery:
    """The traces of a search, whatever its order and limit, in groups by fields and by periods of their start.

    `are_weighted` says that each counts as often as it stands for (`model.weight`), but for least, greatest and how
    many different values there are; else each counts once. `fractions` are the percentiles that are wanted where
    nothing else is of how durations are distributed: a store that has them may tell these alone (`Summary.known`).
    """

    search: Search
    fields: tuple[Field, ...] = ()
    period: Period | None = None
    wanted: frozenset[str] = field(default=ALL)
    are_weighted: bool = False
    fractions: tuple[float, ...] = ()


def keep_wanted(summary: Summary, wanted: AbstractSet[str]) -> None:
    """Take out of a summary what is not wanted."""
    if LENGTHS not in wanted:
        summary.sum_ms, summary.least_ms = 0, None
        if DURATIONS not in wanted:
            summary.ended, summary.most_ms = 0, None
    if DURATIONS not in wanted:
        summary.buckets = {}
    summary.sums = {name: value for name, value in summary.sums.items() if name in wanted}
    summary.having = {name: count for name, count in summary.having.items() if name in wanted}


def parse_groups(texts: Sequence[str]) -> dict[Field, str]:
    """Return the fields to group by, each with its name as it is written first.

    Raises `FilterError` for what is no field, and for what a trace may have several of.
    """
    found: dict[Field, str] = {}
    for text in texts:
        for name in parse_names(text):
            each = resolve_bare(name, text)
            if each.group in ASSESSED:
                message = "of feedback there may be several for a trace: nothing is grouped by it"
                raise FilterError(message, text, name.start, name.end)
            found.setdefault(each, text[name.start : name.end])
    return found
