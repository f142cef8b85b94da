"""Experiments, runs and models in the JSON of MLflow's REST API."""

from __future__ import annotations

from typing import Any

from tracehound.model.logged_model import LoggedModel
from tracehound.model.run import Run
from tracehound.model.trace import Experiment
from tracehound.wire.mlflow.messages import to_pairs, without_none

_STATUS = "LOGGED_MODEL_"


def to_experiment_message(experiment: Experiment) -> dict[str, Any]:
    """Return an experiment; one that nobody made was never created."""
    return without_none(
        {
            "experiment_id": experiment.experiment_id,
            "name": experiment.name,
            "artifact_location": f"mlflow-artifacts:/{experiment.experiment_id}",
            "lifecycle_stage": experiment.lifecycle_stage,
            "creation_time": experiment.creation_time,
            "last_update_time": experiment.creation_time,
            "tags": to_pairs(experiment.tags),
        }
    )


def to_run_message(run: Run) -> dict[str, Any]:
    """Return a run; of each metric it has the value that was logged last, at no known time or step."""
    metrics = [{"key": key, "value": _number(value)} for key, value in run.data.metrics.items()]
    data = {"metrics": metrics, "params": to_pairs(run.data.params), "tags": to_pairs(run.data.tags)}
    return {"info": to_run_info_message(run), "data": data, "inputs": {}, "outputs": {}}


def to_run_info_message(run: Run) -> dict[str, Any]:
    """Return what a run is called and how it went."""
    info = run.info
    return without_none(
        {
            "run_id": info.run_id,
            "run_uuid": info.run_uuid,
            "run_name": info.run_name,
            "experiment_id": info.experiment_id,
            "user_id": info.user_id,
            "status": info.status.value,
            "start_time": info.start_time,
            "end_time": info.end_time,
            "artifact_uri": f"mlflow-artifacts:/{info.experiment_id}/{info.run_id}/artifacts",
            "lifecycle_stage": info.lifecycle_stage,
        }
    )


def to_model_message(model: LoggedModel) -> dict[str, Any]:
    """Return a model, and where its description lies."""
    info = {
        "model_id": model.model_id,
        "experiment_id": model.experiment_id,
        "name": model.name,
        "creation_timestamp_ms": model.creation_timestamp,
        "last_updated_timestamp_ms": model.last_updated_timestamp,
        "artifact_uri": f"mlflow-artifacts:/{model.experiment_id}/models/{model.model_id}/artifacts",
        "status": f"{_STATUS}{model.status}",
        "model_type": model.model_type,
        "source_run_id": model.source_run_id,
        "tags": to_pairs(model.tags),
    }
    return {"info": without_none(info), "data": {"params": to_pairs(model.params)}}


def read_model_status(word: str) -> str:
    """Return the status of a model without its prefix."""
    return word.removeprefix(_STATUS)


def _number(value: float) -> float | str:
    """Return a number as protobuf's JSON has it, which writes those that JSON has not as words."""
    odd = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    return odd.get(str(value), value)
