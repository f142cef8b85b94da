"""OpenAI's client, as `tracehound.openai.autolog()` traces it, against a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import openai
import pydantic
import pytest

import tracehound
from tests.instrumentations.stub import Seen
from tracehound.testing import RecordedTraces, recorded_traces

Check: TypeAlias = Callable[[RecordedTraces], None]

MESSAGES: Final[list[Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Why is the sky blue?"},
]
TOOLS: Final[list[Any]] = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "The weather of a city.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]
PICTURE: Final = "data:image/png;base64,iVBORw0KGgo="


class Weather(pydantic.BaseModel):
    city: str
    sunny: bool


@pytest.fixture
def client(server: str) -> Iterator[openai.OpenAI]:
    tracehound.openai.autolog()
    with openai.OpenAI(api_key="none", base_url=f"{server}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def async_client(server: str) -> openai.AsyncOpenAI:
    tracehound.openai.autolog()
    return openai.AsyncOpenAI(api_key="none", base_url=f"{server}/v1", max_retries=0)


@tracehound.trace
def answer(client: openai.OpenAI) -> str | None:
    done = client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, temperature=0.2, max_tokens=64)
    text: str | None = done.choices[0].message.content
    return text


def test_chat(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, temperature=0.2, max_tokens=64)
    check(recorded)


def test_chat_from_a_coroutine(async_client: openai.AsyncOpenAI, check: Check) -> None:
    @tracehound.trace
    async def ask() -> str | None:
        async with async_client as client:
            done = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES)
        text: str | None = done.choices[0].message.content
        return text

    with recorded_traces() as recorded:
        assert asyncio.run(ask()) == "because"
    check(recorded)


def stream(client: openai.OpenAI, model: str = "gpt-4o-mini") -> Any:
    return client.chat.completions.create(
        model=model, messages=MESSAGES, stream=True, stream_options={"include_usage": True}
    )


def text_of(chunks: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_stream(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        assert text_of(stream(client)) == "because"
    check(recorded)


def test_stream_from_a_coroutine(async_client: openai.AsyncOpenAI, check: Check) -> None:
    async def ask() -> str:
        async with async_client as client:
            chunks = await client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True)
            return text_of([chunk async for chunk in chunks])

    with recorded_traces() as recorded:
        assert asyncio.run(ask()) == "because"
    check(recorded)


def test_stream_that_is_closed(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        chunks = stream(client)
        assert text_of([next(chunks), next(chunks)]) == "be"
        chunks.close()
    check(recorded)


def test_stream_that_is_forgotten(client: openai.OpenAI) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        for _ in stream(client):
            break
    assert_is_ended(recorded, "ChatCompletion")


@pytest.mark.parametrize("model", ["gpt-4o-mini", "silent"])  # cancelled between two chunks, and waiting for one
def test_stream_whose_task_is_cancelled(async_client: openai.AsyncOpenAI, check: Check, model: str) -> None:
    async def read(begun: asyncio.Event) -> None:
        chunks = await async_client.chat.completions.create(model=model, messages=MESSAGES, stream=True)
        async for chunk in chunks:
            if chunk.choices[0].delta.content:
                begun.set()
                if model != "silent":
                    await asyncio.Event().wait()  # for ever

    async def run() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(read(begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await async_client.close()

    with recorded_traces() as recorded:
        asyncio.run(run())
    check(recorded)


def test_stream_that_breaks_off(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"), pytest.raises(openai.APIError):
        text_of(stream(client, "cut"))
    check(recorded)


def test_tools(client: openai.OpenAI, check: Check) -> None:
    asked: list[Any] = [{"role": "user", "content": "What is the weather in Rome?"}]
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        first = client.chat.completions.create(model="gpt-4o-mini", messages=asked, tools=TOOLS)
        (call,) = first.choices[0].message.tool_calls or []
        asked += [first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "sunny"}]
        client.chat.completions.create(model="gpt-4o-mini", messages=asked, tools=TOOLS)
    check(recorded)


def test_tools_in_a_stream(client: openai.OpenAI, check: Check) -> None:
    asked: list[Any] = [{"role": "user", "content": "What is the weather in Rome?"}]
    with recorded_traces() as recorded:
        list(client.chat.completions.create(model="gpt-4o-mini", messages=asked, tools=TOOLS, stream=True))
    check(recorded)


def test_structured_output(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded:
        done = client.chat.completions.parse(model="gpt-4o-mini", messages=MESSAGES, response_format=Weather)
    assert done.choices[0].message.parsed == Weather(city="Rome", sunny=True)
    check(recorded)


def test_picture(client: openai.OpenAI, check: Check) -> None:
    content: list[Any] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    with recorded_traces() as recorded:
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": content}])
    check(recorded)


def test_embeddings(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded:
        client.embeddings.create(model="text-embedding-3-small", input=["sky", "blue"])
    check(recorded)


def test_responses(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded:
        done = client.responses.create(model="gpt-4o-mini", instructions="Be brief.", input="Why is the sky blue?")
    assert done.output_text == "because"
    check(recorded)


def test_responses_in_a_stream(client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded:
        told = list(client.responses.create(model="gpt-4o-mini", input="Why is the sky blue?", stream=True))
    assert told[-1].type == "response.completed"
    check(recorded)


@pytest.mark.parametrize(("model", "error"), [("refused", openai.BadRequestError), ("busy", openai.RateLimitError)])
def test_error(client: openai.OpenAI, check: Check, model: str, error: type[Exception]) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"), pytest.raises(error):
        client.chat.completions.create(model=model, messages=MESSAGES)
    check(recorded)


def test_raw_response(client: openai.OpenAI) -> None:
    with recorded_traces() as recorded:
        raw = client.chat.completions.with_raw_response.create(model="gpt-4o-mini", messages=MESSAGES)
        assert raw.parse().choices[0].message.content == "because"
    (trace,) = recorded.traces()
    assert trace.data.spans[0].outputs["choices"][0]["message"]["content"] == "because"


def test_the_provider_is_not_told_of_the_trace(client: openai.OpenAI, seen: Seen) -> None:
    tracehound.autolog()
    with recorded_traces():
        assert answer(client) == "because"
    assert seen.traceparents() == [None]


def test_a_call_is_found_by_what_it_says(client: openai.OpenAI) -> None:
    answer(client)
    for condition in (
        "span.type = 'CHAT_MODEL' OR span.type = 'LLM'",
        "attributes.total_tokens = 26",
        "span.content LIKE '%sky blue%'",
        "span.attributes.`mlflow.llm.model` = 'gpt-4o-mini-2025'",
    ):
        (trace,) = tracehound.search_traces(condition, return_type="list")
        assert trace.data.spans[1].inputs["messages"] == MESSAGES


def test_secrets_are_nowhere_in_what_the_instrumentation_says(client: openai.OpenAI) -> None:
    said = [{"role": "user", "content": "I am ann@example.org."}]
    with recorded_traces() as recorded, tracehound.tracing.configure(redact="email"):
        client.chat.completions.create(model="gpt-4o-mini", messages=said)
    (trace,) = recorded.traces()
    assert "ann@example.org" not in trace.to_json()
    assert trace.data.spans[0].inputs["messages"][0]["content"].startswith("I am [EMAIL_")


def assert_is_ended(recorded: RecordedTraces, name: str) -> None:
    (trace,) = recorded.traces()
    (span,) = [span for span in trace.data.spans if span.name == name]
    assert span.end_time_ns is not None
