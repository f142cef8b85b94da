"""How MLflow's client says who it is; all other checks show a token."""

from __future__ import annotations

import os

import mlflow
import pytest


def check_that_a_token_may_be_a_password(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "anybody")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", os.environ["MLFLOW_TRACKING_TOKEN"])
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    with mlflow.start_span("bought") as span:
        pass
    found = mlflow.search_traces(locations=[experiment], return_type="list")
    assert [each.info.trace_id for each in found] == [span.trace_id]


def check_that_nobody_gets_in_without_one(experiment: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_TOKEN")
    with pytest.raises(mlflow.exceptions.MlflowException, match="a token is needed"):
        mlflow.search_traces(locations=[experiment], return_type="list")
