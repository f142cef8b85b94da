"""Two traces as one tree: either of them is had back from it, and what one has more is what it says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.traces import span
from tracehound.analysis.alignment import Aligned, Step, align, to_steps
from tracehound.analysis.differences import compare_spans
from tracehound.model.record import replace
from tracehound.model.span import Span

NAMES = st.sampled_from(["plan", "call", "tool", "check"])


@st.composite
def trees(draw: st.DrawFn, most: int = 14) -> list[Span]:
    """Draw the spans of a trace: few names, so that many are namesakes, and now and then several roots."""
    count = draw(st.integers(1, most))
    made = [span(1, name="root")]
    for number in range(2, count + 1):
        parent = draw(st.none() | st.integers(1, number - 1)) if number > 2 else 1
        inputs = draw(st.sampled_from(['"a"', '"b"']))
        plain = span(number, parent=parent, start_ms=number, name=draw(NAMES))
        made.append(replace(plain, inputs_json=inputs))
    return made


def walk(nodes: Sequence[Aligned], above: tuple[Aligned, ...] = ()) -> Iterator[tuple[Aligned, tuple[Aligned, ...]]]:
    for node in nodes:
        yield node, above
        yield from walk(node.below, (*above, node))


def side_of(node: Aligned, side: str) -> Step | None:
    found: Step | None = getattr(node, side)
    return found


@given(trees(), trees())
def test_each_trace_is_had_back_from_the_tree_of_both(left: list[Span], right: list[Span]) -> None:
    nodes = list(walk(align(left, right)))
    for side, spans in (("left", left), ("right", right)):
        own = [(step, above) for node, above in nodes if (step := side_of(node, side)) is not None]
        assert sorted(step.span.span_id for step, _ in own) == sorted(each.span_id for each in spans)
        for step, above in own:
            parents = [outer.span.span_id for node in above if (outer := side_of(node, side)) is not None]
            assert (parents[-1] if parents else None) == step.span.parent_id


@given(trees(), trees())
def test_what_stands_for_each_other_has_one_name_and_one_order_but_for_what_was_moved(
    left: list[Span], right: list[Span]
) -> None:
    nodes = [node for node, _ in walk(align(left, right))]
    both = [(node.left, node.right) for node in nodes if node.left is not None and node.right is not None]
    lone_roots = len(to_steps(left)) == len(to_steps(right)) == 1
    assert all(one.key == other.key for one, other in both[1 if lone_roots else 0 :])
    moved = any(node.moved for node in nodes)
    for side, spans in (("left", left), ("right", right)):
        order = [step.span.span_id for node in nodes if (step := side_of(node, side)) is not None]
        in_depth = [step.span.span_id for step in _in_depth(to_steps(spans))]
        assert moved or order == in_depth


def _in_depth(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        yield from _in_depth(step.below)


@given(trees())
def test_a_trace_stands_for_itself(spans: list[Span]) -> None:
    assert [(pair.left, pair.differences) for pair in compare_spans(spans, spans)] == [
        (pair.right, ()) for pair in compare_spans(spans, spans)
    ]


@given(trees(), st.data())
def test_a_step_that_one_trace_has_more_is_the_only_difference(spans: list[Span], data: st.DataObject) -> None:
    parent = data.draw(st.sampled_from(spans))
    start_ms = data.draw(st.integers(0, 20))
    planted = span(99, parent=int(parent.span_id, 16), start_ms=start_ms, name="planted")
    longer = sorted([*spans, planted], key=lambda each: (each.parent_id is not None, each.start_time_ns))
    found = compare_spans(spans, longer)
    assert [pair.right for pair in found if pair.differences] == [planted]
    assert [pair.left for pair in compare_spans(longer, spans) if pair.differences] == [planted]


@given(trees(), st.data())
def test_a_step_around_others_leaves_these_paired(spans: list[Span], data: st.DataObject) -> None:
    inside = data.draw(st.sampled_from(spans))
    parent = None if inside.parent_id is None else int(inside.parent_id, 16)
    around = replace(span(99, parent=parent, name="around"), start_time_ns=inside.start_time_ns)
    wrapped = [around, *(replace(each, parent_id=around.span_id) if each == inside else each for each in spans)]
    wrapped.sort(key=lambda each: (each.parent_id is not None, each.start_time_ns))
    found = compare_spans(spans, wrapped)
    if parent is not None:
        assert {pair.right for pair in found if pair.left is None} == {around}
        assert not [pair for pair in found if pair.right is None]


def test_equal_steps_in_another_order_are_moved_and_do_not_differ() -> None:
    left = [span(1), span(2, parent=1, start_ms=1, name="a"), span(3, parent=1, start_ms=2, name="b")]
    right = [span(1), span(2, parent=1, start_ms=2, name="a"), span(3, parent=1, start_ms=1, name="b")]
    right.sort(key=lambda each: each.start_time_ns)
    found = compare_spans(left, right)
    assert sorted(pair.was_moved for pair in found) == [False, False, True]
    assert all(pair.left is not None and pair.right is not None and not pair.differences for pair in found)


def test_what_went_apart_first_comes_first_and_the_root_it_changed_comes_last() -> None:
    left = [span(1), span(2, parent=1, start_ms=1, name="look up"), span(3, parent=1, start_ms=2, name="write")]
    right = [
        replace(left[0], outputs_json='"other"'), left[1],
        span(4, parent=1, start_ms=1, name="check"), replace(left[2], inputs_json='"more"', outputs_json='"other"'),
    ]  # fmt: skip
    found = sorted((pair for pair in compare_spans(left, right) if pair.place), key=lambda pair: pair.place or 0)
    told = [((pair.right or left[0]).name, pair.differences) for pair in found]
    assert told == [("check", ("only right",)), ("write", ("inputs", "outputs")), ("step", ("outputs",))]


def test_the_keys_of_an_object_have_no_order_and_true_is_not_one() -> None:
    def with_inputs(text: str) -> list[Span]:
        return [replace(span(1), inputs_json=text)]

    assert not compare_spans(with_inputs('{"a":1,"b":2}'), with_inputs('{"b":2,"a":1.0}'))[0].differences
    assert compare_spans(with_inputs('{"a":1}'), with_inputs('{"a":true}'))[0].differences == ("inputs",)


@pytest.mark.parametrize("step", [1, 2])
def test_long_lists_and_deep_ones_are_aligned_too(step: int) -> None:
    count = 3_000
    flat = [span(1), *(span(at, parent=1, start_ms=at, name=f"n{at % 7}") for at in range(2, count))]
    shorter = flat[: count // 2] + flat[count // 2 + step :]
    assert sum(pair.right is None for pair in compare_spans(flat, shorter)) == step
    deep = [span(at, parent=at - 1 or None, start_ms=at) for at in range(1, count)]
    assert sum(pair.right is None for pair in compare_spans(deep, deep[:-step])) == step
