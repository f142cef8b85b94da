"""Files in MLflow's API. There are two: the spans of a trace, and the description of a model.

Clients before MLflow 3.4, and those whose spans go nowhere else, upload the spans of a trace as the file `traces.json`:
they are kept as spans. Whoever makes a model without files describes it in a small file `MLmodel`, which is kept as a
fact of the model. There is no place for other files: clients take images and sound out of values to upload them as
attachments of the trace, unless they are told not to, and that is what they are told.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from tracehound.client.experiments import find_experiment
from tracehound.client.models import find_model, model_file, set_model_file
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.form import read_document
from tracehound.model.record import to_json_text, to_msgpack
from tracehound.model.stand_in import real_spans
from tracehound.model.trace import TracePart
from tracehound.model.trace_form import read_data
from tracehound.server.bodies import JSON, read_body
from tracehound.server.mlflow.problems import refusal
from tracehound.server.problems import BadRequestError
from tracehound.server.served import Served
from tracehound.wire.mlflow.messages import Message
from tracehound.wire.mlflow.old import to_old_file

_SPANS: Final = re.compile(r"(?P<experiment>\d+)/traces/(?P<trace>tr-[0-9a-f]{32})/artifacts/traces\.json")
_MODEL: Final = re.compile(r"(?P<experiment>\d+)/models/(?P<model>m-[0-9a-f]{32})/artifacts/MLmodel")
_ATTACHMENT: Final = re.compile(r"[^/]+/traces/[^/]+/artifacts/attachments/.+")
_MAX_MODEL_BYTES: Final = 64_000
_NO_PLACE: Final = (
    "there is no place for files here but for the spans of a trace (traces.json) and for the description of a model"
    " (MLmodel)"
)
_NO_ATTACHMENTS: Final = (
    "attachments of traces are not kept here: set MLFLOW_TRACE_EXTRACT_ATTACHMENTS=false where the program runs, and"
    " images and sound stay in the values that they are taken out of"
)


async def put_artifact(served: Served, request: Request) -> Response:
    """Keep the spans of a trace, or the description of a model, that come as a file."""
    path = request.path_params["path"]
    spans, model = _SPANS.fullmatch(path), _MODEL.fullmatch(path)
    if spans is None and model is None:
        return _refuse(path)
    try:
        body = await read_body(request, served.limits.max_body_bytes)
    except ClientDisconnect as error:
        raise BadRequestError("the body is cut off") from error
    if spans is not None:
        part, size_bytes = await run_in_threadpool(_read_part, served, spans["experiment"], spans["trace"], body)
        if part.spans:
            await asyncio.wrap_future(served.writer.submit([part], size_bytes))
            served.announcer.note([part.trace_id])
    elif model is not None:
        await run_in_threadpool(_keep_model, served, model["model"], body)
    return Response(b"{}", media_type=JSON)


async def get_artifact(served: Served, request: Request) -> Response:
    """Return the spans of a trace, or the description of a model, as a file."""
    path = request.path_params["path"]
    spans, model = _SPANS.fullmatch(path), _MODEL.fullmatch(path)
    if spans is not None:
        form = await run_in_threadpool(_spans_of, served, spans["trace"], is_old=_is_old(request))
        return Response(to_json_text(form).encode(), media_type="text/plain")
    if model is not None:
        found = await run_in_threadpool(_model_file, served, model["model"])
        return Response(found.encode(), media_type="text/plain")
    return _refuse(path)


def _refuse(path: str) -> Response:
    return refusal(404, "ENDPOINT_NOT_FOUND", _NO_ATTACHMENTS if _ATTACHMENT.fullmatch(path) else _NO_PLACE)


def _read_part(served: Served, experiment_id: str, trace_id: str, body: bytes) -> tuple[TracePart, int]:
    """Return the spans in a file as a part, and how large that is."""
    experiment = find_experiment(served.runtime, experiment_id)
    spans = read_data(Message(read_document(body))).spans
    stray = next((each.trace_id for each in spans if each.trace_id != trace_id), None)
    if stray is not None:
        raise ArgumentError(f"the file is to hold the spans of {trace_id}, and has one of {stray}")
    part = served.intake(TracePart(trace_id, experiment.name, served.runtime.clock_ns(), spans))
    try:
        return part, len(to_msgpack(part))
    except OverflowError as error:
        raise ArgumentError("a time of a span is larger than a number of 64 bits") from error


def _is_old(request: Request) -> bool:
    """Whether a client of MLflow 2 asks, which reads spans in their older form only."""
    return re.match(r"mlflow-python-client/[012]\.", request.headers.get("user-agent", "")) is not None


def _spans_of(served: Served, trace_id: str, *, is_old: bool) -> dict[str, Any]:
    found = served.runtime.drained_store().read_traces([trace_id]).get(trace_id)
    spans = [] if found is None else real_spans(found.data.spans)
    if found is None or not spans:
        raise NotFoundError(f"there are no spans of {trace_id}")
    return to_old_file(found) if is_old else {"spans": [each.to_dict() for each in spans]}


def _keep_model(served: Served, model_id: str, body: bytes) -> None:
    if len(body) > _MAX_MODEL_BYTES:
        raise ArgumentError(f"the description of a model has at most {_MAX_MODEL_BYTES:,} bytes, not {len(body):,}")
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise ArgumentError("the description of a model is a text in UTF-8") from error
    set_model_file(served.runtime, model_id, text)


def _model_file(served: Served, model_id: str) -> str:
    find_model(served.runtime, model_id)
    found = model_file(served.runtime, model_id)
    if found is None:
        raise NotFoundError(f"the model {model_id} has no description")
    return found
