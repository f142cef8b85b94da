"""Checked tree -> SQL for the SQLite store: a method a node, values always as parameters.

Every condition is written so that it is never NULL: absent means false, also under a negation. The schema is that of
`store/sqlite/migrations`; `tests/query/golden` holds each shape of SQL with its query plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tracehound.query.check import Checked
from tracehound.query.fields import Field, Group
from tracehound.query.search import KeyValue, OrderKey, Search
from tracehound.query.terms import is_indexed, term
from tracehound.query.tree import NULLS, PATTERNS, And, Not, Operator, Or, Test

Parameter: TypeAlias = str | int | float

# Functions that the store registers with SQLite: `query.numbers.number_in`, a key's value in a JSON object, and
# `query.patterns.matches_pattern`.
NUMBER_IN: Final = "tracehound_number_in"
VALUE: Final = "tracehound_value"
MATCHES: Final = "tracehound_matches"

# SQLite parses a chain of ANDs or ORs as a tree of that depth, and takes a depth of 1,000.
_CHAIN: Final = 100

_COLUMNS: Final = {
    "status": "t.state",
    "name": "t.name",
    "timestamp_ms": "t.start_ms",
    "execution_time_ms": "t.duration_ms",
    "end_time_ms": "(t.start_ms + t.duration_ms)",
    "trace_id": "t.trace_id",
    "client_request_id": "t.client_request_id",
}
_MAPS: Final = {Group.TAGS: "t.tags", Group.METADATA: "t.metadata"}

ROW: Final = (
    "t.trace_id, t.experiment, t.start_ms, t.duration_ms, t.state, t.name, t.request_preview, t.response_preview,"
    " t.client_request_id, t.metadata, t.tags"
)


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and the values of its parameters, in order."""

    text: str
    parameters: tuple[Parameter, ...] = ()


def search_sql(search: Search) -> Sql:
    """Return the statement for one page and one row more, which tells whether there is a next page.

    Behind the columns of `ROW` come the values of the order's keys, from which the cursor is made.
    """
    where = [_experiments(search.experiment_ids)]
    if search.where is not None:
        where.append(_Visitor().visit(search.where))
    if search.after is not None:
        where.append(_behind(search.order, search.after))
    keys = ", ".join(_COLUMNS[key.field.name] for key in search.order)
    order = ", ".join(_order_term(key) for key in search.order)
    condition = _join("\n  AND ", where)
    text = f"SELECT {ROW}, {keys}\nFROM trace AS t\nWHERE {condition.text}\nORDER BY {order}\nLIMIT ?"
    return Sql(text, (*condition.parameters, search.limit + 1))


def latency_sql(search: Search) -> Sql:
    """Return the statement that counts the traces of a search by name, state and duration bucket."""
    where = [_experiments(search.experiment_ids)]
    if search.where is not None:
        where.append(_Visitor().visit(search.where))
    condition = _join("\n  AND ", where)
    text = (
        "SELECT t.name, t.state, t.duration_bucket, count(*), sum(t.duration_ms), min(t.duration_ms),"
        f" max(t.duration_ms)\nFROM trace AS t\nWHERE {condition.text}\n"
        "GROUP BY t.name, t.state, t.duration_bucket"
    )
    return Sql(text, condition.parameters)


class _Visitor:
    """The condition of a node, as SQL about the trace `t`."""

    def visit(self, node: Checked) -> Sql:
        if isinstance(node, And):
            return self._visit_and(node)
        if isinstance(node, Or):
            return self._visit_or(node)
        if isinstance(node, Not):
            return self._visit_not(node)
        return self._visit_test(node)

    def _visit_and(self, node: And[Test]) -> Sql:
        """All of them; that a value is none of many is one condition."""
        excluded: dict[Field, list[str]] = {}
        others: list[Checked] = []
        for child in node.children:
            text = _text_compared(child, Operator.NE)
            if text is None or not isinstance(child, Test):
                others.append(child)
            else:
                excluded.setdefault(child.field, []).append(text)
        pieces = [self.visit(child) for child in others]
        for field, texts in excluded.items():
            found = _found(field)
            parameters = (*found.parameters, *texts)
            pieces.append(Sql(f"coalesce({found.text} NOT IN ({_marks(texts)}), 0)", parameters))
        return _chain(" AND ", pieces) if len(pieces) > 1 else pieces[0]

    def _visit_or(self, node: Or[Test]) -> Sql:
        """Any of them; that the index has any of many terms is one condition."""
        terms: list[int] = []
        others: list[Checked] = []
        for child in node.children:
            text = _text_compared(child, Operator.EQ)
            if text is None or not isinstance(child, Test) or not is_indexed(child.field.group, child.field.name, text):
                others.append(child)
            else:
                terms.append(term(child.field.group, child.field.name, text))
        pieces = [self.visit(child) for child in others]
        if terms:
            pieces.append(_probe(terms))
        return _chain(" OR ", pieces) if len(pieces) > 1 else pieces[0]

    def _visit_not(self, node: Not[Test]) -> Sql:
        inner = self.visit(node.child)
        return Sql(f"NOT ({inner.text})", inner.parameters)

    def _visit_test(self, test: Test) -> Sql:
        found = _found(test.field)
        if test.operator in NULLS:
            return Sql(f"{found.text} {test.operator.value}", found.parameters)
        if test.operator in PATTERNS:
            return Sql(f"{MATCHES}(?, ?, {found.text})", (test.operator.value, str(test.value), *found.parameters))
        if test.field.group is Group.ATTRIBUTES:
            return self._visit_attribute(test)
        if isinstance(test.value, str):
            return self._visit_text(test, test.value)
        return self._visit_number(test, float(test.value or 0))

    def _visit_attribute(self, test: Test) -> Sql:
        column = _COLUMNS[test.field.name]
        assert test.value is not None  # noqa: S101 - the operators without a value are done with
        compared = Sql(f"{column} {test.operator.value} ?", (test.value,))
        return (
            Sql(f"({column} IS NOT NULL AND {compared.text})", compared.parameters) if test.field.nullable else compared
        )

    def _visit_text(self, test: Test, value: str) -> Sql:
        """A tag or metadata value against a text: by the index where it has the value, else on the row."""
        if test.operator is Operator.EQ and is_indexed(test.field.group, test.field.name, value):
            return _probe([term(test.field.group, test.field.name, value)])
        return self._on_row(test, _found(test.field).text, value)

    def _visit_number(self, test: Test, value: float) -> Sql:
        """A tag or metadata value against a number: texts that write no number are absent to it."""
        return self._on_row(test, f"{NUMBER_IN}({_found(test.field).text})", value)

    @staticmethod
    def _on_row(test: Test, found: str, value: Parameter) -> Sql:
        return Sql(f"coalesce({found} {test.operator.value} ?, 0)", (test.field.name, value))


def _text_compared(node: Checked, operator: Operator) -> str | None:
    """Return the text that a tag or metadata value is compared with by this operator; None for anything else."""
    if not isinstance(node, Test) or node.operator is not operator or node.field.group is Group.ATTRIBUTES:
        return None
    return node.value if isinstance(node.value, str) else None


def _probe(terms: Sequence[int]) -> Sql:
    """Return the condition that the index has one of the terms for the trace."""
    wanted = "= ?" if len(terms) == 1 else f"IN ({_marks(terms)})"
    text = (
        f"EXISTS (SELECT 1 FROM posting AS p WHERE p.term {wanted} AND p.experiment = t.experiment"
        " AND p.start_ms = t.start_ms AND p.trace = t.seq)"
    )
    return Sql(text, tuple(terms))


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))


def _found(field: Field) -> Sql:
    """Return the expression for a trace's value of a field; NULL where it has none."""
    if field.group is Group.ATTRIBUTES:
        return Sql(_COLUMNS[field.name])
    return Sql(f"{VALUE}({_MAPS[field.group]}, ?)", (field.name,))


def _experiments(ids: Sequence[str]) -> Sql:
    if len(ids) == 1:
        return Sql("t.experiment = ?", (int(ids[0]),))
    return Sql(f"t.experiment IN ({_marks(ids)})", tuple(int(each) for each in ids))


def _order_term(key: OrderKey) -> str:
    column = _COLUMNS[key.field.name]
    if key.descending:
        return f"{column} DESC"  # NULL is the least value of SQLite: last by itself
    return f"{column} ASC NULLS LAST" if key.field.nullable else f"{column} ASC"


def _behind(order: Sequence[OrderKey], after: Sequence[KeyValue]) -> Sql:
    """Return the condition of a trace that comes behind the one with these values of the order's keys."""
    first, rest = order[0], order[1:]
    column, value = _COLUMNS[first.field.name], after[0]
    beyond = _beyond(first, value)
    if not rest:
        return beyond
    same = Sql(f"{column} IS NULL") if value is None else Sql(f"{column} = ?", (value,))
    tied = _join(" AND ", [same, _behind(rest, after[1:])])
    joined = _join(" OR ", [beyond, Sql(f"({tied.text})", tied.parameters)])
    if first.field.nullable or value is None:
        return Sql(f"({joined.text})", joined.parameters)
    # Said again as a range, so that the index can begin there.
    bound = Sql(f"{column} {'<=' if first.descending else '>='} ?", (value,))
    return Sql(f"({bound.text} AND ({joined.text}))", bound.parameters + joined.parameters)


def _beyond(key: OrderKey, value: KeyValue) -> Sql:
    """Return the condition that a trace's value of the key comes strictly later; absence is the end of the order."""
    column = _COLUMNS[key.field.name]
    if value is None:
        return Sql("0")
    compared = f"{column} {'<' if key.descending else '>'} ?"
    return Sql(f"({compared} OR {column} IS NULL)" if key.field.nullable else compared, (value,))


def _chain(word: str, pieces: Sequence[Sql]) -> Sql:
    """Return the conditions joined by AND or OR, in groups where they are many."""
    while len(pieces) > _CHAIN:
        pieces = [_chain(word, pieces[at : at + _CHAIN]) for at in range(0, len(pieces), _CHAIN)]
    joined = _join(word, pieces)
    return Sql(f"({joined.text})", joined.parameters)


def _join(separator: str, pieces: Sequence[Sql]) -> Sql:
    return Sql(
        separator.join(piece.text for piece in pieces),
        tuple(parameter for piece in pieces for parameter in piece.parameters),
    )
