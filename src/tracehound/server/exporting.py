"""Routes that give all traces of a search as a file, while they are read: memory stays flat, whatever the store holds.

A row is what `tracehound search` writes with the same fields and format. The first piece is made before the answer
begins, so that a filter that is none is told as anywhere else. What fails later ends the connection without the end of
the file.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tracehound.client.formats import FORMATS, encode_traces
from tracehound.client.named_columns import MACHINE_FIELDS, parse_columns
from tracehound.client.pages import read_pages
from tracehound.client.parquet import ARROW_LINE, has_arrow
from tracehound.errors import ArgumentError
from tracehound.model.record import Record
from tracehound.server.bodies import to_request
from tracehound.server.rows import Nothing
from tracehound.server.served import Served
from tracehound.server.traces import SearchScope, search_of
from tracehound.store.experiments import read_experiments

_MEDIA_TYPES: Final = {
    "jsonl": "application/x-ndjson",
    "json": "application/json",
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}
MEDIA_TYPES: Final = tuple(each.partition(";")[0] for each in _MEDIA_TYPES.values())
_LISTS: Final = ("experiment_ids", "experiments", "order_by")
_PIECE_BYTES: Final = 64_000


class ExportRequest(SearchScope, frozen=True, kw_only=True):
    """A search whose traces are wanted as a file; `fields` are names with commas, as `tracehound search` has them."""

    format: str = "jsonl"
    order_by: list[str] = []
    fields: str = MACHINE_FIELDS


class ExportFormat(Record, frozen=True, kw_only=True):
    """A format that traces can be exported in; `install` is what has to be installed here before, if anything."""

    name: str
    media_type: str
    install: str | None


class ExportFormats(Record, frozen=True, kw_only=True):
    """The formats that traces can be exported in."""

    formats: list[ExportFormat]


def list_export_formats(_served: Served, _asked: Nothing) -> ExportFormats:
    """Return the formats that traces can be exported in, and what they need."""
    return ExportFormats(
        formats=[
            ExportFormat(
                name=name,
                media_type=_MEDIA_TYPES[name],
                install=ARROW_LINE if name == "parquet" and not has_arrow() else None,
            )
            for name in FORMATS
        ]
    )


async def export_traces(served: Served, request: Request) -> Response:
    """Return all traces of a search as a file, newest first unless an order is given."""
    query = request.query_params
    values: dict[str, Any] = {name: query.getlist(name) if name in _LISTS else query[name] for name in query}
    asked = to_request(values, ExportRequest, is_text=True)
    pieces = await run_in_threadpool(_begin, served, asked)
    return StreamingResponse(
        pieces,
        headers={
            "Content-Disposition": f'attachment; filename="traces.{asked.format}"',
            "X-Content-Type-Options": "nosniff",
        },
        media_type=_MEDIA_TYPES[asked.format],
    )


def _begin(served: Served, asked: ExportRequest) -> Iterator[bytes]:
    """Return the pieces of the file, of which the first is made already."""
    if asked.format not in FORMATS:
        raise ArgumentError(f"format is one of {', '.join(FORMATS)}, not {asked.format!r}")
    store = served.runtime.drained_store()
    search = search_of(served, store, asked, asked.order_by)
    columns = parse_columns(asked.fields, {number: each.name for number, each in read_experiments(store).items()})
    pages = read_pages(store, search, include_spans=any(each.needs_spans for each in columns))
    pieces = _joined(encode_traces(asked.format, itertools.chain.from_iterable(pages), columns))
    return itertools.chain(list(itertools.islice(pieces, 1)), pieces)


def _joined(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the same bytes in pieces that are worth sending."""
    waiting: list[bytes] = []
    length = 0
    for piece in pieces:
        waiting.append(piece)
        length += len(piece)
        if length >= _PIECE_BYTES:
            yield b"".join(waiting)
            waiting, length = [], 0
    yield b"".join(waiting)
