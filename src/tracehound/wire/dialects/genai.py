"""OpenTelemetry's semantic conventions of generative AI, old and new: attributes `gen_ai.*` and the events beside them.

Up to 1.36 the conversation was in events, one a message (`gen_ai.user.message`, `gen_ai.choice`) or one a side
(`gen_ai.content.prompt`); since then it is in `gen_ai.input.messages` and `gen_ai.output.messages`, JSON of messages
that have parts. Usage was `prompt_tokens` and `completion_tokens`, the provider `gen_ai.system`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from tracehound.model.span import SpanType
from tracehound.wire.dialects.messages import (
    read_choices,
    read_messages,
    read_tools,
    text_choice,
    to_choice,
    to_messages,
    with_system,
)
from tracehound.wire.dialects.payloads import read_usage
from tracehound.wire.dialects.source import Source, objects, texts_in
from tracehound.wire.dialects.told import (
    CACHE_CREATION,
    CACHE_READ,
    INPUT,
    OUTPUT,
    REASONING,
    TOTAL,
    TOTAL_COST,
    Dialect,
    Names,
    Told,
    read_named,
    together,
)

OPERATION: Final = "gen_ai.operation.name"
SYSTEM: Final = "gen_ai.system"
INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
INSTRUCTIONS: Final = "gen_ai.system_instructions"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_TOKEN: Final = "gen_ai.response.time_to_first_chunk"  # noqa: S105 - the name of an attribute; seconds

# The parameters of a request, by the names of OpenAI's API.
PARAMETERS: Final = {
    "temperature": "gen_ai.request.temperature",
    "top_p": "gen_ai.request.top_p",
    "top_k": "gen_ai.request.top_k",
    "max_tokens": "gen_ai.request.max_tokens",
    "frequency_penalty": "gen_ai.request.frequency_penalty",
    "presence_penalty": "gen_ai.request.presence_penalty",
    "seed": "gen_ai.request.seed",
    "stop": "gen_ai.request.stop_sequences",
    "n": "gen_ai.request.choice.count",
    "reasoning_effort": "gen_ai.request.reasoning_effort",
}

_NAMES: Final = Names(
    span_types={
        OPERATION: {
            "chat": SpanType.CHAT_MODEL,
            "generate_content": SpanType.LLM,
            "text_completion": SpanType.LLM,
            "response": SpanType.LLM,
            "completion": SpanType.LLM,
            "embeddings": SpanType.EMBEDDING,
            "embedding": SpanType.EMBEDDING,
            "retrieval": SpanType.RETRIEVER,
            "rerank": SpanType.RERANKER,
            "reranker": SpanType.RERANKER,
            "execute_tool": SpanType.TOOL,
            "create_agent": SpanType.AGENT,
            "invoke_agent": SpanType.AGENT,
            "invoke_workflow": SpanType.WORKFLOW,
            "execute_task": SpanType.TASK,
        }
    },
    request_model=("gen_ai.request.model",),
    response_model=("gen_ai.response.model",),
    provider=("gen_ai.provider.name", SYSTEM),
    inputs=("gen_ai.tool.call.arguments", "gen_ai.retrieval.query.text", "gen_ai.task.input"),
    outputs=("gen_ai.tool.call.result", "gen_ai.retrieval.documents", "gen_ai.task.output"),
    session=("gen_ai.conversation.id",),
    usage={
        INPUT: ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "gen_ai.aggregated_usage.input_tokens"),
        OUTPUT: (
            "gen_ai.usage.output_tokens",
            "gen_ai.usage.completion_tokens",
            "gen_ai.aggregated_usage.output_tokens",
        ),
        TOTAL: ("gen_ai.usage.total_tokens",),
        CACHE_READ: (
            "gen_ai.usage.cache_read.input_tokens",
            "gen_ai.usage.cache_read_input_tokens",
            "gen_ai.usage.details.cache_read_tokens",
            "gen_ai.usage.details.cached_tokens",
        ),
        CACHE_CREATION: (
            "gen_ai.usage.cache_creation.input_tokens",
            "gen_ai.usage.cache_write.input_tokens",
            "gen_ai.usage.cache_creation_input_tokens",
            "gen_ai.usage.details.cache_write_tokens",
        ),
        REASONING: (
            "gen_ai.usage.reasoning.output_tokens",
            "gen_ai.usage.reasoning_tokens",
            "gen_ai.usage.details.reasoning_tokens",
        ),
    },
    cost={TOTAL_COST: ("gen_ai.usage.cost", "operation.cost")},
    parameters={
        **{name: (key,) for name, key in PARAMETERS.items()},
        "seed": (PARAMETERS["seed"], "gen_ai.openai.request.seed"),
        "max_completion_tokens": ("gen_ai.request.max_completion_tokens",),
        "dimensions": ("gen_ai.embeddings.dimension.count",),
        "user": ("gen_ai.user",),
    },
)

# Events that are one message, by the role that it has where it names none.
_MESSAGES: Final = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
_CHOICE: Final = "gen_ai.choice"
# Events, and since then attributes, that hold one side of the conversation.
_PROMPTS: Final = ("gen_ai.prompt", "gen_ai.content.prompt", "gen_ai.event.content")
_COMPLETIONS: Final = ("gen_ai.completion", "gen_ai.content.completion", "gen_ai.event.content")


def read(source: Source) -> Told:
    """Return what a span says in these conventions."""
    return together([_read_attributes(source), *_read_events(source)])


def _read_attributes(source: Source) -> Told:
    named = read_named(source, _NAMES)
    messages = read_messages(source.value(INPUT_MESSAGES, "gen_ai.prompt"))
    raw = source.value("gen_ai.usage.raw")
    return together(
        [
            named,
            Told(
                messages=with_system(source.value(INSTRUCTIONS), messages),
                choices=read_choices(source.value(OUTPUT_MESSAGES, "gen_ai.completion")),
                inputs=_text_alone(source, "gen_ai.prompt"),
                outputs=_text_alone(source, "gen_ai.completion"),
                tools=read_tools(source.value("gen_ai.tool.definitions")),
                finish_reasons=texts_in(source.value(FINISH_REASONS, "gen_ai.response.finish_reason")) or None,
                first_token_s=source.number(FIRST_TOKEN),
                usage=read_usage(raw) if named.usage else None,
            ),
        ]
    )


def _text_alone(source: Source, key: str) -> str | None:
    value = source.value(key)
    return value if isinstance(value, str) else None


def _read_events(source: Source) -> list[Told]:
    """Return what the events of a span tell: messages one by one, a side each, or all of it at once."""
    found: list[Told] = []
    told: list[dict[str, Any]] = []
    for event in source.events:
        if event.name.startswith("gen_ai."):
            within = Source(event.attributes_json)
            if event.name not in _MESSAGES and not DIALECT.markers.isdisjoint(event.attributes_json):
                found.append(_read_attributes(within))
            told.append({"event.name": event.name, **{key: within.value(key) for key in within.texts}})
    return [read_event_forms(told), *found] if told else []


def read_event_forms(events: Iterable[dict[str, Any]]) -> Told:
    """Return the conversation that events tell, each a mapping with its name under `event.name`."""
    messages: list[dict[str, Any]] = []
    choices: list[dict[str, Any]] = []
    inputs: list[str] = []
    for event in events:
        name = event.get("event.name")
        if name in _MESSAGES:
            messages += to_messages(_with_content(event), _MESSAGES[name])
        elif name == _CHOICE:
            choices.append(to_choice(_with_content(event), len(choices)))
        elif name == "gen_ai.content.prompt":
            inputs += [each for key in _PROMPTS if isinstance(each := event.get(key), str)]
        elif name == "gen_ai.content.completion":
            texts = [each for key in _COMPLETIONS if isinstance(each := event.get(key), str)]
            choices += [choice for text in texts for choice in text_choice(text)]
    if not messages and inputs:
        messages = [{"role": "user", "content": text} for text in inputs]
    return Told(messages=messages or None, choices=choices or None)


def _with_content(event: dict[str, Any]) -> dict[str, Any]:
    """Return an event as a message: some kept the content under a name with a prefix, some the body as one object."""
    body = next(iter(objects(event.get("body"))), {})
    if "gen_ai.event.content" in event:
        held = event["gen_ai.event.content"]
        body = held if isinstance(held, dict) else {"content": held}
    return {**event, **body}


DIALECT: Final = Dialect(
    "GenAI",
    frozenset(
        {
            OPERATION, SYSTEM, INPUT_MESSAGES, OUTPUT_MESSAGES, INSTRUCTIONS, FINISH_REASONS,
            "gen_ai.provider.name", "gen_ai.request.model", "gen_ai.response.model", "gen_ai.prompt",
            "gen_ai.completion", "gen_ai.conversation.id", "gen_ai.tool.name", "gen_ai.tool.call.arguments",
            "gen_ai.tool.call.result", "gen_ai.tool.definitions", "gen_ai.agent.name", "gen_ai.task.input",
            "gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "gen_ai.usage.prompt_tokens",
            "gen_ai.usage.completion_tokens", "gen_ai.aggregated_usage.input_tokens",
        }
    ),
    read,
)  # fmt: skip
