"""Other people's OpenTelemetry instrumentation, with our tracer provider in the place of the SDK's.

They read more of a span than OpenTelemetry's API has (with a bare API span FastAPI's requests failed with
`AttributeError: kind`), and they put proxies around tracers and spans. These tests run the real packages: they are to
fail when a new version of one needs more than we answer.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import fastapi
import httpx
import httpx2  # what the client of OpenAI sends its requests with
import openai
import pytest
from openinference.instrumentation import OITracer, TraceConfig
from openinference.instrumentation.openai import OpenAIInstrumentor
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.instrumentation.httpx import HTTPXClientInstrumentor

import tracehound
from tracehound.model.span import Span
from tracehound.testing import RecordedTraces, recorded_traces

PROVIDER = tracehound.tracing.get_tracer_provider()

TRACE, CALLER = "ab" * 16, "cd" * 8


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Instrumentations catch their own faults, and log them: so a test looks for these."""
    yield
    assert [record.getMessage() for record in caplog.get_records("call") if record.levelno >= logging.WARNING] == []


def only(recorded: RecordedTraces) -> list[Span]:
    (trace,) = recorded.traces()
    return trace.data.spans


def tree(*names: str) -> list[dict[str, Any]]:
    """Return spans of which each is the only child of the one before, all of them OK."""
    name, *below = names
    return [{"name": name, "status": "OK", **({"spans": tree(*below)} if below else {})}]


# FastAPI


@tracehound.trace
def look_up(word: str) -> str:
    return word.upper()


@pytest.fixture
def app() -> Iterator[fastapi.FastAPI]:
    app = fastapi.FastAPI()

    @app.get("/words/{word}")
    async def word(word: str) -> str:
        return look_up(word)

    @app.get("/threaded/{word}")
    def threaded(word: str) -> str:
        return look_up(word)

    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("out of words")

    FastAPIInstrumentor.instrument_app(app, tracer_provider=PROVIDER, exclude_spans=["receive", "send"])
    yield app
    FastAPIInstrumentor.uninstrument_app(app)


def get(app: fastapi.FastAPI, path: str, traceparent: str | None = None) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop.test") as client:
            return await client.get(path, headers={} if traceparent is None else {"traceparent": traceparent})

    return asyncio.run(send())


@pytest.mark.parametrize("path", ["words", "threaded"])
def test_a_request_is_a_trace_with_what_the_endpoint_calls_below_it(app: fastapi.FastAPI, path: str) -> None:
    with recorded_traces() as traces:
        response = get(app, f"/{path}/bone")
    assert (response.status_code, response.json()) == (200, "BONE")
    name = f"GET /{path}/{{word}}"
    assert traces.as_dicts() == [{"name": name, "state": "OK", "spans": tree(name, "look_up")}]
    server, function = only(traces)
    assert (server.kind, function.kind, function.inputs) == ("SERVER", "INTERNAL", {"word": "bone"})


def test_the_span_of_a_request_has_the_attributes_of_http(app: fastapi.FastAPI) -> None:
    with recorded_traces() as traces:
        get(app, "/words/bone")
    server = only(traces)[0]
    assert server.get_attribute("otel.scope.name") == "opentelemetry.instrumentation.fastapi"
    assert server.get_attribute("http.route") == "/words/{word}"
    assert (server.get_attribute("http.method"), server.get_attribute("http.status_code")) == ("GET", 200)


def test_an_endpoint_that_raises_is_an_error_and_the_answer_arrives(app: fastapi.FastAPI) -> None:
    with recorded_traces() as traces:
        assert get(app, "/broken").status_code == 500
    assert [(each["name"], each["state"]) for each in traces.as_dicts()] == [("GET /broken", "ERROR")]
    (event,) = only(traces)[0].events
    assert event.attributes["exception.message"] == "out of words"


def test_a_path_that_is_not_there_is_answered(app: fastapi.FastAPI) -> None:
    with recorded_traces() as traces:
        assert get(app, "/nowhere").status_code == 404
    assert only(traces)[0].get_attribute("http.status_code") == 404


def test_a_request_of_a_traced_caller_belongs_to_its_trace(app: fastapi.FastAPI) -> None:
    with recorded_traces() as traces:
        assert get(app, "/words/bone", f"00-{TRACE}-{CALLER}-01").json() == "BONE"
    server, function = only(traces)
    assert (server.trace_id, server.parent_id) == (f"tr-{TRACE}", CALLER)
    assert (function.trace_id, function.parent_id) == (f"tr-{TRACE}", server.span_id)


def test_a_request_of_a_caller_that_is_not_kept_is_answered_and_not_kept(app: fastapi.FastAPI) -> None:
    with recorded_traces() as traces:
        assert get(app, "/words/bone", f"00-{TRACE}-{CALLER}-00").json() == "BONE"
    assert traces.as_dicts() == []


def test_a_request_is_answered_while_capture_is_switched_off(app: fastapi.FastAPI) -> None:
    tracehound.tracing.disable()
    try:
        with recorded_traces() as traces:
            assert get(app, "/words/bone").json() == "BONE"
        assert traces.as_dicts() == []
    finally:
        tracehound.tracing.enable()


def test_what_arrives_and_leaves_is_spans_as_well_where_the_program_asks_for_them() -> None:
    app = fastapi.FastAPI()

    @app.get("/")
    async def root() -> str:
        return look_up("bone")

    FastAPIInstrumentor.instrument_app(app, tracer_provider=PROVIDER)
    with recorded_traces() as traces:
        assert get(app, "/").json() == "BONE"
    FastAPIInstrumentor.uninstrument_app(app)
    server, *below = only(traces)
    assert [span.name for span in below] == ["look_up", "GET / http send", "GET / http send"]
    assert {span.parent_id for span in below} == {server.span_id}


# httpx


class Shop:
    """Answers requests, and remembers them."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if request.url.path == "/closed":
            raise httpx.ConnectError("closed", request=request)
        return httpx.Response(200, json=["bone"])

    def client(self) -> httpx.Client:
        client = httpx.Client(transport=httpx.MockTransport(self), base_url="http://shop.test")
        HTTPXClientInstrumentor.instrument_client(client, tracer_provider=PROVIDER)
        return client

    def async_client(self) -> httpx.AsyncClient:
        client = httpx.AsyncClient(transport=httpx.MockTransport(self), base_url="http://shop.test")
        HTTPXClientInstrumentor.instrument_client(client, tracer_provider=PROVIDER)
        return client

    def traceparent(self) -> str:
        (request,) = self.requests
        return request.headers["traceparent"]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@tracehound.trace
def fetch(shop: Shop, path: str = "/goods") -> Any:
    with shop.client() as client:
        return client.get(path).json()


def fetch_from_a_coroutine(shop: Shop) -> Any:
    @tracehound.trace
    async def fetch() -> Any:
        async with shop.async_client() as client:
            return (await client.get("/goods")).json()

    return asyncio.run(fetch())


@pytest.mark.parametrize("fetch", [fetch, fetch_from_a_coroutine])
def test_a_request_stands_below_the_function_that_makes_it_and_carries_its_trace(
    shop: Shop, fetch: Callable[[Shop], Any]
) -> None:
    with recorded_traces() as traces:
        assert fetch(shop) == ["bone"]
    assert [each["spans"] for each in traces.as_dicts()] == [tree("fetch", "GET")]
    function, request = only(traces)
    assert (request.kind, request.parent_id) == ("CLIENT", function.span_id)
    assert request.get_attribute("http.url") == "http://shop.test/goods"
    assert request.get_attribute("http.status_code") == 200
    assert shop.traceparent() == f"00-{request.trace_id.removeprefix('tr-')}-{request.span_id}-01"


def test_a_request_that_fails_is_an_error_and_raises(shop: Shop) -> None:
    with recorded_traces() as traces, pytest.raises(httpx.ConnectError):
        fetch(shop, "/closed")
    assert [(span.name, span.status.status_code) for span in only(traces)] == [("fetch", "ERROR"), ("GET", "ERROR")]


def test_a_request_of_a_trace_that_is_not_kept_tells_so_to_whom_it_asks(shop: Shop) -> None:
    with recorded_traces() as traces:
        assert tracehound.trace(fetch, sampling_ratio_override=0)(shop) == ["bone"]
    assert traces.as_dicts() == []
    assert shop.traceparent().endswith("-00")


def test_a_request_crosses_from_one_traced_service_to_another(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    async def ask() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
            HTTPXClientInstrumentor.instrument_client(client, tracer_provider=PROVIDER)
            return (await client.get("/words/bone")).json()

    with recorded_traces() as traces:
        assert asyncio.run(ask()) == "BONE"
    names = ("ask", "GET", "GET /words/{word}", "look_up")
    assert traces.as_dicts() == [{"name": "ask", "state": "OK", "spans": tree(*names)}]


# OpenAI


QUESTION: Any = [{"role": "user", "content": "why?"}]


def reply(request: httpx2.Request) -> httpx2.Response:
    """Answer as the service does, in one piece or as a stream; it knows the model m-1 only."""
    asked = json.loads(request.content)
    if asked["model"] != "m-1":
        return httpx2.Response(404, json={"error": {"message": "no such model"}})
    about = {"id": "c-1", "created": 1, "model": "m-1"}
    if asked.get("stream"):
        deltas: list[dict[str, str]] = [{"role": "assistant", "content": "be"}, {"content": "cause"}, {}]
        chunks = [
            {**about, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": delta}]} for delta in deltas
        ]
        lines = [*map(json.dumps, chunks), "[DONE]"]
        text = "".join(f"data: {line}\n\n" for line in lines)
        return httpx2.Response(200, headers={"content-type": "text/event-stream"}, text=text)
    message = {"role": "assistant", "content": "because"}
    choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    return httpx2.Response(200, json={**about, "object": "chat.completion", "choices": choices, "usage": usage})


@pytest.fixture
def model() -> Iterator[openai.OpenAI]:
    OpenAIInstrumentor().instrument(tracer_provider=PROVIDER)
    with httpx2.Client(transport=httpx2.MockTransport(reply)) as client:
        yield openai.OpenAI(api_key="none", base_url="http://model.test", max_retries=0, http_client=client)
    OpenAIInstrumentor().uninstrument()


@tracehound.trace
def ask(model: openai.OpenAI, name: str = "m-1") -> str | None:
    answer: str | None = model.chat.completions.create(model=name, messages=QUESTION).choices[0].message.content
    return answer


def test_a_call_of_a_model_stands_below_the_function_that_makes_it(model: openai.OpenAI) -> None:
    with recorded_traces() as traces:
        assert ask(model) == "because"
    assert traces.as_dicts() == [{"name": "ask", "state": "OK", "spans": tree("ask", "ChatCompletion")}]
    span = only(traces)[1]
    assert span.get_attribute("otel.scope.name") == "openinference.instrumentation.openai"
    assert span.get_attribute("openinference.span.kind") == "LLM"
    assert span.get_attribute("llm.model_name") == "m-1"
    assert span.get_attribute("llm.input_messages.0.message.content") == "why?"
    assert span.get_attribute("llm.output_messages.0.message.content") == "because"
    assert span.get_attribute("llm.token_count.total") == 4


def test_an_asynchronous_call_of_a_model_stands_below_its_coroutine(model: openai.OpenAI) -> None:
    @tracehound.trace
    async def ask() -> str | None:
        async with httpx2.AsyncClient(transport=httpx2.MockTransport(reply)) as client:
            model = openai.AsyncOpenAI(api_key="none", base_url="http://model.test", http_client=client)
            reply_of_model = await model.chat.completions.create(model="m-1", messages=QUESTION)
        answer: str | None = reply_of_model.choices[0].message.content
        return answer

    with recorded_traces() as traces:
        assert asyncio.run(ask()) == "because"
    assert [each["spans"] for each in traces.as_dicts()] == [tree("ask", "ChatCompletion")]


def stream(model: openai.OpenAI) -> Iterator[str]:
    for chunk in model.chat.completions.create(model="m-1", messages=QUESTION, stream=True):
        yield chunk.choices[0].delta.content or ""


def test_a_stream_stands_below_the_generator_that_passes_it_on(model: openai.OpenAI) -> None:
    with recorded_traces() as traces:
        assert "".join(tracehound.trace(stream)(model)) == "because"
    assert [each["spans"] for each in traces.as_dicts()] == [tree("stream", "ChatCompletion")]
    assert only(traces)[1].get_attribute("llm.output_messages.0.message.content") == "because"


def test_the_span_of_a_stream_ends_when_the_stream_does(model: openai.OpenAI) -> None:
    with recorded_traces() as traces, tracehound.start_span("agent"):
        parts = stream(model)
        assert next(parts) == "be"
        in_the_midst = tracehound.start_span_no_context("in the midst")
        in_the_midst.end()
        assert list(parts) == ["cause", ""]
    llm = next(span for span in only(traces) if span.name == "ChatCompletion")
    assert llm.end_time_ns is not None
    assert in_the_midst.end_time_ns is not None
    assert llm.start_time_ns < in_the_midst.start_time_ns < in_the_midst.end_time_ns < llm.end_time_ns


def test_a_stream_that_is_read_when_its_function_has_returned_joins_the_trace(model: openai.OpenAI) -> None:
    @tracehound.trace
    def begin() -> openai.Stream[Any]:
        return model.chat.completions.create(model="m-1", messages=QUESTION, stream=True)

    with recorded_traces() as traces:
        answer = begin()
        assert [span.name for span in only(traces)] == ["begin"]
        assert len(list(answer)) == 3
    assert [each["spans"] for each in traces.as_dicts()] == [tree("begin", "ChatCompletion")]


def test_a_model_that_refuses_is_an_error_and_raises(model: openai.OpenAI) -> None:
    with recorded_traces() as traces, pytest.raises(openai.NotFoundError, match="no such model"):
        ask(model, "m-2")
    assert [(span.name, span.status.status_code, len(span.events)) for span in only(traces)] == [
        ("ask", "ERROR", 1),
        ("ChatCompletion", "ERROR", 1),
    ]


# OpenInference's tracer: a proxy around ours, which calls our method with itself as `self`


ITS_TRACER = OITracer(PROVIDER.get_tracer("my.agent"), config=TraceConfig())


def test_spans_of_a_proxy_around_our_tracer_nest_with_ours() -> None:
    @tracehound.trace
    def middle() -> None:
        with ITS_TRACER.start_as_current_span("inner", openinference_span_kind="tool", attributes={"n": 1}) as span:
            span.set_output("done")

    with recorded_traces() as traces, ITS_TRACER.start_as_current_span("outer", openinference_span_kind="agent"):
        middle()
    assert traces.as_dicts() == [{"name": "outer", "state": "OK", "spans": tree("outer", "middle", "inner")}]
    outer, _, inner = only(traces)
    assert (outer.get_attribute("openinference.span.kind"), inner.get_attribute("output.value")) == ("AGENT", "done")
    assert (inner.get_attribute("otel.scope.name"), inner.get_attribute("n")) == ("my.agent", 1)


def test_functions_that_the_proxy_decorates_nest_with_ours() -> None:
    @ITS_TRACER.tool  # type: ignore[untyped-decorator,unused-ignore] # it stands behind a wrapt proxy, whose type is Any
    def double(number: int) -> int:
        return 2 * number

    @tracehound.trace
    def run(number: int) -> int:
        return int(double(number))

    with recorded_traces() as traces:
        assert run(3) == 6
    assert [each["spans"] for each in traces.as_dicts()] == [tree("run", "double")]
    assert only(traces)[1].get_attribute("output.value") in (6, "6")
