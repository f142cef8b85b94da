"""Runs of a store: made, described, ended and found. `client.active_run` is about the one under way."""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tracehound.client.arguments import check_count, check_return_type, check_text, check_texts
from tracehound.client.experiments import find_experiment
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.edit import Facts
from tracehound.model.ids import experiment_id
from tracehound.model.run import METRIC, NOTE, PARAM, PARENT_RUN, RUN, RUN_NAME, TAG, Run, RunStatus, run_of_facts
from tracehound.model.values import clean_text, to_text
from tracehound.query.plain import Find, parse_plain_filter, sorted_by
from tracehound.query.tokens import Reader, tokenize
from tracehound.runtime import Runtime, current
from tracehound.store.api import Searched

_ATTRIBUTES: Final = (
    "run_id", "run_name", "experiment_id", "status", "start_time", "end_time", "user_id", "lifecycle_stage",
    "artifact_uri",
)  # fmt: skip
_OTHER_NAMES: Final = {"Start_Time": "start_time", "name": "run_name", "Created": "start_time", "created": "start_time"}
_ORIGIN: Final = ("mlflow.user", "mlflow.source.")


def get_run(run_id: str) -> Run:
    """Return a run by its id; raise `NotFoundError` where there is none.

    >>> import tracehound
    >>> with tracehound.start_run(run_name="nightly") as run:
    ...     pass
    >>> tracehound.get_run(run.info.run_id).info.status == "FINISHED"
    True
    """
    return find_run(current(), run_id)


def search_runs(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str = "",
    run_view_type: object = None,  # noqa: ARG001 - MLflow's signature
    max_results: int = 100_000,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
    search_all_experiments: bool = False,  # noqa: FBT001, FBT002 - MLflow's signature
    experiment_names: Sequence[str] | None = None,
) -> Any:
    """Return the runs that a filter is true of, the newest first: a DataFrame, or a list with `output_format="list"`.

    The filter and `order_by` speak of `attributes.status`, `attributes.start_time` and the like, `tags.K`, `params.K`
    and `metrics.K`. Without `experiment_ids` or `experiment_names` the active experiment is searched, or all of them.
    `run_view_type` changes nothing: no run is ever deleted.

    >>> import tracehound
    >>> with tracehound.start_run():
    ...     tracehound.log_metric("accuracy", 0.9)
    >>> found = tracehound.search_runs(filter_string="metrics.accuracy > 0.5", output_format="list")
    >>> [run.data.metrics for run in found]
    [{'accuracy': 0.9}]
    """
    if output_format not in ("pandas", "list"):
        raise ArgumentError(f"output_format is 'pandas' or 'list', not {output_format!r}")
    if experiment_ids is not None and experiment_names is not None:
        raise ArgumentError("experiment_ids and experiment_names say the same: give one of them")
    check_return_type(output_format)
    runtime = current()
    wanted = experiment_ids
    if experiment_names is not None:
        wanted = [experiment_id(name) for name in experiment_names]
    if wanted is None and not search_all_experiments:
        wanted = [experiment_id(runtime.settings.experiment)]
    found = find_runs(runtime, wanted, filter_string, max_results, order_by)
    return found if output_format == "list" else _to_frame(found)


def find_run(runtime: Runtime, run_id: str) -> Run:
    """Return a run by its id; raise `NotFoundError` where there is none."""
    return run_in(runtime.drained_store(), run_id)


def run_in(store: Searched, run_id: str) -> Run:
    """Return a run of a store by its id; raise `NotFoundError` where there is none."""
    facts = store.facts(RUN, str(run_id)).get(str(run_id))
    if facts is None:
        raise NotFoundError(
            f"there is no run {run_id!r}; traces that name it all the same are found by the filter"
            f" attributes.run_id = '{run_id}'"
        )
    return run_of_facts(run_id, facts)


def find_runs(
    runtime: Runtime,
    experiment_ids: Sequence[str] | None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    read: Reader = tokenize,
) -> list[Run]:
    """Return the runs of experiments, of all where none are given, that a filter is true of, the newest first."""
    if isinstance(experiment_ids, str):
        raise ArgumentError(f"experiment_ids is a list of ids: [{experiment_ids!r}]")
    check_count("max_results", max_results)
    names = (*_ATTRIBUTES, *_OTHER_NAMES)
    wanted = parse_plain_filter(filter_string, names, time.time_ns() // 1_000_000, read)
    runs = [run_of_facts(run_id, facts) for run_id, facts in runtime.drained_store().facts(RUN).items()]
    within = [run for run in runs if experiment_ids is None or run.info.experiment_id in experiment_ids]
    found = [run for run in within if wanted.is_true_of(_find_in(run))]
    newest_first = sorted(found, key=lambda run: (-run.info.start_time, run.info.run_id))
    return sorted_by(newest_first, order_by or (), names, _find_in)[:max_results]


def make_run(
    runtime: Runtime,
    experiment: str,
    *,
    run_name: str | None = None,
    start_time_ms: int | None = None,
    tags: Mapping[str, object] | None = None,
    parent_run_id: str | None = None,
    description: str | None = None,
) -> Run:
    """Make a run in the experiment of a name, and return it."""
    for argument, given in (("run_name", run_name), ("parent_run_id", parent_run_id), ("description", description)):
        check_text(argument, given)
    run_id = uuid.uuid4().hex
    said = {key: value for key, value in runtime.origin().items() if key.startswith(_ORIGIN)}
    said.update(check_texts("tags", tags))
    name = clean_text(run_name or said.get(RUN_NAME) or f"run-{run_id[:8]}")
    said[RUN_NAME] = name
    if parent_run_id is not None:
        said[PARENT_RUN] = parent_run_id
    if description is not None:
        said[NOTE] = clean_text(description)
    now_ms = runtime.clock_ns() // 1_000_000 if start_time_ms is None else int(start_time_ms)
    facts: dict[str, str | None] = {
        "experiment": experiment,
        "name": name,
        "status": RunStatus.RUNNING.value,
        "start_time": str(now_ms),
        "user_id": said.get("mlflow.user", ""),
        **{f"{TAG}{key}": value for key, value in said.items()},
    }
    say_of_run(runtime, run_id, facts)
    return run_of_facts(run_id, {key: value for key, value in facts.items() if value is not None})


def say_of_run(runtime: Runtime, run_id: str, facts: Mapping[str, str | None]) -> None:
    """Keep facts of a run."""
    if facts:
        runtime.keep_edit(Facts(RUN, run_id, dict(facts), runtime.edit_time_ns()))


def tag_run(runtime: Runtime, run_id: str, tags: Mapping[str, object]) -> None:
    """Set tags of a run; that of its name is its name."""
    said = check_texts("tags", tags)
    facts: dict[str, str | None] = {f"{TAG}{key}": value for key, value in said.items()}
    if RUN_NAME in said:
        facts["name"] = said[RUN_NAME]
    say_of_run(runtime, run_id, facts)


def untag_run(runtime: Runtime, run_id: str, key: str) -> None:
    """Remove a tag of a run; raise `NotFoundError` where there is no run, or it has no such tag."""
    if key not in find_run(runtime, run_id).data.tags:
        raise NotFoundError(f"the run {run_id!r} has no tag {key!r}")
    say_of_run(runtime, run_id, {f"{TAG}{key}": None})


def set_params(runtime: Runtime, run_id: str, params: Mapping[str, object]) -> None:
    """Set parameters of a run; raise `ArgumentError` for one that has another value already."""
    if not isinstance(params, Mapping):
        raise ArgumentError(f"params is a mapping such as {{'k': 3}}, not {params!r}")
    said = {clean_text(str(key)): to_text(value) for key, value in params.items()}
    known = find_run(runtime, run_id).data.params
    for key, value in said.items():
        if known.get(key, value) != value:
            raise ArgumentError(f"the parameter {key!r} of the run is {known[key]!r} and cannot become {value!r}")
    say_of_run(runtime, run_id, {f"{PARAM}{key}": value for key, value in said.items()})


def set_metrics(runtime: Runtime, run_id: str, metrics: Mapping[str, float]) -> None:
    """Set metrics of a run; the value of each that is said last counts."""
    if not isinstance(metrics, Mapping):
        raise ArgumentError(f"metrics is a mapping such as {{'accuracy': 0.9}}, not {metrics!r}")
    facts = {f"{METRIC}{clean_text(str(key))}": repr(_to_number(key, value)) for key, value in metrics.items()}
    say_of_run(runtime, run_id, facts)


def _to_number(key: object, value: object) -> float:
    try:
        return float(value)  # type: ignore[arg-type] # whatever it is
    except (TypeError, ValueError):
        raise ArgumentError(f"the metric {key!r} is a number, not {value!r}") from None


def end_of_run(runtime: Runtime, run_id: str, status: object = None, end_time_ms: int | None = None) -> None:
    """Note how and when a run ended."""
    now_ms = runtime.clock_ns() // 1_000_000 if end_time_ms is None else int(end_time_ms)
    facts = {"status": check_status(status or RunStatus.FINISHED).value, "end_time": str(now_ms)}
    say_of_run(runtime, run_id, facts)


def check_status(status: object) -> RunStatus:
    """Return a status of a run; raise `ArgumentError` for what is none."""
    try:
        return RunStatus(status)
    except ValueError:
        raise ArgumentError(f"a run's status is {', '.join(map(str, RunStatus))}, not {status!r}") from None


def experiment_name(runtime: Runtime, number: str) -> str:
    """Return the name of the experiment with an id; raise `NotFoundError` where there is none."""
    return find_experiment(runtime, str(number)).name


def _find_in(run: Run) -> Find:
    def find(group: str, name: str) -> str | int | float | None:
        if group == "attributes":
            found = getattr(run.info, _OTHER_NAMES.get(name, name))
            return str(found) if isinstance(found, RunStatus) else found
        values: dict[str, Any] = getattr(run.data, group)
        return values.get(name)

    return find


def _to_frame(runs: Sequence[Run]) -> Any:
    """Return a DataFrame with a row a run: what it is, then a column for each metric, parameter and tag."""
    import pandas as pd

    started, ended = [run.info.start_time for run in runs], [run.info.end_time for run in runs]
    columns: dict[str, Any] = {
        "run_id": [run.info.run_id for run in runs],
        "experiment_id": [run.info.experiment_id for run in runs],
        "status": [str(run.info.status) for run in runs],
        "artifact_uri": [run.info.artifact_uri for run in runs],
        "start_time": pd.to_datetime(pd.Series(started, dtype="Int64"), unit="ms", utc=True),
        "end_time": pd.to_datetime(pd.Series(ended, dtype="Int64"), unit="ms", utc=True),
    }
    for group in ("metrics", "params", "tags"):
        values = [getattr(run.data, group) for run in runs]
        for key in sorted({key for each in values for key in each}):
            columns[f"{group}.{key}"] = [each.get(key) for each in values]
    return pd.DataFrame(columns)
