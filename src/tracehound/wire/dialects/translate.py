"""Spans that other people's instrumentation made -> the same spans with what they say under our names as well.

What a span says already in our names is left alone, and nothing is taken away: attributes and events stay as they came.
A span that was translated carries the names of the conventions it was read from, and is not translated again. So all
paths by which spans come in may do it, and an exported trace comes back as it was.

A call of a model has one form, that of a request and a response of OpenAI's chat API, whoever told of it (ADR 0029).
"""

from __future__ import annotations

import logging
from typing import Any, Final

from tracehound.model.record import replace
from tracehound.model.reserved import (
    OF_TRACE,
    SESSION_ID,
    SPAN_COST,
    SPAN_MODEL,
    SPAN_PROVIDER,
    SPAN_TOOLS,
    SPAN_USAGE,
    TRANSLATED_FROM,
    USER_ID,
)
from tracehound.model.span import UNKNOWN, Span, SpanType
from tracehound.model.trace import TracePart
from tracehound.model.values import encode_value
from tracehound.wire.any_value import MAX_BYTES
from tracehound.wire.dialects import genai, langfuse, logfire, openinference, others, traceloop, vercel
from tracehound.wire.dialects.messages import read_choices, read_messages, text_choice, to_reason, tool_result
from tracehound.wire.dialects.payloads import read_request, read_response
from tracehound.wire.dialects.source import Source
from tracehound.wire.dialects.told import (
    CACHE_CREATION,
    CACHE_READ,
    INPUT,
    INPUT_COST,
    OUTPUT,
    OUTPUT_COST,
    REASONING,
    TOTAL,
    TOTAL_COST,
    Dialect,
    Told,
    together,
)

# In this order: of what two of them tell, the first counts. Those that others are built upon come last.
DIALECTS: Final[tuple[Dialect, ...]] = (
    openinference.DIALECT,
    vercel.DIALECT,
    langfuse.DIALECT,
    logfire.DIALECT,
    traceloop.DIALECT,
    *others.DIALECTS,
    genai.DIALECT,
)
MARKERS: Final = frozenset().union(*(dialect.markers for dialect in DIALECTS))
_MODEL_CALLS: Final = (SpanType.LLM, SpanType.CHAT_MODEL)
_CONVERSING: Final = (None, SpanType.AGENT, *_MODEL_CALLS)  # others have values, whatever conversation is beside them
_RARE_USAGE: Final = (CACHE_READ, CACHE_CREATION, REASONING)

_logger = logging.getLogger("tracehound.wire")


def translate_part(part: TracePart) -> TracePart:
    """Return the part with its foreign spans translated; the part itself where there is none. Never raises."""
    spans = [_translate_safely(span) for span in part.spans]
    is_same = all(after is before for after, before in zip(spans, part.spans, strict=True))
    return part if is_same else replace(part, spans=spans)


def translate_span(span: Span) -> Span:
    """Return a span with what it says in other conventions under our names; the span itself where that is nothing."""
    texts = span.attributes_json
    if MARKERS.isdisjoint(texts) or TRANSLATED_FROM in texts:
        return span
    spoken = [dialect for dialect in DIALECTS if not dialect.markers.isdisjoint(texts)]
    source = Source(texts, span.event_records, span.start_time_ns)
    told = together([dialect.read(source) for dialect in spoken])
    own = None if span.span_type in (None, UNKNOWN) else span.span_type
    told, kind = _complete(told, own)
    found = {key: text for key, text in _attributes_of(told).items() if key not in texts}
    inputs = span.inputs_json or _to_json(_inputs_of(told, kind))
    outputs = span.outputs_json or _to_json(_outputs_of(told, kind))
    is_news = (kind, inputs, outputs) != (own, span.inputs_json, span.outputs_json)
    if not found and not is_news:
        return span
    found[TRANSLATED_FROM] = encode_value([dialect.name for dialect in spoken])
    return replace(
        span, span_type=kind or span.span_type, inputs_json=inputs, outputs_json=outputs,
        attributes_json={**texts, **found},
    )  # fmt: skip


def _translate_safely(span: Span) -> Span:
    try:
        return translate_span(span)
    except Exception:  # a span that is not understood is kept as it came
        _logger.exception("the span %s of trace %s was not translated", span.span_id, span.trace_id)
        return span


def _complete(told: Told, own: str | None) -> tuple[Told, str | None]:
    """Return what is told with what the request and the response of a model say, and the type of the span."""
    kind = own or told.span_type
    if kind is None and told.messages and (told.choices or told.request_model or told.response_model):
        kind = SpanType.CHAT_MODEL
    if kind not in _MODEL_CALLS:
        return told, kind
    sides = [told]
    if not told.messages:
        request = read_request(told.inputs)
        sides += [request if request.messages else Told(messages=read_messages(told.inputs))]
    if not told.choices or not told.finish_reasons:
        response = read_response(told.outputs)
        choices = response.choices or read_choices(told.outputs)
        reasons = [each["finish_reason"] for each in choices or () if each["finish_reason"]]
        sides += [response, Told(choices=choices, finish_reasons=reasons or None)]
    told = together(sides)
    is_chat = own is None and kind == SpanType.LLM and bool(told.messages)
    return told, SpanType.CHAT_MODEL if is_chat else kind


def _inputs_of(told: Told, kind: str | None) -> Any:
    """Return what went in: a request, what was embedded, the arguments of a tool, or the value that was told."""
    model = told.request_model or told.response_model
    request = {**({} if model is None else {"model": model}), **dict(sorted((told.parameters or {}).items()))}
    if kind == SpanType.EMBEDDING:
        given = _embedded(told)
        return None if given is None else {"input": given, **request}
    if kind == SpanType.AGENT and told.messages and (text := _text_alone(told.messages, "user")) is not None:
        return text
    if told.messages and (kind in _CONVERSING or told.inputs is None):
        return {"messages": told.messages, **request}
    return told.inputs


def _text_alone(messages: list[dict[str, Any]], role: str) -> str | None:
    """Return the text of a conversation that is one text of this role, which is how most agents say it."""
    if len(messages) != 1 or messages[0].keys() != {"role", "content"} or messages[0]["role"] != role:
        return None
    content = messages[0]["content"]
    return content if isinstance(content, str) else None


def _embedded(told: Told) -> Any:
    """Return what was embedded; of several texts the list, of one the text."""
    given = told.inputs
    if isinstance(given, dict) and "input" in given:
        given = given["input"]
    if given is None and told.messages:
        given = [message["content"] for message in told.messages]
    return given[0] if isinstance(given, list) and len(given) == 1 else given


def _outputs_of(told: Told, kind: str | None) -> Any:
    """Return what came out: the choices of a model, or the value that was told."""
    choices = told.choices
    if choices is None and kind in _MODEL_CALLS and told.messages and isinstance(told.outputs, str):
        choices = text_choice(told.outputs)
    if not choices or (kind not in _CONVERSING and told.outputs is not None):
        return tool_result(told.outputs) if kind == SpanType.TOOL else told.outputs
    if kind == SpanType.AGENT:
        text = _text_alone([each["message"] for each in choices], "assistant")
        if text is not None:
            return text
    reasons = [to_reason(each) for each in told.finish_reasons or ()]
    return {"choices": [_with_reason(each, index, reasons) for index, each in enumerate(choices)]}


def _with_reason(choice: dict[str, Any], index: int, reasons: list[str | None]) -> dict[str, Any]:
    if choice["finish_reason"] is not None or index >= len(reasons):
        return choice
    return {**choice, "finish_reason": reasons[index]}


def _attributes_of(told: Told) -> dict[str, str]:
    """Return what is told as attributes in our names."""
    reasons = [to_reason(each) for each in told.finish_reasons or ()]
    reasons = reasons or [each["finish_reason"] for each in told.choices or () if each["finish_reason"]]
    model = told.response_model or told.request_model
    values: dict[str, Any] = {
        SPAN_USAGE: _usage_of(told.usage),
        SPAN_COST: _cost_of(told.cost),
        SPAN_MODEL: model,
        SPAN_PROVIDER: told.provider if model else None,  # a framework calls itself the provider of its own steps
        SPAN_TOOLS: told.tools,
        SESSION_ID: told.session,
        USER_ID: told.user,
        genai.FINISH_REASONS: reasons or None,
        genai.FIRST_TOKEN: told.first_token_s,
        OF_TRACE: _of_trace(told),
    }
    for name, value in (told.parameters or {}).items():
        if name in genai.PARAMETERS:
            values[genai.PARAMETERS[name]] = value
    return {key: encode_value(value, MAX_BYTES) for key, value in values.items() if value is not None}


def _usage_of(usage: dict[str, int] | None) -> dict[str, int] | None:
    """Return the tokens with what follows: a total is the sum, and where nothing came out, nothing is told of it."""
    if usage is None:
        return None
    told, answered, total = usage.get(INPUT), usage.get(OUTPUT), usage.get(TOTAL)
    if told is None and answered is None:
        return None if total is None else {TOTAL: total}
    if told is None:
        told = max(0, (total or 0) - (answered or 0))
    if answered is None:
        answered = max(0, total - told) if total is not None else 0
    rare = {name: usage[name] for name in _RARE_USAGE if usage.get(name)}
    return {INPUT: told, OUTPUT: answered, TOTAL: told + answered if total is None else total, **rare}


def _cost_of(cost: dict[str, float] | None) -> dict[str, float] | None:
    """Return the cost in US dollars with what follows; one of nothing is what some tell where they do not know it."""
    if cost is None:
        return None
    told, answered, total = cost.get(INPUT_COST), cost.get(OUTPUT_COST), cost.get(TOTAL_COST)
    if total is None and (told is not None or answered is not None):
        total = (told or 0.0) + (answered or 0.0)
    if not total or total < 0:
        return None
    return {**{name: cost[name] for name in (INPUT_COST, OUTPUT_COST) if name in cost}, TOTAL_COST: total}


def _of_trace(told: Told) -> dict[str, Any] | None:
    """Return what a span says of its whole trace; `model.derive` reads it. A label is a tag that is true."""
    labels = dict.fromkeys(told.labels or (), "true")
    values = {"name": told.trace_name, "tags": labels, "metadata": told.metadata}
    return {key: value for key, value in values.items() if value} or None


def _to_json(value: Any) -> str | None:
    return None if value is None else encode_value(value, MAX_BYTES)
