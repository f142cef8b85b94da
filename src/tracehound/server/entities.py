"""Routes of what traces belong to: experiments, runs and models."""

from __future__ import annotations

from tracehound.client.experiments import find_experiment, find_experiments, make_experiment, tag_experiment
from tracehound.client.models import find_model, find_models, make_model
from tracehound.client.runs import (
    check_status,
    end_of_run,
    find_run,
    find_runs,
    make_run,
    say_of_run,
    set_metrics,
    set_params,
    tag_run,
)
from tracehound.model.record import Record
from tracehound.model.run import RunStatus
from tracehound.server.rows import Asked
from tracehound.server.served import Served
from tracehound.server.shapes import (
    ExperimentShape,
    ModelShape,
    RunShape,
    shape_of_experiment,
    shape_of_model,
    shape_of_run,
)

_OPEN = (RunStatus.RUNNING, RunStatus.SCHEDULED)


class EntitySearch(Asked, frozen=True, kw_only=True):
    """Which ones: those that a filter is true of, the newest first unless an order is given."""

    filter: str | None = None
    order_by: list[str] = []
    limit: int | None = None


class EntityOfExperimentSearch(EntitySearch, frozen=True, kw_only=True):
    """Which ones of some experiments, of all where none is named."""

    experiment_ids: list[str] | None = None


class ExperimentRequest(Asked, frozen=True, kw_only=True):
    """An experiment by its id."""

    experiment_id: str


class NewExperiment(Asked, frozen=True, kw_only=True):
    """An experiment to be made."""

    name: str
    tags: dict[str, str] = {}


class ExperimentChange(Asked, frozen=True, kw_only=True):
    """Tags to be set of an experiment."""

    experiment_id: str
    tags: dict[str, str]


class ExperimentsPage(Record, frozen=True, kw_only=True):
    """Experiments that were found."""

    experiments: list[ExperimentShape]


class RunRequest(Asked, frozen=True, kw_only=True):
    """A run by its id."""

    run_id: str


class NewRun(Asked, frozen=True, kw_only=True):
    """A run to be made, in an experiment."""

    experiment_id: str = "0"
    name: str | None = None
    start_time_ms: int | None = None
    tags: dict[str, str] = {}
    parent_run_id: str | None = None
    description: str | None = None


class RunChange(Asked, frozen=True, kw_only=True):
    """What is to be said of a run. A status that ends it sets the time of its end, now if none is given."""

    run_id: str
    status: str | None = None
    end_time_ms: int | None = None
    tags: dict[str, str] = {}
    params: dict[str, str] = {}
    metrics: dict[str, float] = {}


class RunsPage(Record, frozen=True, kw_only=True):
    """Runs that were found."""

    runs: list[RunShape]


class ModelRequest(Asked, frozen=True, kw_only=True):
    """A model by its id."""

    model_id: str


class NewModel(Asked, frozen=True, kw_only=True):
    """A model to be made, in an experiment."""

    experiment_id: str = "0"
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    tags: dict[str, str] = {}
    params: dict[str, str] = {}


class ModelsPage(Record, frozen=True, kw_only=True):
    """Models that were found."""

    models: list[ModelShape]


def search_experiments(served: Served, asked: EntitySearch) -> ExperimentsPage:
    """Return the experiments that a filter is true of."""
    found = find_experiments(served.runtime, asked.limit, asked.filter, asked.order_by)
    return ExperimentsPage(experiments=[shape_of_experiment(each) for each in found])


def get_experiment(served: Served, asked: ExperimentRequest) -> ExperimentShape:
    """Return an experiment."""
    return shape_of_experiment(find_experiment(served.runtime, asked.experiment_id))


def post_experiment(served: Served, asked: NewExperiment) -> ExperimentShape:
    """Make an experiment; one of this name must not be there."""
    return shape_of_experiment(make_experiment(served.runtime, asked.name, None, asked.tags))


def patch_experiment(served: Served, asked: ExperimentChange) -> ExperimentShape:
    """Set tags of an experiment."""
    tag_experiment(served.runtime, find_experiment(served.runtime, asked.experiment_id).name, asked.tags)
    return shape_of_experiment(find_experiment(served.runtime, asked.experiment_id))


def search_runs(served: Served, asked: EntityOfExperimentSearch) -> RunsPage:
    """Return the runs that a filter is true of."""
    found = find_runs(served.runtime, asked.experiment_ids, asked.filter, asked.limit, asked.order_by)
    return RunsPage(runs=[shape_of_run(each) for each in found])


def get_run(served: Served, asked: RunRequest) -> RunShape:
    """Return a run."""
    return shape_of_run(find_run(served.runtime, asked.run_id))


def post_run(served: Served, asked: NewRun) -> RunShape:
    """Make a run."""
    made = make_run(
        served.runtime, find_experiment(served.runtime, asked.experiment_id).name, run_name=asked.name,
        start_time_ms=asked.start_time_ms, tags=asked.tags, parent_run_id=asked.parent_run_id,
        description=asked.description,
    )  # fmt: skip
    return shape_of_run(made)


def patch_run(served: Served, asked: RunChange) -> RunShape:
    """Say something of a run: its status, tags, parameters, metrics."""
    runtime, run_id = served.runtime, asked.run_id
    find_run(runtime, run_id)
    status = None if asked.status is None else check_status(asked.status)
    set_params(runtime, run_id, asked.params)  # the one that may be refused comes first
    tag_run(runtime, run_id, asked.tags)
    set_metrics(runtime, run_id, asked.metrics)
    if status in _OPEN:
        say_of_run(runtime, run_id, {"status": status.value, "end_time": None})
    elif status is not None or asked.end_time_ms is not None:
        end_of_run(runtime, run_id, status, asked.end_time_ms)
    return shape_of_run(find_run(runtime, run_id))


def search_models(served: Served, asked: EntityOfExperimentSearch) -> ModelsPage:
    """Return the models that a filter is true of."""
    found = find_models(served.runtime, asked.experiment_ids, asked.filter, asked.limit, asked.order_by)
    return ModelsPage(models=[shape_of_model(each) for each in found])


def get_model(served: Served, asked: ModelRequest) -> ModelShape:
    """Return a model."""
    return shape_of_model(find_model(served.runtime, asked.model_id))


def post_model(served: Served, asked: NewModel) -> ModelShape:
    """Make a model."""
    experiment = find_experiment(served.runtime, asked.experiment_id).name
    if asked.source_run_id is not None:
        find_run(served.runtime, asked.source_run_id)
    made = make_model(
        served.runtime, asked.name, experiment, source_run_id=asked.source_run_id, tags=asked.tags,
        params=asked.params, model_type=asked.model_type,
    )  # fmt: skip
    return shape_of_model(made)
