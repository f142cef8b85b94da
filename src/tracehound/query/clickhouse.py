"""SQL for the ClickHouse store: how it writes conditions (`query.wide`), and the statements of searches.

The schema is that of `store/clickhouse/schema.py`. `tests/query/golden` holds each shape of statement. Parameters are
question marks here; `store/clickhouse/engine.py` gives them names and types.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.summary import SUMMED
from tracehound.query.access import EVER, Range
from tracehound.query.fields import TIMESTAMP, TRACE_ID, Field, Group
from tracehound.query.ilike import LONG_CHARACTER, LONG_LOWER, ilike_expression
from tracehound.query.keyset import Values, behind_sql, order_sql
from tracehound.query.patterns import make_matcher
from tracehound.query.search import Search
from tracehound.query.sql import Parameter, Sql, chain, join
from tracehound.query.tree import Operator, Value
from tracehound.query.wide import NO_WORDS, Condition, is_apart

# Of a trace of which nothing but one part is known that part says the rest.
BRIEF: Final = "t.trace_id, t.version, t.experiment, t.start_ms, {}, t.part_ns"
ROW: Final = (
    f"{BRIEF.format('t.duration_ms')}, t.part_digests, t.part_ended, t.state, t.name, t.request_preview,"
    " t.response_preview, t.client_request_id, t.metadata, t.apart, t.tags, t.assessments, t.arrived"
)

EVERYTHING: Final = Condition(Sql("1"))
_DURATION: Final = "execution_time_ms"
_COLUMNS: Final = {
    "status": "t.state",
    "name": "t.name",
    "timestamp_ms": "t.start_ms",
    _DURATION: "t.duration_ms",
    "end_time_ms": "(t.start_ms + t.duration_ms)",
    "trace_id": "t.trace_id",
    "client_request_id": "t.client_request_id",
}
# Elements of one list: a parameter has 128 KB over HTTP, as servers are set up.
_LISTED: Final = 1_000
_HAS_PAIR: Final = "has(t.pairs, ?)"
LONGEST_PAIR: Final = 200  # bytes of a value, of which the index of pairs has no more
MOST_VALUES: Final = 1_000  # that are asked of it one by one
_LISTED_BYTES: Final = 50_000  # of texts in such a parameter, which may take twice as many there


class ClickHouseDialect:
    """How ClickHouse writes what conditions are made of; maps and arrays of the row are those of the schema."""

    def value(self, field: Field) -> Sql:
        """Return the value of a field; NULL where the trace has none."""
        if field.group is Group.ATTRIBUTES:
            return Sql(_COLUMNS.get(field.name) or f"t.{field.name}")
        column = _map_of(field)
        return Sql(f"if(mapContains({column}, ?), {column}[?], NULL)", (field.name, field.name))

    def number(self, field: Field) -> Sql:
        """Return the number that a value writes, which was read when the trace was written."""
        column = f"t.{_prefix(field)}_numbers"
        return Sql(f"if(mapContains({column}, ?), {column}[?], NULL)", (field.name, field.name))

    def equals(self, field: Field, texts: Sequence[str]) -> Sql | None:
        """Return the comparison that an index serves: of pairs, or of values; absent keys have the empty text there."""
        if not texts:
            return Sql("FALSE")
        pairs = [pair(field, text) for text in dict.fromkeys(texts)]
        if _are_few(pairs) and all(is_paired(field, text) for text in texts):
            return Sql(_HAS_PAIR, (pairs[0],)) if len(pairs) == 1 else Sql("hasAny(t.pairs, ?)", (as_list(pairs),))
        return Sql(f"{_map_of(field)}[?] = ?", (field.name, texts[0])) if len(texts) == 1 and texts[0] else None

    def all_of(self, conditions: Sequence[Sql]) -> Sequence[Sql]:
        """Return the conditions, those of pairs as one: the index intersects its lists before a mark is read."""
        pairs = [str(value) for each in conditions if each.text == _HAS_PAIR for value in each.parameters]
        if len(pairs) < 2 or not _are_few(pairs):
            return conditions
        return [Sql("hasAll(t.pairs, ?)", (as_list(pairs),)), *(each for each in conditions if each.text != _HAS_PAIR)]

    def is_one_of(self, found: Sql, values: Sequence[Value]) -> Sql:
        """Return the condition that something is one of values: in pieces, which are parameters each.

        Zero stands apart, for a list with it has not the zero with a sign, and so does what is beyond all numbers.
        """
        kept = list(dict.fromkeys(values))
        apart = [each for each in kept if not isinstance(each, str) and (each == 0 or math.isinf(each))]
        listed = [each for each in kept if each not in apart]
        lists = [tuple(listed[at : at + _LISTED]) for at in range(0, len(listed), _LISTED)]
        pieces = [Sql(f"{found.text} IN ?", (*found.parameters, as_list(each))) for each in lists]
        return chain(" OR ", [*pieces, *(Sql(f"{found.text} = ?", (*found.parameters, each)) for each in apart)])

    def can_match(self, operator: Operator, pattern: str) -> bool:  # noqa: ARG002 - it has RE2, and all else in it
        """Return True: the engine has what every pattern is made of."""
        return True

    def matches(self, operator: Operator, found: Sql, pattern: str) -> Sql:
        """Return the condition that a text matches; a pattern that is none is refused, as everywhere."""
        make_matcher(operator, pattern)
        negation = "NOT " if operator.value.startswith("NOT ") else ""
        text, wanted = _MATCHED[operator](found.text, pattern)
        return Sql(f"{negation}{text}", (*found.parameters, wanted))

    def or_false(self, condition: Sql) -> Sql:
        """Return the condition with false for NULL."""
        return Sql(f"ifNull({condition.text}, 0)", condition.parameters)

    def span_value(self, name: str) -> Sql:
        """Return the value that a look through the arrays binds."""
        return Sql(f"one_{name}")

    def count_spans(self, names: Sequence[str], condition: Sql) -> Sql:
        """Return the number of spans of which a condition is true."""
        return _through("arrayCount", names, condition)

    def has_span(self, names: Sequence[str], condition: Sql) -> Sql:
        """Return the condition that there is one."""
        return _through("arrayExists", names, condition)

    def has_terms(self, numbers: Sequence[int]) -> Sql:
        """Return the condition that a span has one of the terms of attributes."""
        return Sql("hasAny(t.span_terms, ?)", (as_list(numbers),))

    def has_keys(self, keys: Sequence[str]) -> Sql | None:
        """Return the condition that the trace has one of the keys of spans; None for too many."""
        if not keys:
            return Sql("FALSE")
        return Sql("hasAny(t.span_keys, ?)", (as_list(keys),)) if _are_few(keys) else None

    def has_words(self, words: Sequence[str]) -> Sql:
        """Return the condition that the trace has one of the words, or that its words are not known."""
        return Sql("hasAnyTokens(t.words, ?)", (as_list([*words, NO_WORDS]),))

    def is_assessed(self, group: Group, name: str, condition: Callable[[str], Sql]) -> Sql:
        """Return the condition that one of the assessments passes."""
        passes = condition("one_{}")
        text = (
            "arrayExists((one_group, one_name, one_text, one_number, one_boolean) -> one_group = ? AND one_name = ?"
            f" AND ifNull({passes.text}, 0), t.said_group, t.said_name, t.said_text, t.said_number, t.said_boolean)"
        )
        return Sql(text, (group.value, name, *passes.parameters))


def pair(field: Field, value: str) -> str:
    """Return what the column `pairs` has of a tag or of metadata; the length says where the key ends.

    >>> pair(Field(Group.TAGS, "env"), "prod")
    'tags 3 envprod'
    """
    return f"{_prefix(field)} {len(field.name.encode())} {field.name}{value}"


def _pairs_of(column: str) -> str:
    value = f"substring(v, 1, if(k = '{ARTIFACT_LOCATION}', 0, {LONGEST_PAIR}))"  # that one differs in all traces
    pair = f"concat('{column} ', toString(length(k)), ' ', k, {value})"
    return f"arrayMap((k, v) -> {pair}, mapKeys({column}), mapValues({column}))"


PAIRS: Final = f"arrayConcat({_pairs_of('tags')}, {_pairs_of('metadata')})"


def is_paired(field: Field, text: str = "") -> bool:
    """Whether the pair of a key and a value tells it from all others."""
    is_left_out = field.name == ARTIFACT_LOCATION or (field.group is Group.METADATA and is_apart(field.name))
    return not is_left_out and len(text.encode()) < LONGEST_PAIR


def _are_few(pairs: Sequence[str]) -> bool:
    """Whether they are so few, and so short, that one parameter holds them."""
    return len(pairs) <= MOST_VALUES and sum(len(each.encode()) for each in pairs) <= _LISTED_BYTES


DIALECT: Final = ClickHouseDialect()
VALUES: Final = Values(DIALECT.value, DIALECT.number)


def as_list(values: Sequence[Value]) -> Parameter:
    """Return values as one parameter, which is an array."""
    return tuple(values)  # type: ignore[return-value] # of the parameters of this engine alone


def search_sql(
    search: Search,
    where: Condition,
    limit: int,
    times: Range = EVER,
    *,
    least_ms: int | None = None,
    is_brief: bool = False,
    in_order: bool = True,
    by_time: bool = False,
) -> Sql:
    """Return the statement for the first rows of a search, in its order, among them those that others have replaced.

    Only what began within `times` is asked for, and took `least_ms` or longer. Each experiment has a statement of its
    own, for its rows lie in the order of time. A brief one (`can_be_brief`) returns the columns of `BRIEF`, others
    those of `ROW`. With `by_time` those that began at the same time come as they will (`is_by_time`).
    """
    row = _brief_row(search) if is_brief else ROW
    inner = row if is_brief or len(search.experiment_ids) == 1 else _ALL
    within = _within(times, least_ms)
    order = order_sql(search.order[:1] if by_time else search.order, VALUES)
    tail = join("", [Sql("\nORDER BY "), order, Sql("\nLIMIT ?", (limit,))])
    arms = [_arm(search, where, experiment, within, inner, tail) for experiment in search.experiment_ids]
    settings = Sql("" if in_order else "\nSETTINGS optimize_read_in_order = 0")
    if len(arms) == 1:
        return join("", [arms[0], settings])
    found = join("\nUNION ALL\n", [Sql(f"({arm.text})", arm.parameters) for arm in arms])
    return join("", [Sql(f"SELECT {row}\nFROM (\n"), found, Sql("\n) AS t"), tail, settings])


def among(where: Condition, rows: Sequence[Sequence[Any]]) -> Condition:
    """Return the condition of those traces alone that stood in these rows, of `BRIEF` or `ROW`, and have others now."""
    times, trace_ids = as_list(sorted({row[3] for row in rows})), as_list([row[0] for row in rows])
    of_these = Sql("t.start_ms IN ? AND t.trace_id IN ? AND t.version > 1", (times, trace_ids))
    return Condition(of_these if where == EVERYTHING else join(" AND ", [of_these, where.sql]), where.is_exact)


def can_be_brief(search: Search) -> bool:
    """Whether brief rows say where a trace stands in the order."""
    return all(_is_brief(key.field) for key in search.order)


def is_by_time(search: Search) -> bool:
    """Whether traces come by when they began, and those that began at the same time by their ids."""
    return [key.field for key in search.order] == [TIMESTAMP, TRACE_ID]


def _is_brief(field: Field) -> bool:
    return field.group is Group.ATTRIBUTES and field.name in (TIMESTAMP.name, TRACE_ID.name, _DURATION)


def _brief_row(search: Search) -> str:
    is_wanted = any(key.field.name == _DURATION for key in search.order)
    return BRIEF.format("t.duration_ms" if is_wanted else "NULL AS duration_ms")


def slowest_sql(search: Search, where: Condition, count: int) -> Sql | None:
    """Return the statement for how long the last of so many first rows took; None where others than the slowest are.

    Its answer is no row, or NULL, where there are fewer. It reads how long all of them took, and nothing else.
    """
    first = search.order[0]
    if first.field.group is not Group.ATTRIBUTES or first.field.name != _DURATION or not first.descending:
        return None
    condition = join("\n  AND ", [is_of(search), *_asked(search, where)])
    text = (
        f"SELECT t.duration_ms\nFROM trace AS t\nWHERE {condition.text}\nORDER BY t.duration_ms DESC\nLIMIT 1 OFFSET ?"
    )
    return Sql(text, (*condition.parameters, count - 1))


def _asked(search: Search, where: Condition) -> list[Sql]:
    conditions = [Sql("t.is_gone = 0")]
    if where != EVERYTHING:
        conditions.append(where.sql)
    if search.after is not None:
        conditions.append(behind_sql(search.order, search.after, VALUES))
    return conditions


def _within(times: Range, least_ms: int | None) -> list[Sql]:
    bounds = (("t.start_ms >= ?", times.low), ("t.start_ms <= ?", times.high), ("t.duration_ms >= ?", least_ms))
    return [Sql(text, (bound,)) for text, bound in bounds if bound is not None]


def _arm(search: Search, where: Condition, experiment: str, within: Sequence[Sql], columns: str, tail: Sql) -> Sql:
    is_gone, *asked = _asked(search, where)
    conditions = [Sql("t.experiment = ?", (int(experiment),)), is_gone, *within, *asked]
    head = Sql(f"SELECT {columns}\nFROM trace AS t\nWHERE ")
    condition = join("\n  AND ", conditions)
    if search.order[0].field != TIMESTAMP and not within:
        # All rows have to be sorted: by what the order needs of them alone. The others are read of those of the page.
        found = join("", [Sql(f"SELECT {_PLACE}\nFROM trace AS t\nWHERE "), condition, tail])
        condition = Sql(f"t.experiment = ? AND ({_PLACE}) IN (\n{found.text}\n)", (int(experiment), *found.parameters))
    return join("", [head, condition, tail])


def newest_sql(experiment_ids: Sequence[str], count: int) -> Sql:
    """Return the statement that says of experiments when the newest rows of each began, first and last; how many.

    And when the first of all rows began.
    """
    text = (
        "(SELECT t.experiment, t.start_ms, 1 AS is_new FROM trace AS t WHERE t.experiment = ?"
        " ORDER BY t.start_ms DESC LIMIT ?)\nUNION ALL\n"
        "(SELECT t.experiment, t.start_ms, 0 FROM trace AS t WHERE t.experiment = ? ORDER BY t.start_ms LIMIT 1)"
    )
    newest = join("\nUNION ALL\n", [Sql(text, (int(each), count, int(each))) for each in experiment_ids])
    head = "SELECT experiment, minIf(start_ms, is_new = 1), max(start_ms), countIf(is_new = 1), min(start_ms)\nFROM (\n"
    return Sql(f"{head}{newest.text}\n)\nGROUP BY experiment", newest.parameters)


_PLACE: Final = "t.start_ms, t.trace_id, t.version"
# What an order may need beside the row.
_ALL: Final = f"{ROW}, t.tags_numbers, t.metadata_numbers, {', '.join(f't.{name}' for name in (*SUMMED, 'span_count'))}"


def is_of(search: Search) -> Sql:
    """Return the condition that a row is of one of the experiments."""
    return Sql("t.experiment IN ?", (as_list([int(each) for each in search.experiment_ids]),))


def _map_of(field: Field) -> str:
    return "t.apart" if field.group is Group.METADATA and is_apart(field.name) else f"t.{_prefix(field)}"


def _prefix(field: Field) -> str:
    return "tags" if field.group is Group.TAGS else "metadata"


def _through(function: str, names: Sequence[str], condition: Sql) -> Sql:
    """Return a function of the arrays of some columns, each of whose elements has a name in the condition."""
    bound, arrays = ", ".join(f"one_{name}" for name in names), ", ".join(f"t.span_{name}" for name in names)
    return Sql(f"{function}(({bound}) -> {condition.text}, {arrays})", condition.parameters)


def _like(text: str, pattern: str) -> tuple[str, str]:
    """LIKE has no escape in the language, and the backslash here."""
    return f"{text} LIKE ?", pattern.replace("\\", "\\\\")


def _ilike(text: str, pattern: str) -> tuple[str, str]:
    return f"match(replaceAll({text}, '{LONG_CHARACTER}', '{LONG_LOWER}'), ?)", ilike_expression(pattern)


def _rlike(text: str, pattern: str) -> tuple[str, str]:
    """A dot is no end of a line, as RE2 has it by itself and ClickHouse does not."""
    return f"match({text}, ?)", f"(?-s){pattern}"


def _contains(text: str, pattern: str) -> tuple[str, str]:
    return f"position({text}, ?) > 0", pattern


_MATCHED: Final[dict[Operator, Callable[[str, str], tuple[str, str]]]] = {
    Operator.LIKE: _like,
    Operator.NOT_LIKE: _like,
    Operator.ILIKE: _ilike,
    Operator.NOT_ILIKE: _ilike,
    Operator.RLIKE: _rlike,
    Operator.NOT_RLIKE: _rlike,
    Operator.CONTAINS: _contains,
}
