"""Anthropic's client, as `tracehound.anthropic.autolog()` traces it, against a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

import anthropic
import pytest

import tracehound
from tests.instrumentations.stub import Seen
from tracehound.testing import RecordedTraces, recorded_traces

Check: TypeAlias = Callable[[RecordedTraces], None]

MODEL: Final = "claude-sonnet-4"
MESSAGES: Final[list[Any]] = [{"role": "user", "content": "Why is the sky blue?"}]
TOOLS: Final[list[Any]] = [
    {
        "name": "weather",
        "description": "The weather of a city.",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]


@pytest.fixture
def client(server: str) -> Iterator[Any]:
    tracehound.anthropic.autolog()
    with anthropic.Anthropic(api_key="none", base_url=server, max_retries=0) as client:
        yield client


def test_messages(client: Any, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        client.messages.create(model=MODEL, max_tokens=64, system="Be brief.", messages=MESSAGES)
    check(recorded)


def test_messages_from_a_coroutine(server: str, check: Check) -> None:
    tracehound.anthropic.autolog()

    async def ask() -> str:
        async with anthropic.AsyncAnthropic(api_key="none", base_url=server, max_retries=0) as client:
            done = await client.messages.create(model=MODEL, max_tokens=64, messages=MESSAGES)
        return str(done.content[0].text)

    with recorded_traces() as recorded:
        assert asyncio.run(ask()) == "because"
    check(recorded)


def test_stream(client: Any, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        told = list(client.messages.create(model=MODEL, max_tokens=64, messages=MESSAGES, stream=True))
    assert told[-1].type == "message_stop"
    check(recorded)


def test_stream_of_text(client: Any, check: Check) -> None:
    with recorded_traces() as recorded, client.messages.stream(model=MODEL, max_tokens=64, messages=MESSAGES) as stream:
        assert "".join(stream.text_stream) == "because"
    check(recorded)


def test_stream_that_is_left(client: Any, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        with client.messages.create(model=MODEL, max_tokens=64, messages=MESSAGES, stream=True) as stream:
            next(iter(stream))
        del stream
    check(recorded)


def test_tools(client: Any, check: Check) -> None:
    asked: list[Any] = [{"role": "user", "content": "What is the weather in Rome?"}]
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        first = client.messages.create(model=MODEL, max_tokens=64, messages=asked, tools=TOOLS)
        (use,) = first.content
        result = {"type": "tool_result", "tool_use_id": use.id, "content": "sunny"}
        asked += [{"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
        client.messages.create(model=MODEL, max_tokens=64, messages=asked, tools=TOOLS)
    check(recorded)


def test_error(client: Any, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"), pytest.raises(anthropic.BadRequestError):
        client.messages.create(model="refused", max_tokens=64, messages=MESSAGES)
    check(recorded)


def test_the_provider_is_not_told_of_the_trace_where_its_client_is_kept_from_that(
    server: str, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracehound.anthropic.autolog()
    for value in ("true", "false"):
        monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_PROPAGATION", value)  # their client sends it by itself
        client = anthropic.Anthropic(api_key="none", base_url=server)
        with client, recorded_traces(), tracehound.start_span("agent"):
            client.messages.create(model=MODEL, max_tokens=64, messages=MESSAGES)
    assert [each is None for each in seen.traceparents()] == [False, True]
