"""Filters and orders of what is no trace: experiments, runs and models, whose values are in memory.

The language is that of traces, and its comparisons mean the same (`query.evaluate`). A field is a name that stands
for itself (`name`), also behind `attributes.`, or `tags.K`, `params.K` and `metrics.K`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.query.fields import Field, Group, Kind
from tracehound.query.names import to_name
from tracehound.query.numbers import number_in
from tracehound.query.parser import parse
from tracehound.query.passing import passes_any
from tracehound.query.tokens import Reader, TokenKind, tokenize
from tracehound.query.tree import And, Comparison, Name, Not, Operator, Or, Parsed, Scope, Test, Value

# Returns what a thing has under a group ("attributes", "tags", "params", "metrics") and a name; None where nothing.
Find: TypeAlias = Callable[[str, str], "str | int | float | None"]

_GROUPS: Final = {
    "attributes": "attributes", "attribute": "attributes", "attr": "attributes", "run": "attributes",
    "tags": "tags", "tag": "tags", "params": "params", "param": "params", "parameters": "params",
    "parameter": "params", "metrics": "metrics", "metric": "metrics",
}  # fmt: skip
_ANY: Final = Field(Group.TAGS, "", Kind.ANY)


@dataclass(frozen=True)
class PlainFilter:
    """A filter that was checked; `is_true_of` asks it of one thing."""

    text: str
    tree: Parsed | None
    attributes: frozenset[str]

    def is_true_of(self, find: Find) -> bool:
        """Whether the filter is true of what `find` tells of a thing."""
        return self.tree is None or _matches(self, self.tree, find)


def parse_plain_filter(
    text: str | None, attributes: Collection[str], now_ms: int, read: Reader = tokenize
) -> PlainFilter:
    """Return the filter; raise `FilterError` where it is none, or names an attribute that there is not."""
    if not text:
        return PlainFilter("", None, frozenset(attributes))
    found = PlainFilter(text, parse(text, now_ms, read), frozenset(attributes))
    if found.tree is not None:
        _check_names(found, found.tree)
    return found


def sorted_by(items: Sequence[Any], order_by: Sequence[str], attributes: Collection[str], find: Any) -> list[Any]:
    """Return the items in an order of texts `field [ASC|DESC]`; what lacks a field comes last. `find(item)` tells."""
    ordered = list(items)
    for text in reversed(order_by):
        (group, name), is_descending = _parse_order(text, frozenset(attributes))
        has = [item for item in ordered if find(item)(group, name) is not None]
        lacks = [item for item in ordered if find(item)(group, name) is None]
        ordered = sorted(has, key=lambda item: _rank(find(item)(group, name)), reverse=is_descending) + lacks
    return ordered


def _matches(whole: PlainFilter, node: Parsed, find: Find) -> bool:
    if isinstance(node, And):
        return all(_matches(whole, child, find) for child in node.children)
    if isinstance(node, Or):
        return any(_matches(whole, child, find) for child in node.children)
    if isinstance(node, Not):
        return not _matches(whole, node.child, find)
    assert isinstance(node, Comparison)  # noqa: S101 - `_check_names` has refused spans
    return _holds(node, find(*_place(node.name, whole.text, whole.attributes)))


def _check_names(whole: PlainFilter, node: Parsed) -> None:
    if isinstance(node, (And, Or)):
        for child in node.children:
            _check_names(whole, child)
    elif isinstance(node, Not):
        _check_names(whole, node.child)
    elif isinstance(node, Scope):
        start = whole.text.lower().index("span")
        raise FilterError("there are no spans here: they are of traces", whole.text, start, start + 4)
    else:
        _place(node.name, whole.text, whole.attributes)


def _holds(comparison: Comparison, found: str | int | float | None) -> bool:
    values = [literal.value for literal in comparison.literals]
    if comparison.operator in (Operator.IN, Operator.NOT_IN):
        if found is None:
            return False
        return any(_passes(Operator.EQ, found, each) for each in values) == (comparison.operator is Operator.IN)
    if comparison.operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        if found is None:
            return False
        is_between = _passes(Operator.GE, found, values[0]) and _passes(Operator.LE, found, values[1])
        return is_between == (comparison.operator is Operator.BETWEEN)
    return _passes(comparison.operator, found, values[0] if values else None)


def _passes(operator: Operator, found: str | int | float | None, value: Value | None) -> bool:
    """Whether a comparison is true of a value; numbers and texts compare as numbers, if the text writes one."""
    if isinstance(found, (int, float)) and isinstance(value, str):
        number = number_in(value)
        return number is not None and passes_any(Test(_ANY, operator, number), [found])
    return passes_any(Test(_ANY, operator, value), () if found is None else (found,))


def _place(name: Name, text: str, attributes: frozenset[str]) -> tuple[str, str]:
    """Return the group and the name that a field is found under."""
    first, *rest = name.parts
    group = _GROUPS.get(first.lower())
    if group is None or not rest:
        group, rest = "attributes", [*name.parts]
    found = ".".join(rest)
    if group == "attributes" and found not in attributes:
        known = ", ".join(sorted(attributes))
        raise FilterError(f"{found!r} is no field here; there are {known}, and tags.NAME", text, name.start, name.end)
    return group, found


def _parse_order(text: str, attributes: frozenset[str]) -> tuple[tuple[str, str], bool]:
    """order = field [ ASC | DESC ]"""
    tokens = tokenize(text)
    direction = tokens[-2].value.upper() if len(tokens) > 2 and tokens[-3].kind is not TokenKind.DOT else ""
    has_direction = direction in ("ASC", "DESC")
    name = to_name(tokens[: -2 if has_direction else -1])
    if name is None:
        raise FilterError("an order is a field, then ASC or DESC", text, 0, len(text))
    return _place(name, text, attributes), direction == "DESC"


def _rank(value: Any) -> tuple[int, Any]:
    """Return what a value is sorted by: numbers, and texts that write one, by the number; then the other texts."""
    number = number_in(value) if isinstance(value, str) else value
    return (1, value) if number is None else (0, number)
