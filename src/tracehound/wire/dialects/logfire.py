"""Logfire and Pydantic AI: GenAI's names, and beside them requests, responses and events as JSON attributes.

Logfire's first form has the request and the response of a client library in `request_data` and `response_data`;
Pydantic AI's first versions list GenAI's events in `events`, and an agent's whole conversation in
`all_messages_events`, later in `pydantic_ai.all_messages`.
"""

from __future__ import annotations

from typing import Any, Final

from tracehound.model.span import SpanType
from tracehound.wire.dialects.genai import read_event_forms
from tracehound.wire.dialects.messages import read_messages, read_tools, text_choice
from tracehound.wire.dialects.payloads import read_request, read_response, read_usage
from tracehound.wire.dialects.source import Source, objects
from tracehound.wire.dialects.told import TOTAL_COST, Dialect, Names, Told, read_named, together

_CONVERSATION: Final = "pydantic_ai.all_messages"
_EVENTS: Final = "all_messages_events"
_OURS: Final = ("logfire.msg", "logfire.msg_template", "logfire.span_type", "gen_ai.system", "gen_ai.operation.name")

_NAMES: Final = Names(
    request_model=("model_name",),
    inputs=("tool_arguments",),
    outputs=("tool_response", "final_result"),
    cost={TOTAL_COST: ("operation.cost",)},
)


def read(source: Source) -> Told:
    """Return what a span says in this convention; nothing where the names are those of somebody else."""
    if not any(key in source.texts for key in _OURS):
        return Told()
    return together([read_named(source, _NAMES), _read_agent(source), *_read_call(source), _read_model(source)])


def _read_agent(source: Source) -> Told:
    """Return what a run of an agent, or of one of its tools, says."""
    if "tool_arguments" in source.texts or "tool_response" in source.texts:
        return Told(span_type=SpanType.TOOL)
    if _CONVERSATION not in source.texts and _EVENTS not in source.texts:
        return Told()
    told = read_messages(source.value(_CONVERSATION))
    if told is None:
        told = read_event_forms(objects(source.value(_EVENTS))).messages
    begun = source.count("pydantic_ai.new_message_index") or 0
    return Told(span_type=SpanType.AGENT, messages=_before_answer(told or [], begun) or None)


def _before_answer(messages: list[dict[str, Any]], begun: int) -> list[dict[str, Any]]:
    """Return the conversation up to the first answer of this run, which began behind so many messages."""
    roles = [message["role"] for message in messages]
    first = next((index for index in range(begun, len(roles)) if roles[index] == "assistant"), len(roles))
    return messages[:first]


def _read_call(source: Source) -> list[Told]:
    """Return what a call of a client library says: `response_data` has one answer, or the text of a stream."""
    request, response = source.value("request_data"), source.value("response_data")
    found = [read_request(request)]
    if isinstance(request, dict) and isinstance(request.get("model"), str):
        kind = SpanType.LLM if found[0].messages or "prompt" in request else None
        given = None if found[0].messages else request.get("input", request.get("prompt"))
        found.append(Told(span_type=kind, request_model=request["model"], inputs=given))
    if isinstance(response, dict):
        text = next((response[key] for key in ("combined_chunk_content", "text") if key in response), None)
        choices = text_choice(text, response.get("finish_reason")) if isinstance(text, str) else None
        found += [read_response(response), Told(choices=choices, usage=read_usage(response.get("usage")))]
    return found


def _read_model(source: Source) -> Told:
    """Return what a request of Pydantic AI to a model says."""
    parameters = source.value("model_request_parameters")
    offered = parameters.get("function_tools") if isinstance(parameters, dict) else None
    events = read_event_forms(objects(source.value("events")))
    return together([events, Told(tools=read_tools(offered))])


DIALECT: Final = Dialect(
    "Logfire",
    frozenset(
        {
            "request_data", "response_data", "tool_arguments", "tool_response", "final_result", "events", _EVENTS,
            _CONVERSATION, "model_request_parameters", "operation.cost",
        }
    ),
    read,
)  # fmt: skip
