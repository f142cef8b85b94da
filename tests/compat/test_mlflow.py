"""`import mlflow` gives Tracehound: what is there, what is said of the rest, and where that is refused."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import tracehound
from tracehound.autologging.switch import turned_on
from tracehound.compat.names import NAMES
from tracehound.errors import ArgumentError, StoreError, TracehoundError
from tracehound.server.mlflow.problems import CODES
from tracehound.server.problems import PROBLEMS

MODULES = sorted(NAMES)


@pytest.fixture
def mlflow() -> ModuleType:
    tracehound.install_as_mlflow()
    return importlib.import_module("mlflow")


def run(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW", "TRACEHOUND"))}
    return subprocess.run(
        [sys.executable, "-c", program], env={**known, **environment}, check=False, capture_output=True, text=True
    )


# What is there


def test_the_ways_in_which_programs_import_it_give_our_names(mlflow: ModuleType) -> None:
    program = """
import mlflow, mlflow.tracing
import mlflow.entities as kinds
from mlflow import trace, entities
from mlflow.entities import SpanType
from mlflow.entities.span import SpanType as OfSpan
from mlflow.entities.assessment import AssessmentSource, Feedback
from mlflow.entities.trace_location import MlflowExperimentLocation
from mlflow.exceptions import MlflowException
"""
    found: dict[str, object] = {}
    exec(program, found)
    assert found["trace"] is tracehound.trace
    assert found["SpanType"] is found["OfSpan"] is tracehound.entities.SpanType
    assert found["Feedback"] is tracehound.entities.Feedback
    assert found["MlflowException"] is TracehoundError
    assert found["entities"] is found["kinds"] is mlflow.entities
    assert mlflow.tracing.disable is tracehound.tracing.disable
    assert (mlflow.__version__, mlflow.__doc__) == ("3.18.0", "Tracehound in the place of mlflow.")


def test_all_at_once_are_the_names_that_are_there(mlflow: ModuleType) -> None:
    found: dict[str, object] = {}
    exec("from mlflow import *", found)
    assert set(mlflow.__all__) == found.keys() - {"__builtins__"}
    assert {"trace", "start_span", "search_traces", "update_current_trace"} <= found.keys()
    assert {"trace", "entities", "openai", "tracing"} <= set(dir(mlflow))


@pytest.mark.parametrize("name", MODULES)
def test_each_module_of_the_table_can_be_imported_and_lists_what_it_has(mlflow: ModuleType, name: str) -> None:
    module = importlib.import_module(name)
    assert module.__name__ == name
    assert importlib.import_module(name) is module
    assert importlib.util.find_spec(name) is not None
    for each in module.__all__:
        assert getattr(module, each) is not None


def test_the_names_of_the_table_are_one_thing_wherever_they_stand(mlflow: ModuleType) -> None:
    targets: dict[str, set[str]] = {}
    for module in NAMES.values():
        for name, target in module.items():
            targets.setdefault(name, set()).add(target)
    different = {name: found for name, found in targets.items() if len(found) > 1}
    assert different.keys() == {"autolog"}
    assert {"tracehound:autolog", "tracehound:openai.autolog", "tracehound:langchain.autolog"} <= different["autolog"]


def test_a_program_is_traced_as_under_its_own_name(mlflow: ModuleType) -> None:
    @mlflow.trace(span_type=mlflow.entities.SpanType.TOOL)  # type: ignore[untyped-decorator] # found when it is run
    def double(number: int) -> int:
        mlflow.update_current_trace(tags={"kind": "sum"})
        return 2 * number

    assert double(21) == 42
    (trace,) = mlflow.search_traces(filter_string="tags.kind = 'sum'", return_type="list")
    assert (trace.data.spans[0].span_type, trace.data.spans[0].outputs) == ("TOOL", 42)
    mlflow.flush_trace_async_logging()
    assert mlflow.get_tracking_uri().endswith("tracehound.db")
    with pytest.raises(mlflow.exceptions.MlflowException):
        mlflow.search_traces(filter_string="status = 'OK'")


def test_what_is_logged_and_added_goes_where_it_is_sent(mlflow: ModuleType) -> None:
    place = mlflow.entities.MlflowExperimentLocation(experiment_id=mlflow.create_experiment("shop"))
    mlflow.tracing.set_destination(place)
    first = mlflow.get_trace(mlflow.log_trace("ask", request="why?", response="because"))
    with mlflow.start_span("here") as span:
        mlflow.add_trace(first.to_dict())
        mlflow.tracing.set_span_chat_tools(span, [{"type": "function", "function": {"name": "add"}}])
    second = mlflow.get_trace(span.trace_id)
    assert first.info.experiment_id == second.info.experiment_id == place.experiment_id
    assert [each.name for each in second.data.spans] == ["here", "ask"]
    mlflow.tracing.reset()
    assert mlflow.get_trace(mlflow.log_trace()).info.experiment_id != place.experiment_id
    older = importlib.import_module("mlflow.tracing.destination").MlflowExperiment
    assert older(experiment_id="0") == mlflow.entities.MlflowExperimentLocation("0")


@pytest.mark.parametrize("name", ["set_experiment_trace_location", "set_databricks_monitoring_sql_warehouse_id"])
def test_places_of_databricks_are_not_there_and_the_error_says_so(mlflow: ModuleType, name: str) -> None:
    with pytest.raises(AttributeError, match=rf"stands in for MLflow here and has no mlflow\.tracing\.{name}$"):
        getattr(mlflow.tracing, name)


def test_keys_that_programs_take_by_name_mean_what_they_say(mlflow: ModuleType) -> None:
    keys = importlib.import_module("mlflow.tracing.constant")
    with mlflow.start_span("ask", span_type="LLM") as span:
        usage = {keys.TokenUsageKey.INPUT_TOKENS: 10, keys.TokenUsageKey.OUTPUT_TOKENS: 2}
        span.set_attributes({keys.SpanAttributeKey.CHAT_USAGE: usage, keys.SpanAttributeKey.MODEL: "gpt-4o"})
        span.set_attribute(keys.SpanAttributeKey.LLM_COST, {keys.CostKey.TOTAL_COST: 0.25})
        mlflow.update_current_trace(metadata={keys.TraceMetadataKey.TRACE_SESSION: "s-1"})
    of_trace = "attributes.total_tokens = 12 AND attributes.cost = 0.25 AND attributes.session = 's-1'"
    wanted = f"{of_trace} AND span.model = 'gpt-4o'"
    (trace,) = mlflow.search_traces(filter_string=wanted, return_type="list")
    assert trace.info.tags[keys.TraceTagKey.TRACE_NAME] == "ask"
    assert keys.TraceMetadataKey.TOKEN_USAGE in trace.info.trace_metadata


def test_errors_have_the_codes_that_programs_compare(mlflow: ModuleType) -> None:
    mlflow.create_experiment("shop")
    mistakes: list[tuple[Any, dict[str, Any], str]] = [
        (mlflow.create_experiment, {"name": "shop"}, "RESOURCE_ALREADY_EXISTS"),
        (mlflow.get_run, {"run_id": "nowhere"}, "RESOURCE_DOES_NOT_EXIST"),
        (mlflow.search_traces, {"filter_string": "status = 'OK'"}, "INVALID_PARAMETER_VALUE"),
        (mlflow.search_traces, {"max_results": -1}, "INVALID_PARAMETER_VALUE"),
    ]
    for function, arguments, code in mistakes:
        with pytest.raises(mlflow.exceptions.MlflowException) as caught:
            function(**arguments)
        assert caught.value.error_code == code


def test_errors_have_the_codes_that_the_server_sends() -> None:
    sent = {
        error: CODES[row.code][1] for error, row in PROBLEMS.items() if error.__module__ == TracehoundError.__module__
    }
    assert len(sent) > 5
    assert {error: error.error_code for error in sent} == sent  # type: ignore[attr-defined] # all of them are ours


def test_automatic_logging_is_ours(mlflow: ModuleType) -> None:
    assert mlflow.autolog is tracehound.autolog
    mlflow.openai.autolog(log_traces=True, silent=False, disable_openai_agent_tracer=False)
    try:
        assert "openai" in turned_on()
    finally:
        mlflow.openai.autolog(disable=True)
    assert "openai" not in turned_on()
    with pytest.raises(ImportError, match=r"pip install 'tracehound\[autolog-litellm\]'|pip install litellm"):
        importlib.import_module("mlflow.litellm").autolog()


# What is not there


@pytest.mark.parametrize(
    ("statement", "missing"),
    [
        ("import mlflow.sklearn", "mlflow.sklearn"),
        ("from mlflow import sklearn", "mlflow.sklearn"),
        ("from mlflow.entities.nothing import Trace", "mlflow.entities.nothing"),
        ("from mlflow import pyfunc, trace", "mlflow.pyfunc"),
    ],
)
def test_what_tracehound_has_not_cannot_be_imported_and_the_error_says_so(
    mlflow: ModuleType, statement: str, missing: str
) -> None:
    with pytest.raises(ImportError, match=f"^Tracehound stands in for MLflow here and has no {missing}$"):
        exec(statement, {})


def test_attributes_that_tracehound_has_not_are_errors_that_say_so(mlflow: ModuleType) -> None:
    with pytest.raises(AttributeError, match=r"^Tracehound stands in for MLflow here and has no mlflow\.log_figure$"):
        mlflow.log_figure()
    with pytest.raises(AttributeError, match=r"has no mlflow\.entities\.Nothing$"):
        assert mlflow.entities.Nothing
    assert not hasattr(mlflow, "install_as_mlflow")
    assert getattr(mlflow, "flush", None) is None


# Where it is refused


def test_the_real_package_is_never_mixed_with_ours(tmp_path: Path) -> None:
    (tmp_path / "mlflow.py").write_text("real = True\n")
    refused = run("import mlflow, tracehound\ntracehound.install_as_mlflow()")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        "tracehound.errors.TracehoundError: mlflow has been imported already;"
        " call tracehound.install_as_mlflow() before that"
    )
    taken = run("import tracehound\ntracehound.install_as_mlflow()\nimport mlflow\nprint(hasattr(mlflow, 'real'))")
    assert taken.stdout == "False\n"


def test_calling_it_again_changes_nothing(mlflow: ModuleType) -> None:
    before = list(sys.meta_path)
    tracehound.install_as_mlflow()
    assert sys.meta_path == before
    assert importlib.import_module("mlflow") is mlflow


@pytest.mark.parametrize(
    "uri",
    [
        "databricks",
        "databricks://profile",
        "databricks-uc",
        "http://",
        "http://ann:secret@traces.test",
        "postgresql://db.test/traces",
        "file:///tmp/mlruns",
        "file:mlruns",
        ".",
    ],
)
def test_places_that_are_not_ours_are_refused(monkeypatch: pytest.MonkeyPatch, uri: str) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(ArgumentError, match="set TRACEHOUND_TRACKING_URI to the path of a file") as refused:
        tracehound.install_as_mlflow()
    assert repr(uri) in str(refused.value) or "no password" in str(refused.value)
    assert "secret" not in str(refused.value)
    with pytest.raises(ImportError):
        importlib.import_module("mlflow")
    monkeypatch.setenv("TRACEHOUND_TRACKING_URI", "memory://")
    tracehound.install_as_mlflow()
    assert importlib.import_module("mlflow").trace is tracehound.trace


def test_a_database_that_mlflow_made_is_refused_and_left_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mlflow.db"
    with sqlite3.connect(path) as connection:
        for table in ("alembic_version", "experiments", "runs", "trace_info"):
            connection.execute(f"CREATE TABLE {table} (id TEXT)")
    connection.close()
    before = path.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///mlflow.db")
    with pytest.raises(StoreError, match=r"mlflow\.db is a database of MLflow; name another file; set TRACEHOUND_"):
        tracehound.install_as_mlflow()
    assert [each.name for each in tmp_path.iterdir()] == ["mlflow.db"]
    assert path.read_bytes() == before


def test_a_file_that_is_ours_or_not_there_is_taken(monkeypatch: pytest.MonkeyPatch, store_path: Path) -> None:
    with tracehound.start_span("first"):
        pass
    tracehound.flush()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{store_path}")
    tracehound.install_as_mlflow()
    made = run(
        "import tracehound; tracehound.install_as_mlflow(); import mlflow\nwith mlflow.start_span('a'): pass",
        MLFLOW_TRACKING_URI="sqlite:///new.db",
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert (store_path.parent / "new.db").exists()


def test_installing_loads_no_store() -> None:
    done = run("import tracehound, sys; tracehound.install_as_mlflow(); import mlflow; print('sqlite3' in sys.modules)")
    assert done.stdout == "False\n"


def test_span_processors_are_configured_under_their_name_there(mlflow: ModuleType) -> None:
    def shorten(span: object) -> None:
        span.set_outputs("short")  # type: ignore[attr-defined] # a live span

    with mlflow.tracing.configure(span_processors=[shorten]), mlflow.start_span("long") as span:
        span.set_outputs("long")
    assert mlflow.get_trace(span.trace_id).data.spans[0].outputs == "short"
