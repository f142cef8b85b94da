"""Langfuse: what its SDK says of an observation, `langfuse.observation.*`, and of the whole trace, `langfuse.trace.*`.

Values are JSON in a text. The model is one only: that of the request, until the response names its own.
"""

from __future__ import annotations

import datetime
from typing import Any, Final

from tracehound.model.span import SpanType
from tracehound.model.values import decode_value
from tracehound.wire.dialects.payloads import read_parameters, read_usage
from tracehound.wire.dialects.source import Source, texts_in, texts_of, to_number
from tracehound.wire.dialects.told import (
    INPUT_COST,
    OUTPUT_COST,
    TOTAL_COST,
    Dialect,
    Names,
    Told,
    read_named,
    together,
)

_OBSERVATION: Final = "langfuse.observation"
_TRACE: Final = "langfuse.trace"
_REASONS: Final = (f"{_OBSERVATION}.metadata.finish_reason", f"{_OBSERVATION}.metadata.stop_reason")
_COSTS: Final = {INPUT_COST: "input", OUTPUT_COST: "output", TOTAL_COST: "total"}

_NAMES: Final = Names(
    span_types={
        f"{_OBSERVATION}.type": {
            "generation": SpanType.LLM,
            **{
                kind.lower(): kind
                for kind in (
                    SpanType.EMBEDDING, SpanType.TOOL, SpanType.RETRIEVER, SpanType.AGENT, SpanType.CHAIN,
                    SpanType.EVALUATOR, SpanType.GUARDRAIL,
                )
            },
        }
    },
    response_model=(f"{_OBSERVATION}.model.name", f"{_OBSERVATION}.model"),
    inputs=(f"{_OBSERVATION}.input", f"{_TRACE}.input"),
    outputs=(f"{_OBSERVATION}.output", f"{_TRACE}.output"),
    session=("langfuse.session.id",),
    user=("langfuse.user.id",),
)  # fmt: skip


def read(source: Source) -> Told:
    """Return what a span says in this convention."""
    costs = source.value(f"{_OBSERVATION}.cost_details")
    reasons = [decode_value(text) for text in texts_in([source.text(key) for key in _REASONS])]
    details = Told(
        usage=read_usage(source.value(f"{_OBSERVATION}.usage_details")),
        cost=_read_cost(costs) if isinstance(costs, dict) else None,
        parameters=read_parameters(source.value(f"{_OBSERVATION}.model.parameters")),
        finish_reasons=texts_in(reasons) or None,
        first_token_s=_first_token_s(source),
        trace_name=source.text(f"{_TRACE}.name"),
        labels=texts_in(source.value(f"{_TRACE}.tags")) or None,
        metadata=_read_metadata(source),
    )
    return together([read_named(source, _NAMES), details])


def _read_cost(costs: dict[str, Any]) -> dict[str, float] | None:
    found = {name: to_number(costs.get(key)) for name, key in _COSTS.items()}
    return {name: cost for name, cost in found.items() if cost is not None} or None


def _read_metadata(source: Source) -> dict[str, str] | None:
    """Return what is said of the trace; texts are JSON since version 5 of the SDK, before that as they are."""
    told = source.below(f"{_TRACE}.metadata")
    plain = {key: source.value_as_is(f"{_TRACE}.metadata.{key}") for key in told}
    values = {key: decode_value(value) if isinstance(value, str) else value for key, value in plain.items()}
    return texts_of(values.items()) or None


def _first_token_s(source: Source) -> float | None:
    """Return how long it took until the completion began, whose time is ISO 8601 in UTC."""
    told = source.text(f"{_OBSERVATION}.completion_start_time")
    text = None if told is None else decode_value(told)
    try:
        began = datetime.datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None
    if began.tzinfo is None:
        began = began.replace(tzinfo=datetime.timezone.utc)
    took_us = (began - _EPOCH) // _MICROSECOND - source.start_ns // 1000
    return took_us / 1e6 if took_us >= 0 else None


_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND: Final = datetime.timedelta(microseconds=1)

DIALECT: Final = Dialect(
    "Langfuse",
    frozenset(
        {
            f"{_OBSERVATION}.type", f"{_OBSERVATION}.input", f"{_OBSERVATION}.output", f"{_OBSERVATION}.model.name",
            f"{_OBSERVATION}.usage_details", f"{_TRACE}.name", f"{_TRACE}.tags", f"{_TRACE}.input",
            f"{_TRACE}.output", "langfuse.session.id", "langfuse.user.id",
        }
    ),
    read,
)  # fmt: skip
