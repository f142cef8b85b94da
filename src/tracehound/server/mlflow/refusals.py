"""What there is in MLflow's API and not here, and why: the answer is 404, in the form that its clients know.

`ENDPOINT_NOT_FOUND` is what an older server of MLflow's answers, so that clients do without, or say what is missing.
"""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tracehound.server.mlflow.problems import refusal
from tracehound.server.served import Served

# By the beginning of the path behind /api/: the first that fits counts.
_REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("2.0/mlflow/experiments/update", "an experiment keeps its name: its id is made of it"),
    ("2.0/mlflow/experiments/", "an experiment is not deleted: delete its traces"),
    ("2.0/mlflow/runs/delete", "a run is not deleted: traces name it"),
    ("2.0/mlflow/runs/restore", "a run is not deleted: traces name it"),
    ("2.0/mlflow/runs/", "a run has parameters, metrics and tags, and no data sets, models or outputs"),
    ("2.0/mlflow/metrics/", "of a metric the last value is kept; runs/get has it"),
    ("2.0/mlflow/logged-models/", "a model is described in the file MLmodel, has no other files, and is not deleted"),
    ("2.0/mlflow/unified-traces", "this is of Databricks"),
    ("2.0/mlflow/get-online-trace-details", "this is of Databricks"),
    ("2.0/mlflow/artifacts/", "there is no place for files here but for spans and descriptions of models"),
    ("2.0/mlflow-artifacts/", "there is no place for files here but for spans and descriptions of models"),
    ("2.0/mlflow/registered-models/", "the registry is reached through Tracehound's own client"),
    ("2.0/mlflow/model-versions/", "the registry is reached through Tracehound's own client"),
    ("3.0/mlflow/traces/metrics", "statistics are at POST /api/v1/traces/stats"),
    ("3.0/mlflow/traces/calculate-filter-correlation", "statistics are at POST /api/v1/traces/stats"),
    ("3.0/mlflow/issues", "an issue is named in assessments, and kept where issues are kept"),
    ("3.0/mlflow/label-schemas/", "there is no labelling here"),
    ("3.0/mlflow/review-queues/", "there is no labelling here"),
    ("2.0mlflow/", "data sets are not kept behind MLflow's API"),  # its clients leave out a stroke
    ("3.0/mlflow/datasets/", "data sets are not kept behind MLflow's API"),
    ("3.0/mlflow/scorers/", "scorers are code, and are not kept"),
    ("3.0/mlflow/prompt-optimization/", "prompts are not optimized here"),
    ("3.0/mlflow/gateway/", "there is no gateway to models here"),
    ("3.0/mlflow/workspaces", "a server has one workspace: its store"),
    ("4.0/", "this is of Databricks"),
    ("ajax-api/", "this is for MLflow's own page; its API is below /api/2.0 and /api/3.0"),
)
_UNKNOWN: Final = "nothing is known of it"


async def refuse(_served: Served, request: Request) -> Response:
    """Answer that there is no such route, and why."""
    path = request.url.path
    below = path.removeprefix("/api").lstrip("/")
    reason = next((why for beginning, why in _REASONS if below.startswith(beginning)), _UNKNOWN)
    return refusal(404, "ENDPOINT_NOT_FOUND", f"{request.method} {path} is not answered here: {reason}")
