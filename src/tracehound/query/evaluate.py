"""What a filter and an order mean: the definition, in plain Python.

The memory store answers by it, and every other store has to agree. It is written to be read, not to be fast.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.trace import Trace, TraceInfo
from tracehound.query.fields import ASSESSED, NUMBERS_IN_METADATA, Field, Group, Kind
from tracehound.query.numbers import number_at, number_in
from tracehound.query.passing import passes_any
from tracehound.query.search import KeyValue, OrderKey
from tracehound.query.spans import is_true_of_spans
from tracehound.query.tree import And, Checked, Not, Or, Scope, Test

OfSpans: TypeAlias = "Scope[Test] | Test"


def matches(node: Checked, trace: Trace) -> bool:
    """Whether the filter is true of the trace."""
    if isinstance(node, And):
        return all(matches(child, trace) for child in node.children)
    if isinstance(node, Or):
        return any(matches(child, trace) for child in node.children)
    if isinstance(node, Not):
        return not matches(node.child, trace)
    if isinstance(node, Scope) or node.field.kind is Kind.TEXTS:
        return is_true_of_spans(node, trace.data.spans)
    return passes_any(node, values_of(node.field, trace.info))


def of_spans(node: Checked) -> Sequence[OfSpans]:
    """Return those of the conditions, of which a trace has to meet every one, that ask for spans and nothing else."""
    nodes = node.children if isinstance(node, And) else (node,)
    return [
        each for each in nodes if isinstance(each, Scope) or (isinstance(each, Test) and each.field.kind is Kind.TEXTS)
    ]


def values_of(field: Field, info: TraceInfo) -> Sequence[Any]:
    """Return all values that a trace has of a field: of feedback and of expectations there may be several."""
    if field.group in ASSESSED:
        return assessed_values(field.group, field.name, info.assessments)
    found = value_of(field, info)
    return () if found is None else (found,)


def assessed_values(group: Group, name: str, assessments: Sequence[Assessment]) -> list[Any]:
    """Return the values of the feedback or of the expectations of a name, but for those that others replaced."""
    kind = _ASSESSMENTS[group]
    return [
        each.value
        for each in assessments
        if isinstance(each, kind) and each.name == name and each.valid is not False and each.value is not None
    ]


_ASSESSMENTS: Final[dict[Group, type[Feedback] | type[Expectation]]] = {
    Group.FEEDBACK: Feedback,
    Group.EXPECTATION: Expectation,
}


def value_of(field: Field, info: TraceInfo) -> Any:
    """Return a trace's value of a field, of several assessments the last; None where it has none."""
    if field.group in ASSESSED:
        found = assessed_values(field.group, field.name, info.assessments)
        return found[-1] if found else None
    if field.group is Group.TAGS:
        return info.tags.get(field.name)
    if field.group is Group.METADATA:
        return info.trace_metadata.get(field.name)
    return _ATTRIBUTES[field.name](info)


def _number_of(info: TraceInfo, key: str, name: str) -> int | float | None:
    return number_at(info.trace_metadata, key, name)


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
    **{
        name: functools.partial(_number_of, key=key, name=in_object)
        for name, (key, in_object) in NUMBERS_IN_METADATA.items()
    },
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
