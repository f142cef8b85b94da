"""The same calls, told in seven conventions: what each of their instrumentors would write of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.wire.dialect_spans import Event, foreign_span
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.model.values import encode_value

MODEL = "gpt-4o-mini"
SESSION, USER = "s-1", "u-1"
PNG = "data:image/png;base64,iVBORw0KGgo="
WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": WEATHER}}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}

Message = dict[str, Any]
Attributes = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A call of a model, in our own form; `usage` is input, output, cached and reasoning tokens."""

    name: str
    messages: list[Message]
    answer: Message | None
    reason: str = "stop"
    parameters: dict[str, Any] = field(default_factory=dict)
    tools: list[Message] = field(default_factory=list)
    usage: tuple[int, int, int, int] = (21, 9, 6, 4)
    first_token_ms: int | None = None


def said(role: str, content: Any, **more: Any) -> Message:
    return {"role": role, "content": content, **more}


ASKED = said("user", "Weather in Paris?")
CALLS = [
    Call("chat", [said("system", "Be brief."), said("user", "Capital of France?")], said("assistant", "Paris"),
         parameters={"max_tokens": 64, "temperature": 0.2}),
    Call("tool call", [ASKED], said("assistant", None, tool_calls=[CALL]), "tool_calls", tools=[TOOL]),
    Call("tool result",
         [ASKED, said("assistant", None, tool_calls=[CALL]), said("tool", "sunny", tool_call_id="call_1")],
         said("assistant", "It is sunny."), tools=[TOOL]),
    Call("stream", [said("user", "Capital of France?")], said("assistant", "Paris"), usage=(20, 8, 0, 0),
         first_token_ms=250),
    Call("image",
         [said("user", [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": PNG}}])],
         said("assistant", "A dot."), "length"),
    Call("error", [said("user", "Fail!")], None, usage=(0, 0, 0, 0)),
]  # fmt: skip
FAILURE = Event("exception", {"exception.type": "ValueError", "exception.message": "no such thing"})


@dataclass(frozen=True)
class Speaker:
    """A convention: how it tells of a call of a model, an embedding, a tool, an agent."""

    chat: Callable[[Call], tuple[Attributes, list[Event]]]
    embedding: Attributes
    tool: Attributes
    agent: Attributes


def spans_of(name: str) -> dict[str, list[Span]]:
    """Return for each call the spans of a trace that tell of it in a convention; the parent comes first."""
    speak = SPEAKERS[name]
    told: dict[str, list[Span]] = {}
    for number, call in enumerate(CALLS):
        told[call.name] = [_chat_span(speak, call, number=1, trace=number + 1)]
    told["embedding"] = [foreign_span(speak.embedding, trace=101, name="embedding")]
    told["agent"] = [
        foreign_span(speak.agent, trace=102, name="agent"),
        _chat_span(speak, CALLS[1], number=2, trace=102, parent=1),
        foreign_span(speak.tool, number=3, trace=102, parent=1, name="get_weather"),
        _chat_span(speak, CALLS[2], number=4, trace=102, parent=1),
    ]
    return {key: [_settled(span) for span in spans] for key, spans in told.items()}


def _chat_span(speak: Speaker, call: Call, **place: Any) -> Span:
    attributes, events = speak.chat(call)
    failed = call.answer is None
    return foreign_span(attributes, events=[*events, *([FAILURE] if failed else [])], name=call.name, failed=failed,
                        **place)  # fmt: skip


def _settled(span: Span) -> Span:
    """Return the span with what MLflow's own attributes mean where they stand in the fields of a span."""
    own = dict(span.attributes_json)
    fields = {name: own.pop(key) for name, key in _FIELDS.items() if key in own}
    kind = fields.pop("span_type", None)
    known = span if kind is None else replace(span, span_type=json.loads(kind))
    return replace(known, attributes_json=own, **fields)


_FIELDS = {"span_type": "mlflow.spanType", "inputs_json": "mlflow.spanInputs", "outputs_json": "mlflow.spanOutputs"}


def _present(attributes: Attributes) -> Attributes:
    return {key: value for key, value in attributes.items() if value is not None and value != []}


# MLflow's own


def _mlflow(call: Call) -> tuple[Attributes, list[Event]]:
    given, made, cached, thought = call.usage
    rare = {"cache_read_input_tokens": cached, "reasoning_tokens": thought}
    usage = {"input_tokens": given, "output_tokens": made, "total_tokens": given + made,
             **{key: count for key, count in rare.items() if count}}  # fmt: skip
    choice = {"index": 0, "finish_reason": call.reason, "message": call.answer}
    return _present(
        {
            "mlflow.spanType": "CHAT_MODEL",
            "mlflow.spanInputs": {"messages": call.messages, "model": MODEL, **call.parameters},
            "mlflow.spanOutputs": None if call.answer is None else {"choices": [choice]},
            "mlflow.chat.tokenUsage": usage if given else None,
            "mlflow.llm.model": MODEL,
            "mlflow.chat.tools": call.tools,
            "gen_ai.response.finish_reasons": [call.reason] if call.answer else None,
            "gen_ai.response.time_to_first_chunk": None if call.first_token_ms is None else call.first_token_ms / 1000,
            **{f"gen_ai.request.{key}": value for key, value in call.parameters.items()},
            "session.id": SESSION,
            "user.id": USER,
        }
    ), []


# OpenTelemetry GenAI


def _parts(message: Message) -> Message:
    if message["role"] == "tool":
        parts: list[Any] = [
            {"type": "tool_call_response", "id": message["tool_call_id"], "response": message["content"]}
        ]
    elif isinstance(message["content"], list):
        picture = {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "iVBORw0KGgo="}
        parts = [{"type": "text", "content": "What is it?"}, picture]
    else:
        parts = [] if message["content"] is None else [{"type": "text", "content": message["content"]}]
    calls = [
        {"type": "tool_call", "id": each["id"], "name": each["function"]["name"], "arguments": {"city": "Paris"}}
        for each in message.get("tool_calls", [])
    ]
    return {"role": message["role"], "parts": [*parts, *calls]}


def _genai_usage(call: Call) -> Attributes:
    given, made, cached, thought = call.usage
    return {
        "gen_ai.usage.input_tokens": given or None,
        "gen_ai.usage.output_tokens": made or None,
        "gen_ai.usage.cache_read.input_tokens": cached or None,
        "gen_ai.usage.reasoning.output_tokens": thought or None,
    }


def _genai(call: Call) -> tuple[Attributes, list[Event]]:
    answer = None if call.answer is None else [{**_parts(call.answer), "finish_reason": call.reason}]
    first_s = None if call.first_token_ms is None else call.first_token_ms / 1000
    return _present(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "openai",
            "gen_ai.request.model": MODEL,
            **{f"gen_ai.request.{key}": value for key, value in call.parameters.items()},
            "gen_ai.input.messages": json.dumps([_parts(each) for each in call.messages]),
            "gen_ai.output.messages": None if answer is None else json.dumps(answer),
            "gen_ai.response.model": None if answer is None else MODEL,
            "gen_ai.response.finish_reasons": None if answer is None else [call.reason],
            "gen_ai.response.time_to_first_chunk": first_s,
            "gen_ai.tool.definitions": json.dumps([_flat_tool(each) for each in call.tools]) if call.tools else None,
            "gen_ai.conversation.id": SESSION,
            "user.id": USER,
            **_genai_usage(call),
        }
    ), []


def _flat_tool(tool: Message) -> Message:
    return {"type": "function", **tool["function"]}


def genai_events(call: Call) -> tuple[Attributes, list[Event]]:
    """Tell of a call as the conventions up to 1.36 did: the conversation in events, and old names of usage."""
    attributes, _ = _genai(call)
    old = {"gen_ai.system": "openai", "gen_ai.usage.prompt_tokens": call.usage[0] or None,
           "gen_ai.usage.completion_tokens": call.usage[1] or None}  # fmt: skip
    gone = ("gen_ai.provider.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.usage.input_tokens",
            "gen_ai.usage.output_tokens")  # fmt: skip
    events = [
        Event(f"gen_ai.{each['role']}.message",
              {key if key != "tool_call_id" else "id": encode_value(value) if isinstance(value, list) else value
               for key, value in each.items() if value is not None})
        for each in call.messages
    ]  # fmt: skip
    if call.answer is not None:
        told = {"index": 0, "finish_reason": call.reason, "message": json.dumps(call.answer)}
        events.append(Event("gen_ai.choice", told))
    return _present({**{key: value for key, value in attributes.items() if key not in gone}, **old}), events


# OpenInference


def _flattened(prefix: str, message: Message) -> Attributes:
    told: Attributes = {f"{prefix}.message.role": message["role"]}
    if isinstance(message["content"], list):
        part = f"{prefix}.message.contents"
        told |= {
            f"{part}.0.message_content.type": "text",
            f"{part}.0.message_content.text": "What is it?",
            f"{part}.1.message_content.type": "image",
            f"{part}.1.message_content.image.image.url": PNG,
        }
    else:
        told[f"{prefix}.message.content"] = message["content"]
    told[f"{prefix}.message.tool_call_id"] = message.get("tool_call_id")
    for index, call in enumerate(message.get("tool_calls", [])):
        place = f"{prefix}.message.tool_calls.{index}.tool_call"
        told[f"{place}.id"] = call["id"]
        told[f"{place}.function.name"] = call["function"]["name"]
        told[f"{place}.function.arguments"] = '{"city": "Paris"}'
    return told


def _openinference(call: Call) -> tuple[Attributes, list[Event]]:
    given, made, cached, thought = call.usage
    raw = {"choices": [{"index": 0, "finish_reason": call.reason, "message": call.answer}], "model": MODEL}
    told: Attributes = {
        "openinference.span.kind": "LLM",
        "llm.system": "openai",
        "llm.model_name": MODEL,
        "llm.invocation_parameters": json.dumps({"model": MODEL, **call.parameters}),
        "input.value": json.dumps({"messages": call.messages, "model": MODEL, **call.parameters}),
        "input.mime_type": "application/json",
        "output.value": None if call.answer is None else json.dumps(raw),
        "llm.token_count.prompt": given or None,
        "llm.token_count.completion": made or None,
        "llm.token_count.total": given + made or None,
        "llm.token_count.prompt_details.cache_read": cached or None,
        "llm.token_count.completion_details.reasoning": thought or None,
        "session.id": SESSION,
        "user.id": USER,
    }
    for index, message in enumerate(call.messages):
        told |= _flattened(f"llm.input_messages.{index}", message)
    if call.answer is not None:
        told |= _flattened("llm.output_messages.0", call.answer)
    for index, tool in enumerate(call.tools):
        told[f"llm.tools.{index}.tool.json_schema"] = json.dumps(tool)
    first = [] if call.first_token_ms is None else [Event("First Token Stream Event", {}, call.first_token_ms)]
    return _present(told), first


# OpenLLMetry


def _numbered(prefix: str, message: Message) -> Attributes:
    content = message["content"]
    told: Attributes = {
        f"{prefix}.role": message["role"],
        f"{prefix}.content": json.dumps(content) if isinstance(content, list) else content,
        f"{prefix}.tool_call_id": message.get("tool_call_id"),
    }
    for index, call in enumerate(message.get("tool_calls", [])):
        told[f"{prefix}.tool_calls.{index}.id"] = call["id"]
        told[f"{prefix}.tool_calls.{index}.name"] = call["function"]["name"]
        told[f"{prefix}.tool_calls.{index}.arguments"] = '{"city": "Paris"}'
    return told


def _traceloop(call: Call) -> tuple[Attributes, list[Event]]:
    given, made, cached, thought = call.usage
    told: Attributes = {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": MODEL,
        **{f"gen_ai.request.{key}": value for key, value in call.parameters.items()},
        "gen_ai.usage.prompt_tokens": given or None,
        "gen_ai.usage.completion_tokens": made or None,
        "llm.usage.total_tokens": given + made or None,
        "gen_ai.usage.cache_read_input_tokens": cached,
        "gen_ai.usage.reasoning_tokens": thought or None,
        "llm.is_streaming": call.first_token_ms is not None,
        "traceloop.association.properties.session_id": SESSION,
        "traceloop.association.properties.user_id": USER,
    }
    for index, message in enumerate(call.messages):
        told |= _numbered(f"gen_ai.prompt.{index}", message)
    if call.answer is not None:
        told |= {**_numbered("gen_ai.completion.0", call.answer), "gen_ai.completion.0.finish_reason": call.reason,
                 "gen_ai.response.model": MODEL}  # fmt: skip
    for index, tool in enumerate(call.tools):
        for key, value in tool["function"].items():
            told[f"llm.request.functions.{index}.{key}"] = json.dumps(value) if isinstance(value, dict) else value
    first = [] if call.first_token_ms is None else [Event("llm.content.completion.chunk", {}, call.first_token_ms)]
    return _present(told), first


# Langfuse


def _langfuse(call: Call) -> tuple[Attributes, list[Event]]:
    given, made, cached, thought = call.usage
    usage = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made,
             "prompt_tokens_details": {"cached_tokens": cached},
             "completion_tokens_details": {"reasoning_tokens": thought}}  # fmt: skip
    asked = {"tools": call.tools, "messages": call.messages} if call.tools else call.messages
    first = None if call.first_token_ms is None else f'"2025-01-01T00:00:00.{1 + call.first_token_ms:03d}000Z"'
    return _present(
        {
            "langfuse.observation.type": "generation",
            "langfuse.observation.model.name": MODEL,
            "langfuse.observation.input": json.dumps(asked),
            "langfuse.observation.output": None if call.answer is None else json.dumps(call.answer),
            "langfuse.observation.model.parameters": json.dumps({**call.parameters, "top_p": None}),
            "langfuse.observation.usage_details": json.dumps(usage) if given else None,
            "langfuse.observation.metadata.finish_reason": None if call.answer is None else f'"{call.reason}"',
            "langfuse.observation.completion_start_time": first,
            "session.id": SESSION,
            "user.id": USER,
        }
    ), []


# Logfire


def _logfire(call: Call) -> tuple[Attributes, list[Event]]:
    given, made, cached, thought = call.usage
    usage = {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made,
             "prompt_tokens_details": {"cached_tokens": cached},
             "completion_tokens_details": {"reasoning_tokens": thought}}  # fmt: skip
    asked = {"messages": call.messages, "model": MODEL, **call.parameters, "tools": call.tools or None}
    first_s = None if call.first_token_ms is None else call.first_token_ms / 1000
    return _present(
        {
            "logfire.msg": f"Chat Completion with '{MODEL}'",
            "logfire.span_type": "span",
            "request_data": json.dumps(asked),
            "response_data": None if call.answer is None else json.dumps({"message": call.answer, "usage": usage}),
            "gen_ai.system": "openai",
            "gen_ai.request.model": MODEL,
            "gen_ai.response.model": MODEL,
            "gen_ai.usage.input_tokens": given or None,
            "gen_ai.usage.output_tokens": made or None,
            "gen_ai.response.finish_reasons": None if call.answer is None else json.dumps([call.reason]),
            "gen_ai.response.time_to_first_chunk": first_s,
            "gen_ai.conversation.id": SESSION,
            "user.id": USER,
        }
    ), []


# Vercel AI SDK


def _vercel_message(message: Message) -> Message:
    content = message["content"]
    if message["role"] == "system":
        return message
    if message["role"] == "tool":
        output = {"type": "text", "value": content}
        told = {"type": "tool-result", "toolCallId": "call_1", "toolName": "get_weather", "output": output}
        return {"role": "tool", "content": [told]}
    parts: list[Message] = [{"type": "text", "text": content}] if isinstance(content, str) else []
    if isinstance(content, list):
        parts = [content[0], {"type": "file", "mediaType": "image/png", "data": "iVBORw0KGgo="}]
    called = {"type": "tool-call", "toolCallId": "call_1", "toolName": "get_weather", "input": {"city": "Paris"}}
    return {"role": message["role"], "content": [*parts, *([called] if message.get("tool_calls") else [])]}


def _vercel(call: Call) -> tuple[Attributes, list[Event]]:
    given, made, cached, thought = call.usage
    names = {"max_tokens": "maxOutputTokens"}
    called = [{"toolCallId": "call_1", "toolName": "get_weather", "input": {"city": "Paris"}}]
    answer = call.answer or {}
    tools = [json.dumps({**_flat_tool(each), "parameters": None, "inputSchema": WEATHER}) for each in call.tools]
    return _present(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "operation.name": "ai.generateText.doGenerate",
            "ai.model.id": MODEL,
            "ai.model.provider": "openai.chat",
            **{f"ai.settings.{names.get(key, key)}": value for key, value in call.parameters.items()},
            "ai.prompt.messages": json.dumps([_vercel_message(each) for each in call.messages]),
            "ai.prompt.tools": tools,
            "ai.response.text": answer.get("content"),
            "ai.response.toolCalls": json.dumps(called) if answer.get("tool_calls") else None,
            "ai.response.finishReason": call.reason.replace("_", "-") if answer else None,
            "ai.response.model": MODEL if answer else None,
            "ai.response.msToFirstChunk": call.first_token_ms,
            "ai.usage.inputTokens": given or None,
            "ai.usage.outputTokens": made or None,
            "ai.usage.cachedInputTokens": cached or None,
            "ai.usage.reasoningTokens": thought or None,
            "gen_ai.system": "openai.chat",
            "gen_ai.request.model": MODEL,
            "ai.telemetry.metadata.sessionId": SESSION,
            "ai.telemetry.metadata.userId": USER,
        }
    ), []


EMBEDDER = "text-embedding-3-small"
_VECTORS = {"data": [{"index": 0, "embedding": [0.5, 0.25]}]}
_ARGUMENTS = {"city": "Paris"}
_QUESTION, _ANSWER = "Weather in Paris?", "It is sunny."


def _one_message(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


SPEAKERS: dict[str, Speaker] = {
    "mlflow": Speaker(
        _mlflow,
        embedding={
            "mlflow.spanType": "EMBEDDING",
            "mlflow.spanInputs": {"input": "hello", "model": EMBEDDER},
            "mlflow.llm.model": EMBEDDER,
            "mlflow.chat.tokenUsage": {"input_tokens": 5, "output_tokens": 0, "total_tokens": 5},
        },
        tool={"mlflow.spanType": "TOOL", "mlflow.spanInputs": _ARGUMENTS, "mlflow.spanOutputs": "sunny"},
        agent={"mlflow.spanType": "AGENT", "mlflow.spanInputs": _QUESTION, "mlflow.spanOutputs": _ANSWER},
    ),
    "genai": Speaker(
        _genai,
        embedding={
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": EMBEDDER,
            "gen_ai.input.messages": _one_message("user", "hello"),
            "gen_ai.usage.input_tokens": 5,
        },
        tool={
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "get_weather",
            "gen_ai.tool.call.arguments": '{"city": "Paris"}',
            "gen_ai.tool.call.result": "sunny",
        },
        agent={
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "weather",
            "gen_ai.input.messages": _one_message("user", _QUESTION),
            "gen_ai.output.messages": _one_message("assistant", _ANSWER),
        },
    ),
    "openinference": Speaker(
        _openinference,
        embedding={
            "openinference.span.kind": "EMBEDDING",
            "embedding.model_name": EMBEDDER,
            "embedding.embeddings.0.embedding.text": "hello",
            "llm.token_count.prompt": 5,
            "llm.token_count.total": 5,
        },
        tool={
            "openinference.span.kind": "TOOL",
            "tool.name": "get_weather",
            "input.value": '{"city": "Paris"}',
            "input.mime_type": "application/json",
            "output.value": "sunny",
        },
        agent={"openinference.span.kind": "AGENT", "input.value": _QUESTION, "output.value": _ANSWER},
    ),
    "openllmetry": Speaker(
        _traceloop,
        embedding={
            "llm.request.type": "embedding",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": EMBEDDER,
            "gen_ai.prompt.0.content": "hello",
            "gen_ai.usage.prompt_tokens": 5,
        },
        tool={
            "traceloop.span.kind": "tool",
            "traceloop.entity.name": "get_weather",
            "traceloop.entity.input": '{"args": [], "kwargs": {"city": "Paris"}}',
            "traceloop.entity.output": '"sunny"',
        },
        agent={
            "traceloop.span.kind": "agent",
            "traceloop.entity.name": "weather",
            "traceloop.entity.input": json.dumps(_QUESTION),
            "traceloop.entity.output": json.dumps(_ANSWER),
        },
    ),
    "langfuse": Speaker(
        _langfuse,
        embedding={
            "langfuse.observation.type": "embedding",
            "langfuse.observation.model.name": EMBEDDER,
            "langfuse.observation.input": "hello",
            "langfuse.observation.usage_details": '{"input": 5}',
        },
        tool={
            "langfuse.observation.type": "tool",
            "langfuse.observation.input": '{"city": "Paris"}',
            "langfuse.observation.output": "sunny",
        },
        agent={
            "langfuse.observation.type": "agent",
            "langfuse.observation.input": _QUESTION,
            "langfuse.observation.output": _ANSWER,
        },
    ),
    "logfire": Speaker(
        _logfire,
        embedding={
            "logfire.msg": "Embedding Creation",
            "request_data": json.dumps({"input": "hello", "model": EMBEDDER, "encoding_format": "base64"}),
            "response_data": '{"usage": {"prompt_tokens": 5, "total_tokens": 5}}',
            "gen_ai.operation.name": "embeddings",
            "gen_ai.request.model": EMBEDDER,
        },
        tool={
            "logfire.msg": "running tool: get_weather",
            "gen_ai.tool.name": "get_weather",
            "tool_arguments": '{"city":"Paris"}',
            "tool_response": "sunny",
        },
        agent={
            "logfire.msg": "weather run",
            "agent_name": "weather",
            "all_messages_events": json.dumps(
                [
                    {"event.name": "gen_ai.user.message", "role": "user", "content": _QUESTION},
                    {"event.name": "gen_ai.assistant.message", "role": "assistant", "content": _ANSWER},
                ]
            ),
            "final_result": _ANSWER,
        },
    ),
    "vercel": Speaker(
        _vercel,
        embedding={
            "ai.operationId": "ai.embed.doEmbed",
            "ai.model.id": EMBEDDER,
            "ai.values": ['"hello"'],
            "ai.usage.tokens": 5,
        },
        tool={
            "ai.operationId": "ai.toolCall",
            "ai.toolCall.name": "get_weather",
            "ai.toolCall.args": '{"city":"Paris"}',
            "ai.toolCall.result": '"sunny"',
        },
        agent={
            "ai.operationId": "ai.generateText",
            "ai.prompt": json.dumps({"prompt": _QUESTION}),
            "ai.response.text": _ANSWER,
        },
    ),
}
