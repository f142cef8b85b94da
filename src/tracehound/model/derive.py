"""What follows from the spans of a trace: previews, token usage, cost, sizes.

Stores work it out whenever they merge a trace, so it is right for every way in which spans come, and what anybody says
of the same keys goes before it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from tracehound.model.record import to_json, to_msgpack
from tracehound.model.reserved import (
    OF_TRACE,
    SESSION_ID,
    SPAN_COST,
    SPAN_USAGE,
    TRACE_SESSION,
    TRACE_TAG,
    TRACE_USER,
    USER_ID,
)
from tracehound.model.span import Span
from tracehound.model.values import decode_value, to_text

MAX_PREVIEW: Final = 1000
TRACE_INPUTS: Final = "mlflow.traceInputs"
TRACE_OUTPUTS: Final = "mlflow.traceOutputs"
TOKEN_USAGE: Final = "mlflow.trace.tokenUsage"  # noqa: S105 - the name of a metadata key
COST: Final = "mlflow.trace.cost"
SIZE_BYTES: Final = "mlflow.trace.sizeBytes"
SIZE_STATS: Final = "mlflow.trace.sizeStats"

_OWN: Final = "mlflow."  # keys that others do not give away
_CHAT_KEYS: Final = ("messages", "choices", "input", "output", "request")
_MAX_DEPTH: Final = 4  # of what lies around a conversation
_NO_SAYINGS: Final = ()


# What spans say of the whole trace, each as it was decoded.
Sayings: TypeAlias = Sequence[Mapping[str, Any]]


def sayings_of(spans: Sequence[Span]) -> Sayings:
    """Return what the spans say of the trace: those that were translated (`wire.dialects`) do."""
    texts = [span.attributes_json[OF_TRACE] for span in spans if OF_TRACE in span.attributes_json]
    return [said for said in map(decode_value, texts) if isinstance(said, dict)] if texts else _NO_SAYINGS


def derive_metadata(spans: Sequence[Span], sayings: Sayings) -> dict[str, str]:
    """Return what the spans, and their sayings, are as metadata of the whole trace; the first one is its root.

    Inputs and outputs are cut to `MAX_PREVIEW` characters. A span's size is that of its record, uncompressed.
    """
    root = spans[0]
    found = _said_of_whole(sayings, "metadata")
    keys = set().union(*[span.attributes_json for span in spans])
    for span_key, key in ((SESSION_ID, TRACE_SESSION), (USER_ID, TRACE_USER)):
        if span_key in keys:
            said = next(span.attributes_json[span_key] for span in spans if span_key in span.attributes_json)
            found[key] = to_text(decode_value(said))
    if root.inputs_json is not None:
        found[TRACE_INPUTS] = cut_text(root.inputs_json)
    if root.outputs_json is not None:
        found[TRACE_OUTPUTS] = cut_text(root.outputs_json)
    for span_key, key in ((SPAN_USAGE, TOKEN_USAGE), (SPAN_COST, COST)):
        if span_key in keys:
            total = _sum_of(spans, span_key)
            if total:
                found[key] = to_json(total).decode()
    sizes = sorted([len(to_msgpack(span)) for span in spans])
    total_size, last = sum(sizes), len(sizes) - 1
    found[SIZE_BYTES] = str(total_size)
    found[SIZE_STATS] = (
        f'{{"total_size_bytes":{total_size},"num_spans":{len(sizes)},"max":{sizes[-1]},'
        f'"p25":{sizes[last // 4]},"p50":{sizes[last // 2]},"p75":{sizes[3 * last // 4]}}}'
    )
    return found


def derive_tags(root: Span, sayings: Sayings) -> dict[str, str]:
    """Return what the root, and the sayings of all spans, are as tags of the whole trace."""
    found = _said_of_whole(sayings, "tags")
    for key, text in root.attributes_json.items():
        if key.startswith(TRACE_TAG) and key != TRACE_TAG:
            found[key[len(TRACE_TAG) :]] = to_text(decode_value(text))
    return found


def derive_name(root: Span, sayings: Sayings) -> str:
    """Return the name of the whole trace: what a span says that it is, else that of the root."""
    for said in sayings:
        name = said.get("name")
        if isinstance(name, str) and name:
            return name
    return root.name


def _said_of_whole(sayings: Sayings, kind: str) -> dict[str, str]:
    """Return the tags or the metadata that the first span gives the trace that gives any; not our own keys."""
    for said in sayings:
        told = said.get(kind)
        if isinstance(told, dict) and told:
            return {key: to_text(value) for key, value in told.items() if not key.startswith(_OWN)}
    return {}


def request_preview(root: Span) -> str | None:
    """Return what went in, for people: what the user said last, or the JSON text of the inputs, cut."""
    return _preview(root.inputs_json, "user")


def response_preview(root: Span) -> str | None:
    """Return what came out, for people: what the assistant said last, or the JSON text of the outputs, cut."""
    return _preview(root.outputs_json, "assistant")


def cut_text(text: str) -> str:
    """Return the beginning of a text, at most `MAX_PREVIEW` characters with the dots that mark a cut.

    >>> cut_text("why?"), len(cut_text("why?" * 1000))
    ('why?', 1000)
    """
    return text if len(text) <= MAX_PREVIEW else f"{text[: MAX_PREVIEW - 3]}..."


def _sum_of(spans: Sequence[Span], key: str) -> dict[str, Any]:
    """Return the sums of the numbers in an attribute of the spans, where none is counted twice.

    What a span tells contains what the spans below it tell: a framework repeats the sum of its calls, and one call may
    be told by two instrumentations. But some agents tell of their last call only; so the larger of the two counts.
    """
    told = {span.span_id: numbers for span in spans if (numbers := _numbers_in(span.attributes_json.get(key)))}
    parents = {span.span_id: span.parent_id for span in spans}
    above = {span_id: _nearest_above(span_id, parents, told) for span_id in told}
    waiting = Counter(above.values())  # for how many spans below it one has to wait
    below: dict[str, dict[str, Any]] = {}
    total: dict[str, Any] = {}
    ready = [span_id for span_id in told if span_id not in waiting]
    for span_id in ready:
        own, inner, parent = told[span_id], below.get(span_id, {}), above[span_id]
        into = total if parent is None else below.setdefault(parent, {})
        for name, number in (own if _weight(own) >= _weight(inner) else inner).items():
            into[name] = into.get(name, 0) + number
        waiting[parent] -= 1
        if parent is not None and not waiting[parent]:
            ready.append(parent)
    if key == SPAN_USAGE and total and "total_tokens" not in total:
        total["total_tokens"] = total.get("input_tokens", 0) + total.get("output_tokens", 0)
    return total


def _nearest_above(span_id: str, parents: dict[str, str | None], told: Container[str]) -> str | None:
    """Return the nearest of the told spans above one. Spans that are above one another end the search."""
    seen = {span_id}
    above = parents[span_id]
    while above in parents and above not in seen:
        if above in told:
            return above
        seen.add(above)
        above = parents[above]
    return None


def _weight(numbers: dict[str, Any]) -> float:
    """Return how much is told: the total, else the sum of what goes in and what comes out."""
    for name in ("total_tokens", "total_cost"):
        if name in numbers:
            return float(numbers[name])
    return float(sum(numbers.get(name, 0) for name in ("input_tokens", "output_tokens", "input_cost", "output_cost")))


def _numbers_in(text: str | None) -> dict[str, Any]:
    value = None if text is None else decode_value(text)
    if not isinstance(value, dict):
        return {}
    return {name: number for name, number in value.items() if type(number) in (int, float)}


def _preview(text: str | None, role: str) -> str | None:
    if text is None:
        return None
    if '"role"' in text:
        said = _said_last(decode_value(text), role)
        if said is not None:
            return cut_text(said.replace("\0", "\ufffd"))
    return cut_text(text)


def _said_last(value: Any, role: str) -> str | None:
    """Return the text of the last message of a role, where the value is or holds a conversation."""
    for message in _messages(value, 0):
        text = _text_of(message, role)
        if text:
            return text
    return None


def _messages(value: Any, depth: int) -> Iterator[dict[str, Any]]:
    """Yield the messages of a conversation in the form of OpenAI's APIs and those like it, the last one first."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(value, list):
        for item in reversed(value):
            if isinstance(item, dict):
                message = item.get("message")  # one of several choices
                yield message if isinstance(message, dict) else item
    elif isinstance(value, dict):
        inner = [value[key] for key in _CHAT_KEYS if key in value]
        if not inner and len(value) == 1:  # the only argument of a function
            inner = list(value.values())
        for each in inner:
            yield from _messages(each, depth + 1)
        if "role" in value:
            yield value


def _text_of(message: dict[str, Any], role: str) -> str | None:
    if message.get("role") != role:
        return None
    content = message.get("content")
    if isinstance(content, list):
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        content = "\n".join(text for text in texts if isinstance(text, str))
    return content if isinstance(content, str) and content.strip() else None
