"""What a filter and an order mean: the definition, in plain Python.

The memory store answers by it, and every other store has to agree. It is written to be read, not to be fast.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

from tracehound.model.trace import TraceInfo
from tracehound.query.check import Checked
from tracehound.query.fields import Field, Group, Kind
from tracehound.query.numbers import number_in
from tracehound.query.patterns import make_matcher
from tracehound.query.search import KeyValue, OrderKey
from tracehound.query.tree import NULLS, PATTERNS, And, Not, Operator, Or, Test

_COMPARE: Final[dict[Operator, Callable[[Any, Any], bool]]] = {
    Operator.EQ: operator.eq,
    Operator.NE: operator.ne,
    Operator.LT: operator.lt,
    Operator.LE: operator.le,
    Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}


def matches(node: Checked, info: TraceInfo) -> bool:
    """Whether the filter is true of the trace."""
    if isinstance(node, And):
        return all(matches(child, info) for child in node.children)
    if isinstance(node, Or):
        return any(matches(child, info) for child in node.children)
    if isinstance(node, Not):
        return not matches(node.child, info)
    return passes(node, value_of(node.field, info))


def passes(test: Test, found: KeyValue) -> bool:
    """Whether one comparison is true of a value; it is false of what is absent, `!=` and NOT LIKE too, but not IS NULL.

    A text compares with a number as the number that it writes, and is absent to it where it writes none.
    """
    if test.operator in NULLS:
        return (found is None) == (test.operator is Operator.IS_NULL)
    if test.operator in PATTERNS:
        return isinstance(found, str) and make_matcher(test.operator, str(test.value))(found)
    if isinstance(found, str) and not isinstance(test.value, str):
        return _holds(test.operator, number_in(found), float(test.value or 0))
    return _holds(test.operator, found, test.value)


def _holds(comparison: Operator, found: Any, wanted: Any) -> bool:
    return found is not None and _COMPARE[comparison](found, wanted)


def value_of(field: Field, info: TraceInfo) -> KeyValue:
    """Return a trace's value of a field; None where it has none."""
    if field.group is Group.TAGS:
        return info.tags.get(field.name)
    if field.group is Group.METADATA:
        return info.trace_metadata.get(field.name)
    return _ATTRIBUTES[field.name](info)


_ATTRIBUTES: Final[dict[str, Callable[[TraceInfo], KeyValue]]] = {
    "status": lambda info: info.state.value,
    "name": lambda info: info.name,
    "timestamp_ms": lambda info: info.request_time,
    "execution_time_ms": lambda info: info.execution_duration,
    "end_time_ms": lambda info: (
        None if info.execution_duration is None else info.request_time + info.execution_duration
    ),
    "trace_id": lambda info: info.trace_id,
    "client_request_id": lambda info: info.client_request_id,
}


def order_values(info: TraceInfo, order: Sequence[OrderKey]) -> tuple[KeyValue, ...]:
    """Return a trace's values of the order's keys: its place in the result."""
    return tuple(value_of(key.field, info) for key in order)


def compare_places(order: Sequence[OrderKey], left: Sequence[KeyValue], right: Sequence[KeyValue]) -> int:
    """Return -1, 0 or 1: which of two places comes first.

    What is absent comes last in either direction. Of tags and metadata the values that write a number come first, by
    the number, then the other texts.
    """
    for key, one, other in zip(order, left, right, strict=True):
        (rank, first), (other_rank, second) = _rank(key, one), _rank(key, other)
        if rank != other_rank:
            return -1 if rank < other_rank else 1
        if first != second:
            return -1 if (first < second) != key.descending else 1
    return 0


def _rank(key: OrderKey, value: KeyValue) -> tuple[int, Any]:
    """Return which group of values one is in, and what it is compared with the others of the group as."""
    if value is None:
        return 2, 0
    if key.field.kind is Kind.ANY and isinstance(value, str):
        number = number_in(value)
        return (1, value) if number is None else (0, number)
    return 0, value
