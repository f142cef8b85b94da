"""What a filter asks of the spans of a trace: the definition, in plain Python, as `query.evaluate` is for traces."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, Final

from tracehound.model.occurrence import decode_all
from tracehound.model.path import reach, texts_in
from tracehound.model.span import Span
from tracehound.query.fields import NUMBERS_IN_SPAN, Field
from tracehound.query.numbers import number_at
from tracehound.query.passing import COMPARE, passes_any
from tracehound.query.tree import And, Checked, Not, Or, Relation, Scope, Test


def is_true_of_spans(node: Scope[Test] | Test, spans: Sequence[Span]) -> bool:
    """Whether a trace has such spans, or a text that passes; the first span is its root."""
    if isinstance(node, Test):
        return passes_any(node, _TEXTS[node.field.name](spans))
    return _has_spans(node, spans)


def _has_spans(scope: Scope[Test], spans: Sequence[Span]) -> bool:
    chosen = [span for span in spans if _is_true_of(scope.condition, span, spans)]
    for step in scope.steps:
        candidates = [span for span in spans if _is_true_of(step.condition, span, spans)] if chosen else []
        chosen = _RELATED[step.relation](chosen, candidates, spans)
    if scope.count is None:
        return bool(chosen)
    return COMPARE[scope.count.operator](len(chosen), scope.count.number)


def _is_true_of(node: Checked, span: Span, spans: Sequence[Span]) -> bool:
    """Whether a condition is true of one of the spans."""
    if isinstance(node, And):
        return all(_is_true_of(child, span, spans) for child in node.children)
    if isinstance(node, Or):
        return any(_is_true_of(child, span, spans) for child in node.children)
    if isinstance(node, Not):
        return not _is_true_of(node.child, span, spans)
    assert isinstance(node, Test)  # noqa: S101 - no scope stands in another one
    return passes_any(node, values_of_span(node.field, span, spans))


def values_of_span(field: Field, span: Span, spans: Sequence[Span]) -> Sequence[Any]:
    """Return all values that one of the spans has of a field: of lists and texts there are several."""
    if field.path:
        return _AT_PATHS[field.name](span, field.path)
    if field.name in NUMBERS_IN_SPAN:
        return _one(number_at(span.attributes_json, *NUMBERS_IN_SPAN[field.name]))
    if field.name == "repetitions":
        return [sum(_call(each) == _call(span) for each in spans)]
    return _VALUES[field.name](span)


def _one(value: Any) -> list[Any]:
    return [] if value is None else [value]


def _call(span: Span) -> tuple[str, str | None, str | None]:
    """Return what spans have in common that do the same again."""
    return span.name, span.span_type, span.inputs_json


def _texts_of(span: Span) -> Iterator[str]:
    """Yield the texts of a span: of `span.content`, and of `trace.text`."""
    yield span.name
    if span.status.description:
        yield span.status.description
    for value in (span.inputs, span.outputs, *decode_all(span.attributes_json).values()):
        yield from texts_in(value)
    for event in span.events:
        yield event.name
        yield from texts_in(event.attributes)


def _at_attribute(span: Span, path: Sequence[str]) -> list[Any]:
    """Return the values at a path that begins with the key of an attribute, in which may be dots."""
    found: list[Any] = []
    for end in range(1, len(path) + 1):
        found += reach(span.get_attribute(".".join(path[:end])), path[end:])
    return found


def _duration_ms(span: Span) -> int | None:
    return None if span.duration_ns is None else max(0, span.duration_ns) // 1_000_000


_AT_PATHS: Final[dict[str, Callable[[Span, Sequence[str]], list[Any]]]] = {
    "attributes": _at_attribute,
    "inputs": lambda span, path: reach(span.inputs, path),
    "outputs": lambda span, path: reach(span.outputs, path),
}
_VALUES: Final[dict[str, Callable[[Span], Sequence[Any]]]] = {
    "name": lambda span: [span.name],
    "type": lambda span: _one(span.span_type),
    "status": lambda span: [span.status.status_code.value],
    "status_message": lambda span: _one(span.status.description or None),
    "duration_ms": lambda span: _one(_duration_ms(span)),
    "model": lambda span: _one(span.model_name),
    "content": lambda span: list(_texts_of(span)),
}
_TEXTS: Final[dict[str, Callable[[Sequence[Span]], list[str]]]] = {
    "text": lambda spans: [text for span in spans for text in _texts_of(span)],
    "request": lambda spans: texts_in(spans[0].inputs),
    "response": lambda spans: texts_in(spans[0].outputs),
}


def _children(chosen: Sequence[Span], candidates: Sequence[Span], _spans: Sequence[Span]) -> list[Span]:
    ids = {span.span_id for span in chosen}
    return [span for span in candidates if span.parent_id in ids]


def _descendants(chosen: Sequence[Span], candidates: Sequence[Span], spans: Sequence[Span]) -> list[Span]:
    below = _ids_below({span.span_id for span in chosen}, spans)
    return [span for span in candidates if span.span_id in below]


def _ids_below(ids: Collection[str], spans: Sequence[Span]) -> set[str]:
    """Return the ids of the spans that have one of these above them. Spans that are above one another end the way."""
    parents = {span.span_id: span.parent_id for span in spans}
    is_below: dict[str, bool] = {}
    for span_id in parents:
        way: list[str] = []
        at: str | None = span_id
        found = False
        while at is not None and at in parents and not found:
            if at in is_below:
                found = is_below[at]
                break
            is_below[at] = False
            way.append(at)
            at = parents[at]
            found = at in ids and at in parents
        is_below.update(dict.fromkeys(way, found))
    return {span_id for span_id, found in is_below.items() if found}


def _later(chosen: Sequence[Span], candidates: Sequence[Span], _spans: Sequence[Span]) -> list[Span]:
    """Return those that begin when one of the chosen, another one than they are, has ended, or later."""
    ended = ((span.end_time_ns, span.span_id) for span in chosen if span.end_time_ns is not None)
    first = heapq.nsmallest(2, ended)
    return [
        span
        for span in candidates
        if any(end_ns <= span.start_time_ns and span_id != span.span_id for end_ns, span_id in first)
    ]


_RELATED: Final[dict[Relation, Callable[[Sequence[Span], Sequence[Span], Sequence[Span]], list[Span]]]] = {
    Relation.CHILD: _children,
    Relation.DESCENDANT: _descendants,
    Relation.THEN: _later,
}
