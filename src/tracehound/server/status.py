"""Routes about the server itself: whether it lives, whether it can work, its numbers, its events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tracehound.errors import ArgumentError
from tracehound.model.record import Record, to_json
from tracehound.server import events, metrics
from tracehound.server.bodies import JSON
from tracehound.server.guard.credentials import UnauthenticatedError
from tracehound.server.guard.rights import DeniedError
from tracehound.server.rows import Nothing, Right
from tracehound.server.served import Served

_MAX_NUMBER = 2**62


class Ready(Record, frozen=True, kw_only=True):
    """That the store answers, and how many bytes wait to be written to it."""

    status: str
    version: str
    waiting_bytes: int


async def tell_health(_served: Served, _request: Request) -> Response:
    """Say that the process lives; it asks nothing of the store."""
    return Response(b"OK", media_type="text/plain")


def tell_ready(served: Served, _asked: Nothing) -> Ready:
    """Say whether the store answers; it is a problem where it does not."""
    served.store.version()
    return Ready(status="ready", version=served.version, waiting_bytes=served.backlog.size_bytes())


async def tell_metrics(served: Served, _request: Request) -> Response:
    """Return the numbers of the server for Prometheus."""
    served.rights.need_all_experiments("these numbers are")
    return Response(await run_in_threadpool(served.metrics.to_text), media_type=metrics.MEDIA_TYPE)


async def tell_events(served: Served, request: Request) -> Response:
    """Tell of new and changed traces as they come, as long as the connection stands."""
    said = request.headers.get("last-event-id")
    if said is not None and not (said.isdecimal() and int(said) < _MAX_NUMBER):
        raise ArgumentError(f"Last-Event-ID is the id of an event, not {said!r}")
    messages = await served.announcer.listen(None if said is None else int(said), served.rights)
    headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        _as_long_as_allowed(served, request, messages), headers=headers, media_type=events.MEDIA_TYPE
    )


async def _as_long_as_allowed(served: Served, request: Request, messages: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Yield messages until whoever listens may not any more: his token has expired, or was revoked."""
    with suppress(DeniedError, UnauthenticatedError):
        async for message in messages:
            if await served.guard.admit(request, Right.READ) != served.rights:
                return
            yield message


async def tell_openapi(served: Served, _request: Request) -> Response:
    """Return the description of all routes."""
    from tracehound.server.openapi import openapi_document

    return Response(to_json(openapi_document(served.rows, served.version)), media_type=JSON)
