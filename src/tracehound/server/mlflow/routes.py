"""MLflow's API as rows of the route table: what an unmodified client needs to trace, to read and to annotate.

`tests/server/mlflow_routes.yaml` lists every route of MLflow's, with the reason for those that are not here.
"""

from __future__ import annotations

from typing import Final

from tracehound.server.bodies import JSON
from tracehound.server.mlflow import (
    artifacts,
    assessments,
    experiments,
    information,
    models,
    old_traces,
    refusals,
    runs,
    traces,
)
from tracehound.server.mlflow.calls import call
from tracehound.server.mlflow.problems import to_response
from tracehound.server.rows import Endpoint, Right, Row

_TEXT: Final = "text/plain"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
_V2: Final = "/api/2.0/mlflow"
_V3: Final = "/api/3.0/mlflow"
_RUNS: Final = f"{_V2}/runs"
_EXPERIMENTS: Final = f"{_V2}/experiments"
_MODELS: Final = f"{_V2}/logged-models"
_MODEL: Final = f"{_MODELS}/{{model_id}}"
_ASSESSMENTS: Final = f"{_V3}/traces/{{trace_id}}/assessments"
_ASSESSMENT: Final = f"{_ASSESSMENTS}/{{assessment_id}}"
_ARTIFACT: Final = "/api/2.0/mlflow-artifacts/artifacts/{path:path}"

MLFLOW_ROUTES: Final[tuple[Row, ...]] = (
    Endpoint("GET", "/version", information.tell_version, (), (_TEXT,), Right.ANY, to_response, is_described=False),
    call("GET", f"{_V3}/server-info", information.tell_server_info, Right.ANY),
    call("GET", f"{_EXPERIMENTS}/get-by-name", experiments.get_experiment_by_name, Right.READ),
    call("GET", f"{_EXPERIMENTS}/get", experiments.get_experiment, Right.READ),
    call("GET", f"{_EXPERIMENTS}/search", experiments.search_experiments, Right.READ),
    call("POST", f"{_EXPERIMENTS}/search", experiments.search_experiments, Right.READ),
    call("POST", f"{_EXPERIMENTS}/create", experiments.create_experiment, Right.INGEST),
    call("POST", f"{_EXPERIMENTS}/set-experiment-tag", experiments.set_experiment_tag, Right.WRITE),
    call("POST", f"{_EXPERIMENTS}/delete-experiment-tag", experiments.delete_experiment_tag, Right.WRITE),
    call("POST", f"{_RUNS}/create", runs.create_run, Right.INGEST),
    call("GET", f"{_RUNS}/get", runs.get_run, Right.READ),
    call("POST", f"{_RUNS}/update", runs.update_run, Right.INGEST),
    call("POST", f"{_RUNS}/log-batch", runs.log_batch, Right.INGEST),
    call("POST", f"{_RUNS}/log-metric", runs.log_metric, Right.INGEST),
    call("POST", f"{_RUNS}/log-parameter", runs.log_param, Right.INGEST),
    call("POST", f"{_RUNS}/set-tag", runs.set_run_tag, Right.INGEST),
    call("POST", f"{_RUNS}/delete-tag", runs.delete_run_tag, Right.WRITE),
    call("POST", f"{_RUNS}/search", runs.search_runs, Right.READ),
    call("POST", f"{_MODELS}/search", models.search_models, Right.READ),
    call("POST", _MODELS, models.create_model, Right.INGEST),
    call("GET", _MODEL, models.get_model, Right.READ),
    call("PATCH", _MODEL, models.finalize_model, Right.INGEST),
    call("POST", f"{_MODEL}/params", models.log_params, Right.INGEST),
    call("PATCH", f"{_MODEL}/tags", models.set_tags, Right.WRITE),
    call("DELETE", f"{_MODEL}/tags/{{tag_key}}", models.delete_tag, Right.WRITE),
    call("POST", f"{_V2}/traces", old_traces.begin_trace, Right.INGEST),
    call("PATCH", f"{_V2}/traces/{{trace_id}}", old_traces.end_trace, Right.INGEST),
    call("GET", f"{_V2}/traces/{{trace_id}}/info", old_traces.get_old_info, Right.READ),
    call("GET", f"{_V2}/traces", old_traces.search_old_traces, Right.READ),
    call("POST", f"{_V3}/traces", traces.start_trace, Right.INGEST),
    call("POST", f"{_V3}/traces/search", traces.search_traces, Right.READ),
    Endpoint("GET", f"{_V3}/traces/get", traces.get_trace, (), (JSON,), Right.READ, to_response, is_described=False),
    call("GET", f"{_V3}/traces/batchGet", traces.batch_get_traces, Right.READ),
    call("POST", f"{_V3}/traces/batchGetInfos", traces.batch_get_infos, Right.READ),
    *(call("POST", f"{each}/traces/delete-traces", traces.delete_traces, Right.ADMIN) for each in (_V2, _V3)),
    *(call("PATCH", f"{each}/traces/{{trace_id}}/tags", traces.set_trace_tag, Right.WRITE) for each in (_V2, _V3)),
    *(call("DELETE", f"{each}/traces/{{trace_id}}/tags", traces.delete_trace_tag, Right.WRITE) for each in (_V2, _V3)),
    call("POST", f"{_V2}/traces/link-to-run", traces.link_traces_to_run, Right.WRITE),
    call("POST", f"{_V2}/traces/link-prompts", traces.link_prompts, Right.WRITE),
    call("GET", f"{_V3}/traces/{{trace_id}}", traces.get_trace_info, Right.READ),
    call("POST", _ASSESSMENTS, assessments.create_assessment, Right.WRITE),
    call("GET", _ASSESSMENT, assessments.get_assessment, Right.READ),
    call("PATCH", _ASSESSMENT, assessments.update_assessment, Right.WRITE),
    call("DELETE", _ASSESSMENT, assessments.delete_assessment, Right.WRITE),
    Endpoint(
        "PUT", _ARTIFACT, artifacts.put_artifact, (_TEXT,), (JSON,), Right.INGEST, to_response, is_described=False
    ),
    Endpoint(
        "GET", _ARTIFACT, artifacts.get_artifact, (), (_TEXT,), Right.READ, to_response, is_described=False
    ),
    *(
        Endpoint(
            method, f"{each}{{path:path}}", refusals.refuse, (), (JSON,), Right.ANY, to_response, is_described=False
        )
        for each in ("/api/2.0", "/api/3.0", "/api/4.0", "/ajax-api")
        for method in _METHODS
    ),
)  # fmt: skip
