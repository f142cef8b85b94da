"""`set_trace_tag`, `delete_trace_tag`, `delete_traces`: what they do to traces that are kept, and that run."""

from __future__ import annotations

import threading

import pytest

import tracehound
from tests.traces import part, said_tags, span
from tracehound import runtime
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.ids import experiment_id


@pytest.fixture(params=["sqlite", "memory"])
def anywhere(request: pytest.FixtureRequest) -> None:
    """Both where edits go through the spool and where they do not."""
    if request.param == "memory":
        tracehound.set_tracking_uri("memory://")


def make_trace(name: str = "answer", **tags: str) -> str:
    with tracehound.start_span(name) as span:
        tracehound.update_current_trace(tags=tags)
    return span.trace_id


def found(filter_string: str | None = None) -> list[str]:
    return [trace.info.trace_id for trace in tracehound.search_traces(filter_string, return_type="list")]


def tags_of(trace_id: str) -> dict[str, str]:
    trace = tracehound.get_trace(trace_id)
    assert trace is not None
    return said_tags(trace.info)


@pytest.mark.usefixtures("anywhere")
def test_a_tag_that_is_set_is_found_and_one_that_is_deleted_is_not() -> None:
    trace_id = make_trace(env="prod")
    tracehound.set_trace_tag(trace_id, "env", "dev")
    tracehound.set_trace_tag(trace_id, "score", 5)
    assert found("tags.env = 'dev' AND tags.score > 4") == [trace_id]
    tracehound.delete_trace_tag(trace_id, "env")
    assert found("tags.env IS NOT NULL") == []
    assert tags_of(trace_id) == {"mlflow.traceName": "answer", "score": "5"}


@pytest.mark.usefixtures("anywhere")
def test_what_is_done_last_counts() -> None:
    trace_id = make_trace()
    for number in range(20):
        tracehound.set_trace_tag(trace_id, "number", number)
        tracehound.set_trace_tag(trace_id, "even", number)
        if number % 2:
            tracehound.delete_trace_tag(trace_id, "even")
    assert tags_of(trace_id) == {"mlflow.traceName": "answer", "number": "19"}


@pytest.mark.parametrize(
    ("value", "text"), [("text", "text"), (3, "3"), (True, "true"), ({"a": 1}, '{"a":1}'), ("\ud800", "?")]
)
def test_values_become_texts_as_those_of_update_current_trace(value: object, text: str) -> None:
    trace_id = make_trace()
    tracehound.set_trace_tag(trace_id, "k", value)
    assert tags_of(trace_id)["k"] == text


def test_none_sets_nothing() -> None:
    trace_id = make_trace(k="v")
    tracehound.set_trace_tag(trace_id, "k", None)
    assert tags_of(trace_id)["k"] == "v"


@pytest.mark.usefixtures("anywhere")
def test_a_trace_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NotFoundError, match="no trace tr-none"):
        tracehound.set_trace_tag("tr-none", "k", "v")
    with pytest.raises(NotFoundError, match="no trace tr-none"):
        tracehound.delete_trace_tag("tr-none", "k")


@pytest.mark.usefixtures("anywhere")
def test_a_tag_that_is_not_set_cannot_be_deleted() -> None:
    trace_id = make_trace(k="v")
    with pytest.raises(NotFoundError, match="has no tag 'other'"):
        tracehound.delete_trace_tag(trace_id, "other")
    tracehound.delete_trace_tag(trace_id, "k")
    with pytest.raises(NotFoundError, match="has no tag 'k'"):
        tracehound.delete_trace_tag(trace_id, "k")


def test_tags_of_the_store_are_left_with_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    made = part(span(1, name="answer"), tags={"mlflow.user": "me", "mlflow.trace.archivalFailure": "x"})
    runtime.current().submit(made)
    trace_id = made.trace_id
    tracehound.set_trace_tag(trace_id, "mlflow.user", "you")
    tracehound.delete_trace_tag(trace_id, "mlflow.user")
    tracehound.set_trace_tag(trace_id, "mlflow.trace.archivalFailure", "y")
    assert tags_of(trace_id) == {
        "mlflow.traceName": "answer",
        "mlflow.user": "me",
        "mlflow.trace.archivalFailure": "x",
    }
    assert caplog.text.count("belongs to the store") == 3
    tracehound.delete_trace_tag(trace_id, "mlflow.trace.archivalFailure")
    assert "mlflow.trace.archivalFailure" not in tags_of(trace_id)


def test_the_tag_of_the_name_renames_the_trace() -> None:
    trace_id = make_trace("first")
    tracehound.set_trace_tag(trace_id, "mlflow.traceName", "second")
    assert found("attributes.name = 'second'") == [trace_id]
    tracehound.delete_trace_tag(trace_id, "mlflow.traceName")
    assert found("attributes.name = 'first'") == [trace_id]


def test_what_is_not_recorded_is_not_edited_either() -> None:
    tracehound.tracing.disable()
    with tracehound.start_span("unseen") as span:
        pass
    tracehound.tracing.enable()
    tracehound.set_trace_tag(span.trace_id, "k", "v")
    tracehound.delete_trace_tag(span.trace_id, "k")
    assert found() == []


@pytest.mark.usefixtures("anywhere")
def test_a_trace_that_runs_is_edited_and_what_is_said_last_counts() -> None:
    with tracehound.start_span("agent") as span:
        tracehound.update_current_trace(tags={"a": "1", "b": "1", "c": "1"})
        tracehound.set_trace_tag(span.trace_id, "a", "2")
        tracehound.set_trace_tag(span.trace_id, "b", "2")
        tracehound.update_current_trace(tags={"b": "3"})
        tracehound.delete_trace_tag(span.trace_id, "c")
        with pytest.raises(NotFoundError, match="has no tag 'c'"):
            tracehound.delete_trace_tag(span.trace_id, "c")
        tracehound.set_trace_tag(span.trace_id, "d", "2")
        tracehound.delete_trace_tag(span.trace_id, "d")
        tracehound.update_current_trace(tags={"d": "3"})
    assert tags_of(span.trace_id) == {"mlflow.traceName": "agent", "a": "2", "b": "3", "d": "3"}


@pytest.mark.usefixtures("anywhere")
def test_a_child_that_outlives_its_root_says_the_last_word_too() -> None:
    with tracehound.start_span("agent") as span:
        child = tracehound.start_span_no_context("late")
    tracehound.set_trace_tag(span.trace_id, "k", "edited")
    tracehound.set_trace_tag(span.trace_id, "other", "edited")
    below = tracehound.start_span_no_context("below", parent_span=child, tags={"k": "said"})
    below.end()
    child.end()
    assert tags_of(span.trace_id) == {"mlflow.traceName": "agent", "k": "said", "other": "edited"}


@pytest.mark.usefixtures("anywhere")
def test_a_trace_is_found_by_its_editors_at_every_moment_of_its_end() -> None:
    """MLflow's pull request 16042: a trace that had ended and was not stored yet could not be tagged."""
    failures: list[BaseException] = []
    edited: list[str] = []

    def edit(trace_id: str, is_begun: threading.Event) -> None:
        try:
            for number in range(10):
                tracehound.set_trace_tag(trace_id, f"tag {number}", number)
                is_begun.set()
            edited.append(trace_id)
        except BaseException as failure:
            failures.append(failure)
            is_begun.set()

    threads = []
    for _ in range(30):
        is_begun = threading.Event()
        with tracehound.start_span("agent") as span:
            threads.append(threading.Thread(target=edit, args=(span.trace_id, is_begun)))
            threads[-1].start()
            is_begun.wait()
            tracehound.update_current_trace(tags={"said": "yes"})
    for thread in threads:
        thread.join()
    assert not failures
    expected = {"mlflow.traceName": "agent", "said": "yes", **{f"tag {number}": str(number) for number in range(10)}}
    assert all(tags_of(trace_id) == expected for trace_id in edited)
    assert len(edited) == 30


@pytest.mark.usefixtures("anywhere")
def test_a_trace_that_runs_can_be_edited_when_it_is_being_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    present = runtime.current()
    real_submit = present.submit

    def edit_first(part: object) -> None:
        tracehound.set_trace_tag(running.trace_id, "k", "v")
        real_submit(part)  # type: ignore[arg-type] # what it is given goes on

    monkeypatch.setattr(present, "submit", edit_first)
    with tracehound.start_span("agent") as running:
        pass
    assert tags_of(running.trace_id)["k"] == "v"


@pytest.mark.usefixtures("anywhere")
def test_traces_are_deleted_by_their_ids() -> None:
    first, second, third = (make_trace() for _ in range(3))
    assert tracehound.delete_traces("0", trace_ids=[first, third, third, "tr-none", "it's"]) == 2
    assert found() == [second]
    assert tracehound.get_trace(first, silent=True) is None
    assert tracehound.delete_traces("0", trace_ids=[first]) == 0
    assert tracehound.delete_traces(experiment_id("other"), trace_ids=[second]) == 0
    assert tracehound.delete_traces("0", trace_ids=[]) == 0
    assert found() == [second]


def test_the_oldest_traces_are_deleted_up_to_a_time() -> None:
    spans = [tracehound.start_span_no_context("step", start_time_ns=number * 10**9) for number in (1, 2, 3, 4)]
    for each in spans:
        each.end()
    assert tracehound.delete_traces("0", max_timestamp_millis=3000, max_traces=1) == 1
    assert found() == [span.trace_id for span in spans[:0:-1]]
    assert tracehound.delete_traces("0", max_timestamp_millis=3000) == 2
    assert found() == [spans[3].trace_id]


@pytest.mark.usefixtures("anywhere")
def test_a_trace_that_is_deleted_while_it_runs_stays_deleted() -> None:
    with tracehound.start_span("agent") as outer:
        child = tracehound.start_span_no_context("late")
    assert tracehound.delete_traces("0", trace_ids=[outer.trace_id]) == 1
    child.end()
    assert found() == []
    with pytest.raises(NotFoundError):
        tracehound.set_trace_tag(outer.trace_id, "k", "v")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either max_timestamp_millis or trace_ids"),
        ({"max_timestamp_millis": 1, "trace_ids": ["a"]}, "either max_timestamp_millis or trace_ids"),
        ({"trace_ids": ["a"], "max_traces": 1}, "max_traces goes with max_timestamp_millis"),
        ({"max_timestamp_millis": 1, "max_traces": 0}, "max_traces is a number from 1 up, not 0"),
        ({"max_timestamp_millis": "1"}, "max_timestamp_millis is a whole number, not '1'"),
        ({"trace_ids": "tr-1"}, "trace_ids is a list of ids"),
    ],
)
def test_arguments_that_do_not_go_together_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tracehound.delete_traces("0", **arguments)  # type: ignore[arg-type] # that is what is tried
