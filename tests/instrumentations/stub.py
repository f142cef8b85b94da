"""A server on loopback that speaks as the providers of models do, and always answers the same.

What it answers follows from the request: a model called `refused` is an error of the caller, `busy` one of the
server's, `cut` a stream that breaks off, `silent` one that stops in the midst and waits. With tools and no result of
one yet it asks for the first tool; asked for a JSON schema it answers in JSON; else it says "because".
"""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

WORDS: Final = ("be", "cause")
ARGUMENTS: Final = '{"city": "Rome"}'
STRUCTURED: Final = '{"city": "Rome", "sunny": true}'
# What frameworks tell the model to write, and what it writes.
ANSWERS: Final = {
    "[[ ## answer ## ]]": "[[ ## answer ## ]]\nbecause\n\n[[ ## completed ## ]]",
    "Final Answer": "Thought: I know it.\nFinal Answer: because",
}
SILENCE: Final[dict[str, Any]] = {}
CREATED: Final = 1735689600
USAGE: Final = {
    "prompt_tokens": 21,
    "completion_tokens": 5,
    "total_tokens": 26,
    "prompt_tokens_details": {"cached_tokens": 8},
    "completion_tokens_details": {"reasoning_tokens": 2},
}


class Seen:
    """The requests that came in, with their headers."""

    def __init__(self) -> None:
        self.headers: list[dict[str, str]] = []

    def traceparents(self) -> list[str | None]:
        """Return what each request said of a trace."""
        return [headers.get("traceparent") for headers in self.headers]


class _Server(uvicorn.Server):
    """A server that tells when it listens, so that nobody has to ask again and again."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.has_started = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        """Listen, and tell."""
        await super().startup(sockets=sockets)
        self.has_started.set()


@contextmanager
def serving(app: Any) -> Iterator[str]:
    """Serve an ASGI application from a thread; give its URL."""
    server = _Server(uvicorn.Config(app, port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    server.has_started.wait()
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def make_app(seen: Seen | None = None) -> Starlette:
    """Return the server, which notes the headers of requests."""
    known = Seen() if seen is None else seen

    def noted(answer: Callable[[Request, dict[str, Any]], Response]) -> Callable[[Request], Any]:
        async def endpoint(request: Request) -> Response:
            known.headers.append(dict(request.headers))
            asked = json.loads(await request.body() or b"{}")
            model = asked.get("model") or request.path_params.get("model")
            if model in REFUSALS:
                status, message = REFUSALS[model]
                return JSONResponse({"error": {"message": message, "type": "error", "code": model}}, status)
            return answer(request, asked)

        return endpoint

    posts = {
        "/v1/chat/completions": chat,
        "/openai/v1/chat/completions": chat,
        "/serving-endpoints/chat/completions": chat,
        "/v1/embeddings": embeddings,
        "/v1/responses": responses,
        "/v1/messages": messages,
        "/v1beta/models/{model}:generateContent": generate_content,
        "/model/{model}/converse": converse,
        "/api/chat": ollama_chat,
        "/v2/chat": cohere_chat,
    }
    return Starlette(routes=[Route(path, noted(answer), methods=["POST"]) for path, answer in posts.items()])


REFUSALS: Final = {"refused": (400, "there is no such model"), "busy": (429, "too many requests")}


# OpenAI's chat, which most providers speak


def chat(_: Request, asked: dict[str, Any]) -> Response:
    """Answer a chat."""
    if asked.get("stream"):
        return events(chat_chunks(asked))
    wants_tool = asked.get("tools") and not any(message["role"] == "tool" for message in asked["messages"])
    message: dict[str, Any] = {"role": "assistant", "content": None if wants_tool else said(asked)}
    if wants_tool:
        message["tool_calls"] = [tool_call(asked)]
    return JSONResponse(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": CREATED,
            "model": f"{asked['model']}-2025",
            "choices": [{"index": 0, "finish_reason": "tool_calls" if wants_tool else "stop", "message": message}],
            "usage": USAGE,
        }
    )


def chat_chunks(asked: dict[str, Any]) -> Iterator[dict[str, Any] | None]:
    """Yield the chunks of an answer, the usage last if it was asked for; None breaks the stream off."""
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": f"{asked['model']}-2025",
    }
    if asked.get("tools"):
        call = tool_call(asked)
        first = {**call, "index": 0, "function": {**call["function"], "arguments": ""}}
        deltas: list[dict[str, Any]] = [{"role": "assistant", "content": None, "tool_calls": [first]}]
        halves = (ARGUMENTS[:7], ARGUMENTS[7:])
        deltas += [{"tool_calls": [{"index": 0, "function": {"arguments": half}}]} for half in halves]
        reason = "tool_calls"
    else:
        deltas = [{"role": "assistant", "content": ""}, *({"content": word} for word in WORDS)]
        reason = "stop"
    for number, delta in enumerate(deltas):
        if asked["model"] == "cut" and number == 2:
            yield None
            return
        if asked["model"] == "silent" and number == 2:
            yield SILENCE
            return
        yield {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]}
    yield {**head, "choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}
    if (asked.get("stream_options") or {}).get("include_usage"):
        yield {**head, "choices": [], "usage": USAGE}


def tool_call(asked: dict[str, Any]) -> dict[str, Any]:
    """Return a call of the first tool of a request."""
    name = asked["tools"][0]["function"]["name"]
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": ARGUMENTS}}


def said(asked: dict[str, Any]) -> str:
    """Return what the model says."""
    for wanted, answer in ANSWERS.items():
        if wanted in str(asked["messages"]):
            return answer
    kind = (asked.get("response_format") or {}).get("type")
    return STRUCTURED if kind in ("json_schema", "json_object") else "".join(WORDS)


def events(chunks: Iterator[dict[str, Any] | None], end: str = "data: [DONE]\n\n") -> StreamingResponse:
    """Return chunks as server-sent events; None is an error in the midst of them."""

    async def lines() -> AsyncIterator[str]:
        for chunk in chunks:
            if chunk is SILENCE:
                await anyio.sleep_forever()  # until the client goes away
            if chunk is None:
                yield 'data: {"error": {"message": "the model broke off", "type": "server_error"}}\n\n'
                return
            kind = chunk.get("type")
            yield f"event: {kind}\n" * (kind is not None) + f"data: {json.dumps(chunk)}\n\n"
        yield end

    return StreamingResponse(lines(), media_type="text/event-stream")


def embeddings(_: Request, asked: dict[str, Any]) -> Response:
    """Answer with a vector for each text."""
    texts = asked["input"] if isinstance(asked["input"], list) else [asked["input"]]
    is_packed = asked.get("encoding_format") == "base64"
    vector: object = "AACAPwAAAEA=" if is_packed else [1.0, 2.0]  # two little-endian floats
    return JSONResponse(
        {
            "object": "list",
            "data": [{"object": "embedding", "index": index, "embedding": vector} for index in range(len(texts))],
            "model": asked["model"],
            "usage": {"prompt_tokens": 4, "total_tokens": 4},
        }
    )


# OpenAI's responses


def responses(_: Request, asked: dict[str, Any]) -> Response:
    """Answer a request of the responses API."""
    text = {"type": "output_text", "text": "".join(WORDS), "annotations": []}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [text]}
    whole = {
        "id": "resp_1",
        "object": "response",
        "created_at": CREATED,
        "model": f"{asked['model']}-2025",
        "status": "completed",
        "output": [message],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": 21,
            "input_tokens_details": {"cached_tokens": 8},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 26,
        },
    }
    if not asked.get("stream"):
        return JSONResponse(whole)
    empty = {**whole, "status": "in_progress", "output": [], "usage": None}
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    told: list[dict[str, Any]] = [
        {"type": "response.created", "response": empty},
        {"type": "response.output_item.added", "output_index": 0, "item": {**message, "content": []}},
        {"type": "response.content_part.added", **place, "part": {**text, "text": ""}},
        *({"type": "response.output_text.delta", **place, "delta": word, "logprobs": []} for word in WORDS),
        {"type": "response.output_text.done", **place, "text": "".join(WORDS), "logprobs": []},
        {"type": "response.content_part.done", **place, "part": text},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": whole},
    ]
    return events(({**event, "sequence_number": number} for number, event in enumerate(told)), end="")


# Anthropic


def messages(_: Request, asked: dict[str, Any]) -> Response:
    """Answer a request of the messages API."""
    results = [part for message in asked["messages"] for part in parts_of(message) if part["type"] == "tool_result"]
    wants_tool = asked.get("tools") and not results
    content: list[dict[str, Any]] = [{"type": "text", "text": "".join(WORDS)}]
    if wants_tool:
        name = asked["tools"][0]["name"]
        content = [{"type": "tool_use", "id": "toolu_1", "name": name, "input": json.loads(ARGUMENTS)}]
    usage = {
        "input_tokens": 13,
        "cache_read_input_tokens": 8,
        "cache_creation_input_tokens": 0,
        "output_tokens": 5,
    }
    whole = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": f"{asked['model']}-2025",
        "content": content,
        "stop_reason": "tool_use" if wants_tool else "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }
    if not asked.get("stream"):
        return JSONResponse(whole)
    begun = {**whole, "content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}} for word in WORDS),
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 5},
        },
        {"type": "message_stop"},
    ]
    return events(iter(told), end="")


def parts_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the parts of a message, whose content may be a text."""
    content = message["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


# others


def generate_content(request: Request, _: dict[str, Any]) -> Response:
    """Answer a request of Google's."""
    content = {"role": "model", "parts": [{"text": "".join(WORDS)}]}
    return JSONResponse(
        {
            "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {
                "promptTokenCount": 21,
                "cachedContentTokenCount": 8,
                "candidatesTokenCount": 3,
                "thoughtsTokenCount": 2,
                "totalTokenCount": 26,
            },
            "modelVersion": f"{request.path_params['model']}-2025",
            "responseId": "resp-1",
        }
    )


def ollama_chat(_: Request, asked: dict[str, Any]) -> Response:
    """Answer a request of Ollama's."""
    return JSONResponse(
        {
            "model": asked["model"],
            "created_at": "2025-01-01T00:00:00Z",
            "message": {"role": "assistant", "content": "".join(WORDS)},
            "done": True,
            "done_reason": "stop",
            "total_duration": 5_000_000,
            "prompt_eval_count": 21,
            "eval_count": 5,
        }
    )


def cohere_chat(_: Request, asked: dict[str, Any]) -> Response:
    """Answer a request of Cohere's."""
    return JSONResponse(
        {
            "id": "c-1",
            "finish_reason": "COMPLETE",
            "message": {"role": "assistant", "content": [{"type": "text", "text": "".join(WORDS)}]},
            "usage": {
                "billed_units": {"input_tokens": 21, "output_tokens": 5},
                "tokens": {"input_tokens": 21, "output_tokens": 5},
            },
        }
    )


def converse(_: Request, asked: dict[str, Any]) -> Response:
    """Answer a request of Amazon's."""
    message = {"role": "assistant", "content": [{"text": "".join(WORDS)}]}
    return JSONResponse(
        {
            "output": {"message": message},
            "stopReason": "end_turn",
            "usage": {"inputTokens": 21, "outputTokens": 5, "totalTokens": 26},
            "metrics": {"latencyMs": 5},
        }
    )
