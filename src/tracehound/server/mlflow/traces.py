"""Traces in MLflow's API: what a client tells of a whole one, and reading, searching, tagging and deleting them.

The client sends the spans to `/v1/traces` and what it knows of the whole trace here, in any order and up to seconds
apart. A trace is found from the first of the two on.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tracehound.client.deletion import delete_from
from tracehound.client.experiments import find_experiment
from tracehound.client.known import read_known
from tracehound.client.linking import link_to_run
from tracehound.client.tags import delete_tag, set_tag
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.edit import Change
from tracehound.model.record import from_json, to_json_text, to_msgpack
from tracehound.model.reserved import IMMUTABLE_TAGS, REMOVABLE_TAGS
from tracehound.model.trace import Trace, TraceInfo
from tracehound.model.values import clean_text
from tracehound.query.lenient import tokenize_leniently
from tracehound.query.limit import SearchLimit
from tracehound.query.search import DEFAULT_LIMIT, parse_search
from tracehound.server.mlflow.calls import read_message, to_answer
from tracehound.server.mlflow.listing import limit_of
from tracehound.server.served import Served
from tracehound.store.api import Page, Store
from tracehound.wire.mlflow.messages import Message, without_none
from tracehound.wire.mlflow.traces import (
    missing_spans,
    read_info_message,
    to_changes,
    to_info_message,
    to_trace_message,
)

_MOST_RESULTS: Final = 500
_LONGEST_KEY: Final = 250
_LINKED_PROMPTS: Final = "mlflow.linkedPrompts"
_ASK_AGAIN_S: Final = 0.1


def start_trace(served: Served, asked: Message) -> dict[str, Any]:
    """Keep what is known of a whole trace, before its spans or after them."""
    info = read_info_message(asked.form("trace").form("trace_info"))
    known = _store(served).read_traces([info.trace_id]).get(info.trace_id)
    if known is not None and known.info.experiment_id != info.experiment_id:
        raise ArgumentError(f"the trace {info.trace_id} lies in another experiment already: {known.info.experiment_id}")
    keep_told(served, info)
    return {"trace": {"trace_info": to_info_message(info)}}


def keep_told(served: Served, info: TraceInfo) -> None:
    """Keep what a client tells of a whole trace; it is safe when this returns."""
    experiment = find_experiment(served.runtime, info.experiment_id)
    part, edits = to_changes(info, experiment.name, served.runtime.clock_ns())
    changes: list[Change] = [served.intake(part), *edits]
    served.writer.submit(changes, sum(len(to_msgpack(each)) for each in changes)).result()
    served.announcer.note([info.trace_id])


def get_trace_info(served: Served, asked: Message) -> dict[str, Any]:
    """Return what is known of a trace without its spans."""
    return {"trace": {"trace_info": to_info_message(read_trace(served, asked.text("trace_id")).info)}}


async def get_trace(served: Served, request: Request) -> Response:
    """Return a whole trace; unless a part of it will do, wait a moment for spans that are on their way.

    A client sends its spans every five seconds, or when it is told to, and what it knows of the whole trace at once.
    """
    asked = await read_message(served, request)
    trace_id, may_be_partial = asked.text("trace_id"), asked.flag("allow_partial")
    patient_until_s = time.monotonic() + served.limits.wait_for_spans_s
    while True:
        trace = await run_in_threadpool(read_trace, served, trace_id)
        missing = 0 if may_be_partial else await run_in_threadpool(missing_spans, trace)
        if missing == 0:
            return to_answer({"trace": await run_in_threadpool(to_trace_message, trace)})
        if time.monotonic() > patient_until_s:
            raise NotFoundError(
                f"{missing} of the spans of {trace_id} have not arrived; allow_partial=true returns the others"
            )
        await asyncio.sleep(_ASK_AGAIN_S)


def batch_get_traces(served: Served, asked: Message) -> dict[str, Any]:
    """Return whole traces, as far as they are there; those that are not are left out."""
    return {"traces": [to_trace_message(each) for each in _read_many(served, asked)]}


def batch_get_infos(served: Served, asked: Message) -> dict[str, Any]:
    """Return what is known of traces without their spans; those that are not there are left out."""
    return {"trace_infos": [to_info_message(each.info) for each in _read_many(served, asked)]}


def search_traces(served: Served, asked: Message) -> dict[str, Any]:
    """Return a page of the traces of experiments that a filter is true of, newest first unless an order is given."""
    if "locations" not in asked:
        raise ArgumentError("locations is missing: it lists the experiments to search")
    ids = [_experiment_in(each) for each in asked.forms("locations")]
    page = find_page(served, ids, asked)
    if page is None:
        return {}
    infos = [to_info_message(each) for each in page.traces]
    return without_none({"traces": infos, "next_page_token": page.next_cursor})


def find_page(served: Served, experiment_ids: Sequence[str], asked: Message) -> Page[TraceInfo] | None:
    """Return the page of a search that a message asks for; None where it is of no experiment."""
    limit = limit_of(asked, DEFAULT_LIMIT, _MOST_RESULTS)
    if not experiment_ids:
        return None
    search = parse_search(
        experiment_ids, asked.text_or_none("filter"), asked.list_of_texts("order_by"), limit,
        asked.text_or_none("page_token") or None, read=tokenize_leniently,
    )  # fmt: skip
    limited = dataclasses.replace(search, time_limit=SearchLimit(served.limits.search_timeout_s))
    return _store(served).search(limited)


def delete_traces(served: Served, asked: Message) -> dict[str, Any]:
    """Delete traces of an experiment: those that are named, or those that began up to a time, the oldest first."""
    named = asked.list_of_texts("request_ids") or asked.list_of_texts("trace_ids")
    count = delete_from(
        served.runtime, asked.text("experiment_id"), asked.integer_or_none("max_timestamp_millis"),
        asked.integer_or_none("max_traces"), named or None,
    )  # fmt: skip
    return {"traces_deleted": count}


def set_trace_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Set a tag of a trace."""
    trace_id, key = asked.text("trace_id"), asked.text("key")
    if key in IMMUTABLE_TAGS:
        raise ArgumentError(f"the tag {key!r} belongs to the store and cannot be changed")
    if len(key) > _LONGEST_KEY:
        raise ArgumentError(f"the key of a tag has at most {_LONGEST_KEY} characters, not {len(key)}")
    set_tag(served.runtime, trace_id, key, asked.text_or_empty("value"))
    return _changed(served, trace_id)


def delete_trace_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Remove a tag of a trace."""
    trace_id, key = asked.text("trace_id"), asked.text("key")
    if key in IMMUTABLE_TAGS - REMOVABLE_TAGS:
        raise ArgumentError(f"the tag {key!r} belongs to the store and cannot be removed")
    delete_tag(served.runtime, trace_id, key)
    return _changed(served, trace_id)


def link_traces_to_run(served: Served, asked: Message) -> dict[str, Any]:
    """Let traces belong to a run, too."""
    trace_ids = asked.list_of_texts("trace_ids")
    link_to_run(served.runtime, trace_ids, asked.text("run_id"))
    return _changed(served, *trace_ids)


def link_prompts(served: Served, asked: Message) -> dict[str, Any]:
    """Note which versions of prompts a trace has used, in a tag; those that are known stay."""
    trace_id = asked.text("trace_id")
    new = [{"name": each.text("name"), "version": each.text("version")} for each in asked.forms("prompt_versions")]
    known = read_known(served.runtime, clean_text(trace_id), must_be_current=True)
    assert known is not None  # noqa: S101 - the store had to answer
    linked = from_json(known.tags().get(_LINKED_PROMPTS, "[]"))
    linked += [each for each in new if each not in linked]
    set_tag(served.runtime, trace_id, _LINKED_PROMPTS, to_json_text(linked))
    return _changed(served, trace_id)


def _store(served: Served) -> Store:
    return served.runtime.drained_store()


def read_trace(served: Served, trace_id: str) -> Trace:
    """Return a trace; raise `NotFoundError` where it is not there."""
    wanted = clean_text(trace_id)
    found = _store(served).read_traces([wanted]).get(wanted)
    if found is None:
        raise NotFoundError(f"there is no trace {wanted}")
    return found


def _read_many(served: Served, asked: Message) -> list[Trace]:
    """Return the traces that a message names, in its order."""
    wanted = list(dict.fromkeys(clean_text(each) for each in asked.list_of_texts("trace_ids")))
    if not wanted:
        raise ArgumentError("trace_ids is missing: it lists the traces to return")
    if len(wanted) > _MOST_RESULTS:
        raise ArgumentError(f"at most {_MOST_RESULTS} traces are returned at a time, not {len(wanted)}")
    within = asked.list_of_texts("experiment_ids")
    found = _store(served).read_traces(wanted)
    traces = [found[each] for each in wanted if each in found]
    return [each for each in traces if not within or each.info.experiment_id in within]


def _experiment_in(location: Message) -> str:
    if location.text_or_empty("type") not in ("MLFLOW_EXPERIMENT", ""):
        raise ArgumentError("locations are to be experiments: there are no other places here")
    return location.form("mlflow_experiment").text("experiment_id")


def _changed(served: Served, *trace_ids: str) -> dict[str, Any]:
    served.announcer.note([clean_text(each) for each in trace_ids])
    return {}
