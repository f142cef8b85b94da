"""Work for somebody who may go away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from tracehound.query.limit import SearchLimit


@asynccontextmanager
async def cancelled_when_gone(request: Request | None, limit: SearchLimit) -> AsyncIterator[None]:
    """Cancel the limit when whoever asks goes away during the block; of a request whose body has been read."""
    if request is None:
        yield
        return

    async def wait() -> None:
        await request.receive()  # behind the body there is only the end of the connection
        limit.cancel()

    watching = asyncio.create_task(wait())
    try:
        yield
    finally:
        watching.cancel()
