"""OTLP over HTTP: spans come in, and are answered for when they are safe.

The experiment is the one that the request names: in a header, by MLflow's id or by our name, or in an attribute of the
resource, which goes before the headers. A trace can come in any number of requests, in any order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tracehound.client.experiments import find_experiment
from tracehound.context.scope import SOURCE_RUN
from tracehound.model.edit import Edit
from tracehound.model.record import replace, to_json
from tracehound.model.values import clean_text
from tracehound.server.bodies import JSON, media_type, read_body
from tracehound.server.problems import BadRequestError, MediaTypeError
from tracehound.server.reading_process import PROTOBUF, Answer, Order
from tracehound.server.served import Served
from tracehound.server.writer import Share
from tracehound.wire.compression import decompress
from tracehound.wire.otlp_protobuf import write_answer

EXPERIMENT_ID_HEADER: Final = "x-mlflow-experiment-id"
EXPERIMENT_HEADER: Final = "x-tracehound-experiment"
RUN_ID_HEADER: Final = "x-mlflow-run-id"
PACKED: Final = 8  # about how many times as large a compressed body becomes


def _json_answer(refused: int, reason: str) -> bytes:
    said = {"partialSuccess": {"rejectedSpans": str(refused), "errorMessage": reason}} if refused else {}
    return to_json(said)


# What writes how many were refused, and why, by the media type in which spans come.
_ANSWERS: Final[dict[str, Callable[[int, str], bytes]]] = {PROTOBUF: write_answer, JSON: _json_answer}


async def receive_spans(served: Served, request: Request) -> Response:
    """Keep the spans of a request; those that are damaged are counted in the answer, and all others are safe then."""
    kind = media_type(request)
    write = _ANSWERS.get(kind)
    if write is None:
        raise MediaTypeError(f"spans are sent as {PROTOBUF} or {JSON}, and Content-Type says which")
    experiment = await _experiment_of(served, request)
    run_id = request.headers.get(RUN_ID_HEADER)
    encoding = request.headers.get("content-encoding", "")
    with Share(served.backlog) as share:
        try:
            packed = await read_body(request, served.limits.max_body_bytes, share.take)
        except ClientDisconnect as error:
            raise BadRequestError("the body is cut off") from error
        async with served.gate.passed(len(packed) * (PACKED if encoding else 1)):
            # Not among the threads that search: those may all be waiting for the store.
            arrived, size_bytes = await asyncio.get_running_loop().run_in_executor(
                served.readers, _read, served, kind, packed, encoding, experiment, run_id
            )
            share.take(max(0, size_bytes - len(packed)))
            if arrived.spans:
                await asyncio.wrap_future(served.writer.submit(arrived.changes, size_bytes))
    note_arrival(served, arrived)
    return Response(write(arrived.refused, arrived.reason), media_type=kind)


def take_in(served: Served, kind: str, data: bytes, experiment: str, run_id: str | None = None) -> Answer:
    """Return what a body brings as it is to be kept: of a run, if it is of one, and without secrets.

    Where nothing of that is to be done, the parts may have been made ready for the store.
    """
    screen = served.runtime.screen
    arrived = served.reader.read(Order(kind, experiment, data, is_to_be_prepared=screen is None and run_id is None))
    if screen is not None:
        edits = [each for each in map(screen.change, arrived.edits) if isinstance(each, Edit)]
        arrived = replace(arrived, parts=[screen.part(part) for part in arrived.parts], edits=edits)
    if run_id is not None:
        said = {SOURCE_RUN: clean_text(run_id)}
        parts = [replace(part, metadata={**part.metadata, **said}) for part in arrived.parts]
        arrived = replace(arrived, parts=parts)
    return arrived


def note_arrival(served: Served, arrived: Answer) -> None:
    """Count what has come and is stored, and have it told."""
    served.announcer.note(arrived.trace_ids)
    served.metrics.count_spans(arrived.spans, arrived.refused)


def _read(
    served: Served, kind: str, packed: bytes, encoding: str, experiment: str, run_id: str | None
) -> tuple[Answer, int]:
    """Return what a body brings, and how large it is when it is unpacked."""
    data = decompress(packed, encoding, served.limits.max_body_bytes)
    return take_in(served, kind, data, experiment, run_id), len(data)


async def _experiment_of(served: Served, request: Request) -> str:
    """Return the name of the experiment that the headers give."""
    number = request.headers.get(EXPERIMENT_ID_HEADER)
    if number is not None and number not in served.experiment_names:
        return await run_in_threadpool(name_experiment, served, request.headers)
    return name_experiment(served, request.headers)


def name_experiment(served: Served, headers: Mapping[str, str]) -> str:
    """Return the name of the experiment that headers give; the server's own where they give none.

    A name may be percent-encoded, as names in `OTEL_EXPORTER_OTLP_HEADERS` are. An id is looked up once: it follows
    from the name, so that what is known stays so. Raise `NotFoundError` for one that no experiment has.
    """
    number = headers.get(EXPERIMENT_ID_HEADER)
    if number is None:
        name = clean_text(unquote(headers.get(EXPERIMENT_HEADER, ""))).strip()
        return name or served.runtime.settings.experiment
    if number not in served.experiment_names:
        served.experiment_names[number] = find_experiment(served.runtime, number).name
    return served.experiment_names[number]
