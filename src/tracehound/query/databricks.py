"""SQL for a warehouse of Databricks, which is Spark's: how it writes conditions (`query.wide`), and its statements.

The columns are those of `store/databricks/rows.py`. `tests/query/golden/databricks` holds each shape of statement.
Parameters are question marks here; `bind` gives them names.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.query.common import common_expression
from tracehound.query.fields import ATTRIBUTES, Field, Group
from tracehound.query.ilike import LONG_CHARACTER, LONG_LOWER, lower_table
from tracehound.query.keyset import Values, behind_sql, order_sql
from tracehound.query.patterns import make_matcher
from tracehound.query.search import Search
from tracehound.query.sql import Parameter, Sql, join, marks
from tracehound.query.tree import Operator, Value
from tracehound.query.wide import NO_WORDS, Asked, Condition, is_apart
from tracehound.query.words import Piece

INFO: Final = ("trace_id", "info_json")  # what a trace is read of: texts alone, whatever comes between
WHOLE: Final = (*INFO, "spans_json")

_COLUMNS: Final = {
    "status": "t.state",
    "name": "t.name",
    "timestamp_ms": "t.start_ms",
    "execution_time_ms": "t.duration_ms",
    "end_time_ms": "(t.start_ms + t.duration_ms)",
    "trace_id": "t.trace_id",
    "client_request_id": "t.client_request_id",
}
_FIRST_PLANE: Final = "\uffff"
_REGULAR: Final = (Operator.RLIKE, Operator.NOT_RLIKE)


class DatabricksDialect:
    """How Spark writes what conditions are made of. Nothing of it depends on whether the ANSI mode is on."""

    def value(self, field: Field) -> Sql:
        """Return the value of a field; NULL where the trace has none."""
        if field.group is Group.ATTRIBUTES:
            return Sql(_COLUMNS.get(field.name) or f"t.{field.name}")
        return Sql(f"try_element_at({_map_of(field)}, ?)", (field.name,))

    def number(self, field: Field) -> Sql:
        """Return the number that a value writes, which was read when the row was written."""
        return Sql(f"try_element_at(t.{_prefix(field)}_numbers, ?)", (field.name,))

    def equals(self, field: Field, texts: Sequence[str]) -> Sql | None:  # noqa: ARG002 - the protocol's
        """Return None: there is no index."""
        return None

    def all_of(self, conditions: Sequence[Sql]) -> Sequence[Sql]:
        """Return the conditions as they are."""
        return conditions

    def is_one_of(self, found: Sql, values: Sequence[Value]) -> Sql:
        """Return the condition that something is one of values, which are one parameter."""
        kept = list(dict.fromkeys(values))
        if all(isinstance(each, str) for each in kept):
            return Sql(f"array_contains(?, {found.text})", (as_list(kept), *found.parameters))
        doubles = as_list([float(each) for each in kept])
        return Sql(f"array_contains(?, CAST({found.text} AS DOUBLE))", (doubles, *found.parameters))

    def can_match(self, operator: Operator, pattern: str) -> bool:
        """Whether Java, which has another language than RE2 and needs more time, finds just what is meant."""
        make_matcher(operator, pattern)
        if operator in _REGULAR:
            return common_expression(pattern) is not None
        # Spark's LIKE cuts a character of two UTF-16 units in half, and finds none.
        return operator is Operator.CONTAINS or max(pattern, default="") <= _FIRST_PLANE

    def matches(self, operator: Operator, found: Sql, pattern: str) -> Sql:
        """Return the condition that a text matches a pattern that `can_match`."""
        negation = "NOT " if operator.value.startswith("NOT ") else ""
        condition = _MATCHED[operator](found, pattern)
        return Sql(f"{negation}{condition.text}", condition.parameters)

    def or_false(self, condition: Sql) -> Sql:
        """Return the condition with false for NULL."""
        return Sql(f"coalesce({condition.text}, FALSE)", condition.parameters)

    def span_value(self, name: str) -> Sql:
        """Return the value of the span that a look through the array binds."""
        return Sql(f"one.{name}")

    def count_spans(self, names: Sequence[str], condition: Sql) -> Sql:  # noqa: ARG002 - the protocol's
        """Return the number of spans of which a condition is true."""
        return Sql(f"size(filter(t.spans, one -> {condition.text}))", condition.parameters)

    def has_span(self, names: Sequence[str], condition: Sql) -> Sql:  # noqa: ARG002 - the protocol's
        """Return the condition that there is one."""
        return Sql(f"exists(t.spans, one -> {condition.text})", condition.parameters)

    def has_terms(self, numbers: Sequence[int]) -> Sql:
        """Return the condition that a span has one of the terms of attributes."""
        return Sql("arrays_overlap(t.span_terms, ?)", (as_list(numbers),))

    def has_keys(self, keys: Sequence[str]) -> Sql | None:  # noqa: ARG002 - a table there has none
        """Return None: the table has no keys."""
        return None

    def has_words(self, words: Sequence[str]) -> Sql:
        """Return the condition that the trace has one of the words (`words_with`), or that its words are not known."""
        pieces = [Sql("contains(t.words, ?)", (each,)) for each in words]
        found = join(" OR ", [*pieces, Sql("t.words = ?", (NO_WORDS,))])
        return Sql(f"({found.text})", found.parameters)

    def is_assessed(self, group: Group, name: str, condition: Callable[[str], Sql]) -> Sql:
        """Return the condition that one of the assessments passes."""
        passes = condition("one.{}")
        text = f"exists(t.said, one -> one.about = ? AND one.name = ? AND coalesce({passes.text}, FALSE))"
        return Sql(text, (group.value, name, *passes.parameters))


DIALECT: Final = DatabricksDialect()
VALUES: Final = Values(DIALECT.value, DIALECT.number)


def as_list(values: Sequence[Value]) -> Parameter:
    """Return values as one parameter, which is an array."""
    return tuple(values)  # type: ignore[return-value] # of the parameters of this engine alone


def resolve(asked: Asked) -> list[str] | None:
    """Return what a trace has where it has what is asked for; None for values of tags: there is no index of them."""
    return words_with(asked) if isinstance(asked, Piece) else None


def words_with(piece: Piece) -> list[str]:
    """Return what the words of a trace have in them where it has the piece: a space stands before and behind each."""
    left, right = "" if piece.open_left else " ", "" if piece.open_right else " "
    return [f"{left}{piece.text.decode('utf-8', 'replace')}{right}"]


def search_sql(search: Search, where: Condition, limit: int, table: str, columns: Sequence[str]) -> Sql:
    """Return the statement for the first rows of a search, in its order."""
    conditions = [_is_of(search)]
    if search.where is not None:
        conditions.append(where.sql)
    if search.after is not None:
        conditions.append(behind_sql(search.order, search.after, VALUES))
    return join(
        "",
        [
            Sql(f"{_select(table, columns)}\nWHERE "),
            join("\n  AND ", conditions),
            Sql("\nORDER BY "),
            order_sql(search.order, VALUES),
            Sql("\nLIMIT ?", (limit,)),
        ],
    )


def traces_sql(trace_ids: Sequence[str], table: str) -> Sql:
    """Return the statement for whole traces, by their ids."""
    return Sql(f"{_select(table, WHOLE)}\nWHERE array_contains(?, t.trace_id)", (as_list(trace_ids),))


def experiments_sql(table: str) -> Sql:
    """Return the statement for the experiments that have traces: number and name."""
    return Sql(f"SELECT t.experiment, max(t.experiment_name)\nFROM {table} AS t\nGROUP BY t.experiment")


def run_sql(run_id: str, table: str) -> Sql:
    """Return the statement for the name of the experiment that a run is of."""
    found = DIALECT.value(ATTRIBUTES["run_id"])
    text = f"SELECT t.experiment_name\nFROM {table} AS t\nWHERE {found.text} = ?\nLIMIT 1"
    return Sql(text, (*found.parameters, run_id))


def _select(table: str, columns: Sequence[str]) -> str:
    return f"SELECT {', '.join(f't.{name}' for name in columns)}\nFROM {table} AS t"


def _is_of(search: Search) -> Sql:
    numbers = [int(each) for each in search.experiment_ids]
    if len(numbers) == 1:
        return Sql("t.experiment = ?", (numbers[0],))
    return Sql(f"t.experiment IN ({marks(numbers)})", tuple(numbers))


def bind(sql: Sql) -> tuple[str, dict[str, Any]]:
    """Return the statement with named parameters, and their values: equal ones are one, and a list is its JSON.

    >>> bind(Sql("a = ? AND b < ? AND array_contains(?, c)", ("x", 5, ("x", "y"))))[0]
    "a = :p0 AND b < :p1 AND array_contains(from_json(:p2, 'ARRAY<STRING>'), c)"
    """
    first, *rest = sql.text.split("?")
    names: dict[tuple[type, Any], str] = {}
    values: dict[str, Any] = {}
    pieces = [first]
    for value, text in zip(sql.parameters, rest, strict=True):
        bound = _scalar(value)
        name = names.setdefault((type(value), bound), f"p{len(names)}")
        values[name] = bound
        pieces.append(f"{_marker(name, value)}{text}")
    return "".join(pieces), values


def _scalar(value: Any) -> str | int | float | bool:
    if isinstance(value, tuple):
        return json.dumps([_finite(each) for each in value], ensure_ascii=False)
    return value  # type: ignore[no-any-return] # a parameter


def _finite(value: Value) -> Value:
    """Return what JSON has of a value; a double that is none of its numbers is read of a text as well."""
    is_infinite = isinstance(value, float) and math.isinf(value)
    return str(value).replace("inf", "Infinity") if is_infinite else value


def _marker(name: str, value: Any) -> str:
    if not isinstance(value, tuple):
        return f":{name}"
    return f"from_json(:{name}, 'ARRAY<{_TYPES[type(value[0])]}>')"


_TYPES: Final = {str: "STRING", int: "BIGINT", float: "DOUBLE"}


def _map_of(field: Field) -> str:
    return "t.apart" if field.group is Group.METADATA and is_apart(field.name) else f"t.{_prefix(field)}"


def _prefix(field: Field) -> str:
    return "tags" if field.group is Group.TAGS else "metadata"


def _like(found: Sql, pattern: str) -> Sql:
    """LIKE has no escape in the language, and the backslash here."""
    return Sql(f"{found.text} LIKE ?", (*found.parameters, pattern.replace("\\", "\\\\")))


def _ilike(found: Sql, pattern: str) -> Sql:
    """Each character becomes what Python makes of it: the engine's own lower case is of whole words, in its Unicode."""
    lowered = Sql(
        f"replace(translate({found.text}, ?, ?), ?, ?)", (*found.parameters, *lower_table(), LONG_CHARACTER, LONG_LOWER)
    )
    return _like(lowered, "".join(map(str.lower, pattern)))


def _rlike(found: Sql, pattern: str) -> Sql:
    return Sql(f"{found.text} RLIKE ?", (*found.parameters, common_expression(pattern) or ""))


def _contains(found: Sql, pattern: str) -> Sql:
    return Sql(f"contains({found.text}, ?)", (*found.parameters, pattern))


_MATCHED: Final[dict[Operator, Callable[[Sql, str], Sql]]] = {
    Operator.LIKE: _like,
    Operator.NOT_LIKE: _like,
    Operator.ILIKE: _ilike,
    Operator.NOT_ILIKE: _ilike,
    Operator.RLIKE: _rlike,
    Operator.NOT_RLIKE: _rlike,
    Operator.CONTAINS: _contains,
}
