"""A server in the place of a file: what users do works the same, in programs and on the command line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette

import tracehound
from tests.asgi import Stage
from tests.cli.terminal import piped
from tests.forked import Program
from tests.remote.test_trouble import stored, trace, tracing_to
from tests.traces import part, span
from tracehound import runtime
from tracehound.errors import ArgumentError
from tracehound.model.record import replace
from tracehound.query.search import parse_search
from tracehound.runtime import Runtime
from tracehound.server.app import create_app
from tracehound.settings import Settings
from tracehound.store.sqlite.store import SqliteStore

MLFLOW_PROGRAM = """
import tracehound
tracehound.install_as_mlflow()
import mlflow
mlflow.set_experiment("shop")
with mlflow.start_run() as run, mlflow.start_span("bought") as span:
    mlflow.update_current_trace(tags={"item": "tea"})
    mlflow.log_metric("price", 2.5)
mlflow.log_feedback(trace_id=span.trace_id, name="good", value={"n": 2**60, "none": None})
[found] = mlflow.search_traces(filter_string="tags.item = 'tea'", run_id=run.info.run_id, return_type="list")
print(found.info.assessments[0].value, mlflow.get_run(run.info.run_id).data.metrics, mlflow.get_tracking_uri())
"""


@pytest.fixture
def in_force(url: str) -> Iterator[Runtime]:
    with tracing_to(url) as own:
        yield own


def test_what_the_client_offers_works_on_a_server(in_force: Runtime) -> None:
    tracehound.set_experiment("shop")
    with tracehound.start_run(run_name="nightly") as run, tracehound.start_span("answer") as outer:
        outer.set_inputs({"question": "why?", "n": 2**70, "none": None, "empty": []})
        tracehound.update_current_trace(tags={"env": "prod"})
    tracehound.set_trace_tag(outer.trace_id, "reviewed", "yes")
    said = tracehound.log_feedback(trace_id=outer.trace_id, name="correct", value=True)
    found = tracehound.search_traces("tags.reviewed = 'yes' AND feedback.correct = TRUE", run_id=run.info.run_id)
    assert found["trace_id"].tolist() == [outer.trace_id]
    assert found["request"].tolist() == [{"question": "why?", "n": 2**70, "none": None, "empty": []}]
    assert tracehound.trace_stats("tags.env = 'prod'")["count"].tolist() == [1]
    assert tracehound.sql("SELECT name FROM traces")["name"].tolist() == ["answer"]
    explained = tracehound.explain_search("tags.env = 'dev'")
    assert (explained.found, explained.emptied_by) == (0, "tags.env = 'dev'")
    assert [each.name for each in tracehound.search_experiments()] == ["shop", "Default"]
    [trace] = tracehound.search_traces(return_type="list")
    assert trace.info.assessments[0].assessment_id == said.assessment_id
    assert tracehound.delete_traces(trace.info.experiment_id, trace_ids=[outer.trace_id]) == 1
    assert tracehound.search_traces(return_type="list") == []


def test_a_program_written_for_mlflow_runs_on_a_server(url: str) -> None:
    program = Program(MLFLOW_PROGRAM, {**os.environ, "MLFLOW_TRACKING_URI": url})
    assert program.communicate() == f"{{'n': {2**60}, 'none': None}} {{'price': 2.5}} {url}\n"
    assert program.returncode == 0


def test_the_command_line_reads_a_server(url: str, in_force: Runtime) -> None:
    trace_id = trace("agent")
    in_force.flush()

    def told(*arguments: str) -> str:
        done = piped(*arguments, "--store", url)
        assert (done.returncode, done.stderr) == (0, b""), done.stderr
        return done.stdout.decode()

    assert json.loads(told("search", "attributes.name = 'agent'"))["trace_id"] == trace_id
    assert json.loads(told("show", "last"))["info"]["trace_id"] == trace_id
    assert json.loads(told("stats", "--by", "name"))["count"] == 1
    assert json.loads(told("tail", "-n", "5"))["trace_id"] == trace_id
    assert json.loads(told("sql", "SELECT count(*) AS n FROM spans")) == {"n": 2}
    assert '"Default"' in told("experiments")
    told("tags", "set", trace_id, "env=prod")
    assert json.loads(told("search", "tags.env = 'prod'"))["trace_id"] == trace_id
    assert f"server         {url}" in told("doctor")


def test_a_server_that_is_away_is_told_on_the_command_line(tmp_path: Path) -> None:
    done = piped("search", "--store", "http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.startswith(b"error: the server http://127.0.0.1:9 cannot be reached (")
    doctor = piped("doctor", "--store", "http://127.0.0.1:9")
    assert doctor.returncode == 1
    assert b"problem" in doctor.stdout
    for refused, told in ((("server",), b"is a server itself"), (("backup", "copy.db"), b"cannot be backed up")):
        done = piped(*refused, "--store", "http://127.0.0.1:9")
        assert done.returncode == 2
        assert told in done.stderr


def test_a_backup_is_made_where_the_server_runs(in_force: Runtime) -> None:
    from tracehound.client.backup import back_up

    with pytest.raises(ArgumentError, match="do that where it runs"):
        back_up("copy.db")


def test_the_server_takes_secrets_out_of_what_a_client_sends(
    stage: Stage, url: str, served: SqliteStore, tmp_path: Path
) -> None:
    strict = create_app(served, Settings(str(tmp_path / "served.db"), redact=("email",)))
    with stage.showing(strict), tracing_to(url) as own:
        tracehound.start_span_no_context("mail", inputs="to ann@example.org").end()
        own.flush()
    [trace_id] = stored(served)
    assert "ann@example.org" not in str(served.read_traces([trace_id])[trace_id].data.spans[0].inputs)


def test_a_trace_that_was_shown_and_is_not_kept_is_gone_from_the_server(url: str, served: SqliteStore) -> None:
    with tracing_to(url, tail_sampling_ratio=0.0, snapshot_after_s=0.001) as own:
        running = tracehound.start_span_no_context("went well")
        while not stored(served):
            own.drain()
        running.end()
        own.flush()
        assert stored(served) == {}


def test_prices_of_the_program_count_where_it_has_some(
    url: str, served: SqliteStore, tmp_path: Path, in_force: Runtime
) -> None:
    asked = replace(
        span(1),
        span_type="LLM",
        attributes_json={"mlflow.chat.tokenUsage": '{"input_tokens":10,"output_tokens":1,"total_tokens":11}',
                         "mlflow.llm.model": '"our-own"'},
    )  # fmt: skip
    prices = tmp_path / "prices.json"
    prices.write_text('{"our-own": {"input": 2000000, "output": 1}}', "utf-8")
    with tracing_to(url, prices=str(prices)) as own:
        own.submit(part(asked))
        own.flush()
    [info] = served.search(parse_search(["0"])).traces
    assert info.cost is not None
    assert info.cost["input_cost"] == pytest.approx(20.0)


def test_a_client_that_only_reads_leaves_nothing_behind(url: str, app: Starlette, state: Path) -> None:
    before = runtime.replace(Runtime(Settings(tracking_uri=url)))
    assert tracehound.search_traces(return_type="list") == []
    last = runtime.replace(before)
    assert last is not None
    last.close()
    assert not state.exists()
