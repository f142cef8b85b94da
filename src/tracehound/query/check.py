"""Parsed tree -> checked tree: every name is a field, every value of its kind, or the error says what to write."""

from __future__ import annotations

import functools
import time
from typing import Final

from tracehound.errors import FilterError
from tracehound.model.derive import MAX_PREVIEW, TRACE_INPUTS, TRACE_OUTPUTS
from tracehound.model.record import to_json_text
from tracehound.query.bounds import MAX_SCOPES, PRINTED, WRITTEN, Bounds
from tracehound.query.fields import DURATION, SPAN_DURATION, STATES, STATUSES, Field, Group, Kind, may_be_several
from tracehound.query.numbers import number_in
from tracehound.query.parser import parse
from tracehound.query.patterns import PatternError, make_matcher
from tracehound.query.resolve import resolve_field, resolve_in_span
from tracehound.query.suggest import mistake, nearest, told, told_look_alike
from tracehound.query.times import parse_interval_ms, parse_time_ms
from tracehound.query.tokens import Reader, quote, tokenize
from tracehound.query.tree import (
    EQUALITY,
    LIKE,
    NULLS,
    ORDERED,
    PATTERNS,
    And,
    Checked,
    Comparison,
    Literal,
    Not,
    Operator,
    Or,
    Parsed,
    Scope,
    Step,
    Test,
)  # fmt: skip

_MAX_CORRECTIONS: Final = 8
_MAX_READ_AGAIN: Final = 100_000  # characters, all in all, for corrections: of so long a text nobody reads one
_CUT_KEYS: Final = (TRACE_INPUTS, TRACE_OUTPUTS)

# What states are called elsewhere.
_OTHER_STATES: Final = {
    "failed": "ERROR", "failure": "ERROR", "success": "OK", "succeeded": "OK", "running": "IN_PROGRESS",
}  # fmt: skip

# Which operators a kind of field has; those about NULL besides, where the field may be absent.
_OPERATORS: Final = {
    Kind.STATE: EQUALITY | LIKE,
    Kind.TEXT: EQUALITY | PATTERNS,
    Kind.ANY: EQUALITY | ORDERED | PATTERNS,
    Kind.VALUE: EQUALITY | ORDERED | PATTERNS,
    Kind.TIME: EQUALITY | ORDERED,
    Kind.NUMBER: EQUALITY | ORDERED,
    Kind.STATUS: EQUALITY | LIKE,
    Kind.TEXTS: {Operator.LIKE, Operator.ILIKE, Operator.RLIKE, Operator.CONTAINS},
}
_WORDS: Final = {Kind.STATE: STATES, Kind.STATUS: STATUSES}

# What is written with other operators: IN is an OR of =, and NOT IN an AND of !=.
_LISTS: Final[dict[Operator, tuple[type[And[Test]] | type[Or[Test]], Operator]]] = {
    Operator.IN: (Or, Operator.EQ),
    Operator.NOT_IN: (And, Operator.NE),
}
_RANGES: Final[dict[Operator, tuple[type[And[Test]] | type[Or[Test]], Operator, Operator]]] = {
    Operator.BETWEEN: (And, Operator.GE, Operator.LE),
    Operator.NOT_BETWEEN: (Or, Operator.LT, Operator.GT),
}


def parse_filter(text: str, now_ms: int | None = None, read: Reader = tokenize) -> Checked:
    """Return the checked tree of a filter, in which `now()` is the time given, else the present one.

    Raise `FilterError` where it cannot be answered as written; when what was meant is clear, the error carries the
    whole filter corrected, all of its mistakes at once.
    """
    moment_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    try:
        return _check(parse(text, moment_ms, read), text)
    except FilterError as error:
        raise _with_all_corrections(error, moment_ms) from None


def parse_printed(text: str) -> Checked:
    """Return the tree that `query.printer` has printed in another process; raise `FilterError` where it is none."""
    return _check(parse(text, 0, bounds=PRINTED), text, PRINTED)


def _check(node: Parsed, text: str, bounds: Bounds = WRITTEN) -> Checked:
    checked = _scoped(_check_node(node, text, bounds, is_in_span=False))
    if _count_scopes(checked) > MAX_SCOPES:
        message = f"a filter asks of {MAX_SCOPES:,} spans at most; IN asks of one span that has one of many values"
        raise FilterError(message, text, 0, len(text))
    return checked


def _count_scopes(node: Checked) -> int:
    """Return of how many spans a filter asks, each on its own."""
    if isinstance(node, Not):
        return _count_scopes(node.child)
    if isinstance(node, (And, Or)):
        return sum(map(_count_scopes, node.children))
    return isinstance(node, Scope)


def _check_node(node: Parsed, text: str, bounds: Bounds, *, is_in_span: bool) -> Checked:
    """Return the checked node; what it asks of spans outside of `span( … )` has no scope yet."""
    if isinstance(node, And):
        return joined(And, [_check_node(child, text, bounds, is_in_span=is_in_span) for child in node.children])
    if isinstance(node, Or):
        return joined(Or, [_check_node(child, text, bounds, is_in_span=is_in_span) for child in node.children])
    if isinstance(node, Not):
        return Not(_check_node(node.child, text, bounds, is_in_span=is_in_span))
    if isinstance(node, Scope):
        first, *others = [_check_node(each, text, bounds, is_in_span=True) for each in node.conditions]
        steps = [Step(step.relation, other) for step, other in zip(node.steps, others, strict=True)]
        return Scope(first, tuple(steps), node.count)
    field = resolve_in_span(node.name, text) if is_in_span else resolve_field(node.name, text)
    _check_operator(field, node, text)
    for literal in node.literals:
        _check_value(field, node, literal, text, bounds)
    return _to_tests(field, node)


def _scoped(node: Checked) -> Checked:
    """Return the node with what it asks of spans in scopes: as much as can be is asked of one span.

    That is the largest part that speaks of spans only, joined by AND and OR; a NOT is about the trace.
    """
    if _is_of_span(node):
        return Scope(node)
    if isinstance(node, Not):
        return Not(_scoped(node.child))
    if not isinstance(node, (And, Or)):
        return node
    join = functools.partial(joined, And) if isinstance(node, And) else functools.partial(joined, Or)
    of_span = [child for child in node.children if _is_of_span(child)]
    nodes: list[Checked] = []
    for child in node.children:
        if not _is_of_span(child):
            nodes.append(_scoped(child))
        elif child is of_span[0]:
            nodes.append(Scope(join(of_span)))
    return join(nodes)


def _is_of_span(node: Checked) -> bool:
    """Whether a node without a scope is about one span."""
    if isinstance(node, (And, Or)):
        return all(_is_of_span(child) for child in node.children)
    return isinstance(node, Test) and node.field.group is Group.SPAN


def _to_tests(field: Field, comparison: Comparison) -> Checked:
    """Return a comparison in terms of the operators that are left: lists and ranges are written with others."""
    operator = comparison.operator
    values = [literal.value for literal in comparison.literals]
    if operator in _LISTS:
        kind, each = _LISTS[operator]
        distinct = {(type(value), value): value for value in values}  # TRUE is 1 to Python
        if operator is Operator.NOT_IN and len(distinct) > 1 and may_be_several(field):
            return Test(field, operator, tuple(distinct.values()))
        return joined(kind, [Test(field, each, value) for value in distinct.values()])
    if operator is Operator.BETWEEN and may_be_several(field):
        return Test(field, operator, tuple(values))
    if operator in _RANGES:
        kind, low, high = _RANGES[operator]
        return joined(kind, [Test(field, low, values[0]), Test(field, high, values[1])])
    return Test(field, operator, values[0] if values else None)


def joined(kind: type[And[Test]] | type[Or[Test]], nodes: list[Checked]) -> Checked:
    """Return the nodes joined, those of the same kind by their children, and one alone as it is."""
    children: list[Checked] = []
    for node in nodes:
        children += node.children if isinstance(node, (And, Or)) and isinstance(node, kind) else [node]
    return children[0] if len(children) == 1 else kind(tuple(children))


def _check_operator(field: Field, comparison: Comparison, text: str) -> None:
    """Raise for an operator that means nothing for the field: which of two states is greater, or whether one is."""
    operator = comparison.operator
    if _has(field, operator):
        return
    written = text[comparison.name.start : comparison.name.end]
    if field.kind is Kind.TEXTS and operator.value.startswith("NOT "):
        negated = f"NOT {written} {operator.value.removeprefix('NOT ')}"
        message = f"{told(written)} is many texts, of which one has to pass: write {told(negated)} …"
        raise mistake(message, text, comparison.name.start, comparison.end, negated)
    if operator in NULLS:
        raise FilterError(f"every trace has {told(written)}", text, comparison.start, comparison.end)
    names = ", ".join(each.value for each in Operator if _has(field, each) and "NOT " not in each.value)
    raise FilterError(f"{told(written)} can be compared with {names}", text, comparison.start, comparison.end)


def _has(field: Field, operator: Operator) -> bool:
    """Whether an operator means something for the field."""
    return operator in _OPERATORS[field.kind] or (field.nullable and operator in NULLS)


def _check_value(field: Field, comparison: Comparison, literal: Literal, text: str, bounds: Bounds) -> None:
    """Raise where the value is not of the field's kind. Tags and metadata compare with texts and with numbers."""
    value = literal.value
    written = text[literal.start : literal.end]
    if comparison.operator in PATTERNS:
        _check_pattern(comparison, literal, text)
    elif bounds.refuses_cut and _is_too_long(field, value):
        message = f"{told(text[comparison.name.start : comparison.name.end])} holds {MAX_PREVIEW} characters at most"
        raise FilterError(f"{message}: ask for the beginning with LIKE '…%'", text, literal.start, literal.end)
    elif isinstance(value, bool) and field.kind is Kind.VALUE:
        if comparison.operator not in EQUALITY:
            message = "TRUE and FALSE can be compared with =, !=, IN"
            raise FilterError(message, text, comparison.start, comparison.end)
    elif isinstance(value, bool):
        is_text = field.kind in (Kind.TEXT, Kind.ANY)
        raise _value_error(field, comparison, literal, text, quote(written.lower()) if is_text else None)
    elif field.kind in _WORDS and value not in _WORDS[field.kind]:
        other = _OTHER_STATES.get(str(value).lower())
        state = other if other in _WORDS[field.kind] else nearest(str(value), _WORDS[field.kind])
        raise _value_error(field, comparison, literal, text, f"'{state}'" if state else None)
    elif field.kind is Kind.TEXT and not isinstance(value, str):
        raise _value_error(field, comparison, literal, text, quote(written))
    elif field.kind in (Kind.TIME, Kind.NUMBER) and isinstance(value, str):
        raise _value_error(field, comparison, literal, text, _as_number(value, field))


def _is_too_long(field: Field, value: object) -> bool:
    """Whether a value is longer than what is kept of its field."""
    return field.name in _CUT_KEYS and isinstance(value, str) and len(to_json_text(value)) > MAX_PREVIEW


def _check_pattern(comparison: Comparison, literal: Literal, text: str) -> None:
    """Raise where a pattern is no text, or a regular expression that is none."""
    operator = comparison.operator
    if not isinstance(literal.value, str):
        replacement = quote(text[literal.start : literal.end])
        message = f"{operator.value} takes a text: write {told(replacement)}"
        raise mistake(message, text, literal.start, literal.end, replacement)
    try:
        make_matcher(operator, literal.value)
    except PatternError as error:
        raise FilterError(str(error), text, literal.start, literal.end) from error


def _as_number(value: str, field: Field) -> str | None:
    """Return the number that a quoted text means: itself, or milliseconds (of a date, UTC where no zone is said)."""
    if number_in(value.strip()) is not None:
        return value.strip()
    if field.kind is Kind.TIME:
        time_ms = parse_time_ms(value)
    else:
        time_ms = parse_interval_ms(value) if field in (DURATION, SPAN_DURATION) else None
    return None if time_ms is None else str(time_ms)


def _value_error(
    field: Field, comparison: Comparison, literal: Literal, text: str, replacement: str | None
) -> FilterError:
    written = text[comparison.name.start : comparison.name.end]
    name = f"attributes.{field.name}" if field.group is Group.ATTRIBUTES else told(written)
    message = f"{name} is {field.kind.value}"
    if replacement is not None:
        look_alike = told_look_alike(str(literal.value)) if field.kind in _WORDS else None
        message = f"{look_alike or message}: write {told(replacement)}"
    return mistake(message, text, literal.start, literal.end, replacement)


def _with_all_corrections(error: FilterError, now_ms: int) -> FilterError:
    """Return the error with a correction that is right as a whole, or with none."""
    corrected = error.corrected
    for _ in range(min(_MAX_CORRECTIONS, _MAX_READ_AGAIN // max(1, len(error.text)))):
        if corrected is None:
            break
        try:
            _check(parse(corrected, now_ms), corrected)
        except FilterError as next_error:
            corrected = next_error.corrected
        else:
            return FilterError(error.message, error.text, error.start, error.end, corrected)
    return FilterError(error.message, error.text, error.start, error.end)
