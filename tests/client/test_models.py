"""Models: which traces are of which, and the registry that names them for a search."""

from __future__ import annotations

import dataclasses
import threading

import pytest

import tracehound
from tracehound import runtime
from tracehound.errors import ArgumentError, FilterError, NotFoundError


def trace(name: str) -> None:
    with tracehound.start_span(name):
        pass


def found(model_id: str, filter_string: str | None = None) -> list[str]:
    traces = tracehound.search_traces(None, filter_string, model_id=model_id, return_type="list")
    return sorted(each.info.name for each in traces)


def test_traces_that_begin_in_the_block_of_a_model_are_of_it() -> None:
    trace("before")
    with tracehound.set_active_model(name="agent-v1") as one:
        trace("one")
        with tracehound.set_active_model(name="agent-v2") as two:
            trace("two")
            assert tracehound.get_active_model_id() == two.model_id
        trace("one again")
    trace("after")
    assert found(one.model_id) == ["one", "one again"]
    assert found(two.model_id) == ["two"]
    assert tracehound.get_active_model_id() is None
    assert one.model_id.startswith("m-")


def test_a_model_counts_until_it_is_cleared_and_in_threads_of_the_program() -> None:
    model = tracehound.set_active_model(name="agent-v1")
    thread = threading.Thread(target=trace, args=("in a thread",))
    thread.start()
    thread.join()
    tracehound.clear_active_model()
    trace("after")
    assert found(model.model_id) == ["in a thread"]


def test_clearing_also_forgets_the_model_of_the_environment() -> None:
    own = runtime.current()
    own.settings = dataclasses.replace(own.settings, model_id="m-from-outside")
    assert tracehound.get_active_model_id() == "m-from-outside"
    trace("within")
    tracehound.clear_active_model()
    assert tracehound.get_active_model_id() is None
    trace("after")
    assert found("m-from-outside") == ["within"]


def test_a_name_is_the_same_model_each_time_and_an_id_has_to_be_there() -> None:
    with tracehound.set_active_model(name="agent-v1") as first:
        pass
    with tracehound.set_active_model(name="agent-v1") as second:
        assert second.model_id == first.model_id
    with tracehound.set_active_model(model_id=first.model_id) as third:
        assert third.name == "agent-v1"
    with pytest.raises(NotFoundError, match="no model with the id 'm-none'"):
        tracehound.set_active_model(model_id="m-none")
    for arguments in ({}, {"name": "a", "model_id": "b"}):
        with pytest.raises(ArgumentError, match="takes name= or model_id=, and not both"):
            tracehound.set_active_model(**arguments)
    assert tracehound.get_active_model_id() is None


def test_what_is_said_of_a_model_is_read_and_searched() -> None:
    with tracehound.start_run() as run:
        pass
    model = tracehound.create_external_model(
        "agent-v1", source_run_id=run.info.run_id, tags={"team": "a"}, params={"k": 3}, model_type="agent"
    )
    tracehound.log_model_params({"temperature": 0.2}, model_id=model.model_id)
    tracehound.create_external_model("agent-v2")
    known = tracehound.get_logged_model(model.model_id)
    assert known.params == {"k": "3", "temperature": "0.2"}
    assert (known.name, known.tags, known.model_type, known.source_run_id) == (
        "agent-v1", {"team": "a"}, "agent", run.info.run_id
    )  # fmt: skip
    listed = tracehound.search_logged_models(
        filter_string="params.k = 3 AND model_type = 'agent'", output_format="list"
    )
    assert listed == [known]
    assert tracehound.search_logged_models(order_by=["name ASC"])["name"].tolist() == ["agent-v1", "agent-v2"]
    assert tracehound.search_logged_models(["5"], output_format="list") == []
    with pytest.raises(NotFoundError, match="no model with the id 'm-none'"):
        tracehound.get_logged_model("m-none")
    with pytest.raises(NotFoundError, match="no run 'nowhere'"):
        tracehound.create_external_model("x", source_run_id="nowhere")
    with pytest.raises(ArgumentError, match="no model is active"):
        tracehound.log_model_params({"k": 1})
    with pytest.raises(FilterError, match="'nmae' is no field here"):
        tracehound.search_logged_models(filter_string="nmae = 'x'")


def test_a_search_takes_a_model_by_its_id_its_version_and_its_registered_name() -> None:
    ids = []
    for name in ("agent-v1", "agent-v2", "other"):
        with tracehound.set_active_model(name=name) as model:
            trace(name)
            with pytest.raises(RuntimeError), tracehound.start_span(f"{name} fails"):
                raise RuntimeError
        ids.append(model.model_id)
    for model_id in ids[:2]:
        tracehound.register_model(f"models:/{model_id}", "agent", tags={"stage": "test"})
    client = tracehound.MlflowClient()
    assert [each.model_id for each in client.get_model_versions("agent")] == ids[:2]
    for text in (ids[0], f"models:/{ids[0]}", "agent/1", "models:/agent/1"):
        assert found(text) == ["agent-v1", "agent-v1 fails"]
        assert found(text, "attributes.status = 'OK'") == ["agent-v1"]
    assert found("agent", "attributes.status = 'ERROR'") == ["agent-v1 fails", "agent-v2 fails"]
    assert found("models:/agent/latest", "attributes.status = 'OK'") == ["agent-v2"]
    assert found("agent/3") == found("nothing") == []


def test_what_names_no_model_is_searched_as_it_is() -> None:
    with tracehound.start_span("answer"):
        tracehound.update_current_trace(model_id="my-model-123")
    assert found("my-model-123", "attributes.status = 'OK'") == ["answer"]


def test_names_and_versions_of_the_registry() -> None:
    client = tracehound.MlflowClient()
    model = tracehound.create_external_model("agent-v1")
    client.create_registered_model("agent", tags={"team": "a"}, description="answers")
    registered = client.get_registered_model("agent")
    assert (registered.tags, registered.description) == ({"team": "a"}, "answers")
    first = client.create_model_version("agent", "s3://bucket/agent")
    second = client.create_model_version("agent", model.model_uri, tags={"n": 2})
    assert (first.version, first.model_id, first.source) == ("1", None, "s3://bucket/agent")
    assert (second.version, second.model_id) == ("2", model.model_id)
    assert client.get_model_version("agent", 2) == second
    with pytest.raises(ArgumentError, match="there is a registered model 'agent' already"):
        client.create_registered_model("agent")
    for bad in ("a/b", "a:b"):
        with pytest.raises(ArgumentError, match="a text without / and :"):
            client.create_registered_model(bad)
    with pytest.raises(NotFoundError, match="no registered model 'nobody'"):
        client.create_model_version("nobody", model.model_uri)
    with pytest.raises(NotFoundError, match="no version '7' of a registered model 'agent'"):
        client.get_model_version("agent", "7")
    with pytest.raises(NotFoundError, match="no model with the id 'm-none'"):
        tracehound.register_model("models:/m-none", "agent")
