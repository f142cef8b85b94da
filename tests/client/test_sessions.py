"""`search_sessions`: conversations, each with its traces."""

from __future__ import annotations

from typing import Any

import pytest

import tracehound
from tests.traces import part, span
from tracehound import runtime
from tracehound.entities import Session
from tracehound.errors import ArgumentError, NotFoundError


@pytest.fixture
def three() -> None:
    """Session s-1 with turns at 0 and 40 ms, s-2 at 10 and 20 ms, s-3 in another experiment; one trace without."""
    turns = [("s-1", 0), ("s-2", 10), ("s-2", 20), (None, 30), ("s-1", 40)]
    parts = [
        part(
            span(1, trace=at + 1, start_ms=start_ms, name=f"turn {start_ms}"),
            metadata={"mlflow.modelId": "m-1"} | ({} if session is None else {"mlflow.trace.session": session}),
        )
        for at, (session, start_ms) in enumerate(turns)
    ]
    shop = part(span(1, trace=9), experiment="shop", metadata={"mlflow.trace.session": "s-3"})
    runtime.current().drained_store().write([*parts, shop])


def names(sessions: list[Session]) -> dict[str, list[str]]:
    return {session.id: [trace.info.name for trace in session] for session in sessions}


@pytest.mark.usefixtures("three")
def test_sessions_come_newest_first_and_their_traces_oldest_first() -> None:
    found = tracehound.search_sessions()
    assert names(found) == {"s-1": ["turn 0", "turn 40"], "s-2": ["turn 10", "turn 20"]}
    assert [session.id for session in found] == ["s-1", "s-2"]
    first = found[0]
    assert (len(first), first[0].info.name, first[-1].info.name) == (2, "turn 0", "turn 40")
    assert [span.name for trace in first for span in trace.data.spans] == ["turn 0", "turn 40"]


@pytest.mark.usefixtures("three")
def test_as_many_sessions_are_returned_as_are_asked_for() -> None:
    assert names(tracehound.search_sessions(max_results=1)) == {"s-1": ["turn 0", "turn 40"]}
    assert tracehound.search_sessions(max_results=0) == []
    assert tracehound.search_sessions(include_spans=False)[0][0].data.spans == []


@pytest.mark.usefixtures("three")
def test_places_runs_and_models_narrow_the_search() -> None:
    (shop,) = (each for each in tracehound.search_experiments() if each.name == "shop")
    assert names(tracehound.search_sessions(locations=[shop.experiment_id])) == {"s-3": ["step"]}
    assert list(names(tracehound.search_sessions(model_id="m-1"))) == ["s-1", "s-2"]
    assert tracehound.search_sessions(model_id="m-2") == []
    with tracehound.start_run() as run, tracehound.tracing.context(session_id="s-9"), tracehound.start_span("turn"):
        pass
    assert names(tracehound.search_sessions(run_id=run.info.run_id)) == {"s-9": ["turn"]}
    with pytest.raises(NotFoundError, match="no run"):
        tracehound.search_sessions(run_id="nowhere")


def test_more_sessions_than_one_search_asks_for_are_all_there() -> None:
    parts = [
        part(span(1, trace=at + 1, start_ms=at), metadata={"mlflow.trace.session": f"s-{at % 120}"})
        for at in range(240)
    ]
    runtime.current().drained_store().write(parts)
    found = tracehound.search_sessions(max_results=110)
    assert [session.id for session in found] == [f"s-{119 - at}" for at in range(110)]
    assert all(len(session) == 2 for session in found)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"max_results": None}, "max_results is a whole number"),
        ({"max_results": -1}, "max_results is a whole number"),
        ({"locations": "0"}, r"locations is a list of ids: \['0'\]"),
        ({"include_spans": "yes"}, "include_spans is True or False"),
        ({"model_id": 3}, "model_id is a text"),
    ],
)
def test_bad_arguments_are_told(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tracehound.search_sessions(**arguments)
