"""OpenLLMetry, the convention of Traceloop: GenAI's names, with lists that are flattened and kinds of its own.

Older instrumentors write `gen_ai.prompt.0.content` and `gen_ai.completion.0.tool_calls.0.name`, newer ones GenAI's
messages. Decorated functions are entities, whose input is JSON of positional and named arguments.
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.model.span import SpanType
from tracehound.wire.dialects.messages import read_tools, to_choice, to_messages
from tracehound.wire.dialects.source import Source, said_by_users
from tracehound.wire.dialects.told import REASONING, TOTAL, Dialect, Names, Told, read_named, together

_PROPERTIES: Final = "traceloop.association.properties"
_SESSION: Final = ("session_id", "sessionId", "session.id")
_USER: Final = ("user_id", "userId", "user.id")

_NAMES: Final = Names(
    span_types={
        "traceloop.span.kind": {
            "workflow": SpanType.WORKFLOW,
            "task": SpanType.TASK,
            "agent": SpanType.AGENT,
            "tool": SpanType.TOOL,
        },
        "llm.request.type": {
            "chat": SpanType.CHAT_MODEL,
            "completion": SpanType.LLM,
            "embedding": SpanType.EMBEDDING,
            "rerank": SpanType.RERANKER,
        },
    },
    session=tuple(f"{_PROPERTIES}.{key}" for key in _SESSION),
    user=tuple(f"{_PROPERTIES}.{key}" for key in _USER),
    usage={TOTAL: ("llm.usage.total_tokens",), REASONING: ("llm.usage.reasoning_tokens",)},
    parameters={
        "top_k": ("llm.top_k",),
        "frequency_penalty": ("llm.frequency_penalty",),
        "presence_penalty": ("llm.presence_penalty",),
        "stop": ("llm.chat.stop_sequences",),
        "reasoning_effort": ("llm.request.reasoning_effort",),
        "user": ("llm.user",),
    },
)


def read(source: Source) -> Told:
    """Return what a span says in this convention."""
    lists = Told(
        messages=[message for each in source.items("gen_ai.prompt") for message in to_messages(_plain(each))] or None,
        choices=[to_choice(_plain(each), index) for index, each in enumerate(source.items("gen_ai.completion"))]
        or None,
        tools=read_tools([_plain(each) for each in source.items("llm.request.functions")]),
        inputs=_arguments(source.json("traceloop.entity.input")),
        outputs=_result(source.json("traceloop.entity.output")),
        first_token_s=source.seconds_to("gen_ai.content.completion.chunk", "llm.content.completion.chunk"),
        metadata=_read_metadata(source),
    )
    return together([read_named(source, _NAMES), lists])


def _plain(item: Source) -> dict[str, Any]:
    """Return an element of a flattened list as the object that it was."""
    told = {key: item.value_as_is(key) for key in item.texts if "." not in key}
    calls = [_plain(each) for each in item.items("tool_calls")]
    return {**told, "tool_calls": calls} if calls else told


def _arguments(value: Any) -> Any:
    """Return the input of an entity: of a function that was called with names only, what they name."""
    if not isinstance(value, dict):
        return value
    if value.keys() == {"args", "kwargs"}:
        return value if value["args"] else value["kwargs"]
    return value["inputs"] if "inputs" in value and "tags" in value else value  # of LangChain's callbacks


def _result(value: Any) -> Any:
    """Return the output of an entity; LangChain's callbacks put it beside what else they know."""
    if isinstance(value, dict) and "kwargs" in value:
        return next((value[key] for key in ("outputs", "output") if key in value), value)
    return value


def _read_metadata(source: Source) -> dict[str, str] | None:
    told = source.below(_PROPERTIES)
    named = {key: source.value(f"{_PROPERTIES}.{key}") for key in told if key not in (*_SESSION, *_USER)}
    return said_by_users(named)


DIALECT: Final = Dialect(
    "OpenLLMetry",
    frozenset(
        {
            "traceloop.span.kind", "traceloop.entity.name", "traceloop.entity.input", "traceloop.entity.output",
            "traceloop.workflow.name", "llm.request.type", "llm.usage.total_tokens", "llm.request.functions.0.name",
            "gen_ai.prompt.0.role", "gen_ai.prompt.0.content", "gen_ai.completion.0.role",
            "gen_ai.completion.0.content", "gen_ai.completion.0.finish_reason", "gen_ai.is_streaming",
        }
    ),
    read,
)  # fmt: skip
