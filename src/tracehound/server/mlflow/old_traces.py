"""Traces of clients before MLflow 3.2, which begin a trace over REST, end it, and upload its spans as a file.

The server gives such a trace its id. Until the file is there, a span stands in for its spans.
"""

from __future__ import annotations

import uuid
from typing import Any

from tracehound.model.ids import TRACE_ID_PREFIX
from tracehound.server.mlflow.traces import find_page, keep_told, read_trace
from tracehound.server.served import Served
from tracehound.wire.mlflow.messages import Message, without_none
from tracehound.wire.mlflow.old import read_begun, read_ended, to_old_info_message


def begin_trace(served: Served, asked: Message) -> dict[str, Any]:
    """Keep that a trace has begun, and give it its id."""
    info = read_begun(asked, f"{TRACE_ID_PREFIX}{uuid.uuid4().hex}")
    keep_told(served, info)
    return {"trace_info": to_old_info_message(info)}


def end_trace(served: Served, asked: Message) -> dict[str, Any]:
    """Keep how a trace has ended."""
    known = read_trace(served, asked.text("trace_id")).info
    keep_told(served, read_ended(asked, known))
    return {"trace_info": to_old_info_message(read_trace(served, known.trace_id).info)}


def get_old_info(served: Served, asked: Message) -> dict[str, Any]:
    """Return what is known of a trace without its spans."""
    return {"trace_info": to_old_info_message(read_trace(served, asked.text("trace_id")).info)}


def search_old_traces(served: Served, asked: Message) -> dict[str, Any]:
    """Return a page of the traces of experiments that a filter is true of."""
    page = find_page(served, asked.list_of_texts("experiment_ids"), asked)
    if page is None:
        return {}
    traces = [to_old_info_message(each) for each in page.traces]
    return without_none({"traces": traces, "next_page_token": page.next_cursor})
