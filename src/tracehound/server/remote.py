"""The other side of `store.remote`: what our SDK asks of this server as its store, and the frames that it sends.

What a client calls its segments and its processes is kept under the id of its spool folder, `spool/name`, which is no
name of a file of our own spool: so they are told apart, and our own drainer leaves them alone.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tracehound.errors import NotFoundError, StoreError
from tracehound.model.edit import DISCARD, Change, Edit, Facts
from tracehound.model.record import DecodeError, Record, replace, to_msgpack
from tracehound.model.trace import Origin, TracePart
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.server.bodies import read_body
from tracehound.server.gone import cancelled_when_gone
from tracehound.server.guard.narrowed import NarrowedStore
from tracehound.server.guard.rights import DeniedError, OtherExperimentError
from tracehound.server.ingest import PACKED
from tracehound.server.problems import BadRequestError, RefusedChangesError, RefusedTracesError, UnstorableError
from tracehound.server.rows import Nothing, Right
from tracehound.server.served import Served
from tracehound.server.writer import Share
from tracehound.store.api import SegmentRange
from tracehound.store.remote import forms
from tracehound.store.remote.changes import CHANGES, ChangesForm, CursorForm, form_of_changes
from tracehound.store.remote.forms import Asked, Form, Given, Operation
from tracehound.wire.compression import decompress
from tracehound.wire.frames import Good, read_frames

_MAX_NAME: Final = 200
_MAX_ARRIVALS: Final = 1_000
_MAX_NUMBER: Final = 2**62


class Hello(Record, frozen=True, kw_only=True):
    """Who this is, and which protocol of SDKs it speaks."""

    tracehound: str
    protocol: int


@dataclass(frozen=True)
class Door:
    """An operation of a store as it is offered here: who may use it, and what does it."""

    operation: Operation[Any, Any]
    right: Right
    handle: Callable[[Served, Request], Awaitable[Response]]


def tell_hello(served: Served, _asked: Nothing) -> Hello:
    """Say who this is, and which protocol of SDKs it speaks."""
    return Hello(tracehound=served.version, protocol=forms.PROTOCOL)


def _door(operation: Operation[Asked, Given], right: Right, answer: Callable[[Served, Asked], Given]) -> Door:
    """Return the operation with a function that works in a thread, and around it what reads and writes."""

    @functools.wraps(answer)
    async def handle(served: Served, request: Request) -> Response:
        body = await _read_body(request, served.limits.max_body_bytes)
        try:
            asked = operation.read_asked(body)
        except (DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadRequestError(f"the body is not what {operation.name} is asked with, as {forms.MSGPACK}") from error
        limit = SearchLimit(served.limits.search_timeout_s)
        async with cancelled_when_gone(request, limit):
            packed = await run_in_threadpool(_answer, dataclasses.replace(served, time_limit=limit), asked)
        return Response(packed, media_type=forms.MSGPACK)

    def _answer(served: Served, asked: Asked) -> bytes:
        return to_msgpack(answer(served, asked))

    return Door(operation, right, handle)


async def _read_body(request: Request, max_bytes: int, on_bytes: Callable[[int], None] | None = None) -> bytes:
    try:
        return await read_body(request, max_bytes, on_bytes)
    except ClientDisconnect as error:
        raise BadRequestError("the body is cut off") from error


async def receive_frames(served: Served, request: Request) -> Response:
    """Apply a batch of frames, with the position of the segment that it comes from, if that has not been done yet."""
    spool, source = _source_of(request)
    limit = served.limits.max_body_bytes
    with Share(served.backlog) as share:
        packed = await _read_body(request, limit, share.take)
        encoding = request.headers.get("content-encoding", "")
        async with served.gate.passed(len(packed) * (PACKED if encoding else 1)):
            data = await run_in_threadpool(decompress, packed, encoding, limit)
            share.take(max(0, len(data) - len(packed)))
            found, trace_ids = await run_in_threadpool(_apply, served, data, spool, source)
    if found.is_applied:
        served.announcer.note(trace_ids)
    return Response(to_msgpack(found), media_type=forms.MSGPACK)


def _source_of(request: Request) -> tuple[str, SegmentRange | None]:
    """Return the spool folder and the bytes of the segment that the headers name."""
    spool = request.headers.get(forms.SPOOL_HEADER, "")
    segment = request.headers.get(forms.SEGMENT_HEADER)
    start, end = (request.headers.get(each, "") for each in (forms.START_HEADER, forms.END_HEADER))
    _check_names(spool, "spool" if segment is None else segment)
    if segment is None:
        return spool, None
    if not (start.isdecimal() and end.isdecimal() and int(start) <= int(end) <= _MAX_NUMBER):
        raise BadRequestError(f"{forms.START_HEADER} and {forms.END_HEADER} are the offsets of a batch in its segment")
    return spool, SegmentRange(f"{spool}/{segment}", int(start), int(end))


def _apply(
    served: Served, data: bytes, spool: str, source: SegmentRange | None
) -> tuple[forms.PositionForm, list[str]]:
    """Write what the frames hold; raise `UnstorableError` where that cannot be done, now or ever."""
    changes: list[Change] = []
    places: list[int] = []  # of the changes, among the frames
    try:
        for place, change in _read_changes(served, data, spool):
            places.append(place)
            changes.append(change)
        is_applied = served.store.write(changes, source)
    except (StoreError, MemoryError, UnstorableError, BadRequestError):
        raise
    except (DeniedError, NotFoundError) as error:  # said of a trace by somebody who may only send them, say
        refused = served.store.refused(changes) if isinstance(served.store, NarrowedStore) else []
        kind = RefusedTracesError if isinstance(error, OtherExperimentError) else RefusedChangesError
        raise kind(str(error), [places[number] for number in refused]) from error
    except Exception as error:
        raise UnstorableError("the store cannot hold what this request brings") from error
    if is_applied:
        served.metrics.count_spans(sum(len(each.spans) for each in changes if isinstance(each, TracePart)), 0)
    trace_ids = [each.trace_id for each in changes if not isinstance(each, Facts)]
    return _position(served, "" if source is None else source.segment, is_applied=is_applied), trace_ids


def _read_changes(served: Served, data: bytes, spool: str) -> Iterator[tuple[int, Change]]:
    """Yield what frames hold, with their places.

    Behind an `Origin` parts are as a process wrote them, and become what is stored.
    """
    screen = served.runtime.screen
    origin: dict[str, str] | None = None
    end = 0
    for place, item in enumerate(read_frames(data)):
        if not isinstance(item, Good):
            raise UnstorableError("a frame of this request cannot be read")
        end = item.end
        frame = item.frame
        if isinstance(frame, Origin):
            origin = frame.metadata
            continue
        if isinstance(frame, TracePart):
            if origin is not None:
                frame = replace(served.intake(frame), origin=origin)
            if frame.owner is not None:
                frame = replace(frame, owner=_process(spool, frame.owner))
        elif isinstance(frame, Edit) and frame.kind == DISCARD:
            frame = replace(frame, key=_process(spool, frame.key))
        if screen is not None:
            frame = screen.part(frame) if isinstance(frame, TracePart) else screen.change(frame)
        yield place, frame
    if end != len(data):
        raise BadRequestError("the body is cut off")


def _process(spool: str, name: str) -> str:
    """Return what a process is called here; one of another folder, of which a copy tells, has its whole name."""
    return name if "/" in name else f"{spool}/{name}"


def _position(served: Served, segment: str, *, is_applied: bool = False) -> forms.PositionForm:
    position = served.store.position(segment) if segment else 0
    return forms.PositionForm(position, f"{served.started}-{served.store.incarnation()}", is_applied)


def _check_names(*names: str) -> None:
    for name in names:
        if not 0 < len(name) <= _MAX_NAME or "/" in name:
            raise BadRequestError("spools, segments and processes have names, without a slash")


def search(served: Served, asked: forms.SearchForm) -> forms.InfosForm:
    """Return a page of a search, for our SDK."""
    page = served.runtime.drained_store().search(_bounded(served, asked))
    return forms.InfosForm([forms.form_of_info(each) for each in page.traces], page.next_cursor)


def search_whole(served: Served, asked: forms.SearchForm) -> forms.TracesForm:
    """Return a page of a search with all spans, for our SDK."""
    page = served.runtime.drained_store().search_whole(_bounded(served, asked))
    return forms.TracesForm([forms.form_of_trace(each) for each in page.traces], page.next_cursor)


def explain(served: Served, asked: forms.SearchForm) -> forms.ExplanationForm:
    """Return how a search is answered, for our SDK."""
    return forms.form_of_explanation(served.runtime.drained_store().explain(_bounded(served, asked)))


def read_traces(served: Served, asked: forms.TraceIdsForm) -> forms.TracesForm:
    """Return whole traces by their ids, for our SDK."""
    found = served.runtime.drained_store().read_traces(asked.trace_ids)
    return forms.TracesForm([forms.form_of_trace(each) for each in found.values()])


def read_statistics(served: Served, asked: forms.StatisticsForm) -> forms.GroupsForm:
    """Return what traces add up to, for our SDK."""
    query = forms.to_statistics(asked, served.time_limit)
    return forms.form_of_groups(served.runtime.drained_store().statistics(query))


def run_sql(served: Served, asked: forms.SqlForm) -> forms.RowsForm:
    """Return what a SELECT over the documented views selects, for our SDK."""
    if asked.limit_s is not None:
        served.time_limit.go_on(asked.limit_s, asked.spent_s)
    rows = served.runtime.drained_store().sql(asked.text, asked.parameters, served.time_limit)
    return forms.RowsForm(list(rows.columns), [list(row) for row in rows.rows])


def read_experiments(served: Served, _asked: Form) -> forms.ExperimentsForm:
    """Return the experiments that have traces, for our SDK."""
    return forms.ExperimentsForm(served.runtime.drained_store().experiments())


def read_facts(served: Served, asked: forms.SubjectForm) -> forms.FactsForm:
    """Return what is known of experiments, runs and models, for our SDK."""
    return forms.FactsForm(served.runtime.drained_store().facts(asked.kind, asked.subject))


def read_arrivals(served: Served, asked: forms.BehindForm) -> forms.ArrivalsForm:
    """Return traces in the order of their arrival, for our SDK."""
    most = max(0, min(asked.limit, _MAX_ARRIVALS))
    after = None if asked.after is None else min(asked.after, _MAX_NUMBER)
    return forms.forms_of_arrivals(served.runtime.drained_store().arrivals(after, most))


def read_changes(served: Served, asked: CursorForm) -> ChangesForm:
    """Return what the store keeps, for a copy of it."""
    limit = max(1, min(asked.limit, served.limits.max_results))
    return form_of_changes(served.runtime.drained_store().read_changes(asked.after, limit))


def read_version(served: Served, _asked: Form) -> forms.NumbersForm:
    """Return numbers that differ whenever anything may have been written, for our SDK."""
    return forms.NumbersForm(list(served.runtime.drained_store().version()))


def read_position(served: Served, asked: forms.SpoolNameForm) -> forms.PositionForm:
    """Return how far a segment of a client has been applied."""
    _check_names(asked.spool, asked.name)
    return _position(served, f"{asked.spool}/{asked.name}")


def read_segments(served: Served, asked: forms.SpoolForm) -> forms.NamesForm:
    """Return the segments of a client that have a position."""
    return _of_spool(asked.spool, served.store.segments())


def forget_segment(served: Served, asked: forms.SpoolNameForm) -> Form:
    """Drop the position of a segment of a client, whose file is long gone."""
    _check_names(asked.spool, asked.name)
    served.store.forget_segment(f"{asked.spool}/{asked.name}")
    return Form()


def read_running_owners(served: Served, asked: forms.SpoolForm) -> forms.NamesForm:
    """Return the processes of a client that open spans run in."""
    return _of_spool(asked.spool, served.store.running_owners())


def end_owner(served: Served, asked: forms.SpoolNameForm) -> Form:
    """End what runs in a process of a client, which is gone."""
    _check_names(asked.spool, asked.name)
    served.store.end_owner(f"{asked.spool}/{asked.name}")
    return Form()


def reclaim(served: Served, asked: forms.NumbersForm) -> forms.NumbersForm:
    """Give free space back to the file system, for our SDK."""
    return forms.NumbersForm([served.store.reclaim(max(0, most)) for most in asked.numbers[:1]])


def _bounded(served: Served, asked: forms.SearchForm) -> Search:
    return forms.to_search(asked, served.time_limit, served.limits.max_results)


def _of_spool(spool: str, names: list[str]) -> forms.NamesForm:
    """Return of some names those of a spool, as it calls them."""
    _check_names(spool)
    return forms.NamesForm([name.removeprefix(f"{spool}/") for name in names if name.startswith(f"{spool}/")])


DOORS: Final = (
    _door(forms.SEARCH, Right.READ, search),
    _door(forms.SEARCH_WHOLE, Right.READ, search_whole),
    _door(forms.EXPLAIN, Right.READ, explain),
    _door(forms.READ_TRACES, Right.READ, read_traces),
    _door(forms.STATISTICS, Right.READ, read_statistics),
    _door(forms.SQL, Right.READ, run_sql),
    _door(forms.EXPERIMENTS, Right.READ, read_experiments),
    _door(forms.FACTS, Right.READ, read_facts),
    _door(forms.ARRIVALS, Right.READ, read_arrivals),
    _door(CHANGES, Right.ADMIN, read_changes),
    _door(forms.VERSION, Right.READ, read_version),
    _door(forms.POSITION, Right.INGEST, read_position),
    _door(forms.SEGMENTS, Right.INGEST, read_segments),
    _door(forms.FORGET_SEGMENT, Right.INGEST, forget_segment),
    _door(forms.RUNNING_OWNERS, Right.INGEST, read_running_owners),
    _door(forms.END_OWNER, Right.INGEST, end_owner),
    _door(forms.RECLAIM, Right.ADMIN, reclaim),
)
