"""The application: a store -> HTTP, by the rows of the route table."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from importlib import metadata
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tracehound.model.record import to_json
from tracehound.query.limit import SearchLimit
from tracehound.runtime import Runtime
from tracehound.server.bodies import JSON, expect_body, read_json_object, to_request
from tracehound.server.events import Announcer
from tracehound.server.gate import Gate
from tracehound.server.gone import cancelled_when_gone
from tracehound.server.guard.guards import Guard, OpenGuard
from tracehound.server.guard.views import Views
from tracehound.server.limits import ServerLimits
from tracehound.server.metrics import Metrics
from tracehound.server.problems import to_problem, to_response
from tracehound.server.reading import Reader
from tracehound.server.retention import Sweeper
from tracehound.server.routes import ALL_ROUTES
from tracehound.server.rows import Call, Row
from tracehound.server.served import Served
from tracehound.server.writer import Backlog, GroupWriter, Share
from tracehound.settings import Settings
from tracehound.store.api import PreparingStore, Store
from tracehound.store.targets import parse_target
from tracehound.wire.intake import Intake

_READERS: Final = 2  # what they do needs the interpreter lock: more of them would only wait for it


def create_app(
    store: Store,
    settings: Settings,
    limits: ServerLimits | None = None,
    *,
    drain: Callable[[], None] | None = None,
    routes: Sequence[Row] = ALL_ROUTES,
    guard: Guard | None = None,
) -> Starlette:
    """Return the application that serves a store, which stays the caller's to close.

    What names no experiment goes into that of the settings. `drain` brings into the store what programs on this machine
    have finished; it is called before anything is read. `guard` is asked before each request; without one everybody
    may do everything. What the routes work with is `app.state.served`, and what of it somebody sees `app.state.views`.
    """
    writer = GroupWriter(store, (limits or ServerLimits()).patience_s)
    served = _serve(store, settings, limits or ServerLimits(), drain, routes, writer, guard or OpenGuard())
    views = Views(served, drain)
    sweeper = Sweeper(store, served.limits.sweep_every_s)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        sweeper.start()
        try:
            yield
        finally:
            await served.announcer.close()
            await run_in_threadpool(sweeper.close)
            await run_in_threadpool(writer.close)
            served.readers.shutdown()
            await run_in_threadpool(served.reader.close)
            served.guard.close()
            views.close()

    app = Starlette(
        routes=[_to_route(row) for row in routes],
        exception_handlers={HTTPException: _tell_problem},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.served, app.state.views = served, views
    return app


def _serve(
    store: Store,
    settings: Settings,
    limits: ServerLimits,
    drain: Callable[[], None] | None,
    rows: Sequence[Row],
    writer: GroupWriter,
    guard: Guard,
) -> Served:
    runtime = Runtime(settings, store=store, drain=drain, origin=dict)  # what is said here comes from elsewhere
    backlog = Backlog(limits.max_waiting_bytes)
    announcer = Announcer(runtime, limits)
    intake = Intake(settings.prices)
    preparer = store.preparer if isinstance(store, PreparingStore) else None
    version = _version()
    metrics = Metrics(parse_target(settings.tracking_uri), backlog.size_bytes, announcer.count)
    return Served(
        store=store,
        runtime=runtime,
        limits=limits,
        writer=writer,
        backlog=backlog,
        gate=Gate(limits.max_decoded_bytes),
        metrics=metrics,
        announcer=announcer,
        readers=ThreadPoolExecutor(_READERS, "tracehound-reader"),
        intake=intake,
        reader=Reader(intake, settings.prices, preparer, version),
        experiment_names={},
        rows=rows,
        version=version,
        time_limit=SearchLimit(),
        guard=guard,
    )


@functools.cache
def _version() -> str:
    return metadata.version("tracehound")  # which parses a file


@functools.cache
def _to_route(row: Row) -> Route:
    """Return the route of a row, for whatever application: to compile the patterns of all takes longer than the rest.

    It answers the requests of its row, whatever they are, with what their application works with.
    """

    async def answer(request: Request) -> Response:
        begun_s = time.perf_counter()
        served: Served = request.app.state.served
        with Share(served.backlog) as share:
            expect_body(request, share, served.limits.body_timeout_s)
            response = await respond(request, served)
        served.metrics.count_request(row.method, row.path, response.status_code, time.perf_counter() - begun_s)
        return response

    async def respond(request: Request, served: Served) -> Response:
        views: Views = request.app.state.views
        try:
            seen = views.of(await served.guard.admit(request, row.right))
            return await (_call(row, seen, request) if isinstance(row, Call) else row.handle(seen, request))
        except Exception as error:  # noqa: BLE001 - every one is told, and those that are our fault are logged
            told = row.told(to_problem(error))
            _forget_frames(error)
            return told

    return Route(row.path, answer, methods=[row.method])


def _forget_frames(error: BaseException) -> None:
    """Let go of the frames that an error has come through, and so of the body that they hold.

    One of them is of `run_in_threadpool`, and holds the future that holds the error. Such a circle stays until garbage
    is looked for, which objects bring about by their number: hundreds of bodies, however large, would wait for it.
    """
    each: BaseException | None = error
    while each is not None:
        each.__traceback__ = None
        each = each.__cause__ or each.__context__


async def _call(row: Call, served: Served, request: Request) -> Response:
    given = await read_json_object(served, request) if row.has_body else dict(request.query_params)
    asked = to_request({**given, **request.path_params}, row.request, is_text=not row.has_body)
    limit = SearchLimit(served.limits.search_timeout_s)
    async with cancelled_when_gone(request if row.has_body else None, limit):
        found = await run_in_threadpool(row.handle, dataclasses.replace(served, time_limit=limit), asked)
    return Response(await run_in_threadpool(to_json, found), media_type=JSON)


async def _tell_problem(request: Request, error: Exception) -> Response:
    answer = to_response(to_problem(error))
    if answer.status_code == 405:
        routes = request.app.routes
        path = next(route.path for route in routes if route.path_regex.match(request.url.path))
        methods = {method for route in routes if route.path == path for method in route.methods}
        answer.headers["Allow"] = ", ".join(sorted(methods))
    return answer
