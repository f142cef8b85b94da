"""Conventions that are a table and no more: what else they write is GenAI's."""

from __future__ import annotations

from typing import Final

from tracehound.model.record import replace
from tracehound.model.span import SpanType
from tracehound.wire.dialects.source import Source
from tracehound.wire.dialects.told import CACHE_READ, INPUT, OUTPUT, TOTAL, Dialect, Names, Told, read_named

_LAMINAR: Final = Names(
    span_types={
        "lmnr.span.type": {
            "LLM": SpanType.LLM,
            "CACHED": SpanType.LLM,
            "TOOL": SpanType.TOOL,
            "DEFAULT": SpanType.CHAIN,
            "PIPELINE": SpanType.CHAIN,
            "EXECUTOR": SpanType.AGENT,
            "EVALUATOR": SpanType.EVALUATOR,
            "HUMAN_EVALUATOR": SpanType.EVALUATOR,
            "EVALUATION": SpanType.EVALUATOR,
        }
    },
    inputs=("lmnr.span.input",),
    outputs=("lmnr.span.output",),
    session=("lmnr.association.properties.session_id",),
    user=("lmnr.association.properties.user_id",),
)

_GOOGLE_ADK: Final = Names(
    inputs=("gcp.vertex.agent.llm_request", "gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.data"),
    outputs=("gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_response"),
    session=("gcp.vertex.agent.session_id",),
)

# Claude Code's kinds are in the same attribute.
_VOLT_AGENT: Final = Names(
    span_types={
        key: {
            "agent": SpanType.AGENT,
            "llm": SpanType.LLM,
            "tool": SpanType.TOOL,
            "memory": SpanType.MEMORY,
            "retriever": SpanType.RETRIEVER,
            "embedding": SpanType.EMBEDDING,
            "guardrail": SpanType.GUARDRAIL,
            "evaluator": SpanType.EVALUATOR,
            "workflow": SpanType.WORKFLOW,
            "workflow-step": SpanType.TASK,
            "interaction": SpanType.AGENT,
            "llm_request": SpanType.LLM,
        }
        for key in ("span.type", "entity.type")
    },
    inputs=("agent.messages", "llm.messages", "input"),
    outputs=("output",),
    session=("conversation.id",),
    user=("user.id",),
    usage={
        INPUT: ("usage.prompt_tokens", "usage.input_tokens"),
        OUTPUT: ("usage.completion_tokens", "usage.output_tokens"),
        TOTAL: ("usage.total_tokens",),
        CACHE_READ: ("usage.cached_tokens",),
    },
)

_LIVE_KIT: Final = Names(
    inputs=("lk.chat_ctx", "lk.user_input", "lk.user_transcript", "lk.input_text", "lk.function_tool.arguments"),
    outputs=("lk.response.text", "lk.response.function_calls", "lk.function_tool.output"),
)
# The first key that is there says the kind of a span.
_LIVE_KIT_TYPES: Final = {
    "lk.function_tool.name": SpanType.TOOL,
    "lk.function_tool.id": SpanType.TOOL,
    "gen_ai.request.model": SpanType.LLM,
    "lk.retry_count": SpanType.LLM,
    "lk.agent_name": SpanType.AGENT,
    "lk.instructions": SpanType.AGENT,
    "lk.generation_id": SpanType.AGENT,
}


def _read_live_kit(source: Source) -> Told:
    kind = next((kind for key, kind in _LIVE_KIT_TYPES.items() if key in source.texts), None)
    return replace(read_named(source, _LIVE_KIT), span_type=kind)


def _read_google_adk(source: Source) -> Told:
    is_call = "gcp.vertex.agent.llm_request" in source.texts
    return replace(read_named(source, _GOOGLE_ADK), span_type=SpanType.LLM if is_call else None)


DIALECTS: Final = (
    Dialect(
        "Laminar",
        frozenset({"lmnr.span.type", "lmnr.span.input", "lmnr.span.output"}),
        lambda source: read_named(source, _LAMINAR),
    ),
    Dialect(
        "Google ADK",
        frozenset(
            {
                "gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response", "gcp.vertex.agent.tool_call_args",
                "gcp.vertex.agent.tool_response", "gcp.vertex.agent.session_id",
            }
        ),
        _read_google_adk,
    ),
    Dialect("VoltAgent", frozenset({"span.type", "entity.type"}), lambda source: read_named(source, _VOLT_AGENT)),
    Dialect(
        "LiveKit",
        frozenset(
            {
                "lk.agent_name", "lk.instructions", "lk.generation_id", "lk.function_tool.name", "lk.function_tool.id",
                "lk.user_input", "lk.user_transcript", "lk.input_text", "lk.chat_ctx", "lk.response.text",
                "lk.retry_count",
            }
        ),
        _read_live_kit,
    ),
)  # fmt: skip
