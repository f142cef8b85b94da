"""Printing a checked filter and parsing what was printed gives the same tree: of any tree that a filter can mean."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from tracehound.query.check import parse_filter
from tracehound.query.fields import ATTRIBUTES, SPAN_FIELDS, STATES, STATUSES, Field, Group, Kind
from tracehound.query.printer import print_filter
from tracehound.query.tree import (
    NULLS,
    PATTERNS,
    And,
    Checked,
    Count,
    Not,
    Operator,
    Or,
    Relation,
    Scope,
    Step,
    Test,
)  # fmt: skip

CHARACTERS = st.characters(codec="utf-8")  # every one but halves of surrogate pairs
ODD_TEXTS = st.sampled_from(
    ["", "'", "''", "`", "``", "a`b", '"', "\\'", "\0", "AND", "it's", "日本語", "e\u0301", "हिन्दी", "℘"]
)
TEXTS = ODD_TEXTS | st.text(CHARACTERS, max_size=8)
WHOLE = st.integers(-(10**17) + 1, 10**18 - 1) | st.sampled_from([0, -1, 10**18 - 1])
DOUBLES = st.floats(allow_nan=False) | st.sampled_from([1e308, -1e308, 5e-324, -0.0, 0.1, float(2**63), 1e20])
NUMBERS = WHOLE | DOUBLES
OPERATORS_OF = {
    Kind.STATE: ["=", "!="],
    Kind.TEXT: ["=", "!="],
    Kind.ANY: ["=", "!=", "<", "<=", ">", ">="],
    Kind.TIME: ["=", "!=", "<", "<=", ">", ">="],
    Kind.NUMBER: ["=", "!=", "<", "<=", ">", ">="],
    Kind.STATUS: ["=", "!="],
    Kind.VALUE: ["=", "!=", "<", "<=", ">", ">="],
}
VALUES_OF = {
    Kind.STATE: st.sampled_from(STATES),
    Kind.TEXT: TEXTS,
    Kind.ANY: TEXTS | NUMBERS,
    Kind.TIME: NUMBERS,
    Kind.NUMBER: NUMBERS,
    Kind.STATUS: st.sampled_from(STATUSES),
    Kind.VALUE: TEXTS | NUMBERS,
}
FIELDS = st.sampled_from(list(ATTRIBUTES.values())) | st.builds(
    Field, st.sampled_from([Group.TAGS, Group.METADATA]), TEXTS | st.tuples(TEXTS, TEXTS).map(".".join)
)


NAMES = TEXTS | st.sampled_from(["0", "1.5", "x"])
OF_SPAN = st.sampled_from([each for each in SPAN_FIELDS.values() if each.kind is not Kind.TEXTS]) | st.builds(
    lambda name, path: Field(Group.SPAN, name, Kind.VALUE, path=tuple(path)),
    st.sampled_from(["attributes", "inputs", "outputs"]),
    st.lists(NAMES, min_size=1, max_size=3),
)


@st.composite
def leaves(draw: st.DrawFn, fields: st.SearchStrategy[Field] = FIELDS) -> Test:
    field = draw(fields)
    shapes = [
        "value",
        *(["null"] if field.nullable else []),
        *(["pattern"] if field.kind in (Kind.TEXT, Kind.ANY, Kind.VALUE) else []),
    ]
    shape = draw(st.sampled_from(shapes))
    if shape == "null":
        return Test(field, draw(st.sampled_from(sorted(NULLS, key=str))), None)
    if shape == "pattern":
        operator = draw(st.sampled_from(sorted(PATTERNS, key=str)))
        is_regular = operator in (Operator.RLIKE, Operator.NOT_RLIKE)
        return Test(field, operator, draw(st.sampled_from(["^a|b$", "'", "\\d"]) if is_regular else TEXTS))
    return Test(field, Operator(draw(st.sampled_from(OPERATORS_OF[field.kind]))), draw(VALUES_OF[field.kind]))


def joined(kind: type[And[Test]] | type[Or[Test]], nodes: list[Checked]) -> Checked:
    """Return the nodes under one AND or OR, as parsing does: none stands in one of its own kind."""
    flat: list[Checked] = []
    for node in nodes:
        flat += node.children if isinstance(node, (And, Or)) and isinstance(node, kind) else [node]
    return kind(tuple(flat))


def larger(inner: st.SearchStrategy[Checked]) -> st.SearchStrategy[Checked]:
    several = st.lists(inner, min_size=2, max_size=3)
    return (
        inner.map(Not[Test])
        | several.map(lambda nodes: joined(And, nodes))
        | several.map(lambda nodes: joined(Or, nodes))
    )


OF_SPANS: st.SearchStrategy[Checked] = st.recursive(leaves(OF_SPAN), larger, max_leaves=3)
COUNTS = st.builds(Count, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]).map(Operator), NUMBERS)


@st.composite
def scopes(draw: st.DrawFn) -> Scope[Test]:
    steps = draw(st.lists(st.builds(Step, st.sampled_from(list(Relation)), OF_SPANS), max_size=2))
    return Scope(draw(OF_SPANS), tuple(steps), draw(st.none() | COUNTS))


TREES: st.SearchStrategy[Checked] = st.recursive(leaves() | scopes(), larger, max_leaves=6)


@pytest.mark.prove
@given(TREES)
def test_what_is_printed_means_the_tree(tree: Checked) -> None:
    for label in labels(tree):
        event(label)
    printed = print_filter(tree)
    assert parse_filter(printed) == tree
    assert print_filter(parse_filter(printed)) == printed


def test_the_trees_have_every_operator_and_every_kind_of_value_and_name() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=250, derandomize=True, database=None)
    @given(TREES)
    def draw(tree: Checked) -> None:
        seen.update(labels(tree))

    draw()
    left = {operator.value for operator in Operator} - {"IN", "NOT IN", "BETWEEN", "NOT BETWEEN"}
    rare = {"backtick in a name", "quote in a text", "whole number", "double", "not ASCII", "AND", "OR", "NOT", "count"}
    rare |= {relation.value for relation in Relation}
    assert {label: seen[label] for label in left | rare if seen[label] < 5} == {}


def labels(node: Checked) -> set[str]:
    """Return what a tree has that a printer can get wrong."""
    if isinstance(node, (And, Or)):
        return set().union({"AND" if isinstance(node, And) else "OR"}, *map(labels, node.children))
    if isinstance(node, Not):
        return {"NOT"} | labels(node.child)
    if isinstance(node, Scope):
        kinds = {step.relation.value for step in node.steps} | ({"count"} if node.count else set())
        return set().union(kinds, *map(labels, node.conditions))
    text = node.value if isinstance(node.value, str) else ""
    found = {
        "backtick in a name": "`" in node.field.name,
        "quote in a text": "'" in text,
        "whole number": isinstance(node.value, int),
        "double": isinstance(node.value, float),
        "not ASCII": not (node.field.name + text).isascii(),
    }
    return {node.operator.value, *(label for label, is_so in found.items() if is_so)}
