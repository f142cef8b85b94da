"""OpenInference, the convention of Phoenix and Arize: flattened lists of messages, and every value beside them.

`llm.input_messages.0.message.role` and so on; the request and the response of the provider stand whole in
`input.value` and `output.value`. `llm.model_name` is the model of the request until the response names its own.
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.model.span import SpanType
from tracehound.wire.dialects.messages import read_tools, to_choice, to_messages
from tracehound.wire.dialects.payloads import read_parameters
from tracehound.wire.dialects.source import Source, said_by_users, texts_in
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
    Names,
    Told,
    read_named,
    together,
)

KIND: Final = "openinference.span.kind"
_FIRST_TOKEN: Final = "First Token Stream Event"  # noqa: S105 - the name of an event
_COUNT: Final = "llm.token_count"

_NAMES: Final = Names(
    span_types={
        KIND: {
            **{
                kind: kind
                for kind in (
                    SpanType.TOOL, SpanType.CHAIN, SpanType.LLM, SpanType.RETRIEVER, SpanType.EMBEDDING,
                    SpanType.AGENT, SpanType.RERANKER, SpanType.GUARDRAIL, SpanType.EVALUATOR,
                )
            },
            "PROMPT": SpanType.PARSER,
        }
    },
    request_model=("llm.request.model_name", "decision.request.model_name"),
    response_model=(
        "llm.response.model_name", "llm.model_name", "embedding.model_name", "reranker.model_name",
        "decision.model_name",
    ),
    provider=("llm.provider", "llm.system", "decision.provider"),
    session=("session.id",),
    user=("user.id",),
    usage={
        INPUT: (f"{_COUNT}.prompt", "decision.token_count.input"),
        OUTPUT: (f"{_COUNT}.completion", "decision.token_count.output"),
        TOTAL: (f"{_COUNT}.total",),
        CACHE_READ: (f"{_COUNT}.prompt_details.cache_read", f"{_COUNT}.prompt_details.cache_input"),
        CACHE_CREATION: (f"{_COUNT}.prompt_details.cache_write",),
        REASONING: (f"{_COUNT}.completion_details.reasoning",),
    },
    cost={
        INPUT_COST: ("llm.cost.prompt",),
        OUTPUT_COST: ("llm.cost.completion",),
        TOTAL_COST: ("llm.cost.total",),
    },
)  # fmt: skip


_LISTS_OF_OTHERS: Final = (SpanType.EMBEDDING, SpanType.RETRIEVER, SpanType.RERANKER)


def read(source: Source) -> Told:
    """Return what a span says in this convention."""
    named = read_named(source, _NAMES)
    lists = _read_found(source) if named.span_type in _LISTS_OF_OTHERS else _read_conversation(source)
    parameters = source.value("llm.invocation_parameters", "embedding.invocation_parameters")
    is_told = named.span_type == SpanType.LLM
    beside = Told(
        first_token_s=source.seconds_to(_FIRST_TOKEN),
        labels=texts_in(source.value("tag.tags")) or None,
        metadata=_read_metadata(source),
        parameters=read_parameters(parameters),
        request_model=_model_in(parameters),
        inputs=None if is_told and lists.messages else source.value("input.value"),
        outputs=None if is_told and lists.choices and lists.finish_reasons else source.value("output.value"),
    )
    return together([lists, beside, named])


def _read_conversation(source: Source) -> Told:
    """Return the messages; what stands whole in `input.value` need not be looked at then."""
    answers = [_to_messages(each) for each in source.items("llm.output_messages")]
    return Told(
        messages=[message for each in source.items("llm.input_messages") for message in _to_messages(each)] or None,
        choices=[to_choice(messages[0], index) for index, messages in enumerate(filter(None, answers))] or None,
        tools=read_tools([each.value("tool.json_schema") for each in source.items("llm.tools")]),
        finish_reasons=texts_in(source.value("llm.finish_reason")) or None,
    )


def _read_found(source: Source) -> Told:
    """Return what was embedded, or what was looked for and found."""
    return Told(
        inputs=_read_embedded(source) or source.value("reranker.query"),
        outputs=_read_vectors(source) or _read_documents(source),
    )


def _to_messages(message: Source) -> list[dict[str, Any]]:
    """Return a message that was flattened."""
    if len(message.texts) == 2 and "message.content" in message.texts and (role := message.text("message.role")):
        return to_messages({"role": role, "content": message.value_as_is("message.content")})  # as most are
    contents = [_to_part(each) for each in message.items("message.contents")]
    calls = [_to_call(each) for each in message.items("message.tool_calls")]
    name = message.text("message.function_call_name")
    if name is not None:
        calls.append({"name": name, "arguments": message.value("message.function_call_arguments_json")})
    told: dict[str, Any] = {
        "role": message.text("message.role"),
        "content": contents or message.value_as_is("message.content"),
        "tool_calls": calls,
        "tool_call_id": message.text("message.tool_call_id"),
        "name": message.text("message.name"),
    }
    return to_messages({key: value for key, value in told.items() if value is not None})


def _to_part(content: Source) -> dict[str, Any]:
    told = {name: content.value_as_is(f"message_content.{name}") for name in ("type", "text", "id")}
    for medium in ("image", "audio", "video", "document"):
        url = content.text(f"message_content.{medium}.{medium}.url")
        if url is not None:
            told |= {"url": url, "mime_type": content.text(f"message_content.{medium}.{medium}.mime_type")}
    return {key: value for key, value in told.items() if value is not None}


def _to_call(call: Source) -> dict[str, Any]:
    return {
        "id": call.text("tool_call.id"),
        "name": call.text("tool_call.function.name"),
        "arguments": call.value("tool_call.function.arguments"),
    }


def _read_embedded(source: Source) -> list[str] | None:
    return [text for each in source.items("embedding.embeddings") if (text := each.text("embedding.text"))] or None


def _read_vectors(source: Source) -> dict[str, Any] | None:
    found = [each.value("embedding.vector") for each in source.items("embedding.embeddings")]
    data = [{"index": index, "embedding": vector} for index, vector in enumerate(found) if vector is not None]
    return {"data": data} if data else None


def _read_documents(source: Source) -> list[dict[str, Any]] | None:
    """Return what was found, as MLflow's page shows the documents of a retriever."""
    found = source.items("retrieval.documents") or source.items("reranker.output_documents")
    documents = []
    for each in found:
        score, told = each.number("document.score"), each.value("document.metadata")
        metadata = {**(told if isinstance(told, dict) else {}), **({} if score is None else {"score": score})}
        document = {"page_content": each.value_as_is("document.content"), "metadata": metadata}
        identity = each.value_as_is("document.id")
        documents.append(document if identity is None else {**document, "id": identity})
    return documents or None


def _read_metadata(source: Source) -> dict[str, str] | None:
    told = source.value("metadata")
    return said_by_users(told) if isinstance(told, dict) else None


def _model_in(parameters: Any) -> str | None:
    model = parameters.get("model") if isinstance(parameters, dict) else None
    return model if isinstance(model, str) else None


DIALECT: Final = Dialect(
    "OpenInference",
    frozenset(
        {
            KIND, "input.value", "output.value", "llm.model_name", "llm.system", "llm.provider",
            "llm.input_messages.0.message.role", "llm.output_messages.0.message.role", "llm.invocation_parameters",
            "llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total", "tag.tags",
            "embedding.model_name", "retrieval.documents.0.document.content", "llm.input_messages.0.message.content",
        }
    ),
    read,
)  # fmt: skip
