"""Checked tree -> a condition in SQL: a method a node.

Every condition is written so that it is never NULL: absent means false, also under a negation.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tracehound.query.fields import ASSESSED, MAPPED, SPAN_DURATION, Group, Kind
from tracehound.query.needles import needles_of
from tracehound.query.passing import COMPARE
from tracehound.query.printer import print_filter
from tracehound.query.span_terms import OWN_BITS, SHARED_BIT, Terms, needs_spans, terms_of_test, terms_of_tests
from tracehound.query.sql import (
    BIT_COUNT,
    DURATIONS_MASK,
    HAS_SPANS,
    IS_ASSESSED,
    MATCHES,
    MAY_HAVE,
    NUMBER_IN,
    Parameter,
    Sql,
    chain,
    is_one_of,
    marks,
    value_sql,
)
from tracehound.query.terms import is_indexed, term
from tracehound.query.tree import NULLS, PATTERNS, And, Checked, Count, Not, Operator, Or, Scope, Test


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


def same_span_sql(node: Checked, mask: str, place: Place) -> list[Sql]:
    """Return the condition that one of the spans of a mask may be the one that a filter asks for, if it asks for one.

    Only the index is looked into: it leaves out most of the traces in which one span is slow and another one a tool.
    """
    if not isinstance(node, Scope) or node.steps or node.count is not None or not isinstance(node.condition, And):
        return []
    known = tuple(each for each in node.condition.children if not _is_about_duration(each))
    possible = _Visitor(place).possible_mask(And(known)) if known else None
    return [] if possible is None else [Sql(f"{mask} & {possible.text} != 0", possible.parameters)]


def _is_about_duration(node: Checked) -> bool:
    """Whether the durations of spans are asked for, which stand in the row."""
    if isinstance(node, (And, Or)):
        return any(map(_is_about_duration, node.children))
    return isinstance(node, Test) and node.field == SPAN_DURATION


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
        if isinstance(node, Scope) or node.field.kind is Kind.TEXTS:
            return self._visit_spans(node)
        return self._visit_test(node)

    def _visit_and(self, node: And[Test]) -> Sql:
        """All of them; that a value is none of many is one condition."""
        excluded, others = _lists(node.children, Operator.NE)
        with_words = [child for child in others if needles_of(child) is not None]
        # Together they leave fewer traces than one by one.
        pieces = [self._may_have(And(tuple(with_words)))] if len(with_words) > 1 else []
        pieces += [self.visit(child) for child in others]
        pieces += [_listed(found, "NOT IN", values) for found, values in excluded.items()]
        return chain(" AND ", pieces) if len(pieces) > 1 else pieces[0]

    def _visit_or(self, node: Or[Test]) -> Sql:
        """Any of them; that the index has any of many terms is one condition, and so is that a value is one of many."""
        terms = [number for number in map(_indexed_term, node.children) if number is not None]
        allowed, others = _lists([child for child in node.children if _indexed_term(child) is None], Operator.EQ)
        pieces = [self.visit(child) for child in others]
        pieces += [_listed(found, "IN", values) for found, values in allowed.items()]
        if terms:
            pieces.append(self._probe(terms))
        return chain(" OR ", pieces) if len(pieces) > 1 else pieces[0]

    def _visit_not(self, node: Not[Test]) -> Sql:
        inner = self.visit(node.child)
        return Sql(f"NOT ({inner.text})", inner.parameters)

    def _visit_test(self, test: Test) -> Sql:
        if test.field.group in ASSESSED:
            return self._visit_assessed(test)
        if test.operator in NULLS:
            found = value_sql(test.field)
            return Sql(f"{found.text} {test.operator.value}", found.parameters)
        if test.operator in PATTERNS:
            found = value_sql(test.field)
            return Sql(f"{MATCHES}(?, ?, {found.text})", (test.operator.value, str(test.value), *found.parameters))
        number = _indexed_term(test)
        if number is not None:
            return self._probe([number])
        found, value = _compared(test)
        compared = Sql(f"{found.text} {test.operator.value} ?", (*found.parameters, value))
        return Sql(f"coalesce({compared.text}, 0)", compared.parameters) if test.field.nullable else compared

    def _visit_spans(self, node: Scope[Test] | Test) -> Sql:
        """The evaluator itself looks at the spans of the trace, in all of its parts; where it has to.

        Where each span that is asked for is known to be missing it need not, nor where one is known to be there.
        """
        text = f"(SELECT {HAS_SPANS}(s.payload, s.has_ended, ?) FROM part AS s WHERE s.trace = t.seq)"
        asked = print_filter(node)
        looked = Sql(text, (asked,))
        if needles_of(node) is not None:
            looked = chain(" AND ", [self._may_have(node), looked])
        if isinstance(node, Test):
            return looked
        if node.count is not None and not node.steps:
            found = self._masks(node.condition)
            if found.possible is not None and found.possible == found.certain:
                return _counted(found.possible, node.count, looked)
        if not needs_spans(node):
            return looked
        masks = [self._masks(condition) for condition in node.conditions]
        possible = [Sql(f"{each.possible.text} != 0", each.possible.parameters) for each in masks if each.possible]
        if node.steps or node.count is not None:
            return chain(" AND ", [*possible, looked]) if possible else looked
        if masks[0].is_exact:
            return possible[0]
        certain = masks[0].certain
        if certain is not None:
            looked = chain(" OR ", [Sql(f"{certain.text} & {OWN_BITS} != 0", certain.parameters), looked])
        return chain(" AND ", [*possible, looked]) if possible else looked

    def _may_have(self, node: Checked) -> Sql:
        """Return the condition that the trace has the words for a condition to be true of it."""
        return Sql(f"{MAY_HAVE}(?, {self.place.trace})", (print_filter(node),))

    def possible_mask(self, node: Checked) -> Sql | None:
        """Return the expression for which spans may pass; None where that may be any."""
        return self._masks(node).possible

    def _masks(self, node: Checked) -> _Masks:
        """Return what the index knows of the spans of which a condition is true."""
        if isinstance(node, Test) and node.field == SPAN_DURATION and node.operator in COMPARE:
            asked = (node.operator.value, float(node.single))
            found = Sql(f"{DURATIONS_MASK}(t.span_ms, ?, ?)", asked)
            return _Masks(found, found, is_exact=True)
        if isinstance(node, Test):
            return self._masks_of(terms_of_test(node))
        if not isinstance(node, (And, Or)):
            return _NOTHING_KNOWN
        if isinstance(node, Or):
            durations = [child for child in node.children if isinstance(child, Test) and child.field == SPAN_DURATION]
            others = [child for child in node.children if child not in durations]
            children = [self._masks_of(each) for each in terms_of_tests(others)]
            children += [self._masks(child) for child in others if not isinstance(child, Test)]
            children += [self._masks(child) for child in durations]
        else:
            children = [self._masks(child) for child in node.children]
        may = [each.possible for each in children if each.possible is not None]
        does = [each.certain for each in children if each.certain is not None]
        if isinstance(node, And):
            certain = chain(" & ", does) if len(does) == len(children) else None
            return _Masks(chain(" & ", may) if may else None, certain)
        possible = chain(" | ", may) if len(may) == len(children) else None
        return _Masks(possible, chain(" | ", does) if does else None, all(each.is_exact for each in children))

    def _masks_of(self, terms: Terms | None) -> _Masks:
        if terms is None:
            return _NOTHING_KNOWN
        certain = self._mask(terms.certain) if terms.certain else None
        if terms.are_exact:
            return _Masks(certain, certain, is_exact=True)
        possible = [self._mask(terms.own)] if terms.own else []
        return _Masks(chain(" | ", [*possible, *(self._mask([each]) for each in terms.others)]), certain)

    def _mask(self, terms: Sequence[int]) -> Sql:
        """Return the expression for which spans of the trace have one of the terms, of which each has one at most."""
        wanted = is_one_of("q.term", terms)
        found = "q.mask" if len(terms) == 1 else f"sum(q.mask & {OWN_BITS}) | max(q.mask & {SHARED_BIT})"
        text = (
            f"coalesce((SELECT {found} FROM posting AS q WHERE {wanted.text} AND q.experiment = {self.place.experiment}"
            f" AND q.start_ms = {self.place.start_ms} AND q.trace = {self.place.trace}), 0)"
        )
        return Sql(text, wanted.parameters)

    def _visit_assessed(self, test: Test) -> Sql:
        """One of the assessments passes; the evaluator itself looks, at the few traces that have any."""
        looked = Sql(f"{IS_ASSESSED}(t.assessments, ?)", (print_filter(test),))
        if test.operator is Operator.IS_NULL:
            return Sql(f"(t.assessments IS NULL OR {looked.text})", looked.parameters)
        return Sql(f"(t.assessments IS NOT NULL AND {looked.text})", looked.parameters)

    def _probe(self, terms: list[int]) -> Sql:
        """Return the condition that the index has one of the terms for the trace."""
        wanted = is_one_of("q.term", terms)
        place = self.place
        text = (
            f"EXISTS (SELECT 1 FROM posting AS q WHERE {wanted.text} AND q.experiment = {place.experiment}"
            f" AND q.start_ms = {place.start_ms} AND q.trace = {place.trace})"
        )
        return Sql(text, wanted.parameters)


@dataclass(frozen=True)
class _Masks:
    """Expressions for the spans that may pass, and for those that certainly do; None for all, and for none.

    Exact ones are the same, and true also of the bit that spans share.
    """

    possible: Sql | None
    certain: Sql | None
    is_exact: bool = False


def _counted(mask: Sql, count: Count, looked: Sql) -> Sql:
    """Return the condition that a mask has so many bits; where spans share one of them, the evaluator counts."""
    text = (
        f"CASE WHEN {mask.text} & {SHARED_BIT} = 0 THEN {BIT_COUNT}({mask.text}) {count.operator.value} ?"
        f" ELSE {looked.text} END"
    )
    return Sql(text, (*mask.parameters, *mask.parameters, float(count.number), *looked.parameters))


_NOTHING_KNOWN: Final = _Masks(None, None)


def _indexed_term(node: Checked) -> int | None:
    """Return the term that the index has for just the traces of which a condition is true; None where it has none."""
    if not isinstance(node, Test) or node.operator is not Operator.EQ or node.field.group not in MAPPED:
        return None
    group, key, value = node.field.group, node.field.name, node.value
    return term(group, key, value) if isinstance(value, str) and is_indexed(group, key, value) else None


def _compared(test: Test) -> tuple[Sql, Parameter]:
    """Return what a comparison compares; texts that write no number are absent to a number."""
    found = value_sql(test.field)
    if isinstance(test.value, str) or test.field.group is Group.ATTRIBUTES:
        return found, test.single
    return Sql(f"{NUMBER_IN}({found.text})", found.parameters), float(test.single)


def _lists(nodes: Sequence[Checked], operator: Operator) -> tuple[dict[Sql, list[Parameter]], list[Checked]]:
    """Return what is compared with several values by the operator, with these values; and all other nodes."""
    lists: dict[Sql, list[Parameter]] = {}
    members: dict[Sql, list[Checked]] = {}
    others: list[Checked] = []
    for node in nodes:
        if isinstance(node, Test) and node.operator is operator and node.field.group not in ASSESSED:
            found, value = _compared(node)
            lists.setdefault(found, []).append(value)
            members.setdefault(found, []).append(node)
        else:
            others.append(node)
    for found in [found for found, values in lists.items() if len(values) == 1]:
        others += members[found]
        del lists[found]
    return lists, others


def _listed(found: Sql, word: str, values: Sequence[Parameter]) -> Sql:
    """Return the condition that what is found, if anything is, is one of many values or none of them."""
    return Sql(f"coalesce({found.text} {word} ({marks(values)}), 0)", (*found.parameters, *values))
