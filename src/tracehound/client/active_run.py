"""The run under way: begun, described and ended by the program that it is of. Traces that begin in it belong to it.

Runs under way belong to the context that began them, as everything that is current (`context.scope`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import replace
from types import TracebackType
from typing import Final

from tracehound.client.experiments import ensure_experiment
from tracehound.client.runs import (
    end_of_run,
    experiment_name,
    find_run,
    make_run,
    say_of_run,
    set_metrics,
    set_params,
    tag_run,
)
from tracehound.context.scope import common, current_scope, own_scope, set_scope
from tracehound.errors import ArgumentError
from tracehound.model.run import Run, RunStatus
from tracehound.runtime import Runtime, current

_RUNS: Final[ContextVar[tuple[Run, ...]]] = ContextVar("tracehound_runs", default=())


class ActiveRun(Run, frozen=True):
    """A run under way; as a block it ends with the block, FAILED where an exception leaves it.

    >>> import tracehound
    >>> with tracehound.start_run(run_name="nightly") as run:
    ...     run.info.run_name, str(run.info.status)
    ('nightly', 'RUNNING')
    >>> str(tracehound.get_run(run.info.run_id).info.status)
    'FINISHED'
    """

    def __enter__(self) -> ActiveRun:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        _end(self.info.run_id, RunStatus.FINISHED if kind is None else RunStatus.FAILED)


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,  # noqa: FBT001, FBT002 - MLflow's signature
    parent_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    description: str | None = None,
    log_system_metrics: object = None,  # noqa: ARG001 - as above
) -> ActiveRun:
    """Begin a run, or go on with the one of `run_id`; it ends with `end_run` or, as a block, with the block.

    It is of the experiment given, else of the one of the run around it, else of the active one; traces that begin in
    it go there, and are found by `search_traces(run_id=…)`. While a run is under way here, another one needs
    `nested=True`, else `ArgumentError` is raised. `log_system_metrics` is MLflow's, and changes nothing.

    >>> import tracehound
    >>> with tracehound.start_run(run_name="nightly", tags={"model": "small"}) as run:
    ...     with tracehound.start_span("answer"):
    ...         pass
    >>> len(tracehound.search_traces(run_id=run.info.run_id, return_type="list"))
    1
    """
    runtime = current()
    stack = _RUNS.get()
    if stack and not nested:
        raise ArgumentError(
            f"the run {stack[-1].info.run_id} is under way: end it with end_run(), or give nested=True for one in it"
        )
    if run_id is not None:
        begun = _resume(runtime, run_id, experiment_id, tags)
        experiment = experiment_name(runtime, begun.info.experiment_id)
    else:
        experiment = _experiment_of_new(runtime, experiment_id)
        parent = parent_run_id or (stack[-1].info.run_id if stack else None)
        if parent_run_id is not None:
            find_run(runtime, parent_run_id)
        begun = make_run(
            runtime, experiment, run_name=run_name, tags=tags, parent_run_id=parent, description=description
        )
    _push(begun, experiment)
    return ActiveRun(begun.info, begun.data)


def end_run(status: str = "FINISHED") -> None:
    """End the run that was begun last here; nothing happens where none is under way.

    >>> import tracehound
    >>> run = tracehound.start_run()
    >>> tracehound.end_run("KILLED")
    >>> tracehound.active_run() is None
    True
    """
    stack = _RUNS.get()
    if stack:
        _end(stack[-1].info.run_id, status)


def active_run() -> ActiveRun | None:
    """Return the run under way here, as it was when it began; None where there is none.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.active_run().info.run_id == run.info.run_id
    True
    """
    stack = _RUNS.get()
    return ActiveRun(stack[-1].info, stack[-1].data) if stack else None


def last_active_run() -> Run | None:
    """Return the run under way here, else the one that was begun last in this process, as the store knows it.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.log_params({"k": 3})
    >>> tracehound.last_active_run().data.params
    {'k': '3'}
    """
    stack = _RUNS.get()
    run_id = stack[-1].info.run_id if stack else common.last_run_id
    return None if run_id is None else find_run(current(), run_id)


def set_tag(key: str, value: object) -> None:
    """Set a tag of the run under way; where there is none, one begins.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.set_tag("team", "a")
    >>> tracehound.get_run(run.info.run_id).data.tags["team"]
    'a'
    """
    set_tags({key: value})


def set_tags(tags: Mapping[str, object]) -> None:
    """Set tags of the run under way; where there is none, one begins.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.set_tags({"team": "a", "year": 2026})
    >>> tracehound.get_run(run.info.run_id).data.tags["year"]
    '2026'
    """
    tag_run(current(), _run_id(), tags)


def log_param(key: str, value: object) -> object:
    """Set a parameter of the run under way, where there is none one begins; return the value.

    Raise `ArgumentError` for a parameter that has another value already.

    >>> import tracehound
    >>> with tracehound.start_run():
    ...     tracehound.log_param("temperature", 0.2)
    0.2
    """
    log_params({key: value})
    return value


def log_params(params: Mapping[str, object], run_id: str | None = None) -> None:
    """Set parameters of the run under way, where there is none one begins, or of the run given.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.log_params({"k": 3, "temperature": 0.2})
    >>> tracehound.get_run(run.info.run_id).data.params
    {'k': '3', 'temperature': '0.2'}
    """
    set_params(current(), run_id or _run_id(), params)


def log_metric(
    key: str,
    value: float,
    step: int | None = None,  # noqa: ARG001 - MLflow's signature
    synchronous: bool | None = None,  # noqa: ARG001, FBT001 - as above
    timestamp: int | None = None,  # noqa: ARG001 - as above
    run_id: str | None = None,
) -> None:
    """Set a metric of the run under way, where there is none one begins, or of the run given; the last value counts.

    Values of earlier steps are not kept, and the call returns when the value is safe: `step`, `timestamp` and
    `synchronous`, which MLflow has, change nothing.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.log_metric("accuracy", 0.9)
    >>> tracehound.get_run(run.info.run_id).data.metrics
    {'accuracy': 0.9}
    """
    log_metrics({key: value}, run_id=run_id)


def log_metrics(
    metrics: Mapping[str, float],
    step: int | None = None,  # noqa: ARG001 - MLflow's signature
    synchronous: bool | None = None,  # noqa: ARG001, FBT001 - as above
    run_id: str | None = None,
    timestamp: int | None = None,  # noqa: ARG001 - as above
) -> None:
    """Set metrics of the run under way, or of the run given, as `log_metric` does.

    >>> import tracehound
    >>> with tracehound.start_run() as run:
    ...     tracehound.log_metrics({"accuracy": 0.9, "cost": 2})
    >>> tracehound.get_run(run.info.run_id).data.metrics["cost"]
    2.0
    """
    set_metrics(current(), run_id or _run_id(), metrics)


def _run_id() -> str:
    """Return the id of the run under way; where there is none, one begins."""
    stack = _RUNS.get()
    return (stack[-1] if stack else start_run()).info.run_id


def _experiment_of_new(runtime: Runtime, number: str | None) -> str:
    if number is not None:
        return experiment_name(runtime, number)
    scope = current_scope()
    name = (None if scope is None else scope.experiment) or runtime.settings.experiment
    return ensure_experiment(runtime, name).name


def _resume(runtime: Runtime, run_id: str, number: str | None, tags: Mapping[str, object] | None) -> Run:
    known = find_run(runtime, run_id)
    if any(run.info.run_id == run_id for run in _RUNS.get()):
        raise ArgumentError(f"the run {run_id} is under way here already")
    if number is not None and number != known.info.experiment_id:
        raise ArgumentError(f"the run {run_id} is of the experiment {known.info.experiment_id}, not of {number}")
    say_of_run(runtime, run_id, {"status": RunStatus.RUNNING.value, "end_time": None})
    tag_run(runtime, run_id, tags or {})
    return find_run(runtime, run_id)


def _push(run: Run, experiment: str) -> None:
    _RUNS.set((*_RUNS.get(), run))
    set_scope(replace(own_scope(), run_id=run.info.run_id, experiment=experiment))
    common.begin_run(run.info.run_id, experiment)


def _end(run_id: str, status: object) -> None:
    """End a run, wherever it stands among those under way; what is around it counts again."""
    runtime = current()
    end_of_run(runtime, run_id, status)
    left = tuple(run for run in _RUNS.get() if run.info.run_id != run_id)
    _RUNS.set(left)
    common.end_run(run_id)
    if own_scope().run_id == run_id:
        around = left[-1] if left else None
        set_scope(
            replace(
                own_scope(),
                run_id=None if around is None else around.info.run_id,
                experiment=None if around is None else experiment_name(runtime, around.info.experiment_id),
            )
        )
