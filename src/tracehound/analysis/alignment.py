"""Two traces side by side: which span of one stands for which span of the other.

Spans are paired by their name and type and by their order below spans that are paired. A step that only one of the
traces has stands alone; where it was put around steps of both (a retry, a new agent), these stay paired inside it. So
the pairs are a tree from which either trace is had back: leave out what is the other's alone, and have what was below
it come up. Only steps that were `moved`, paired across others of the same parent, stand in the order of one trace.

Which spans of two lists are paired is decided by counting likeness, exactly for lists of up to a hundred spans each.
Of longer ones the equal beginnings and ends are paired, and between them each with the next one of its name.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tracehound.model.span import Span

_REACH: Final = 64  # steps that a match in a long list may skip
_CELLS: Final = 10_000  # of two lists whose pairs are counted: a hundred spans each, 10 ms
_SAME_NAME, _SAME_INPUTS, _SAME_SHAPE = 4, 2, 1


@dataclass(frozen=True, slots=True)
class Step:
    """A span with what is below it; `shape` is equal for two whose spans below have the same names and types."""

    span: Span
    below: tuple[Step, ...]
    shape: int

    @property
    def key(self) -> tuple[str, str | None]:
        """What spans are paired by."""
        return self.span.name, self.span.span_type


@dataclass(slots=True)
class Aligned:
    """A span of either trace, or one of both that stand for each other, and what is below them."""

    left: Step | None
    right: Step | None
    moved: bool = False
    below: list[Aligned] = field(default_factory=list)


_Steps: TypeAlias = Sequence[Step]
_Match: TypeAlias = tuple[int, int]  # a place on the left, and the one on the right that stands for it


def align(left: Sequence[Span], right: Sequence[Span]) -> list[Aligned]:
    """Return the spans of two traces as one tree, of which each node is of one of them or of both.

    Where each trace has one root these are paired, whatever their names.
    """
    roots, others = to_steps(left), to_steps(right)
    aligned: list[Aligned] = []
    # A list of what is to come and no recursion: agents that call themselves nest a thousand deep.
    coming: list[tuple[_Steps, _Steps, list[Aligned]]] = []
    if len(roots) == len(others) == 1:
        aligned.append(Aligned(roots[0], others[0]))
        coming.append((roots[0].below, others[0].below, aligned[0].below))
    else:
        coming.append((roots, others, aligned))
    while coming:
        some, other, into = coming.pop()
        for node, inner, outer in _align_lists(some, other):
            into.append(node)
            coming.append((inner, outer, node.below))
    return aligned


def to_steps(spans: Sequence[Span]) -> tuple[Step, ...]:
    """Return the roots of spans with what is below them, each span once.

    A span whose parent is not here is a root, and so is one of those that are below each other in a circle.
    """
    known = {span.span_id for span in spans}
    children: defaultdict[str | None, list[Span]] = defaultdict(list)
    for span in spans:
        children[span.parent_id if span.parent_id in known else None].append(span)
    seen: set[str] = set()
    roots: list[Span] = []
    order: list[Span] = []  # parents before children
    below: dict[str, list[Span]] = {}
    for root in (*children[None], *spans):
        if root.span_id in seen:
            continue
        seen.add(root.span_id)
        roots.append(root)
        coming = [root]
        while coming:
            span = coming.pop()
            order.append(span)
            below[span.span_id] = [child for child in children[span.span_id] if child.span_id not in seen]
            seen.update(child.span_id for child in below[span.span_id])
            coming += below[span.span_id]
    made: dict[str, Step] = {}
    for span in reversed(order):
        inner = tuple(made[child.span_id] for child in below[span.span_id])
        shape = hash((span.name, span.span_type, *(step.shape for step in inner)))
        made[span.span_id] = Step(span, inner, shape)
    return tuple(made[root.span_id] for root in roots)


_Found: TypeAlias = tuple[Aligned, _Steps, _Steps]  # a node, and the two lists that are below it


def _align_lists(left: _Steps, right: _Steps) -> list[_Found]:
    """Return the nodes of two lists of siblings in their order."""
    found: list[_Found] = []
    i = j = 0
    for at, other in (*_match(left, right), (len(left), len(right))):
        found += _align_gap(left[i:at], right[j:other])
        if at < len(left):
            found.append(_both(left[at], right[other]))
        i, j = at + 1, other + 1
    return _pair_moved(found)


def _both(left: Step, right: Step, *, moved: bool = False) -> _Found:
    return Aligned(left, right, moved), left.below, right.below


def _align_gap(left: _Steps, right: _Steps) -> list[_Found]:
    """Return the nodes of two lists between which nothing stands for anything in its order."""

    def within_left(some: _Steps, other: _Steps) -> list[_Found]:
        return _unwrap(other, some, lambda step, inside: (Aligned(step, None), step.below, inside), _align_loose_turned)

    return _unwrap(left, right, lambda step, inside: (Aligned(None, step), inside, step.below), within_left)


def _unwrap(
    inner: _Steps, outer: _Steps, wrap: Callable[[Step, _Steps], _Found], rest: Callable[[_Steps, _Steps], list[_Found]]
) -> list[_Found]:
    """Return the nodes of two lists where steps of `outer` may have been put around some of `inner`."""
    found: list[_Found] = []
    i = j = 0
    for place, first, end in _find_wrappers(inner, outer):
        found += rest(inner[i:first], outer[j:place])
        found.append(wrap(outer[place], inner[first:end]))
        i, j = end, place + 1
    return found + rest(inner[i:], outer[j:])


def _find_wrappers(inner: _Steps, outer: _Steps) -> Iterator[tuple[int, int, int]]:
    """Yield the place of each step of `outer` that has steps of `inner` directly below it, and from where to where."""
    at = 0
    known = {step.key for step in inner}
    for place, step in enumerate(outer):
        left_over = Counter(child.key for child in step.below if child.key in known)
        first = next((i for i in range(at, len(inner)) if left_over[inner[i].key]), None) if left_over else None
        if first is None:
            continue
        for i in range(first, min(len(inner), first + len(step.below) + _REACH)):
            if left_over[inner[i].key]:
                left_over[inner[i].key] -= 1
                at = i + 1
        yield place, first, at


def _align_loose_turned(right: _Steps, left: _Steps) -> list[_Found]:
    return _align_loose(left, right)


def _align_loose(left: _Steps, right: _Steps) -> list[_Found]:
    """Return what stands alone on either side."""
    return [
        *((Aligned(step, None), step.below, ()) for step in left),
        *((Aligned(None, step), (), step.below) for step in right),
    ]


def _pair_moved(found: list[_Found]) -> list[_Found]:
    """Return the nodes with those paired that stand alone and have a namesake on the other side: they were moved."""
    namesakes: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
    for at in range(len(found) - 1, -1, -1):
        node, _, around = found[at]
        if node.left is not None and node.right is None and not around:
            namesakes[node.left.key].append(at)
    moved: set[int] = set()
    nodes = list(found)
    for at, (node, around, _) in enumerate(found):
        if node.right is not None and node.left is None and not around and namesakes[node.right.key]:
            other = namesakes[node.right.key].pop()
            left = found[other][0].left
            if left is not None:
                moved.add(other)
                nodes[at] = _both(left, node.right, moved=True)
    return [each for at, each in enumerate(nodes) if at not in moved]


def _match(left: _Steps, right: _Steps) -> list[_Match]:
    """Return which places stand for each other, in the order of both."""
    is_exact = len(left) * len(right) <= _CELLS
    start = _equal_length(left, right, is_exact=is_exact)
    end = _equal_length(left[start:][::-1], right[start:][::-1], is_exact=is_exact)
    some, other = left[start : len(left) - end], right[start : len(right) - end]
    between = _best_matches(some, other) if len(some) * len(other) <= _CELLS else _next_matches(some, other)
    return [
        *((at, at) for at in range(start)),
        *((start + i, start + j) for i, j in between),
        *((len(left) - at, len(right) - at) for at in range(end, 0, -1)),
    ]


def _equal_length(left: _Steps, right: _Steps, *, is_exact: bool) -> int:
    """Return how many of the first steps of both are alike: in all that is counted, or by their names."""
    wanted = _SAME_NAME + _SAME_INPUTS + _SAME_SHAPE if is_exact else _SAME_NAME
    length = 0
    for one, other in zip(left, right, strict=False):
        if _likeness(one, other) < wanted:
            break
        length += 1
    return length


def _likeness(left: Step, right: Step) -> int:
    if left.key != right.key:
        return 0
    same_inputs = left.span.inputs_json == right.span.inputs_json
    return _SAME_NAME + _SAME_INPUTS * same_inputs + _SAME_SHAPE * (left.shape == right.shape)


def _best_matches(left: _Steps, right: _Steps) -> list[_Match]:
    """Return the matches in order that are most alike together."""
    width = len(right) + 1
    best = [[0] * width for _ in range(len(left) + 1)]  # of what is behind a place on either side
    for i in range(len(left) - 1, -1, -1):
        row, below = best[i], best[i + 1]
        for j in range(len(right) - 1, -1, -1):
            likeness = _likeness(left[i], right[j])
            skipping = max(below[j], row[j + 1])
            row[j] = max(skipping, likeness + below[j + 1]) if likeness else skipping
    matches: list[_Match] = []
    i = j = 0
    while i < len(left) and j < len(right):
        likeness = _likeness(left[i], right[j])
        if likeness and best[i][j] == likeness + best[i + 1][j + 1]:
            matches.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return matches


def _next_matches(left: _Steps, right: _Steps) -> list[_Match]:
    """Return matches in order: each with the next one of its name, unless that skips more than it is worth."""
    places: defaultdict[tuple[str, str | None], list[int]] = defaultdict(list)
    for at, step in enumerate(right):
        places[step.key].append(at)
    matches: list[_Match] = []
    j = 0
    for i, step in enumerate(left):
        known = places[step.key]
        at = bisect_left(known, j)
        if at < len(known) and known[at] - j <= max(len(right) - len(left), 0) + _REACH:
            matches.append((i, known[at]))
            j = known[at] + 1
    return matches
