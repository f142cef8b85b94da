"""Checked tree -> filter text; parsing that text gives the same tree."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tracehound.query.fields import ATTRIBUTES, Field, Group, Kind
from tracehound.query.search import OrderKey
from tracehound.query.tokens import quote, quote_name
from tracehound.query.tree import NULLS, And, Checked, Not, Operator, Or, Scope, Test, Value


def print_filter(node: Checked) -> str:
    """Return the filter that means the tree, with no more parentheses than it needs.

    >>> from tracehound.query.check import parse_filter
    >>> print_filter(parse_filter("((tag.a in ('x', 'y'))) and not (attr.latency between 1 and 5)"))
    "(tags.a = 'x' OR tags.a = 'y') AND NOT (attributes.execution_time_ms >= 1 AND attributes.execution_time_ms <= 5)"
    """
    if isinstance(node, And):
        return " AND ".join(
            f"({print_filter(each)})" if isinstance(each, Or) else print_filter(each) for each in node.children
        )
    if isinstance(node, Or):
        return " OR ".join(print_filter(each) for each in node.children)
    if isinstance(node, Not):
        inner = print_filter(node.child)
        return f"NOT {inner}" if isinstance(node.child, (Test, Scope)) else f"NOT ({inner})"
    if isinstance(node, Scope):
        return _print_scope(node)
    written = f"{print_field(node.field)} {node.operator.value}"
    if isinstance(node.value, tuple):
        between = " AND " if node.operator is Operator.BETWEEN else ", "
        values = between.join(map(_print_value, node.value))
        return f"{written} {values}" if node.operator is Operator.BETWEEN else f"{written} ({values})"
    return written if node.operator in NULLS else f"{written} {_print_value(node.value)}"


def _print_scope(scope: Scope[Test]) -> str:
    spans = f"span({print_filter(scope.condition)})"
    for step in scope.steps:
        spans += f" {step.relation.value} span({print_filter(step.condition)})"
    if scope.count is None:
        return spans
    return f"count({spans}) {scope.count.operator.value} {_print_value(scope.count.number)}"


def print_order(order: Sequence[OrderKey]) -> list[str]:
    """Return the texts of an order; `query.search.parse_order` is the inverse.

    >>> from tracehound.query.search import parse_order
    >>> print_order(parse_order(["latency"]))
    ['attributes.execution_time_ms ASC', 'attributes.timestamp_ms DESC', 'attributes.trace_id ASC']
    """
    return [f"{print_field(key.field)} {'DESC' if key.descending else 'ASC'}" for key in order]


def print_field(field: Field) -> str:
    """Return a field as filters, orders and groups name it."""
    if field.group is Group.SPAN:
        return ".".join((field.name, *map(quote_name, field.path)))
    if field.kind is Kind.TEXTS:
        return f"trace.{field.name}"
    alias = next((name for name, known in ATTRIBUTES.items() if known == field), None)
    if alias is not None:
        return f"{Group.ATTRIBUTES.value}.{alias}"
    return f"{field.group.value}.{quote_name(field.name)}"


def _print_value(value: Value | None) -> str:
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, float) and math.isinf(value):
        return "1e999" if value > 0 else "-1e999"
    return str(value).upper() if isinstance(value, bool) else str(value)
