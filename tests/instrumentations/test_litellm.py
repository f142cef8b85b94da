"""LiteLLM, as `tracehound.litellm.autolog()` traces it, against a server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import litellm
import pytest

import tracehound
from tracehound.testing import RecordedTraces, recorded_traces

Check: TypeAlias = Callable[[RecordedTraces], None]

MESSAGES: Final[list[Any]] = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Why is the sky blue?"},
]


@pytest.fixture
def place(server: str) -> dict[str, Any]:
    """Where the model is."""
    tracehound.litellm.autolog()
    return {"api_base": f"{server}/v1", "api_key": "none", "max_retries": 0}


def test_completion(place: dict[str, Any], check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        litellm.completion(model="openai/gpt-4o-mini", messages=MESSAGES, temperature=0.2, **place)
    check(recorded)


def test_completion_from_a_coroutine(place: dict[str, Any], check: Check) -> None:
    @tracehound.trace
    async def ask() -> str:
        done = await litellm.acompletion(model="openai/gpt-4o-mini", messages=MESSAGES, **place)
        return str(done.choices[0].message.content)

    with recorded_traces() as recorded:
        assert asyncio.run(ask()) == "because"
    check(recorded)


def test_stream(place: dict[str, Any], check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        chunks = litellm.completion(model="openai/gpt-4o-mini", messages=MESSAGES, stream=True, **place)
        assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "because"
    check(recorded)


def test_stream_that_is_left(place: dict[str, Any], check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        chunks = litellm.completion(model="openai/gpt-4o-mini", messages=MESSAGES, stream=True, **place)
        next(iter(chunks))
        del chunks
    check(recorded)


def test_embeddings(place: dict[str, Any], check: Check) -> None:
    with recorded_traces() as recorded:
        litellm.embedding(model="openai/text-embedding-3-small", input=["sky", "blue"], **place)
    check(recorded)


def test_error(place: dict[str, Any], check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"), pytest.raises(litellm.BadRequestError):
        litellm.completion(model="openai/refused", messages=MESSAGES, **place)
    check(recorded)


def test_one_call_told_by_two_instrumentations_is_counted_once(place: dict[str, Any]) -> None:
    tracehound.openai.autolog()
    with recorded_traces() as recorded:
        litellm.completion(model="openai/gpt-4o-mini", messages=MESSAGES, **place)
    (trace,) = recorded.traces()
    assert [span.name for span in trace.data.spans] == ["completion", "ChatCompletion"]
    assert (trace.info.token_usage or {})["total_tokens"] == 26
