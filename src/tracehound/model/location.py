"""Where a trace lies. Ours lie in experiments; the other places are known so that MLflow's files can be read."""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.form import Form
from tracehound.model.record import Record


class TraceLocationType(str, Enum):
    """The kinds of places.

    >>> TraceLocation.from_experiment_id("0").type
    <TraceLocationType.MLFLOW_EXPERIMENT: 'MLFLOW_EXPERIMENT'>
    """

    TRACE_LOCATION_TYPE_UNSPECIFIED = "TRACE_LOCATION_TYPE_UNSPECIFIED"
    MLFLOW_EXPERIMENT = "MLFLOW_EXPERIMENT"
    INFERENCE_TABLE = "INFERENCE_TABLE"
    UC_SCHEMA = "UC_SCHEMA"
    UC_TABLE_PREFIX = "UC_TABLE_PREFIX"

    def __str__(self) -> str:
        return str(self.value)


class MlflowExperimentLocation(Record, frozen=True):
    """An experiment.

    >>> TraceLocation(TraceLocationType.MLFLOW_EXPERIMENT, MlflowExperimentLocation("0")).to_dict()
    {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': '0'}}
    """

    experiment_id: str


class TraceLocation(Record, frozen=True):
    """Where a trace lies: in an experiment, or in a place of Databricks, whose `names` are kept as they are.

    >>> TraceLocation.from_experiment_id("0").to_dict()
    {'type': 'MLFLOW_EXPERIMENT', 'mlflow_experiment': {'experiment_id': '0'}}
    """

    type: TraceLocationType
    mlflow_experiment: MlflowExperimentLocation | None = None
    names: dict[str, str] = {}

    def __post_init__(self) -> None:
        if (self.type is _EXPERIMENT) != (self.mlflow_experiment is not None):
            raise ArgumentError(f"a location of type {self.type} does not go with {self.mlflow_experiment!r}")

    @classmethod
    def from_experiment_id(cls, experiment_id: str) -> TraceLocation:
        """Return an experiment as a place."""
        return cls(_EXPERIMENT, MlflowExperimentLocation(experiment_id))

    def to_dict(self) -> dict[str, Any]:
        """Return the location in MLflow's form; `from_dict` is the inverse."""
        if self.mlflow_experiment is not None:
            key, names = "mlflow_experiment", {"experiment_id": self.mlflow_experiment.experiment_id}
        else:
            key, names = self.type.value.lower(), self.names
        return {"type": self.type.value, key: names} if names else {"type": self.type.value}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> TraceLocation:
        """Return the location that MLflow or `to_dict` wrote; raise `ArgumentError` for what is none."""
        return read_location(Form(data, ""))


def read_location(form: Form) -> TraceLocation:
    """Return the location that an object holds."""
    kind = form.one_of("type", {str(each): each for each in TraceLocationType})
    if kind is _EXPERIMENT:
        experiment = form.form("mlflow_experiment")
        location = TraceLocation.from_experiment_id(experiment.text("experiment_id"))
        experiment.end()
    else:
        location = TraceLocation(kind, names=form.texts(kind.value.lower()))
    form.end()
    return location


_EXPERIMENT: Final = TraceLocationType.MLFLOW_EXPERIMENT
