"""A trace across processes, by headers: what is sent, and what is read of requests."""

from __future__ import annotations

import logging
import subprocess
import sys
from email.message import Message
from pathlib import Path

import pytest
from starlette.datastructures import Headers

import tracehound
from tracehound.errors import ArgumentError
from tracehound.testing import recorded_traces
from tracehound.tracing import (
    get_tracing_context_headers_for_http_request as outgoing,
)
from tracehound.tracing import (
    set_tracing_context_from_http_request_headers as continued,
)

TRACE, CALLER = "ab" * 16, "cd" * 8
SENT = f"00-{TRACE}-{CALLER}-01"


def as_message(headers: dict[str, str]) -> Message:
    """Return headers as the standard library's servers have them."""
    message = Message()
    for name, value in headers.items():
        message[name] = value
    return message


@pytest.mark.parametrize("kind", [dict, Headers, as_message])
@pytest.mark.parametrize("name", ["traceparent", "Traceparent", "TRACEPARENT"])
def test_what_begins_in_the_block_stands_below_the_span_of_the_sender(name: str, kind: type) -> None:
    with recorded_traces() as recorded, continued(kind({name: SENT})):
        assert outgoing() == {"traceparent": SENT}
        with tracehound.start_span("answer"):
            pass
    (trace,) = recorded.traces()
    (span,) = trace.data.spans
    assert (span.trace_id, span.parent_id) == (f"tr-{TRACE}", CALLER)
    assert outgoing() == {}


def test_what_vendors_keep_in_the_trace_goes_on_with_it() -> None:
    sent = {"traceparent": SENT, "tracestate": "vendor=7"}
    with recorded_traces(), continued(sent), tracehound.start_span("answer"):
        assert outgoing()["tracestate"] == "vendor=7"


def test_what_is_not_kept_there_is_not_kept_here() -> None:
    sent = {"traceparent": SENT[:-1] + "0"}
    with recorded_traces() as recorded, continued(sent), tracehound.start_span("answer"):
        assert outgoing()["traceparent"].endswith("-00")
    assert recorded.as_dicts() == []


def test_headers_without_a_trace_are_an_error_that_says_what_to_do() -> None:
    message = "have no 'traceparent': send get_tracing_context_headers"
    with pytest.raises(ArgumentError, match=message), continued({"accept": "text/html"}):
        pass


@pytest.mark.parametrize("text", ["", "nonsense", "00-" + "0" * 32 + "-" + CALLER + "-01", SENT[:-5]])
def test_a_header_that_cannot_be_read_begins_a_new_trace(text: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "tracehound.capture")
    with recorded_traces() as recorded, continued({"traceparent": text}), tracehound.start_span("answer"):
        pass
    assert [trace["name"] for trace in recorded.as_dicts()] == ["answer"]
    assert "this is no traceparent, so a new trace begins" in caplog.text


def test_the_block_ends_where_it_ends_although_it_raises() -> None:
    with pytest.raises(KeyError), continued({"traceparent": SENT}):
        raise KeyError("gone")
    assert outgoing() == {}


SERVICE = """
import sys, tracehound
tracehound.set_tracking_uri(sys.argv[1])
with tracehound.tracing.set_tracing_context_from_http_request_headers({"traceparent": sys.argv[2]}):
    with tracehound.start_span("serve"):
        pass
"""


def test_one_trace_of_two_processes_is_one_trace(store_path: Path) -> None:
    with tracehound.start_span("ask"):
        command = [sys.executable, "-c", SERVICE, str(store_path), outgoing()["traceparent"]]
        subprocess.run(command, check=True)
    (trace,) = tracehound.search_traces(return_type="list")
    ask, serve = trace.data.spans
    assert (ask.name, serve.name, serve.parent_id) == ("ask", "serve", ask.span_id)
