"""The same filter with what is soonest looked at first.

AND and OR stop as soon as they know. The inputs of a span are decoded before a pattern is looked for in them, its name
is there; so whoever asks the evaluator about many traces asks for the name first.
"""

from __future__ import annotations

from dataclasses import replace

from tracehound.query.fields import Group, Kind
from tracehound.query.tree import And, Checked, Not, Or, Scope


def cheap_first(node: Checked) -> Checked:
    """Return a filter that is true of the same traces, with the costly ones behind in each AND and OR."""
    if isinstance(node, (And, Or)):
        return replace(node, children=tuple(sorted(map(cheap_first, node.children), key=_cost)))
    if isinstance(node, Not):
        return replace(node, child=cheap_first(node.child))
    if isinstance(node, Scope):
        steps = tuple(replace(step, condition=cheap_first(step.condition)) for step in node.steps)
        return replace(node, condition=cheap_first(node.condition), steps=steps)
    return node


def _cost(node: Checked) -> int:
    """Return 0 for what is there, 1 for what is looked for among attributes, 2 for what is decoded."""
    if isinstance(node, (And, Or)):
        return max(map(_cost, node.children))
    if isinstance(node, Not):
        return _cost(node.child)
    if isinstance(node, Scope):
        return 1 + max(map(_cost, node.conditions))  # of each of the spans
    if node.field.kind is Kind.TEXTS or node.field.name == "content":
        return 2
    if node.field.group is not Group.SPAN or not node.field.path:
        return 0
    return 1 if node.field.name == "attributes" else 2
