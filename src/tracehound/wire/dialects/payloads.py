"""Requests and responses of the providers' own APIs, which some conventions keep whole, read as one conversation.

OpenAI's chat, Responses, completions and embeddings, Anthropic's messages, Gemini's content, and those that follow
them. What is in a request beside the conversation is a parameter of it, whatever its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tracehound.wire.dialects.messages import (
    read_choices,
    read_messages,
    read_tools,
    text_choice,
    to_choice,
    to_reason,
    with_system,
)
from tracehound.wire.dialects.source import objects, to_count, unwrap
from tracehound.wire.dialects.told import CACHE_CREATION, CACHE_READ, INPUT, OUTPUT, REASONING, TOTAL, Told

# Not parameters of a call: said elsewhere, or added by a client library to every request.
_NO_PARAMETERS: Final = frozenset(
    {
        "messages", "contents", "input", "prompt", "system", "instructions", "model", "tools", "functions",
        "system_instruction", "systemInstruction", "model_name", "_type", "encoding_format",
        "extra_headers", "stream", "stream_options",
    }
)  # fmt: skip
_USAGE: Final = {
    INPUT: (
        "input_tokens", "prompt_tokens", "input", "inputTokens", "promptTokens", "prompt_token_count",
        "promptTokenCount", "prompt_eval_count",
    ),
    OUTPUT: (
        "output_tokens", "completion_tokens", "output", "outputTokens", "completionTokens", "candidates_token_count",
        "candidatesTokenCount", "eval_count",
    ),
    TOTAL: ("total_tokens", "total", "totalTokens", "total_token_count", "totalTokenCount"),
    CACHE_READ: (
        "cache_read_input_tokens", "cached_tokens", "input_cached_tokens", "input_cache_read", "cachedInputTokens",
        "cached_content_token_count", "cachedContentTokenCount", "cache_read_tokens", "cacheReadTokens",
    ),
    CACHE_CREATION: (
        "cache_creation_input_tokens", "input_cache_creation", "cache_write_tokens", "cacheWriteTokens",
        "cache_creation_tokens",
    ),
    REASONING: (
        "reasoning_tokens", "output_reasoning_tokens", "output_reasoning", "reasoningTokens", "thoughts_token_count",
        "thoughtsTokenCount",
    ),
}  # fmt: skip
_WITHIN: Final = ("message", "content")  # where the one answer of a response is
_REASONS: Final = ("finish_reason", "finishReason", "stop_reason", "stopReason")
_OURS: Final = {theirs: ours for ours, names in _USAGE.items() for theirs in names}
_DETAILS: Final = (
    "prompt_tokens_details", "completion_tokens_details", "input_tokens_details", "output_tokens_details",
    "inputTokenDetails", "outputTokenDetails",
)  # fmt: skip


def read_request(value: Any) -> Told:
    """Return what a request of a provider's API says, or nothing where it is none."""
    if not isinstance(value, dict):
        return Told()
    if isinstance(value.get("config"), dict):  # where Gemini's clients keep what is not the conversation
        value = {**value["config"], **{key: item for key, item in value.items() if key != "config"}}
    messages = _messages_of(value)
    if messages is None:
        return Told()
    return Told(
        messages=messages,
        request_model=value["model"] if isinstance(value.get("model"), str) else None,
        tools=read_tools(value.get("tools") or value.get("functions")),
        parameters=read_parameters(value),
    )


def read_response(value: Any) -> Told:
    """Return what a response of a provider's API says, or nothing where it is none."""
    if not isinstance(value, dict):
        return Told()
    choices = _choices_of(value)
    usage = next((value[key] for key in ("usage", "usage_metadata", "usageMetadata") if key in value), None)
    model = next((value[key] for key in ("model", "model_version", "modelVersion") if key in value), None)
    if choices is None:
        return Told()
    return Told(choices=choices, response_model=model if isinstance(model, str) else None, usage=read_usage(usage))


def read_parameters(value: Any) -> dict[str, Any] | None:
    """Return the parameters of a request: all that is in it beside the conversation, and is not empty.

    >>> read_parameters({"model": "m", "temperature": 0, "stop": None, "logprobs": False})
    {'temperature': 0}
    """
    if not isinstance(value, dict):
        return None
    found = {key: item for key, item in value.items() if key not in _NO_PARAMETERS}
    return {
        key: item for key, item in found.items() if not (item is None or item is False or item == "Infinity")
    } or None


def read_usage(value: Any) -> dict[str, int] | None:
    """Return the tokens of a call, from the names of any provider.

    >>> read_usage({"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 2}})
    {'input_tokens': 5, 'cache_read_input_tokens': 2}
    """
    if not isinstance(value, dict):
        return None
    found: dict[str, int] = {}
    for key, item in value.items():
        for inner, count in item.items() if key in _DETAILS and isinstance(item, dict) else ((key, item),):
            name = _OURS.get(inner)
            if name is not None and name not in found and (told := to_count(count)) is not None:
                found[name] = told
    return found or None


def _messages_of(request: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the conversation of a request: behind what the model was told to be, where that stands apart."""
    key = next((key for key in ("messages", "contents", "input") if isinstance(request.get(key), (list, str))), None)
    if key is None:
        return None
    held = request[key]
    if isinstance(held, str):
        if key == "input" and "instructions" not in request:  # what is embedded looks just like it
            return None
        messages: list[dict[str, Any]] | None = [{"role": "user", "content": held}]
    else:
        is_batch_of_one = len(held) == 1 and isinstance(held[0], list)  # LangChain's models take several at once
        messages = read_messages(held[0] if is_batch_of_one else held)
    apart = ("system", "instructions", "system_instruction", "systemInstruction")
    told = next((request[each] for each in apart if request.get(each)), None)
    return None if messages is None else with_system(told, messages)


def _choices_of(response: Mapping[str, Any]) -> list[dict[str, Any]] | None:
    """Return the answers of a response: choices, candidates, the items of an output, or one message that it is."""
    for key in ("choices", "candidates"):
        held = response.get(key)
        if isinstance(held, list):
            return [_to_choice(each, index) for index, each in enumerate(objects(held))] or None
    if isinstance(response.get("output"), list):
        reason = response.get("finish_reason") or response.get("status")
        return _with_reason(read_choices(response["output"]), reason)
    output = response.get("output")
    holders = (response, output) if isinstance(output, dict) else (response,)  # Bedrock's is one deeper
    inner = next((held for each in holders for key in _WITHIN if isinstance(held := each.get(key), dict)), None)
    if inner is not None:
        return read_choices({**{key: response[key] for key in _REASONS if key in response}, **inner})
    return read_choices(response) if "role" in response else None


def _to_choice(choice: dict[str, Any], index: int) -> dict[str, Any]:
    if isinstance(choice.get("text"), str) and "message" not in choice:  # of the old completions
        return {**text_choice(choice["text"], choice.get("finish_reason"))[0], "index": index}
    held = choice.get("content")
    return to_choice({**choice, **held} if isinstance(held, dict) else choice, index)  # Gemini's candidates


def _with_reason(choices: list[dict[str, Any]] | None, reason: Any) -> list[dict[str, Any]] | None:
    if choices and choices[0]["finish_reason"] is None:
        choices[0]["finish_reason"] = to_reason(unwrap(reason))
    return choices
