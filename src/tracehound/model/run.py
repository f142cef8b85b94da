"""A run: one execution of a program, with its parameters and metrics, which traces belong to.

A store knows it by facts (`model.edit`): one key a value, so that two who say different things of it both count.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Final

from tracehound.model.ids import experiment_id
from tracehound.model.record import Record

RUN: Final = "run"
PARENT_RUN: Final = "mlflow.parentRunId"
RUN_NAME: Final = "mlflow.runName"
NOTE: Final = "mlflow.note.content"
TAG: Final = "tag."
PARAM: Final = "param."
METRIC: Final = "metric."


class RunStatus(str, Enum):
    """How a run ended, or that it has not.

    >>> import tracehound
    >>> run = tracehound.start_run()
    >>> tracehound.end_run(RunStatus.KILLED)
    >>> tracehound.get_run(run.info.run_id).info.status
    <RunStatus.KILLED: 'KILLED'>
    """

    RUNNING = "RUNNING"
    SCHEDULED = "SCHEDULED"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"

    def __str__(self) -> str:
        return str(self.value)


class RunInfo(Record, frozen=True):
    """What a run is called, where it belongs, and how it went; times are milliseconds since the epoch.

    >>> import tracehound
    >>> with tracehound.start_run(run_name="nightly") as run:
    ...     pass
    >>> info = tracehound.get_run(run.info.run_id).info
    >>> info.run_name, info.experiment_id, info.end_time >= info.start_time
    ('nightly', '0', True)
    """

    run_id: str
    run_name: str
    experiment_id: str
    status: RunStatus
    start_time: int
    end_time: int | None = None
    user_id: str = ""
    lifecycle_stage: str = "active"

    @property
    def run_uuid(self) -> str:
        """An older name of `run_id`."""
        return self.run_id

    @property
    def artifact_uri(self) -> str:
        """Where files of the run would be kept; there are none."""
        return f"tracehound:/{self.experiment_id}/{self.run_id}"


class RunData(Record, frozen=True):
    """What was said of a run: tags, parameters, and of each metric the value that was logged last.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.log_params({"k": 3})
    ...     tracehound.log_metrics({"accuracy": 0.9})
    >>> data = tracehound.get_run(run.info.run_id).data
    >>> data.params, data.metrics
    ({'k': '3'}, {'accuracy': 0.9})
    """

    tags: dict[str, str] = {}
    params: dict[str, str] = {}
    metrics: dict[str, float] = {}


class Run(Record, frozen=True):
    """A run as it was when it was read.

    >>> import tracehound
    >>> with tracehound.start_run(run_name="nightly"):
    ...     tracehound.log_metric("accuracy", 0.9)
    >>> [run] = tracehound.search_runs(output_format="list")
    >>> run.info.run_name, run.data.metrics["accuracy"]
    ('nightly', 0.9)
    """

    info: RunInfo
    data: RunData

    def to_dictionary(self) -> dict[str, Any]:
        """Return the run as plain values."""
        info = {name: getattr(self.info, name) for name in (*self.info.__struct_fields__, "run_uuid", "artifact_uri")}
        data = {name: dict(getattr(self.data, name)) for name in self.data.__struct_fields__}
        return {"info": {**info, "status": str(self.info.status)}, "data": data}

    def __hash__(self) -> int:
        return hash(self.info.run_id)


def run_of_facts(run_id: str, facts: dict[str, str]) -> Run:
    """Return the run that facts tell of."""
    experiment = facts.get("experiment", "Default")
    end = facts.get("end_time")
    info = RunInfo(
        run_id=run_id,
        run_name=facts.get("name", run_id),
        experiment_id=experiment_id(experiment),
        status=RunStatus(facts.get("status", "RUNNING")),
        start_time=int(facts.get("start_time", "0")),
        end_time=None if end is None else int(end),
        user_id=facts.get("user_id", ""),
    )
    metrics = {key: float(value) for key, value in with_prefix(facts, METRIC).items()}
    return Run(info, RunData(with_prefix(facts, TAG), with_prefix(facts, PARAM), metrics))


def with_prefix(facts: dict[str, str], prefix: str) -> dict[str, str]:
    """Return the facts of one sort, under their names."""
    return {key.removeprefix(prefix): value for key, value in facts.items() if key.startswith(prefix)}
