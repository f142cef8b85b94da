"""Other people's instrumentation on our provider, as a program sets it up by itself: nothing is lost, nothing raised.

They read more of a span than OpenTelemetry's API has. OpenInference's of OpenAI, LangChain and LiteLLM have files of
their own; these are the rest of the eight that the live span was made with (DESIGN, ADR 0001).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import fastapi
import httpx
import openai
import pytest
import requests
from mcp import Client
from mcp.server.mcpserver import MCPServer
from openinference.instrumentation import TraceConfig
from openinference.instrumentation.openai import OpenAIInstrumentor as OpenInferenceOpenAI
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor
from opentelemetry.instrumentation.openai import OpenAIInstrumentor as TraceloopOpenAI
from opentelemetry.instrumentation.requests import RequestsInstrumentor

import tracehound
from tests.instrumentations.stub import serving
from tests.instrumentations.test_openai import MESSAGES, PICTURE, TOOLS
from tracehound.autologging.switch import Gate
from tracehound.capture.provider import TracerProvider
from tracehound.testing import RecordedTraces, recorded_traces

Check: TypeAlias = Callable[[RecordedTraces], None]
PROVIDER = tracehound.tracing.get_tracer_provider()


@pytest.fixture
def client(server: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(api_key="none", base_url=f"{server}/v1", max_retries=0) as client:
        yield client


@pytest.fixture
def genai() -> Iterator[None]:
    OpenInferenceOpenAI().instrument(tracer_provider=PROVIDER, config=TraceConfig(enable_genai_semconv=True))
    yield
    OpenInferenceOpenAI().uninstrument()


def test_openinference_that_speaks_both_languages(genai: None, client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, temperature=0.2, tools=TOOLS)
        list(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True))
    check(recorded)


@pytest.fixture(scope="module")
def openllmetry() -> Iterator[None]:
    """OpenLLMetry's instrumentation; it cannot be taken out, so it is in once, and its provider is closed then."""

    async def keep(trace_id: str, span_id: str, name: str, base64: str) -> str:
        return f"kept://{name}"

    gate = Gate()
    TraceloopOpenAI(upload_base64_image=keep).instrument(tracer_provider=TracerProvider(gate))
    yield
    gate.is_open = False


def test_openllmetry_with_a_picture(openllmetry: None, client: openai.OpenAI, check: Check) -> None:
    content: list[Any] = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        client.chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": content}])
    check(recorded)


def test_openllmetry_with_a_tool_and_a_stream(openllmetry: None, client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, tools=TOOLS)
        list(client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, stream=True))
    check(recorded)


def test_openllmetry_with_an_error(openllmetry: None, client: openai.OpenAI, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"), pytest.raises(openai.BadRequestError):
        client.chat.completions.create(model="refused", messages=MESSAGES)
    check(recorded)


@contextmanager
def serving_words() -> Iterator[str]:
    """Serve a web application that is instrumented; its spans have ended when it has."""
    app = fastapi.FastAPI()

    @app.get("/words/{word}")
    def word(word: str) -> str:
        return shout(word)

    FastAPIInstrumentor.instrument_app(app, tracer_provider=PROVIDER)
    with serving(app) as url:
        yield url
    FastAPIInstrumentor.uninstrument_app(app)


@tracehound.trace
def shout(word: str) -> str:
    return word.upper()


def get_with_httpx(url: str) -> int:
    HTTPXClientInstrumentor().instrument(tracer_provider=PROVIDER)
    try:
        with httpx.Client() as client:
            return client.get(url).status_code
    finally:
        HTTPXClientInstrumentor().uninstrument()


def get_with_requests(url: str) -> int:
    RequestsInstrumentor().instrument(tracer_provider=PROVIDER)
    try:
        return int(requests.get(url, timeout=60).status_code)
    finally:
        RequestsInstrumentor().uninstrument()


@pytest.mark.parametrize("get", [get_with_httpx, get_with_requests])
@pytest.mark.parametrize(("path", "status"), [("/words/bone", 200), ("/nowhere", 404)])
def test_a_request_and_who_serves_it(get: Callable[[str], int], path: str, status: int) -> None:
    with recorded_traces() as recorded, serving_words() as shop, tracehound.start_span("ask"):
        assert get(shop + path) == status
    (trace,) = recorded.traces()
    spans = {span.span_id: span for span in trace.data.spans}
    client, server = (next(span for span in spans.values() if span.kind == kind) for kind in ("CLIENT", "SERVER"))
    assert server.parent_id == client.span_id
    assert (spans[client.parent_id or ""].name, client.get_attribute("http.status_code")) == ("ask", status)
    assert ("shout" in [span.name for span in spans.values()]) == (status == 200)
    assert {span.end_time_ns is not None for span in spans.values()} == {True}


def test_a_tool_that_is_served_by_mcp_stands_below_who_calls_it() -> None:
    server = MCPServer("words")
    server.tool()(shout)

    async def call() -> str:
        async with Client(server) as client:
            with tracehound.start_span("agent"):
                result = await client.call_tool("shout", {"word": "bone"})
        return str(result.content[0].text)

    tracehound.mcp.autolog()
    with recorded_traces() as recorded:
        assert asyncio.run(call()) == "BONE"
    trace = next(trace for trace in recorded.traces() if trace.info.name == "agent")
    spans = {span.name: span for span in trace.data.spans}
    assert spans["shout"].parent_id == spans["tools/call shout"].span_id
    assert spans["tools/call shout"].parent_id == spans["agent"].span_id
    assert spans["tools/call shout"].span_type == "TOOL"
