"""Checked tree -> a condition in SQL: a method a node.

Every condition is written so that it is never NULL: absent means false, also under a negation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tracehound.query.check import Checked
from tracehound.query.fields import Field, Group
from tracehound.query.sql import COLUMNS, MATCHES, NUMBER_IN, Parameter, Sql, chain, is_one_of, marks, value_sql
from tracehound.query.terms import is_indexed, term
from tracehound.query.tree import NULLS, PATTERNS, And, Not, Operator, Or, Test


@dataclass(frozen=True)
class Place:
    """The expressions for where the index has a trace: in its postings, these columns stand behind the term."""

    experiment: str
    start_ms: str
    trace: str


OF_TRACE: Final = Place("t.experiment", "t.start_ms", "t.seq")
# The same without a look at the trace, where a posting `p` led to it.
OF_POSTING: Final = Place("p.experiment", "p.start_ms", "p.trace")


def condition_sql(node: Checked, place: Place = OF_TRACE) -> Sql:
    """Return the condition that the filter is true of the trace `t`, which stands in the index at the place."""
    return _Visitor(place).visit(node)


@dataclass(frozen=True)
class _Visitor:
    """The condition of a node, as SQL about the trace `t`."""

    place: Place

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
            found = value_sql(field)
            parameters = (*found.parameters, *texts)
            pieces.append(Sql(f"coalesce({found.text} NOT IN ({marks(texts)}), 0)", parameters))
        return chain(" AND ", pieces) if len(pieces) > 1 else pieces[0]

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
            pieces.append(self._probe(terms))
        return chain(" OR ", pieces) if len(pieces) > 1 else pieces[0]

    def _visit_not(self, node: Not[Test]) -> Sql:
        inner = self.visit(node.child)
        return Sql(f"NOT ({inner.text})", inner.parameters)

    def _visit_test(self, test: Test) -> Sql:
        found = value_sql(test.field)
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
        column = COLUMNS[test.field.name]
        assert test.value is not None  # noqa: S101 - the operators without a value are done with
        compared = Sql(f"{column} {test.operator.value} ?", (test.value,))
        return (
            Sql(f"({column} IS NOT NULL AND {compared.text})", compared.parameters) if test.field.nullable else compared
        )

    def _visit_text(self, test: Test, value: str) -> Sql:
        """A tag or metadata value against a text: by the index where it has the value, else on the row."""
        if test.operator is Operator.EQ and is_indexed(test.field.group, test.field.name, value):
            return self._probe([term(test.field.group, test.field.name, value)])
        return self._on_row(test, value_sql(test.field).text, value)

    def _visit_number(self, test: Test, value: float) -> Sql:
        """A tag or metadata value against a number: texts that write no number are absent to it."""
        return self._on_row(test, f"{NUMBER_IN}({value_sql(test.field).text})", value)

    def _probe(self, terms: list[int]) -> Sql:
        """Return the condition that the index has one of the terms for the trace."""
        wanted = is_one_of("q.term", terms)
        place = self.place
        text = (
            f"EXISTS (SELECT 1 FROM posting AS q WHERE {wanted.text} AND q.experiment = {place.experiment}"
            f" AND q.start_ms = {place.start_ms} AND q.trace = {place.trace})"
        )
        return Sql(text, wanted.parameters)

    @staticmethod
    def _on_row(test: Test, found: str, value: Parameter) -> Sql:
        return Sql(f"coalesce({found} {test.operator.value} ?, 0)", (test.field.name, value))


def _text_compared(node: Checked, operator: Operator) -> str | None:
    """Return the text that a tag or metadata value is compared with by this operator; None for anything else."""
    if not isinstance(node, Test) or node.operator is not operator or node.field.group is Group.ATTRIBUTES:
        return None
    return node.value if isinstance(node.value, str) else None
