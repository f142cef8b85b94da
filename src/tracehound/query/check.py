"""Parsed tree -> checked tree: every name is a field, every value of its kind, or the error says what to write."""

from __future__ import annotations

import datetime
import difflib
from typing import Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.query.fields import ATTRIBUTES, PREFIXES, STATES, Field, Group, Kind
from tracehound.query.parser import parse
from tracehound.query.tree import And, Comparison, Name, Node, Or, Test

Checked: TypeAlias = Node[Test]

_MAX_CORRECTIONS: Final = 8


def parse_filter(text: str) -> Checked:
    """Return the checked tree of a filter.

    Raise `FilterError` where it cannot be answered as written; when what was meant is clear, the error carries the
    whole filter corrected, all of its mistakes at once.
    """
    try:
        return _check(parse(text), text)
    except FilterError as error:
        raise _with_all_corrections(error) from None


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
        return And(tuple(_check(child, text) for child in node.children))
    if isinstance(node, Or):
        return Or(tuple(_check(child, text) for child in node.children))
    field = resolve_field(node.name, text)
    _check_operator(field, node, text)
    _check_value(field, node, text)
    return Test(field, node.operator, node.literal.value)


def _check_operator(field: Field, comparison: Comparison, text: str) -> None:
    """Raise where the field has no order: which state or name is greater means nothing."""
    if comparison.operator.is_ordered and field.kind in (Kind.STATE, Kind.TEXT):
        start = comparison.operator_start
        written = text[comparison.name.start : comparison.name.end]
        end = start + len(comparison.operator.value)
        raise FilterError(f"{written} can be compared with = and != only", text, start, end)


def _check_value(field: Field, comparison: Comparison, text: str) -> None:
    """Raise where the value is not of the field's kind. Tags and metadata compare with texts and with numbers."""
    literal = comparison.literal
    value = literal.value
    if field.kind is Kind.STATE and value not in STATES:
        close = difflib.get_close_matches(str(value).upper(), STATES, 1)
        raise _value_error(field, comparison, text, f"'{close[0]}'" if close else None)
    if field.kind is Kind.TEXT and not isinstance(value, str):
        raise _value_error(field, comparison, text, f"'{text[literal.start : literal.end]}'")
    if field.kind in (Kind.TIME, Kind.NUMBER) and isinstance(value, str):
        raise _value_error(field, comparison, text, _as_number(value, field.kind))


def _as_number(value: str, kind: Kind) -> str | None:
    """Return the number that a quoted text means: itself, or the milliseconds of a date (UTC where no zone is said)."""
    try:
        float(value)
    except ValueError:
        if kind is not Kind.TIME:
            return None
    else:
        return value.strip()
    try:
        moment = datetime.datetime.fromisoformat(value.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    return str(int(moment.timestamp() * 1000))


def _value_error(field: Field, comparison: Comparison, text: str, replacement: str | None) -> FilterError:
    literal = comparison.literal
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


def _with_all_corrections(error: FilterError) -> FilterError:
    """Return the error with a correction that is right as a whole, or with none."""
    corrected = error.corrected
    for _ in range(_MAX_CORRECTIONS):
        if corrected is None:
            break
        try:
            _check(parse(corrected), corrected)
        except FilterError as next_error:
            corrected = next_error.corrected
        else:
            return FilterError(error.message, error.text, error.start, error.end, corrected)
    return FilterError(error.message, error.text, error.start, error.end)
