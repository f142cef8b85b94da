"""A search as one statement for the SQLite store, along an access path.

`tests/query/golden` holds each shape of statement with its query plan. SQLite is told the order of its loops (CROSS
JOIN) and the index where it matters: it knows nothing of how many traces have a term, `store.sqlite.plan` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tracehound.model.record import to_json
from tracehound.model.summary import SUMMED
from tracehound.query.access import (
    EVER,
    ByDuration,
    ByTerms,
    ByTraceId,
    ByWords,
    InOrder,
    Path,
    Plan,
    Range,
    conjuncts,
    time_range,
)
from tracehound.query.conditions import OF_POSTING, OF_TRACE, Place, condition_sql, same_span_sql
from tracehound.query.fields import ATTRIBUTES, DURATION, NAME, TIMESTAMP, TRACE_ID
from tracehound.query.keyset import behind_sql, direction_sql, order_sql
from tracehound.query.search import OrderKey, Search
from tracehound.query.sql import Sql, is_one_of, join, value_sql
from tracehound.query.statistics import DISTINCT, DURATIONS, LENGTHS, StatisticsQuery
from tracehound.query.tree import And, Operator, Test

ROW: Final = (
    "t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview,"
    " t.client_request_id, t.metadata, t.tags, t.assessments"
)

# Units of time that are added to one, for SQLite rounds a negative quotient up.
_BEFORE: Final = 2**32

# A function that counts the traces and postings that a statement looks at; always true.
COUNTED: Final = "tracehound_counted"
# And one that returns when the period of a time began.
PERIOD: Final = "tracehound_period"

# Of 500 that SQLite takes in a compound, and of its 32,766 parameters.
MAX_ARMS: Final = 64
_MAX_PARAMETERS: Final = 30_000

# What the index of times has of a trace beside its numbers.
_IN_INDEX: Final = frozenset({NAME, ATTRIBUTES["status"], TIMESTAMP})
# How many traces, in the order of their arrival, each segment of the indexes of these fields is of.
SEGMENT: Final = 32_768
_IN_SEGMENTS: Final = frozenset({ATTRIBUTES["cost"], ATTRIBUTES["total_tokens"]})
_RANGES: Final = (Operator.EQ, Operator.LT, Operator.LE, Operator.GT, Operator.GE)
# An order by what a trace may lack goes along its index to the end of those that have it.
_INDEX_OF_ORDER: Final = {
    TIMESTAMP: "trace_by_start",
    DURATION: "trace_by_duration",
    ATTRIBUTES["cost"]: "trace_by_cost",
    ATTRIBUTES["total_tokens"]: "trace_by_tokens",
}


def search_sql(search: Search, plan: Plan, *, counted: bool = False) -> Sql:
    """Return the statement for one page and one row more, which tells whether there is a next page.

    Behind the columns of `ROW` come the values of the order's keys, from which the cursor is made, and the number of
    the row. Where the statement is streamed, the traces that lack the first key are not among them: these come behind
    all others, and are another search. `counted` has each row that is looked at counted by the function `COUNTED`.
    """
    arms = _arms(search, plan, counted=counted)
    may_repeat = isinstance(plan.path, ByTerms) and len(plan.path.terms) > 1
    found = join("\nUNION\n" if may_repeat else "\nUNION ALL\n", arms or [_all_along(search, plan, counted=counted)])
    order = order_sql(search.order)
    inner_order = Sql(_order_of_arms(search)) if arms else order
    keys = [value_sql(key.field) for key in search.order]
    return join(
        "",
        [
            Sql(f"WITH page AS (\n{found.text}\nORDER BY ", found.parameters),
            inner_order,
            Sql(f"\nLIMIT ?)\nSELECT {ROW}, ", (search.limit + 1,)),
            join(", ", keys),
            Sql(", t.seq\nFROM page CROSS JOIN trace AS t ON t.seq = page.seq\nORDER BY "),
            order,
        ],
    )


def statistics_sql(query: StatisticsQuery, plan: Plan) -> Sql:
    """Return the statement that adds up traces.

    Its columns are the fields of the groups; the number of the unit of time, if there are periods; how many traces
    there are and have failed; if lengths are wanted how many have ended, their durations' sum and the least; if lengths
    or durations are wanted the greatest; if durations are wanted their buckets, with commas between them, which is
    quicker than groups by bucket; then the wanted sums, in the order of `SUMMED`, each with how many have the number.
    """
    groups = [value_sql(each) for each in query.fields]
    if query.period is not None:
        unit_ms = query.period.unit_ms
        groups.append(Sql("(t.start_ms + ?) / ? - ?", (_BEFORE * unit_ms, unit_ms, _BEFORE)))
    wanted = query.wanted
    values = [Sql("count(*), sum(t.state = 'ERROR')")]
    values += [Sql("count(t.duration_ms), sum(t.duration_ms), min(t.duration_ms)")] if LENGTHS in wanted else []
    values += [Sql("max(t.duration_ms)")] if wanted & {LENGTHS, DURATIONS} else []
    values += [Sql("group_concat(t.duration_bucket)")] if DURATIONS in wanted else []
    sums = [value_sql(ATTRIBUTES[name]) for name in SUMMED if name in query.wanted]
    added = [Sql(f"total({each.text}), count({each.text})", each.parameters * 2) for each in sums]
    return _grouped(query, plan, groups, [*values, *added])


def is_in_index(query: StatisticsQuery) -> bool:
    """Whether the index of times tells all that is wanted of a trace."""
    return _IN_INDEX.issuperset(query.fields) and query.wanted <= {DURATIONS, LENGTHS, *SUMMED}


def distinct_sql(query: StatisticsQuery, plan: Plan) -> Sql:
    """Return the statement that counts the different values of the wanted ones of `DISTINCT`, in groups.

    Its columns are the fields of the groups, the start of the period, if there are any, and the counts.
    """
    groups = [value_sql(each) for each in query.fields]
    if query.period is not None:
        groups.append(Sql(f"{PERIOD}(t.start_ms)"))
    values = [value_sql(field) for name, field in DISTINCT.items() if name in query.wanted]
    return _grouped(query, plan, groups, [Sql(f"count(DISTINCT {each.text})", each.parameters) for each in values])


def _grouped(query: StatisticsQuery, plan: Plan, groups: Sequence[Sql], values: Sequence[Sql]) -> Sql:
    path = plan.path
    if isinstance(path, ByTerms) and path.terms and is_in_index(query):
        source, where = _source_in_index(query.search, path, plan)
        place = _FOUND
    else:
        source, where = _source(query.search, plan)
        place = OF_TRACE
    condition = join("\n  AND ", [*where, *_others(query.search, plan, place)])
    chosen = join(", ", [*groups, *values])
    by = f"\nGROUP BY {', '.join(str(at) for at in range(1, len(groups) + 1))}" if groups else ""
    return Sql(
        f"SELECT {chosen.text}\nFROM {source.text}\nWHERE {condition.text}{by}",
        chosen.parameters + source.parameters + condition.parameters,
    )


def count_sql(search: Search, path: ByTerms | ByDuration, limit: int) -> Sql:
    """Return the statement that counts what a path leads to, up to a limit, and says how far in time that reaches.

    The postings of one term are counted in the order of the search, so that their reach tells how dense they lie.
    """
    experiments = _is_of("t", search.experiment_ids)
    order = ""
    if isinstance(path, ByDuration):
        source = "trace AS t INDEXED BY trace_by_duration"
        where = [experiments, *_within("t.duration_ms", path.range)]
    else:
        source = "posting AS t"
        where = [is_one_of("t.term", path.terms), experiments, *_within("t.start_ms", time_range(search))]
        if len(path.terms) == len(search.experiment_ids) == 1:
            order = f" ORDER BY t.start_ms {'DESC' if search.order[0].descending else 'ASC'}"
    condition = join(" AND ", where)
    text = (
        "SELECT count(*), min(start_ms), max(start_ms)"
        f" FROM (SELECT t.start_ms FROM {source} WHERE {condition.text}{order} LIMIT ?)"
    )
    return Sql(text, (*condition.parameters, limit))


def is_streamed(search: Search, path: Path) -> bool:
    """Whether the path is followed in the order of the search, so that looking ends with the page."""
    return is_in_pieces(search, path) or bool(_arms(search, Plan(path, EVER)))


def is_in_segments(search: Search) -> bool:
    """Whether the order has an index that is made of segments, which are merged."""
    return search.order[0].field in _IN_SEGMENTS


def is_in_pieces(search: Search, path: Path) -> bool:
    """Whether a path is followed piece of time by piece of time, each of them sorted.

    Of many terms some may lead to nothing that is wanted: a statement that merges them reads these to their ends.
    """
    is_of_many = isinstance(path, ByTerms) and not path.is_exact and len(path.terms) > 1
    return is_of_many and search.order[0].field == TIMESTAMP


def edge_sql(search: Search, plan: Plan) -> Sql | None:
    """Return the statement for what the page ends with of the first key of the order; None where it is of no use.

    An index has the least first, and of those that are the same the oldest, where the newest are wanted: all of them
    would be read and sorted. With the edge known those below it are few, and those at it a run of their own.
    """
    first = search.order[0]
    arms = [] if first.descending or not first.field.nullable else _arms(search, plan)
    if not arms:
        return None
    found = join("\nUNION ALL\n", arms)
    return Sql(
        f"SELECT key0 FROM (\n{found.text}\nORDER BY key0 LIMIT 1 OFFSET ?) AS found", (*found.parameters, search.limit)
    )


def _arms(search: Search, plan: Plan, *, counted: bool = False) -> list[Sql]:
    """Return statements that each yield traces in the order of the search, to be merged; none where there are no such.

    Postings lie in the order of time, for each term and experiment; so do traces, and the longest first.
    """
    first = search.order[0]
    by = first.field
    is_plain = all(key.field in (TIMESTAMP, TRACE_ID) for key in search.order[1:])
    if not is_plain or by not in _INDEX_OF_ORDER:
        return []
    path = plan.path
    if is_in_pieces(search, path):
        return []
    if isinstance(path, ByTerms) and by == TIMESTAMP:
        runs: list[tuple[int | None, str]] = [(each, one) for each in path.terms for one in search.experiment_ids]
    elif isinstance(path, InOrder):
        segments = plan.segments if is_in_segments(search) else (None,)
        runs = [(each, one) for each in segments for one in search.experiment_ids]
    else:
        return []
    if not 0 < len(runs) <= MAX_ARMS:
        return []
    make = _arm if plan.edge is None else _arms_at_edge
    arms = make(search, plan, *runs[0], counted=counted)
    if sum(len(each.parameters) for each in arms) * len(runs) > _MAX_PARAMETERS:
        return []
    return [*arms, *(arm for run in runs[1:] for arm in make(search, plan, *run, counted=counted))]


def _arm(search: Search, plan: Plan, number: int | None, experiment: str, *, counted: bool) -> list[Sql]:
    """Return the statement for the traces of one experiment, and of a term or of a segment of the index."""
    if isinstance(plan.path, ByTerms):
        run = [Sql("p.term = ? AND p.experiment = ?", (number or 0, int(experiment))), *_same_span(plan.path)]
        source = "posting AS p CROSS JOIN trace AS t ON t.seq = p.trace"
        return [_statement_of_arm(search, plan, source, run, OF_POSTING, counted=counted)]
    run = [_in_index(number, experiment), *_has_first(search)]
    return [_statement_of_arm(search, plan, _in_order(search), run, OF_TRACE, counted=counted)]


def _arms_at_edge(search: Search, plan: Plan, segment: int | None, experiment: str, *, counted: bool) -> list[Sql]:
    """Return the statements for the traces of one experiment that are below the edge of a page, and at it."""
    column = value_sql(search.order[0].field).text
    own, edge, after = _in_index(segment, experiment), plan.edge or 0, search.after
    below = [own, *_has_first(search), Sql(f"{column} < ?", (edge,))]
    at = [own, Sql(f"{column} = ?", (edge,))]
    if after is not None and after[0] == edge:
        at.append(behind_sql(search.order[1:], after[1:]))
    source, at_edge = _in_order(search), replace(search, after=None)
    return [
        _statement_of_arm(search, plan, source, below, OF_TRACE, counted=counted),
        _statement_of_arm(at_edge, plan, source, at, OF_TRACE, counted=counted),
    ]


def _statement_of_arm(
    search: Search, plan: Plan, source: str, run: Sequence[Sql], place: Place, *, counted: bool
) -> Sql:
    """Return the statement for the traces of a run, with the keys that it is sorted by."""
    values = [place.start_ms if key.field == TIMESTAMP else value_sql(key.field).text for key in search.order]
    columns = ", ".join(f"{value} AS key{at}" for at, value in enumerate(values))
    those = replace(search, order=_without_absence(search.order))
    where = [*run, *_within(place.start_ms, plan.times), *_others(those, plan, place, counted=counted)]
    condition = join("\n  AND ", where)
    return Sql(f"SELECT t.seq AS seq, {columns}\nFROM {source}\nWHERE {condition.text}", condition.parameters)


def _in_index(segment: int | None, experiment: str) -> Sql:
    """Return the condition that a trace stands in the part of an index that is of an experiment, and of a segment."""
    if segment is None:
        return Sql("t.experiment = ?", (int(experiment),))
    return Sql(f"t.experiment = ? AND t.seq / {SEGMENT} = ?", (int(experiment), segment))


def _in_order(search: Search) -> str:
    return f"trace AS t INDEXED BY {_INDEX_OF_ORDER[search.order[0].field]}"


def _all_along(search: Search, plan: Plan, *, counted: bool) -> Sql:
    """Return the statement for all traces that the path leads to, whatever their order."""
    source, where = _source(search, plan)
    condition = join("\n  AND ", [*where, *_others(search, plan, OF_TRACE, counted=counted)])
    return Sql(
        f"SELECT t.seq AS seq\nFROM {source.text}\nWHERE {condition.text}", source.parameters + condition.parameters
    )


def _source(search: Search, plan: Plan) -> tuple[Sql, list[Sql]]:
    """Return where all traces that the path leads to come from, and the conditions that belong to it."""
    own = _is_of("t", search.experiment_ids)
    path, times = plan.path, plan.times
    if isinstance(path, ByTerms):
        terms = is_one_of("p.term", path.terms) if path.terms else Sql("0")
        own_run = [terms, _is_of("p", search.experiment_ids), *_within("p.start_ms", times)]
        run = join(" AND ", [*own_run, *_same_span(path)])
        text = f"(SELECT DISTINCT p.trace FROM posting AS p WHERE {run.text}) AS found"
        return Sql(f"{text} CROSS JOIN trace AS t ON t.seq = found.trace", run.parameters), [own]
    if isinstance(path, ByTraceId):
        return Sql("trace AS t"), [own, is_one_of("t.trace_id", path.trace_ids)]
    if isinstance(path, ByWords):
        found = "json_each(?) AS found CROSS JOIN trace AS t ON t.seq = found.value"
        return Sql(found, (to_json(path.seqs).decode(),)), [own, *_within("t.start_ms", times)]
    if isinstance(path, ByDuration):
        return Sql("trace AS t INDEXED BY trace_by_duration"), [own, *_within("t.duration_ms", path.range)]
    return Sql("trace AS t"), [own, *_within("t.start_ms", times)]


# Where terms are asked for of what a posting led to, before the look at the trace.
_FOUND: Final = Place("found.experiment", "found.start_ms", "found.trace")


def _source_in_index(search: Search, path: ByTerms, plan: Plan) -> tuple[Sql, list[Sql]]:
    """Return the same for traces of which the index of times tells all: both lie in the order of time."""
    own = _is_of("p", search.experiment_ids)
    run = join(" AND ", [is_one_of("p.term", path.terms), own, *_within("p.start_ms", plan.times)])
    unique = "DISTINCT " if len(path.terms) > 1 else ""
    text = (
        f"(SELECT {unique}p.experiment, p.start_ms, p.trace FROM posting AS p WHERE {run.text}) AS found"
        " CROSS JOIN trace AS t INDEXED BY trace_by_start"
    )
    # The plus: else SQLite takes the range of one time for that of the other, and looks through all of it.
    same = ("t.experiment = found.experiment", "t.start_ms = +found.start_ms", "t.seq = found.trace")
    return Sql(text, run.parameters), [Sql(each) for each in same]


def _others(search: Search, plan: Plan, place: Place, *, counted: bool = False) -> list[Sql]:
    """Return the conditions that are left to be looked at where a path has led to a trace."""
    found = [Sql(f"{COUNTED}()")] if counted else []
    path = plan.path
    done = () if isinstance(path, InOrder) or not path.is_exact else conjuncts(path.condition)
    left = tuple(each for each in conjuncts(search.where) if each not in done)
    if left:
        found.append(condition_sql(left[0] if len(left) == 1 else And(left), place))
    return found if search.after is None else [*found, behind_sql(search.order, search.after)]


def _is_of(table: str, experiment_ids: Sequence[str]) -> Sql:
    """Return the condition that a row is of one of the experiments."""
    numbers = [int(each) for each in experiment_ids]
    return is_one_of(f"{table}.experiment", numbers) if numbers else Sql("0")


def _within(expression: str, wanted: Range) -> list[Sql]:
    """Return the conditions that a value lies in a range."""
    low = [] if wanted.low is None else [Sql(f"{expression} >= ?", (wanted.low,))]
    return low if wanted.high is None else [*low, Sql(f"{expression} <= ?", (wanted.high,))]


def _same_span(path: Path) -> list[Sql]:
    """Return the condition that a posting `p` is of a span that the path may be about."""
    if not isinstance(path, ByTerms) or path.is_exact:
        return []
    return same_span_sql(path.condition, "p.mask", OF_POSTING)


def _without_absence(order: Sequence[OrderKey]) -> tuple[OrderKey, ...]:
    """Return the order of the traces that have its first key: only then is there a range to begin in."""
    first, *rest = order
    return replace(first, field=replace(first.field, nullable=False)), *rest


def _sides_of(search: Search, plan: Plan) -> list[list[Sql]]:
    """Return the conditions for those below the edge of the page, and for those at it; one for all if it is unknown."""
    if plan.edge is None:
        return [[]]
    column = value_sql(search.order[0].field).text
    return [[Sql(f"{column} {operator} ?", (plan.edge,))] for operator in ("<", "=")]


def _has_first(search: Search) -> list[Sql]:
    """Return the conditions that a trace has the first key of the order, and where in its index the filter wants it."""
    field = search.order[0].field
    if not field.nullable:
        return []
    column = value_sql(field).text
    compared = [
        Sql(f"{column} {each.operator.value} ?", (float(each.single),))
        for each in conjuncts(search.where)
        if isinstance(each, Test) and each.field == field and each.operator in _RANGES
    ]
    return [Sql(f"{column} IS NOT NULL"), *compared]


def _order_of_arms(search: Search) -> str:
    directions = [direction_sql(descending=key.descending, nullable=False) for key in search.order]
    return ", ".join(f"key{at} {direction}" for at, direction in enumerate(directions))
