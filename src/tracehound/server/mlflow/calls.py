"""A route of MLflow's API as a row of the table: a message comes in, from wherever MLflow puts it, and one goes out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tracehound.model.record import to_json_text
from tracehound.server.bodies import JSON, read_json_object
from tracehound.server.mlflow.problems import to_response
from tracehound.server.rows import Endpoint, Right
from tracehound.server.served import Served
from tracehound.wire.mlflow.messages import Message

Handler: TypeAlias = Callable[[Served, Message], dict[str, Any]]


def call(method: str, path: str, handle: Handler, right: Right) -> Endpoint:
    """Return the row of a route whose handler takes a message and returns one; it works in a thread."""

    @functools.wraps(handle)
    async def answer(served: Served, request: Request) -> Response:
        message = await read_message(served, request)
        return to_answer(await run_in_threadpool(handle, served, message))

    takes = () if method == "GET" else (JSON,)
    return Endpoint(method, path, answer, takes, (JSON,), right, to_response, is_described=False)


async def read_message(served: Served, request: Request) -> Message:
    """Return what a request says: in the query, in the body, and in the path, which goes before the others."""
    values: dict[str, Any] = {}
    for key, value in request.query_params.multi_items():
        values[key] = [*values[key], value] if isinstance(values.get(key), list) else _added(values.get(key), value)
    if request.method != "GET":
        values |= await read_json_object(served, request)
    return Message({**values, **request.path_params})


def to_answer(message: dict[str, Any]) -> Response:
    """Return a message as an answer."""
    return Response(to_json_text(message).encode(), media_type=JSON)


def _added(known: Any, value: str) -> Any:
    """Return a value of the query, or a list where it stands there more than once."""
    return value if known is None else [known, value]
