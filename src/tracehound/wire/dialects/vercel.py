"""Vercel's AI SDK: `ai.*`, with GenAI's names beside them on the calls of a model.

An operation such as `ai.generateText` is a loop of calls of a model (`ai.generateText.doGenerate`) and of tools, which
are its children. It is an agent here, or a chain where it cannot call tools, so that a call is counted once.
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.model.record import replace
from tracehound.model.span import SpanType
from tracehound.model.values import decode_value
from tracehound.wire.dialects.messages import read_messages, read_tools, to_choice, with_system
from tracehound.wire.dialects.source import Source, objects, texts_in, texts_of, unwrap
from tracehound.wire.dialects.told import (
    CACHE_CREATION,
    CACHE_READ,
    INPUT,
    OUTPUT,
    REASONING,
    TOTAL,
    Dialect,
    Names,
    Told,
    read_named,
    together,
)

_METADATA: Final = "ai.telemetry.metadata"
_SESSION: Final = ("sessionId", "session_id", "session.id")
_USER: Final = ("userId", "user_id", "user.id")
_CALLS: Final = ("ai.generateText.doGenerate", "ai.streamText.doStream", "ai.generateObject.doGenerate",
                 "ai.streamObject.doStream")  # fmt: skip

_NAMES: Final = Names(
    span_types={
        "ai.operationId": {
            **dict.fromkeys(("ai.generatetext", "ai.streamtext"), SpanType.AGENT),
            **dict.fromkeys(("ai.generateobject", "ai.streamobject", "ai.embed", "ai.embedmany", "ai.rerank"),
                            SpanType.CHAIN),
            **dict.fromkeys((call.lower() for call in _CALLS), SpanType.CHAT_MODEL),
            **dict.fromkeys(("ai.embed.doembed", "ai.embedmany.doembed"), SpanType.EMBEDDING),
            "ai.rerank.dorerank": SpanType.RERANKER,
            "ai.toolcall": SpanType.TOOL,
        }
    },
    request_model=("ai.model.id",),
    response_model=("ai.response.model",),
    inputs=("ai.documents",),
    outputs=("ai.ranking",),
    session=tuple(f"{_METADATA}.{key}" for key in _SESSION),
    user=tuple(f"{_METADATA}.{key}" for key in _USER),
    usage={
        INPUT: ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
        OUTPUT: ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        TOTAL: ("ai.usage.totalTokens",),
        CACHE_READ: ("ai.usage.cachedInputTokens", "ai.usage.inputTokenDetails.cacheReadTokens"),
        CACHE_CREATION: ("ai.usage.inputTokenDetails.cacheWriteTokens",),
        REASONING: ("ai.usage.reasoningTokens", "ai.usage.outputTokenDetails.reasoningTokens"),
    },
    parameters={
        "temperature": ("ai.settings.temperature",),
        "max_tokens": ("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
        "top_p": ("ai.settings.topP",),
        "top_k": ("ai.settings.topK",),
        "presence_penalty": ("ai.settings.presencePenalty",),
        "frequency_penalty": ("ai.settings.frequencyPenalty",),
        "stop": ("ai.settings.stopSequences",),
        "seed": ("ai.settings.seed",),
    },
)  # fmt: skip


def read(source: Source) -> Told:
    """Return what a span says in this convention."""
    named = read_named(source, _NAMES)
    provider = source.text("ai.model.provider")
    first_ms = source.number("ai.response.msToFirstChunk", "ai.stream.msToFirstChunk")
    lists = Told(
        provider=None if provider is None else provider.partition(".")[0],  # `openai.chat` is one of its APIs
        messages=read_messages(source.value("ai.prompt.messages")) or _read_prompt(source.value("ai.prompt")),
        choices=_read_choices(source),
        inputs=source.json("ai.toolCall.args", "ai.value") or _read_values(source, "ai.values"),
        outputs=source.json("ai.toolCall.result") or _read_vectors(source),
        tools=read_tools(source.value("ai.prompt.tools")),
        finish_reasons=texts_in(source.text("ai.response.finishReason", "ai.finishReason")) or None,
        first_token_s=source.seconds_to("ai.stream.firstChunk") if first_ms is None else first_ms / 1000,
        labels=texts_in(source.value(f"{_METADATA}.tags")) or None,
        metadata=_read_metadata(source),
    )
    told = together([named, lists])
    return replace(told, choices=None) if told.span_type == SpanType.TOOL else told


def _read_prompt(value: Any) -> list[dict[str, Any]] | None:
    """Return the prompt of an operation: a text or messages, and maybe what the model was told to be."""
    if not isinstance(value, dict):
        return None
    given = unwrap(value.get("messages") or value.get("prompt"))
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else read_messages(given)
    return with_system(value.get("system") or value.get("instructions"), messages)


def _read_choices(source: Source) -> list[dict[str, Any]] | None:
    """Return the one answer of a model: what it said, what it thought, what it called."""
    text = source.value_as_is("ai.response.text") or source.value_as_is("ai.result.text")
    made = source.value_as_is("ai.response.object") or source.value_as_is("ai.result.object")
    calls = objects(source.value("ai.response.toolCalls", "ai.result.toolCalls"))
    said = text if isinstance(text, str) and text else made
    if said is None and not calls:
        return None
    message = {"content": said, "tool_calls": calls, "reasoning_content": source.text("ai.response.reasoning")}
    return [to_choice(message, 0)]


def _read_values(source: Source, key: str) -> list[Any] | None:
    """Return what was embedded, or the vectors: each is JSON in a text."""
    values = source.value(key)
    if not isinstance(values, list):
        return None
    return [decode_value(each) if isinstance(each, str) else each for each in values]


def _read_vectors(source: Source) -> dict[str, Any] | None:
    one = source.json("ai.embedding")
    vectors = _read_values(source, "ai.embeddings") if one is None else [one]
    if vectors is None:
        return None
    return {"data": [{"index": index, "embedding": vector} for index, vector in enumerate(vectors)]}


def _read_metadata(source: Source) -> dict[str, str] | None:
    told = {key: source.value(f"{_METADATA}.{key}") for key in source.below(_METADATA)}
    return texts_of((key, value) for key, value in told.items() if key not in (*_SESSION, *_USER, "tags")) or None


DIALECT: Final = Dialect(
    "Vercel AI SDK",
    frozenset(
        {
            "ai.operationId", "ai.prompt", "ai.prompt.messages", "ai.model.id", "ai.response.text",
            "ai.toolCall.name", "ai.toolCall.args", "ai.toolCall.result",
        }
    ),
    read,
)  # fmt: skip
