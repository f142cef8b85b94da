"""Parsed tree -> checked tree: every name is a field, every value of its kind, or the error says what to write."""

from __future__ import annotations

import difflib
import time
from typing import Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.query.fields import ATTRIBUTES, PREFIXES, STATES, Field, Group, Kind
from tracehound.query.parser import parse, quote
from tracehound.query.patterns import PatternError, make_matcher
from tracehound.query.times import parse_time_ms
from tracehound.query.tree import (
    EQUALITY,
    LIKE,
    NULLS,
    ORDERED,
    PATTERNS,
    And,
    Comparison,
    Literal,
    Name,
    Node,
    Not,
    Operator,
    Or,
    Test,
)  # fmt: skip

Checked: TypeAlias = Node[Test]

_MAX_CORRECTIONS: Final = 8

# Which operators a kind of field has; those about NULL besides, where the field may be absent.
_OPERATORS: Final = {
    Kind.STATE: EQUALITY | LIKE,
    Kind.TEXT: EQUALITY | PATTERNS,
    Kind.ANY: EQUALITY | ORDERED | PATTERNS,
    Kind.TIME: EQUALITY | ORDERED,
    Kind.NUMBER: EQUALITY | ORDERED,
}

# What is written with other operators: IN is an OR of =, and NOT IN an AND of !=.
_LISTS: Final[dict[Operator, tuple[type[And[Test]] | type[Or[Test]], Operator]]] = {
    Operator.IN: (Or, Operator.EQ),
    Operator.NOT_IN: (And, Operator.NE),
}
_RANGES: Final[dict[Operator, tuple[type[And[Test]] | type[Or[Test]], Operator, Operator]]] = {
    Operator.BETWEEN: (And, Operator.GE, Operator.LE),
    Operator.NOT_BETWEEN: (Or, Operator.LT, Operator.GT),
}


def parse_filter(text: str, now_ms: int | None = None) -> Checked:
    """Return the checked tree of a filter, in which `now()` is the time given, else the present one.

    Raise `FilterError` where it cannot be answered as written; when what was meant is clear, the error carries the
    whole filter corrected, all of its mistakes at once.
    """
    moment_ms = time.time_ns() // 1_000_000 if now_ms is None else now_ms
    try:
        return _check(parse(text, moment_ms), text)
    except FilterError as error:
        raise _with_all_corrections(error, moment_ms) from None


def resolve_field(name: Name, text: str) -> Field:
    """Return the field that a name means; raise `FilterError` where there is none."""
    prefix, *rest = name.parts
    group = PREFIXES.get(prefix)
    if group is None or not rest:
        raise _prefix_error(name, text)
    key = ".".join(rest)
    if group is not Group.ATTRIBUTES:
        return Field(group, key)
    if key not in ATTRIBUTES:
        raise _unknown_attribute_error(name, key, text)
    return ATTRIBUTES[key]


def _check(node: Node[Comparison], text: str) -> Checked:
    if isinstance(node, And):
        return _joined(And, [_check(child, text) for child in node.children])
    if isinstance(node, Or):
        return _joined(Or, [_check(child, text) for child in node.children])
    if isinstance(node, Not):
        return Not(_check(node.child, text))
    field = resolve_field(node.name, text)
    _check_operator(field, node, text)
    for literal in node.literals:
        _check_value(field, node, literal, text)
    return _to_tests(field, node)


def _to_tests(field: Field, comparison: Comparison) -> Checked:
    """Return a comparison in terms of the operators that are left: lists and ranges are written with others."""
    operator = comparison.operator
    values = [literal.value for literal in comparison.literals]
    if operator in _LISTS:
        kind, each = _LISTS[operator]
        return _joined(kind, [Test(field, each, value) for value in dict.fromkeys(values)])
    if operator in _RANGES:
        kind, low, high = _RANGES[operator]
        return _joined(kind, [Test(field, low, values[0]), Test(field, high, values[1])])
    return Test(field, operator, values[0] if values else None)


def _joined(kind: type[And[Test]] | type[Or[Test]], nodes: list[Checked]) -> Checked:
    """Return the nodes joined, those of the same kind by their children, and one alone as it is."""
    children: list[Checked] = []
    for node in nodes:
        children += node.children if isinstance(node, (And, Or)) and isinstance(node, kind) else [node]
    return children[0] if len(children) == 1 else kind(tuple(children))


def _check_operator(field: Field, comparison: Comparison, text: str) -> None:
    """Raise for an operator that means nothing for the field: which of two states is greater, or whether one is."""
    operator = comparison.operator
    allowed = _OPERATORS[field.kind] | (NULLS if field.nullable else frozenset())
    if operator in allowed:
        return
    written = text[comparison.name.start : comparison.name.end]
    if operator in NULLS:
        raise FilterError(f"every trace has {written}", text, comparison.start, comparison.end)
    names = ", ".join(each.value for each in Operator if each in allowed and "NOT " not in each.value)
    raise FilterError(f"{written} can be compared with {names}", text, comparison.start, comparison.end)


def _check_value(field: Field, comparison: Comparison, literal: Literal, text: str) -> None:
    """Raise where the value is not of the field's kind. Tags and metadata compare with texts and with numbers."""
    value = literal.value
    written = text[literal.start : literal.end]
    if comparison.operator in PATTERNS:
        _check_pattern(comparison, literal, text)
    elif isinstance(value, bool):
        is_text = field.kind in (Kind.TEXT, Kind.ANY)
        raise _value_error(field, comparison, literal, text, quote(written.lower()) if is_text else None)
    elif field.kind is Kind.STATE and value not in STATES:
        close = difflib.get_close_matches(str(value).upper(), STATES, 1)
        raise _value_error(field, comparison, literal, text, f"'{close[0]}'" if close else None)
    elif field.kind is Kind.TEXT and not isinstance(value, str):
        raise _value_error(field, comparison, literal, text, quote(written))
    elif field.kind in (Kind.TIME, Kind.NUMBER) and isinstance(value, str):
        raise _value_error(field, comparison, literal, text, _as_number(value, field.kind))


def _check_pattern(comparison: Comparison, literal: Literal, text: str) -> None:
    """Raise where a pattern is no text, or a regular expression that is none."""
    operator = comparison.operator
    if not isinstance(literal.value, str):
        replacement = quote(text[literal.start : literal.end])
        message = f"{operator.value} takes a text: write {replacement}"
        raise _error(message, text, literal.start, literal.end, replacement)
    try:
        make_matcher(operator, literal.value)
    except PatternError as error:
        raise FilterError(str(error), text, literal.start, literal.end) from error


def _as_number(value: str, kind: Kind) -> str | None:
    """Return the number that a quoted text means: itself, or the milliseconds of a date (UTC where no zone is said)."""
    try:
        float(value)
    except ValueError:
        if kind is not Kind.TIME:
            return None
    else:
        return value.strip()
    time_ms = parse_time_ms(value)
    return None if time_ms is None else str(time_ms)


def _value_error(
    field: Field, comparison: Comparison, literal: Literal, text: str, replacement: str | None
) -> FilterError:
    written = text[comparison.name.start : comparison.name.end]
    name = f"attributes.{field.name}" if field.group is Group.ATTRIBUTES else written
    message = f"{name} is {field.kind.value}"
    if replacement is not None:
        message += f": write {replacement}"
    return _error(message, text, literal.start, literal.end, replacement)


def _prefix_error(name: Name, text: str) -> FilterError:
    """Return the error for a name without a prefix, or with one that does not exist."""
    written = text[name.start : name.end]
    joined = ".".join(name.parts)
    if joined in ATTRIBUTES:
        replacement = f"attributes.{joined}"
        return _error(f"'{written}' needs a prefix: write {replacement}", text, name.start, name.end, replacement)
    if len(name.parts) == 1:
        message = f"'{written}' needs a prefix: attributes.…, tags.{joined} or metadata.{joined}"
        return _error(message, text, name.start, name.end, None)
    close = difflib.get_close_matches(name.parts[0].lower(), PREFIXES, 1)
    if close:
        replacement = f"{close[0]}.{_quoted('.'.join(name.parts[1:]))}"
        return _error(f"'{written}' is not a field: write {replacement}", text, name.start, name.end, replacement)
    replacement = f"metadata.{_quoted(joined)}"
    message = f"'{written}' needs a prefix: write {replacement}, or tags.{_quoted(joined)} if it is a tag"
    return _error(message, text, name.start, name.end, replacement)


def _unknown_attribute_error(name: Name, key: str, text: str) -> FilterError:
    """Return the error for an attribute that does not exist, with the nearest that does."""
    close = difflib.get_close_matches(key.lower(), ATTRIBUTES, 1)
    if close:
        replacement = f"attributes.{close[0]}"
        message = f"there is no attribute '{key}': write {replacement}"
        return _error(message, text, name.start, name.end, replacement)
    known = ", ".join(ATTRIBUTES)
    return _error(f"there is no attribute '{key}'; there are {known}", text, name.start, name.end, None)


def _quoted(name: str) -> str:
    """Return a name as the language writes it: in backticks unless it is one plain word."""
    return name if name.isidentifier() else f"`{name}`"


def _error(message: str, text: str, start: int, end: int, replacement: str | None) -> FilterError:
    corrected = None if replacement is None else text[:start] + replacement + text[end:]
    return FilterError(message, text, start, end, corrected)


def _with_all_corrections(error: FilterError, now_ms: int) -> FilterError:
    """Return the error with a correction that is right as a whole, or with none."""
    corrected = error.corrected
    for _ in range(_MAX_CORRECTIONS):
        if corrected is None:
            break
        try:
            _check(parse(corrected, now_ms), corrected)
        except FilterError as next_error:
            corrected = next_error.corrected
        else:
            return FilterError(error.message, error.text, error.start, error.end, corrected)
    return FilterError(error.message, error.text, error.start, error.end)
