"""Checked tree -> a condition in SQL, for engines that keep a trace in one wide row, whose spans are arrays.

One visitor for all of them; how an engine writes a value, a pattern or a look through arrays is its `Dialect`. A
condition is true of every trace that the filter is true of. Where it may be true of others as well it is not exact, and
whoever asks has to ask the evaluator about what was found (`query.evaluate`): that is so of inputs, outputs, attributes
and texts of spans, and of how spans stand to each other. No condition is ever NULL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from tracehound.query.fields import ASSESSED, MAPPED, NUMBERS_IN_METADATA, NUMBERS_IN_SPAN, Field, Group, Kind
from tracehound.query.needles import needles_of
from tracehound.query.span_keys import keys_of
from tracehound.query.span_terms import needs_spans, terms_of_test
from tracehound.query.sql import Sql, chain
from tracehound.query.terms import UNIQUE_METADATA
from tracehound.query.tree import NULLS, PATTERNS, And, Checked, Not, Operator, Or, Scope, Test, Value
from tracehound.query.words import Piece

# What a span has in arrays of the row; everything else of it is in the payload.
SPAN_COLUMNS: Final = ("name", "type", "status", "status_message", "duration_ms", "model", *NUMBERS_IN_SPAN)

# The attributes that are columns of numbers.
NUMBER_COLUMNS: Final = tuple(NUMBERS_IN_METADATA)

# A double holds every whole number up to here as it is: one beyond may be another than it looks.
_EXACT: Final = 2**53

# What a store is asked before a condition is written: which words it has that a piece may be a part of; which values of
# a tag or of metadata pass a pattern.
Asked: TypeAlias = "Piece | Test"
# Returns them; None for too many, and where nobody knows.
Resolve = Callable[[Asked], "Sequence[str] | None"]


@dataclass(frozen=True)
class Condition:
    """SQL that is true of what a filter is true of; and of nothing else where it is exact."""

    sql: Sql
    is_exact: bool = True


TRUE: Final = Sql("TRUE")
ANYTHING: Final = Condition(TRUE, is_exact=False)
NO_WORDS: Final = "*"  # what a trace has in place of its words where these are too many; it is no word itself


class Dialect(Protocol):
    """How an engine writes what the conditions are made of. Every piece of SQL is about the row `t`."""

    def value(self, field: Field) -> Sql:
        """Return the value of a field as what it is; NULL where the trace has none."""
        ...

    def number(self, field: Field) -> Sql:
        """Return the number that the value of a tag or of metadata writes; NULL where it writes none."""
        ...

    def equals(self, field: Field, texts: Sequence[str]) -> Sql | None:
        """Return a condition that an index serves: that a tag or metadata is one of some; None where there is none."""
        ...

    def all_of(self, conditions: Sequence[Sql]) -> Sequence[Sql]:
        """Return conditions that together say what these say: fewer where an index answers several of them at once."""
        ...

    def is_one_of(self, found: Sql, values: Sequence[Value]) -> Sql:
        """Return the condition, NULL for NULL, that something is one of values, which are many."""
        ...

    def can_match(self, operator: Operator, pattern: str) -> bool:
        """Whether the engine finds by a pattern just what it means; the evaluator looks where it does not."""
        ...

    def matches(self, operator: Operator, found: Sql, pattern: str) -> Sql:
        """Return the condition, NULL for NULL, that a text matches a pattern (`query.patterns`)."""
        ...

    def or_false(self, condition: Sql) -> Sql:
        """Return the condition with false for NULL."""
        ...

    def span_value(self, name: str) -> Sql:
        """Return the value of one of `SPAN_COLUMNS` of the span that is looked at."""
        ...

    def count_spans(self, names: Sequence[str], condition: Sql) -> Sql:
        """Return the number of spans of which a condition is true that speaks of these columns."""
        ...

    def has_span(self, names: Sequence[str], condition: Sql) -> Sql:
        """Return the condition that there is one."""
        ...

    def has_terms(self, numbers: Sequence[int]) -> Sql:
        """Return the condition that a span has one of the terms (`query.span_terms`) of attributes."""
        ...

    def has_keys(self, keys: Sequence[str]) -> Sql | None:
        """Return the condition that the trace has one of the keys (`query.span_keys`); None where it has none."""
        ...

    def has_words(self, words: Sequence[str]) -> Sql:
        """Return the condition that the trace has one of the words, or that its words are not known."""
        ...

    def is_assessed(self, group: Group, name: str, condition: Callable[[str], Sql]) -> Sql:
        """Return the condition that one of the assessments passes: of its `text`, its `number` or its `boolean`."""
        ...


def is_apart(key: str) -> bool:
    """Whether a key of the metadata is kept apart from those that are searched: its values are long, or all differ."""
    return key.startswith(UNIQUE_METADATA)


def wide_condition(node: Checked, dialect: Dialect, resolve: Resolve) -> Condition:
    """Return the condition for a filter."""
    return _Visitor(dialect, resolve).visit(node)


@dataclass(frozen=True)
class _Visitor:
    """The condition of a node, about a trace."""

    dialect: Dialect
    resolve: Resolve
    asks_for_values: bool = True

    def visit(self, node: Checked) -> Condition:
        if isinstance(node, And):
            return self._visit_and(node)
        if isinstance(node, Or):
            return self._visit_or(node)
        if isinstance(node, Not):
            # A value that is stored only now was not among those that were found: it would pass.
            return _negated(replace(self, asks_for_values=False).visit(node.child))
        if isinstance(node, Scope):
            return self._visit_scope(node)
        if node.field.kind is Kind.TEXTS:
            return Condition(self._with_words(node, []), is_exact=False)
        if node.field.group in ASSESSED:
            return self._visit_assessed(node)
        if _is_beyond(node) or not _can_match(node, self.dialect):
            found = self.dialect.value(node.field)
            return Condition(Sql(f"{found.text} IS NOT NULL", found.parameters), is_exact=False)
        values = self.resolve(node) if self.asks_for_values and _is_of_values(node) else None
        has_one = None if values is None else self.dialect.equals(node.field, values)
        return Condition(compared(node, self.dialect, self.dialect.value(node.field)) if has_one is None else has_one)

    def _visit_and(self, node: And[Test]) -> Condition:
        """All of them; that a value is none of many is one condition."""
        listed, others = _lists(node.children, Operator.NE)
        pieces = [self.visit(child) for child in others]
        for tests in listed:
            found, values = _compared_values(tests, self.dialect)
            one_of = self.dialect.is_one_of(found, values)
            none_of = Sql(f"NOT ({one_of.text})", one_of.parameters)
            pieces.append(Condition(self.dialect.or_false(none_of)))
        conditions = self.dialect.all_of([each.sql for each in pieces])
        return Condition(_all(conditions), all(each.is_exact for each in pieces))

    def _visit_or(self, node: Or[Test]) -> Condition:
        listed, others = _lists(node.children, Operator.EQ)
        # No index leads to the traces of which one of several conditions is true: values need not be asked for.
        visitor = replace(self, asks_for_values=False)
        pieces = [visitor.visit(child) for child in others]
        pieces += [Condition(self._is_one_of(tests)) for tests in listed]
        return _joined(" OR ", pieces)

    def _is_one_of(self, tests: Sequence[Test]) -> Sql:
        field, texts = tests[0].field, [test.value for test in tests if isinstance(test.value, str)]
        if field.group in MAPPED and texts and (by_index := self.dialect.equals(field, texts)) is not None:
            return by_index
        found, values = _compared_values(tests, self.dialect)
        return self.dialect.or_false(self.dialect.is_one_of(found, values))

    def _visit_assessed(self, test: Test) -> Condition:
        group, name = test.field.group, test.field.name
        if test.operator in NULLS:
            found = self.dialect.is_assessed(group, name, lambda _: TRUE)
            return Condition(_not(found) if test.operator is Operator.IS_NULL else found)
        if not _can_match(test, self.dialect) or any(map(_is_far, test.parts)):
            return Condition(self.dialect.is_assessed(group, name, lambda _: TRUE), is_exact=False)

        def passes(column: str) -> Sql:
            found = [_compare_assessed(each, self.dialect, column) for each in test.parts]
            return chain(" AND ", found) if len(found) > 1 else found[0]

        return Condition(self.dialect.is_assessed(group, name, passes))

    def _visit_scope(self, scope: Scope[Test]) -> Condition:
        if scope.count is not None and not scope.steps:
            passes = _of_span(scope.condition, self.dialect)
            if passes.is_exact:
                count = self.dialect.count_spans(_names_in(scope.condition), passes.sql)
                text = f"{count.text} {scope.count.operator.value} ?"
                return Condition(Sql(text, (*count.parameters, scope.count.number)))
        if not needs_spans(scope):
            return ANYTHING
        found = [self._has_span(each) for each in scope.conditions]
        conditions = [condition for condition, _ in found]
        if len(found) == 1 and scope.count is None and conditions[0].is_exact:
            return conditions[0]
        sql = [each.sql for each in conditions]
        say_more = any(words_say_more for _, words_say_more in found)
        return Condition(self._with_words(scope, sql) if say_more else _all(sql), is_exact=False)

    def _has_span(self, node: Checked) -> tuple[Condition, bool]:
        """Return the condition that a trace has a span of which one is true, and whether words say more than that."""
        keys = keys_of(node)
        found = [] if keys is None else [self.dialect.has_keys(each) for each in keys.lists]
        lists = [each for each in found if each is not None]
        if keys is None or not lists or len(lists) < len(found):
            return self._in_arrays(node), True
        if keys.rest is None:
            return Condition(_all(lists), keys.is_exact), not keys.have_durations
        arrays = self._in_arrays(keys.rest)
        is_exact = arrays.is_exact and keys.rest == node
        words_say_more = not (keys.have_durations and arrays.is_exact)
        return Condition(_all([*lists, arrays.sql]), is_exact), words_say_more

    def _in_arrays(self, node: Checked) -> Condition:
        """Return the condition that a trace has a span of which one is true, from what the arrays have of it."""
        passes = _of_span(node, self.dialect)
        return Condition(self.dialect.has_span(_names_in(node), passes.sql), passes.is_exact)

    def _with_words(self, node: Checked, conditions: list[Sql]) -> Sql:
        """Return the conditions and that the trace has the words that the node asks for."""
        needles = needles_of(node)
        if needles is not None:
            pieces = [self._has_all(alternative) for alternative in needles]
            conditions = [*conditions, chain(" OR ", pieces) if len(pieces) > 1 else pieces[0]]
        return _all(conditions) if conditions else TRUE

    def _has_all(self, pieces: Sequence[Piece]) -> Sql:
        found = [self.resolve(piece) for piece in pieces]
        known = [self.dialect.has_words(words) for words in found if words is not None]
        return chain(" AND ", known) if len(known) > 1 else known[0] if known else TRUE


def _of_span(node: Checked, dialect: Dialect) -> Condition:
    """Return the condition of one span, from what the arrays have of it."""
    if isinstance(node, (And, Or)):
        word = " AND " if isinstance(node, And) else " OR "
        operator = Operator.NE if isinstance(node, And) else Operator.EQ
        listed, others = _lists([child for child in node.children if _is_in_arrays(child)], operator)
        others += [child for child in node.children if not _is_in_arrays(child)]
        pieces = [_of_span(child, dialect) for child in others]
        pieces += [_listed_of_span(tests, operator, dialect) for tests in listed]
        return _joined(word, pieces)
    if isinstance(node, Not):
        return _negated(_of_span(node.child, dialect))
    assert isinstance(node, Test)  # noqa: S101 - no scope stands in another one
    if _is_beyond(node) or not _can_match(node, dialect):
        return ANYTHING
    if _is_in_arrays(node):
        return Condition(compared(node, dialect, dialect.span_value(node.field.name)))
    terms = terms_of_test(node)
    return ANYTHING if terms is None else Condition(dialect.has_terms(terms.possible), is_exact=False)


def _listed_of_span(tests: Sequence[Test], operator: Operator, dialect: Dialect) -> Condition:
    found = dialect.is_one_of(dialect.span_value(tests[0].field.name), [test.single for test in tests])
    return Condition(
        dialect.or_false(found if operator is Operator.EQ else Sql(f"NOT ({found.text})", found.parameters))
    )


def _is_beyond(node: Checked) -> bool:
    """Whether a number that is kept as a double is compared with one that it may not be told from."""
    if not isinstance(node, Test) or node.field.group not in (Group.ATTRIBUTES, Group.SPAN):
        return False
    is_double = node.field.name in NUMBERS_IN_METADATA or node.field.name in NUMBERS_IN_SPAN
    return is_double and _is_far(node)


def _can_match(test: Test, dialect: Dialect) -> bool:
    return test.operator not in PATTERNS or dialect.can_match(test.operator, str(test.value))


def _is_of_values(test: Test) -> bool:
    """Whether a trace passes only with one of those values of a tag or of metadata that pass."""
    return test.field.group in MAPPED and test.operator in PATTERNS and not test.operator.value.startswith("NOT")


def _is_in_arrays(node: Checked) -> bool:
    return isinstance(node, Test) and node.field.group is Group.SPAN and node.field.name in SPAN_COLUMNS


def _names_in(node: Checked) -> list[str]:
    """Return which columns of spans a condition speaks of; the name of the span if of none."""
    if isinstance(node, (And, Or)):
        found = [name for child in node.children for name in _names_in(child)]
    elif isinstance(node, Not):
        found = _names_in(node.child)
    else:
        found = [node.field.name] if isinstance(node, Test) and _is_in_arrays(node) else []
    return list(dict.fromkeys(found)) or ["name"]


def compared(test: Test, dialect: Dialect, found: Sql) -> Sql:
    """Return the condition, never NULL, that a value passes; texts that write no number are absent to a number."""
    is_mapped = test.field.group in MAPPED
    if test.operator in NULLS:
        return Sql(f"{found.text} {test.operator.value}", found.parameters)
    if is_mapped and isinstance(test.value, str) and test.operator is Operator.EQ:
        by_index = dialect.equals(test.field, [test.value])
        if by_index is not None:
            return by_index
    if is_mapped and not isinstance(test.value, str):
        found = dialect.number(test.field)
    passes = _compare(test, dialect, found)
    return dialect.or_false(passes) if test.field.nullable or is_mapped else passes


def _compare(test: Test, dialect: Dialect, found: Sql) -> Sql:
    if test.operator in PATTERNS:
        return dialect.matches(test.operator, found, str(test.value))
    return Sql(f"{found.text} {test.operator.value} ?", (*found.parameters, test.single))


def _compare_assessed(test: Test, dialect: Dialect, column: str) -> Sql:
    """Return the condition that what stands in the columns of a value, one for each kind, passes."""
    if isinstance(test.value, (str, bool)):
        return _compare(test, dialect, Sql(column.format("boolean" if isinstance(test.value, bool) else "text")))
    return _compare(replace(test, value=float(test.single)), dialect, Sql(column.format("number")))


def _is_far(test: Test) -> bool:
    """Whether something is compared with a number that a double may not tell from its neighbours."""
    return isinstance(test.value, (int, float)) and abs(test.value) >= _EXACT


def _compared_values(tests: Sequence[Test], dialect: Dialect) -> tuple[Sql, list[Value]]:
    first = tests[0]
    is_mapped = first.field.group in MAPPED
    is_number = is_mapped and not isinstance(first.value, str)
    return dialect.number(first.field) if is_number else dialect.value(first.field), [test.single for test in tests]


def _lists(nodes: Sequence[Checked], operator: Operator) -> tuple[list[list[Test]], list[Checked]]:
    """Return the comparisons of one field with several values by the operator; and all other nodes."""
    lists: dict[tuple[Field, bool], list[Test]] = {}
    others: list[Checked] = []
    for node in nodes:
        is_listed = isinstance(node, Test) and node.operator is operator and node.field.group not in ASSESSED
        is_listed = is_listed and not _is_beyond(node)
        if is_listed and isinstance(node, Test) and (node.field.group is not Group.SPAN or _is_in_arrays(node)):
            lists.setdefault((node.field, isinstance(node.value, str)), []).append(node)
        else:
            others.append(node)
    others += [tests[0] for tests in lists.values() if len(tests) == 1]
    return [tests for tests in lists.values() if len(tests) > 1], others


def _all(conditions: Sequence[Sql]) -> Sql:
    return chain(" AND ", conditions) if len(conditions) > 1 else conditions[0]


def _joined(word: str, pieces: Sequence[Condition]) -> Condition:
    if len(pieces) == 1:
        return pieces[0]
    return Condition(chain(word, [each.sql for each in pieces]), all(each.is_exact for each in pieces))


def _negated(inner: Condition) -> Condition:
    """What is not exact says nothing about where the filter is false."""
    return Condition(_not(inner.sql)) if inner.is_exact else ANYTHING


def _not(sql: Sql) -> Sql:
    return Sql(f"NOT ({sql.text})", sql.parameters)
