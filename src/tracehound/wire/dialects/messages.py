"""Conversations, as the conventions and the providers write them -> messages and choices of OpenAI's chat API.

It is the one form in which a call of a model is kept, whoever told of it: `messages` of a request, `choices` of a
response. A text alone is the content of its message; several parts are a list of content parts. What the form has no
place for stays where it came from, among the attributes of the span.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from tracehound.wire.dialects.parts import Pieces, add_part, text_of_result, to_call
from tracehound.wire.dialects.source import objects, unwrap

_ROLES: Final = {"human": "user", "ai": "assistant", "model": "assistant", "function": "tool"}
_TYPES: Final = {"human": "user", "ai": "assistant", "system": "system", "tool": "tool"}  # of LangChain's messages
_KEPT: Final = ("name", "refusal", "reasoning_content", "audio")
_ITEMS: Final = ("function_call", "function_call_output", "reasoning")  # of OpenAI's Responses API, with no role

# Why a model stopped, in the words of OpenAI's chat API.
_REASONS: Final = {
    "tool_call": "tool_calls",
    "tool-calls": "tool_calls",
    "tool_use": "tool_calls",
    "toolUse": "tool_calls",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "STOP": "stop",
    "max_tokens": "length",
    "MAX_TOKENS": "length",
    "max_output_tokens": "length",
    "content-filter": "content_filter",
    "refusal": "content_filter",
    "SAFETY": "content_filter",
}


def read_messages(value: Any) -> list[dict[str, Any]] | None:
    """Return the messages that a list holds, or None for anything that is no conversation.

    >>> read_messages([{"role": "user", "parts": [{"type": "text", "content": "why?"}]}])
    [{'role': 'user', 'content': 'why?'}]
    """
    listed = value if isinstance(value, list) else [value]
    items = [unpacked(unwrap(each)) for each in listed]
    if not items or not all(isinstance(each, dict) and _is_message(each) for each in items):
        return None
    return [message for item in items for message in to_messages(item)]


def unpacked(value: Any) -> Any:
    """Return what is in a message that LangChain has packed, in one of two ways; anything else as it is."""
    if isinstance(value, dict):
        inner = value.get("kwargs") if value.get("lc") == 1 else value.get("data") if "type" in value else None
        if isinstance(inner, dict) and "content" in inner:
            return inner
    return value


def tool_result(value: Any) -> Any:
    """Return what a tool gave back, without the message that LangChain makes of it."""
    inner = unpacked(value)
    return inner["content"] if isinstance(inner, dict) and inner.get("type") == "tool" and "content" in inner else value


def to_messages(item: Mapping[str, Any], role: str | None = None) -> list[dict[str, Any]]:
    """Return a message in any of the forms as messages in ours: results of tools are messages of their own."""
    role = _role_of(item) or role or ("assistant" if item.get("type") in ("function_call", "reasoning") else "user")
    pieces = _pieces_of(item)
    if role == "tool" and not pieces.results:
        call_id = next((item[key] for key in ("tool_call_id", "toolCallId", "id") if item.get(key) is not None), None)
        content = item.get("content")
        told = {"role": "tool", "content": text_of_result("" if content is None else content)}
        return [told if call_id is None else {**told, "tool_call_id": call_id}]
    is_only_results = pieces.results and not pieces.content and not pieces.calls
    return [*pieces.results, *([] if is_only_results else [_to_message(role, pieces, item)])]


def system_message(instructions: Any) -> list[dict[str, Any]]:
    """Return what a model was told to be, as a message: a text, parts, or a message already; none for nothing."""
    value = unwrap(instructions)
    if not value:
        return []
    if isinstance(value, dict) and "role" in value:
        return to_messages(value, "system")
    parts = value["parts"] if isinstance(value, dict) and isinstance(value.get("parts"), list) else value
    return to_messages({"role": "system", "content": parts if isinstance(parts, (str, list)) else [parts]})


def with_system(instructions: Any, messages: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """Return a conversation behind what the model was told to be, unless it begins with that already."""
    first = system_message(instructions)
    if not first or (messages and messages[: len(first)] == first):
        return messages
    return [*first, *(messages or [])]


def read_choices(value: Any) -> list[dict[str, Any]] | None:
    """Return what a model answered, from output messages in any form, or None for what is none.

    >>> read_choices([{"role": "assistant", "parts": [{"type": "text", "content": "so"}], "finish_reason": "stop"}])
    [{'index': 0, 'finish_reason': 'stop', 'message': {'role': 'assistant', 'content': 'so'}}]
    """
    items = [unpacked(unwrap(each)) for each in (value if isinstance(value, list) else [value])]
    if not items or not all(isinstance(each, dict) and _is_message(each) for each in items):
        return None
    if any(each.get("type") in _ITEMS for each in items):
        return [_merged(items)]
    answers = [each for each in items if _role_of(each) != "tool"]
    return [to_choice(each, index) for index, each in enumerate(answers)] or None


def to_choice(item: Mapping[str, Any], index: int, reason: Any = None) -> dict[str, Any]:
    """Return one answer of a model as a choice; the message may lie inside of it."""
    inner = item.get("message")
    message = inner if isinstance(inner, dict) else item
    told = [item.get(key) for key in ("finish_reason", "finishReason", "stop_reason", "stopReason")]
    found = reason or next((each for each in told if each is not None), None)
    answers = to_messages({"role": "assistant", **message})
    place = item.get("index")
    return {
        "index": place if type(place) is int else index,
        "finish_reason": to_reason(found),
        "message": next((each for each in answers if each["role"] != "tool"), {"role": "assistant", "content": None}),
    }


def text_choice(text: str, reason: Any = None) -> list[dict[str, Any]]:
    """Return an answer of which only the text is known."""
    return [{"index": 0, "finish_reason": to_reason(reason), "message": {"role": "assistant", "content": text}}]


def to_reason(reason: Any) -> str | None:
    """Return why a model stopped, in the words of OpenAI's chat API; an unknown reason as it is.

    >>> to_reason("tool-calls"), to_reason("end_turn"), to_reason("strange"), to_reason(None)
    ('tool_calls', 'stop', 'strange', None)
    """
    return _REASONS.get(reason, reason) if isinstance(reason, str) and reason else None


def read_tools(value: Any) -> list[dict[str, Any]] | None:
    """Return the tools that a model was offered, in any form, as OpenAI's chat API has them.

    >>> read_tools([{"name": "add", "inputSchema": {"type": "object"}}])
    [{'type': 'function', 'function': {'name': 'add', 'parameters': {'type': 'object'}}}]
    """
    found = [_to_tool(each) for each in objects(value)]
    return [tool for tools in found for tool in tools] or None


def _to_tool(tool: dict[str, Any]) -> list[dict[str, Any]]:
    declared = tool.get("function_declarations") or tool.get("functionDeclarations")
    if isinstance(declared, list):
        return [each for inner in declared if isinstance(inner, dict) for each in _to_tool(inner)]
    if isinstance(tool.get("function"), dict):
        return [{"type": "function", **{key: item for key, item in tool.items() if key != "type"}}]
    if not isinstance(tool.get("name"), str):
        return [tool]
    function = {"name": tool["name"]}
    if tool.get("description"):
        function["description"] = tool["description"]
    schema = next((tool[key] for key in _SCHEMAS if tool.get(key) is not None), None)
    if schema is not None:
        function["parameters"] = unwrap(schema)
    return [{"type": "function", "function": function}]


_SCHEMAS: Final = ("parameters", "input_schema", "inputSchema", "parameters_json_schema", "schema")


def _is_message(item: Mapping[str, Any]) -> bool:
    return _role_of(item) is not None or item.get("type") in _ITEMS


def _role_of(item: Mapping[str, Any]) -> str | None:
    role = item.get("role")
    if not isinstance(role, str) or not role:
        kind = item.get("type")
        return _TYPES.get(kind) if isinstance(kind, str) and "content" in item else None
    return _ROLES.get(role, role)


def _pieces_of(item: Mapping[str, Any]) -> Pieces:
    pieces = Pieces()
    if item.get("type") in _ITEMS:
        _add_item(item, pieces)
        return pieces
    held = item.get("parts") if isinstance(item.get("parts"), list) else unwrap_parts(item.get("content"))
    for part in held if isinstance(held, list) else [held]:
        add_part(part, pieces)
    calls = unwrap(item.get("tool_calls") or item.get("toolCalls"))
    for call in calls if isinstance(calls, list) else [item.get("function_call")]:
        if (found := to_call(unwrap(call))) is not None:
            pieces.calls.append(found)
    return pieces


def _add_item(item: Mapping[str, Any], pieces: Pieces) -> None:
    """Add an item of OpenAI's Responses API; of its thoughts only a summary is told."""
    summary = item.get("summary")
    if item.get("type") == "reasoning" and isinstance(summary, list):
        for each in objects(summary):
            add_part({"type": "reasoning", "content": each.get("text")}, pieces)
    else:
        add_part(item, pieces)


def unwrap_parts(content: Any) -> Any:
    """Return content whose parts are in a text of JSON as parts; any other text is the content itself."""
    plain = unwrap(content)
    is_parts = isinstance(plain, list) and plain and all(isinstance(each, dict) and "type" in each for each in plain)
    return plain if is_parts or not isinstance(content, str) else content


def _to_message(role: str, pieces: Pieces, item: Mapping[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = {"role": role, "content": _content_of(pieces)}
    if pieces.thoughts:
        message["reasoning_content"] = "\n".join(pieces.thoughts)
    message |= {key: item[key] for key in _KEPT if item.get(key)}
    if pieces.calls:
        message["tool_calls"] = pieces.calls
    return message


def _content_of(pieces: Pieces) -> Any:
    """Return a text where there is nothing else; None beside calls where there is nothing at all."""
    content = pieces.content
    if len(content) == 1 and content[0].keys() == {"type", "text"}:
        text = content[0]["text"]
        return None if pieces.calls and text == "" else text
    return content or None


def _merged(items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the items of one response as the one message that they are."""
    whole = Pieces()
    reason = None
    for item in items:
        pieces = _pieces_of(item)
        whole.content += pieces.content
        whole.calls += pieces.calls
        whole.thoughts += pieces.thoughts
        reason = reason or item.get("finish_reason")
    reason = to_reason(reason) or ("tool_calls" if whole.calls else "stop")
    return {"index": 0, "finish_reason": reason, "message": _to_message("assistant", whole, {})}
