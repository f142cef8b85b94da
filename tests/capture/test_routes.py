"""The decorator above a route: requests are traced though Starlette and FastAPI hold the plain function already."""

from __future__ import annotations

import asyncio
import functools
import gc
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import fastapi
import httpx
import pytest
from fastapi import Depends, Request
from fastapi.testclient import TestClient
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route, Router

import tracehound
from tracehound.capture import routes
from tracehound.testing import RecordedTraces, recorded_traces


class Order(BaseModel):
    article: str
    count: int = 1


def ask(app: Any, path: str, body: object = None) -> tuple[int, Any]:
    """Send one request; return the status and what was answered."""

    async def send() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://shop.test") as client:
            return await (client.get(path) if body is None else client.post(path, json=body))

    response = asyncio.run(send())
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return response.status_code, response.json() if is_json else response.text


def names(recorded: RecordedTraces) -> list[list[str]]:
    """Return the names of the spans of each trace."""
    return [[span.name for span in trace.data.spans] for trace in recorded.traces()]


@pytest.fixture
def app() -> fastapi.FastAPI:
    return fastapi.FastAPI()


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What all objects of the process were looked through for."""
    found: list[object] = []

    def search(function: Any) -> Iterator[Any]:
        found.append(function)
        return holders(function)

    holders = routes._holders
    monkeypatch.setattr(routes, "_holders", search)
    return found


# FastAPI


def test_the_decorator_above_a_route_traces_its_requests(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    @app.post("/orders")
    def order(request: Request, order: Order) -> dict[str, Any]:
        tracehound.update_current_trace(metadata={"agent": request.headers["user-agent"][:5]})
        return {"ordered": order.article}

    with recorded_traces() as traces:
        assert ask(app, "/orders", {"article": "bone"}) == (200, {"ordered": "bone"})
    (trace,) = traces.traces()
    (span,) = trace.data.spans
    assert (span.name, span.inputs["order"], span.outputs) == (
        "order", {"article": "bone", "count": 1}, {"ordered": "bone"},
    )  # fmt: skip
    assert trace.info.trace_metadata["agent"] == "pytho"


def test_the_route_is_found_without_a_search_where_its_application_has_a_name(
    app: fastapi.FastAPI, searches: list[object]
) -> None:
    @tracehound.trace
    @app.get("/words")
    def words() -> list[str]:
        return ["bone"]

    assert searches == []
    with recorded_traces() as traces:
        assert ask(app, "/words") == (200, ["bone"])
    assert names(traces) == [["words"]]


@pytest.mark.parametrize("options", [{}, {"name": "named", "span_type": "AGENT"}])
def test_coroutines_are_traced_as_well_and_with_the_options_of_the_decorator(
    app: fastapi.FastAPI, options: dict[str, Any]
) -> None:
    @tracehound.trace(**options)  # type: ignore[untyped-decorator] # options of any kind
    @app.get("/words/{word}")
    async def word(word: str) -> str:
        return word.upper()

    with recorded_traces() as traces:
        assert ask(app, "/words/bone") == (200, "BONE")
    assert names(traces) == [[options.get("name", "word")]]


def test_below_the_route_the_decorator_does_the_same(app: fastapi.FastAPI, searches: list[object]) -> None:
    @app.get("/words/{word}")
    @tracehound.trace
    async def word(word: str) -> str:
        return word.upper()

    with recorded_traces() as traces:
        assert ask(app, "/words/bone") == (200, "BONE")
    assert (names(traces), searches) == ([["word"]], [])


def test_above_and_below_it_a_request_is_one_span(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    @app.get("/words")
    @tracehound.trace
    def words() -> list[str]:
        return ["bone"]

    with recorded_traces() as traces:
        assert ask(app, "/words") == (200, ["bone"])
    assert names(traces) == [["words"]]


def test_a_traced_function_that_is_added_as_a_route_is_traced_once(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    def words() -> list[str]:
        return ["bone"]

    app.add_api_route("/words", words)
    with recorded_traces() as traces:
        assert ask(app, "/words") == (200, ["bone"])
    assert names(traces) == [["words"]]


def test_one_function_of_several_routes_is_traced_in_each(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    @app.get("/words")
    @app.get("/all-words")
    def words() -> list[str]:
        return ["bone"]

    with recorded_traces() as traces:
        assert (ask(app, "/words"), ask(app, "/all-words")) == ((200, ["bone"]), (200, ["bone"]))
    assert names(traces) == [["words"], ["words"]]


@pytest.mark.parametrize("is_included_first", [True, False])
def test_routers_are_traced_whenever_they_are_included(app: fastapi.FastAPI, is_included_first: bool) -> None:
    router = fastapi.APIRouter()
    if is_included_first:
        router.get("/first")(lambda: "first")
        app.include_router(router, prefix="/v1")
        assert ask(app, "/v1/first") == (200, "first")

    @router.get("/words")
    def words() -> list[str]:
        return ["bone"]

    app.include_router(router, prefix="/v2")
    assert ask(app, "/v2/words") == (200, ["bone"])
    words = tracehound.trace(words)
    app.include_router(router, prefix="/v3")

    with recorded_traces() as traces:
        assert (ask(app, "/v2/words"), ask(app, "/v3/words")) == ((200, ["bone"]), (200, ["bone"]))
    assert names(traces) == [["words"], ["words"]]


def test_a_router_is_included_when_all_its_routes_are_decorated(app: fastapi.FastAPI) -> None:
    router = fastapi.APIRouter()

    @tracehound.trace
    @router.post("/orders")
    def order(order: Order) -> str:
        return order.article

    app.include_router(router, prefix="/v1")
    with recorded_traces() as traces:
        assert ask(app, "/v1/orders", {"article": "bone"}) == (200, "bone")
    assert names(traces) == [["order"]]


def test_an_application_without_a_name_is_found_among_all_objects(searches: list[object]) -> None:
    class Server:
        def __init__(self) -> None:
            self.app = fastapi.FastAPI()

            @tracehound.trace
            @self.app.get("/words")
            def words() -> list[str]:
                return ["bone"]

    server = Server()
    assert len(searches) == 1
    with recorded_traces() as traces:
        assert ask(server.app, "/words") == (200, ["bone"])
    assert names(traces) == [["words"]]


def test_an_endpoint_and_what_it_depends_on_may_be_traced_after_all_was_registered(app: fastapi.FastAPI) -> None:
    def user() -> str:
        return "ann"

    def greeting(user: str = Depends(user)) -> str:
        return f"hello {user}"

    async def greet(greeting: str = Depends(greeting), user: str = Depends(user)) -> str:
        return greeting

    app.get("/greet")(greet)
    assert ask(app, "/greet") == (200, "hello ann")
    for function in (user, greeting, greet):
        tracehound.trace(function)
    app.get("/greet-again")(greet)

    for path in ("/greet", "/greet-again"):
        with recorded_traces() as traces:
            assert ask(app, path) == (200, "hello ann")
        called = [name for spans in names(traces) for name in spans]
        assert called == (["user", "greeting", "greet"] if path == "/greet" else ["user", "greeting"])


def test_what_a_dependency_yields_is_traced(app: fastapi.FastAPI) -> None:
    log: list[str] = []

    @tracehound.trace
    async def session() -> AsyncIterator[str]:
        log.append("open")
        yield "s-1"
        log.append("closed")

    @tracehound.trace
    @app.get("/session")
    def show(session: str = Depends(session)) -> str:
        return session

    with recorded_traces() as traces:
        assert ask(app, "/session") == (200, "s-1")
    assert log == ["open", "closed"]
    assert sorted(name for spans in names(traces) for name in spans) == ["session", "show"]


def test_websockets_are_traced(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    @app.websocket("/echo")
    async def echo(websocket: fastapi.WebSocket) -> None:
        await websocket.accept()
        await websocket.send_text(await websocket.receive_text())

    with recorded_traces() as traces, TestClient(app).websocket_connect("/echo") as socket:
        socket.send_text("bone")
        assert socket.receive_text() == "bone"
        socket.close()
    assert names(traces) == [["echo"]]


def test_an_endpoint_that_raises_is_an_error_and_answered_as_before(app: fastapi.FastAPI) -> None:
    @tracehound.trace
    @app.get("/gone")
    def gone() -> None:
        raise fastapi.HTTPException(410, "eaten")

    with recorded_traces() as traces:
        assert ask(app, "/gone") == (410, {"detail": "eaten"})
    assert [each["state"] for each in traces.as_dicts()] == ["ERROR"]


def test_what_the_application_tells_of_itself_stays_the_same(app: fastapi.FastAPI) -> None:
    def order(request: Request, order: Order, urgency: int = 0) -> dict[str, Any]:
        """Order an article."""
        return {}

    app.post("/orders")(order)
    before = app.openapi()
    app.openapi_schema = None
    tracehound.trace(order)
    assert app.openapi() == before
    assert "/orders" in before["paths"]


# Starlette


def shout(request: StarletteRequest) -> PlainTextResponse:
    return PlainTextResponse(request.path_params["word"].upper())


async def whisper(request: StarletteRequest) -> PlainTextResponse:
    return PlainTextResponse(request.path_params["word"].lower())


@pytest.mark.parametrize("endpoint", [shout, whisper])
def test_functions_that_starlette_holds_are_traced(endpoint: Callable[..., Any]) -> None:
    def copy(function: Any) -> Any:
        return type(function)(function.__code__, function.__globals__, function.__name__)

    plain = copy(endpoint)
    middleware = [Middleware(GZipMiddleware, minimum_size=1)]
    below = Router([Route("/{word}", plain, middleware=middleware)])
    app = Starlette(routes=[Route("/words/{word}", plain), Mount("/below", app=below)])
    expected = "BONE" if endpoint is shout else "bone"
    assert ask(app, "/words/bOne") == (200, expected)

    tracehound.trace(plain)
    with recorded_traces() as traces:
        assert (ask(app, "/words/bOne"), ask(app, "/below/bOne")) == ((200, expected), (200, expected))
    assert names(traces) == [[endpoint.__name__], [endpoint.__name__]]


@pytest.mark.parametrize("options", [None, {"span_type": "AGENT"}])
def test_a_route_of_starlette_below_the_decorator_is_traced(options: dict[str, Any] | None) -> None:
    app = Starlette()

    def route(endpoint: Callable[..., Any]) -> Callable[..., Any]:
        app.router.routes.append(Route("/words", endpoint))
        return endpoint

    decorate = tracehound.trace if options is None else tracehound.trace(**options)

    @decorate  # type: ignore[untyped-decorator] # options of any kind
    @route
    async def words(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse("bone")

    with recorded_traces() as traces:
        assert ask(app, "/words") == (200, "bone")
    assert names(traces) == [["words"]]


# What is left alone


def test_who_else_holds_the_plain_function_keeps_it(app: fastapi.FastAPI) -> None:
    def words() -> list[str]:
        return ["bone"]

    held = {"endpoint": words, "call": words}
    bound = functools.partial(words)
    app.get("/words")(words)
    traced = tracehound.trace(words)
    assert traced is not words
    assert held == {"endpoint": words, "call": words}
    assert bound.func is words
    with recorded_traces() as traces:
        assert (words(), bound(), held["call"]()) == (["bone"], ["bone"], ["bone"])
        assert traces.as_dicts() == []
        assert traced() == ["bone"]
    assert names(traces) == [["words"]]


def test_functions_that_nobody_holds_are_not_searched_for(searches: list[object]) -> None:
    @tracehound.trace
    def plain() -> None: ...

    @tracehound.trace(name="named")
    async def coroutine() -> None: ...

    @tracehound.trace
    def generator() -> Iterator[int]:
        yield 1

    class Agent:
        @tracehound.trace
        def method(self) -> None: ...

        @classmethod
        @tracehound.trace(span_type="TOOL")
        def of_class(cls) -> None: ...

        @tracehound.trace
        @staticmethod
        def static() -> None: ...

    assert searches == []


def test_a_fault_of_the_search_leaves_the_function_traced(
    app: fastapi.FastAPI, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(function: object) -> None:
        raise RuntimeError("no objects")

    monkeypatch.setattr(gc, "get_referrers", fail)
    monkeypatch.setattr("tracehound.runtime.raises_faults", lambda: False)

    def words() -> list[str]:
        return ["bone"]

    app.get("/words")(words)
    words = tracehound.trace(words)
    with recorded_traces() as traces:
        assert words() == ["bone"]
    assert names(traces) == [["words"]]
    assert "tracing failed in routes" in caplog.text


def test_a_program_without_starlette_loads_none_and_searches_nothing() -> None:
    program = """
import gc, sys, tracehound
gc.get_referrers = None
def held(): return "bone"
keep = [held, held, held]
print(tracehound.trace(held)(), "starlette" in sys.modules)
"""
    environment = {**os.environ, "TRACEHOUND_TRACKING_URI": "memory://"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.split() == ["bone", "False"]
