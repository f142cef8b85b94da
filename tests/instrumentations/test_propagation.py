"""One trace across two processes is one trace: clients and servers of HTTP, and a task queue.

The server is a program of its own, which writes into the same store, as two services of one machine do. Both sides are
instrumented by their names (`tracehound.httpx.autolog()`, …).
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import httpx
import pytest
import requests

import tracehound
from tracehound.model.span import Span

SERVICES = Path(__file__).with_name("services")


@contextmanager
def service(name: str, store: Path) -> Iterator[str]:
    """Run a service of the folder; give its URL, which it prints when it listens."""
    command = [sys.executable, str(SERVICES / f"{name}_service.py"), str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip()
        process.stdin.close()  # which is how it is told to end
        assert process.wait(60) == 0


@tracehound.trace
def ask_httpx(url: str) -> int:
    tracehound.httpx.autolog()
    with httpx.Client() as client:
        return client.get(url).status_code


@tracehound.trace
def ask_httpx_from_a_coroutine(url: str) -> int:
    tracehound.httpx.autolog()

    async def get() -> int:
        async with httpx.AsyncClient() as client:
            return (await client.get(url)).status_code

    return asyncio.run(get())


@tracehound.trace
def ask_requests(url: str) -> int:
    tracehound.requests.autolog()
    return int(requests.get(url, timeout=60).status_code)


@tracehound.trace
def ask_aiohttp(url: str) -> int:
    tracehound.aiohttp.autolog()

    async def get() -> int:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return int(response.status)

    return asyncio.run(get())


@tracehound.trace
def ask_by_hand(url: str) -> int:
    headers = tracehound.tracing.get_tracing_context_headers_for_http_request()
    return httpx.get(url, headers=headers).status_code


def chain_of(spans: list[Span]) -> list[str]:
    """Return the names of spans of which each is below the one before, from the root on."""
    below = {span.parent_id: span for span in spans}
    chain, span = [], below[None]
    while span is not None:
        chain.append(span.name)
        span = below.get(span.span_id)  # type: ignore[assignment]
    return chain


def only_chain() -> list[str]:
    """Return the names of the only trace's spans, but for those of the messages that a request is made of."""
    (trace,) = tracehound.search_traces(return_type="list")
    assert trace.info.state == "OK"
    spans = [span for span in trace.data.spans if not span.name.endswith(("http send", "http receive"))]
    assert len(chain_of(spans)) == len(spans)
    return chain_of(spans)


@pytest.mark.parametrize("ask", [ask_httpx, ask_httpx_from_a_coroutine, ask_requests, ask_aiohttp])
def test_a_client_sends_the_trace_along(store_path: Path, ask: Callable[[str], int]) -> None:
    with service("starlette", store_path) as url:
        assert ask(f"{url}/words/bone") == 200
    assert only_chain() == [ask.__name__, "GET", "GET /words/{word}", "shout"]


@pytest.mark.parametrize(
    ("framework", "name"),
    [
        ("starlette", "GET /words/{word}"),
        ("fastapi", "GET /words/{word}"),
        ("flask", "GET /words/<word>"),
        ("django", "GET words/<str:word>"),
    ],
)
def test_a_server_continues_the_trace(store_path: Path, framework: str, name: str) -> None:
    with service(framework, store_path) as url:
        assert ask_by_hand(f"{url}/words/bone") == 200
    assert only_chain() == ["ask_by_hand", name, "shout"]


def test_a_task_continues_the_trace_of_who_sent_it(store_path: Path, tmp_path: Path) -> None:
    sys.path.insert(0, str(SERVICES))
    try:
        import celery_tasks
    finally:
        sys.path.remove(str(SERVICES))
    celery_tasks.configure(tmp_path / "queue")
    tracehound.celery.autolog()
    with tracehound.start_span("ask"):
        celery_tasks.shout.delay("bone")
    command = [sys.executable, str(SERVICES / "celery_worker.py"), str(store_path), str(tmp_path / "queue")]
    subprocess.run(command, check=True, timeout=120, stdout=subprocess.DEVNULL)
    assert only_chain() == ["ask", "apply_async/celery_tasks.shout", "run/celery_tasks.shout", "shout"]
