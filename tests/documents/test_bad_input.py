"""What cannot be done is said by one error of a documented class, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import tracehound
from tracehound.model.limits import MAX_TAG_CHARACTERS

NOWHERE = "tr-" + "9" * 32
ANY: Any = tracehound  # whose types would refuse what is tried here
LARGE = "x" * 1_000_000


@tracehound.trace
def answer(question: str) -> str:
    return "because"


@pytest.mark.parametrize(
    ("do", "error", "message"),
    [
        (lambda: ANY.search_traces(filter_string=5), tracehound.ArgumentError, "filter_string is a text, not 5"),
        (lambda: tracehound.search_traces("status = 'OK'"), tracehound.FilterError, "needs a prefix"),
        (
            lambda: tracehound.search_traces(experiment_ids=["12345"]),
            tracehound.NotFoundError,
            "no experiment with the id '12345'; search_experiments lists all",
        ),
        (
            lambda: tracehound.search_sessions(locations=["0", "12345"]),
            tracehound.NotFoundError,
            "no experiment with the id '12345'",
        ),
        (
            lambda: tracehound.set_experiment(experiment_id="12345"),
            tracehound.NotFoundError,
            "no experiment with the id",
        ),
        (lambda: tracehound.search_traces(["shop"]), tracehound.ArgumentError, "an id is a number in a string"),
        (lambda: ANY.search_traces(return_type="table"), tracehound.ArgumentError, "not 'table'"),
        (lambda: tracehound.search_traces(extract_fields=["a..b"]), tracehound.ArgumentError, "a name is missing"),
        (
            lambda: tracehound.set_trace_tag(str(tracehound.get_last_active_trace_id()), "note", LARGE),
            tracehound.ArgumentError,
            f"the tag 'note' may have {MAX_TAG_CHARACTERS} characters, not 1000000",
        ),
        (lambda: tracehound.set_trace_tag(NOWHERE, "note", "x"), tracehound.NotFoundError, f"no trace {NOWHERE}"),
        (
            lambda: tracehound.log_feedback(trace_id=NOWHERE, name="quality", value=1),
            tracehound.NotFoundError,
            f"no trace {NOWHERE}",
        ),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(
    do: Callable[[], Any], error: type[tracehound.TracehoundError], message: str
) -> None:
    assert answer("why?") == "because"
    before = tracehound.search_traces(return_type="list")
    with pytest.raises(error) as raised:
        do()
    assert message in str(raised.value)
    assert isinstance(raised.value, tracehound.TracehoundError)
    assert tracehound.search_traces(return_type="list") == before


def test_of_a_tag_of_a_megabyte_the_beginning_is_kept_and_the_program_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with tracehound.start_span("import") as span:
        tracehound.update_current_trace(tags={"note": LARGE, "env": "prod"}, metadata={"whole": LARGE})
    (trace,) = tracehound.search_traces("tags.env = 'prod' AND tags.note LIKE 'xxx%'", return_type="list")
    assert trace.info.trace_id == span.trace_id
    for kept in (trace.info.tags["note"], trace.info.trace_metadata["whole"]):
        assert (len(kept), kept[-2:]) == (MAX_TAG_CHARACTERS, "x…")
    assert "tags: of the 1000000 characters of 'note' the first 65536 are kept" in caplog.text


def test_a_trace_that_runs_cannot_be_deleted_yet_and_its_program_goes_on() -> None:
    with tracehound.start_span("running") as span:
        for delete in (tracehound.delete_traces, tracehound.MlflowClient().delete_traces):
            with pytest.raises(tracehound.ArgumentError, match=f"{span.trace_id} still runs here"):
                delete("0", trace_ids=[span.trace_id])
    assert tracehound.delete_traces("0", trace_ids=[span.trace_id]) == 1


def test_an_experiment_without_traces_is_searched_where_it_was_made_or_is_the_active_one() -> None:
    made = tracehound.create_experiment("empty")
    assert len(tracehound.search_traces([made])) == 0
    active = tracehound.set_experiment("active").experiment_id
    assert len(tracehound.search_traces(locations=[active, "0"])) == 0
