"""Words, served with Starlette."""

from __future__ import annotations

import starlette.applications
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from words import serve_asgi, shout

import tracehound

tracehound.starlette.autolog()


async def word(request: Request) -> JSONResponse:
    """Answer with the word of the path."""
    return JSONResponse(shout(request.path_params["word"]))


serve_asgi(starlette.applications.Starlette(routes=[Route("/words/{word}", word)]))
