"""What a program says about the trace under way."""

from __future__ import annotations

import pytest

import tracehound
from tests.traces import said_metadata, said_tags
from tracehound.errors import ArgumentError
from tracehound.testing import recorded_traces


def test_tags_and_metadata_are_kept_as_text() -> None:
    with recorded_traces() as traces, tracehound.start_span("root"), tracehound.start_span("child"):
        tracehound.update_current_trace(
            tags={"env": "prod", "attempt": 2, "flag": True, "list": [1, "a"], "none": None},
            metadata={"version": "1.0", 7: "seven"},  # type: ignore[dict-item] # keys become text too
        )
        tracehound.update_current_trace(tags={"env": "dev"})
    (trace,) = traces.traces()
    assert said_tags(trace.info) == {
        "mlflow.traceName": "root", "env": "dev", "attempt": "2", "flag": "true", "list": '[1,"a"]'
    }  # fmt: skip
    assert said_metadata(trace.info) == {"version": "1.0", "7": "seven"}


def test_the_state_that_is_said_wins_over_that_of_the_root() -> None:
    with recorded_traces() as traces, tracehound.start_span("root"):
        tracehound.update_current_trace(
            state="ERROR", client_request_id="C-1", request_preview="asked", response_preview="answered"
        )
    (trace,) = traces.traces()
    assert (trace.info.state, trace.data.spans[0].status.status_code) == ("ERROR", "OK")
    assert trace.info.client_request_id == "C-1"
    assert (trace.info.request_preview, trace.info.response_preview) == ("asked", "answered")


def test_a_trace_can_be_renamed() -> None:
    with recorded_traces() as traces, tracehound.start_span("root"):
        tracehound.update_current_trace(tags={"mlflow.traceName": "checkout"})
    assert traces.as_dicts()[0]["name"] == "checkout"


def test_outside_of_a_trace_nothing_happens_but_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    tracehound.update_current_trace(tags={"env": "prod"})
    assert "no trace is under way" in caplog.text
    assert tracehound.get_current_active_span() is None


def test_wrong_arguments_are_refused_and_change_nothing() -> None:
    with recorded_traces() as traces, tracehound.start_span("root"):
        with pytest.raises(ArgumentError, match="state is OK or ERROR, not 'FINE'"):
            tracehound.update_current_trace(tags={"env": "prod"}, state="FINE")
        with pytest.raises(ArgumentError, match="tags is a mapping"):
            tracehound.update_current_trace(tags=["env"])  # type: ignore[arg-type] # the mistake under test
    assert said_tags(traces.traces()[0].info) == {"mlflow.traceName": "root"}
