"""What differs between two traces, in the order in which it came about.

A span's inputs are known when it begins and its outputs when it ends, after all that is below it. So the differences
are looked for in that order, and the first of them is where the two went apart: a root whose answer is another one
because of a step inside comes behind that step. Durations always differ and are no differences; those that do by much
are marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tracehound.analysis.alignment import Aligned, align
from tracehound.model.span import Span
from tracehound.model.values import decode_value

ONLY_LEFT: Final = "only left"
ONLY_RIGHT: Final = "only right"

# Durations that differ by less are not marked: half as long again, and so many milliseconds.
_FACTOR: Final = 1.5
_LEAST_NS: Final = 10_000_000


def _differs(value: Callable[[Span], str | None]) -> Callable[[Span, Span], bool]:
    """Return what compares two spans by a JSON text: the order of its keys does not matter."""

    def compare(left: Span, right: Span) -> bool:
        some, other = value(left), value(right)
        if some == other or some is None or other is None:
            return some != other
        return bool(value_differences(decode_value(some), decode_value(other), 1))

    return compare


_Compare = Callable[[Span, Span], bool]
# What can differ of two spans, and what is known of it when they begin, and when they have ended.
AT_START: Final[tuple[tuple[str, _Compare], ...]] = (
    ("name", lambda left, right: left.name != right.name),
    ("type", lambda left, right: left.span_type != right.span_type),
    ("inputs", _differs(lambda span: span.inputs_json)),
    ("model", lambda left, right: left.model_name != right.model_name),
)
AT_END: Final[tuple[tuple[str, _Compare], ...]] = (
    ("outputs", _differs(lambda span: span.outputs_json)),
    ("status", lambda left, right: left.status != right.status),
)


@dataclass(frozen=True)
class SpanPair:
    """A span of either trace, or one of both, at its depth in the tree of the pairs; `below` counts what is below it.

    `differences` are names of `AT_START` and `AT_END`, or that there is only one. `place` counts the pairs that differ
    in the order in which that came about, from 1; None for one that does not differ. `is_slower` says whether it took
    much longer on the right (True) or on the left (False).
    """

    left: Span | None
    right: Span | None
    depth: int
    below: int
    differences: tuple[str, ...]
    place: int | None
    is_slower: bool | None
    was_moved: bool


def compare_spans(left: Sequence[Span], right: Sequence[Span]) -> list[SpanPair]:
    """Return the pairs of the spans of two traces, those above first.

    >>> import tracehound
    >>> def answer(steps):
    ...     with tracehound.start_span("answer") as root:
    ...         for step in steps:
    ...             with tracehound.start_span(step):
    ...                 pass
    ...     return tracehound.get_trace(root.trace_id).data.spans
    >>> pairs = compare_spans(answer(["plan", "write"]), answer(["plan", "look up", "write"]))
    >>> [((pair.left or pair.right).name, pair.differences) for pair in pairs]
    [('answer', ()), ('plan', ()), ('look up', ('only right',)), ('write', ())]
    """
    walked = list(_walk(align(left, right)))
    places: dict[int, int] = {}
    told: dict[int, tuple[str, ...]] = {}
    for number, _, node, has_begun in walked:
        found = _look(node, has_begun=has_begun)
        told[number] = told.get(number, ()) + found
        if found:
            places.setdefault(number, len(places) + 1)
    ends = _counts_below(walked)
    return [
        SpanPair(
            left=None if node.left is None else node.left.span,
            right=None if node.right is None else node.right.span,
            depth=depth,
            below=ends[number],
            differences=told[number],
            place=places.get(number),
            is_slower=_is_slower(node),
            was_moved=node.moved,
        )
        for number, depth, node, has_begun in walked
        if has_begun
    ]


_Visit = tuple[int, int, Aligned, bool]  # the number of a node, its depth, the node, and whether it begins here


def _walk(nodes: Sequence[Aligned]) -> Iterator[_Visit]:
    """Yield each node when it begins and when it has ended, numbered as they begin."""
    count = 0
    coming: list[tuple[int | None, int, Aligned]] = [(None, 0, node) for node in reversed(nodes)]
    while coming:
        number, depth, node = coming.pop()
        if number is not None:
            yield number, depth, node, False
            continue
        yield count, depth, node, True
        coming.append((count, depth, node))
        coming += [(None, depth + 1, child) for child in reversed(node.below)]
        count += 1


def _counts_below(walked: Sequence[_Visit]) -> dict[int, int]:
    """Return how many nodes are below each."""
    begun = 0
    found: dict[int, int] = {}
    for number, _, _, has_begun in walked:
        if has_begun:
            begun += 1
        else:
            found[number] = begun - number - 1
    return found


def _look(node: Aligned, *, has_begun: bool) -> tuple[str, ...]:
    """Return what differs of a pair as far as it is known when it begins, or else when it has ended."""
    if node.left is None or node.right is None:
        return () if not has_begun else (ONLY_RIGHT if node.left is None else ONLY_LEFT,)
    left, right = node.left.span, node.right.span
    return tuple(name for name, differs in (AT_START if has_begun else AT_END) if differs(left, right))


def _is_slower(node: Aligned) -> bool | None:
    if node.left is None or node.right is None:
        return None
    left, right = node.left.span.duration_ns, node.right.span.duration_ns
    if left is None or right is None or abs(right - left) < _LEAST_NS:
        return None
    return right > left if max(left, right) >= _FACTOR * min(left, right) else None


@dataclass(frozen=True)
class ValueDifference:
    """A place in two values at which they differ, as it is written (`messages[1].content`), and what is there.

    What is not there on one side is None on that side, and `is_there` says which have it.
    """

    path: str
    left: Any
    right: Any
    is_there: tuple[bool, bool] = (True, True)


def value_differences(left: Any, right: Any, most: int = 100) -> list[ValueDifference]:
    """Return the places at which two plain values differ, in the order of the left one, at most so many.

    >>> [each.path for each in value_differences({"a": 1, "b": [1, 2]}, {"a": 1, "b": [1, 3], "c": 0})]
    ['b[1]', 'c']
    """
    found: list[ValueDifference] = []
    coming: list[ValueDifference] = [ValueDifference("", left, right)]
    while coming and len(found) < most:
        each = coming.pop()
        inside = _inside(each)
        if inside is not None:
            coming += reversed(inside)
        elif each.is_there != (True, True) or not _is_same(each.left, each.right):
            found.append(each)
    return found


def _is_same(left: Any, right: Any) -> bool:
    """Whether two plain values are the same: 1.0 is 1, and True is not."""
    return isinstance(left, bool) is isinstance(right, bool) and bool(left == right)


def _inside(each: ValueDifference) -> list[ValueDifference] | None:
    """Return the pairs inside of two objects or two lists; None for anything else."""
    path, left, right = each.path, each.left, each.right
    if each.is_there != (True, True):
        return None
    if isinstance(left, dict) and isinstance(right, dict):
        keys: list[Any] = [*left, *(key for key in right if key not in left)]
        names = [f"{path}.{key}" if path else str(key) for key in keys]
        return [
            ValueDifference(name, left.get(key), right.get(key), (key in left, key in right))
            for key, name in zip(keys, names, strict=True)
        ]
    if isinstance(left, list) and isinstance(right, list):
        return [
            ValueDifference(f"{path}[{at}]", _item(left, at), _item(right, at), (at < len(left), at < len(right)))
            for at in range(max(len(left), len(right)))
        ]
    return None


def _item(values: list[Any], at: int) -> Any:
    return values[at] if at < len(values) else None
