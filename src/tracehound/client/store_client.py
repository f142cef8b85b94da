"""What `MlflowClient` does with a store: everything but capture (`tracehound.mlflow_client`).

Each method does what the function of the same name does for the active store and the active run, for the store of the
client and the run that is named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tracehound.client.arguments import check_count, check_flag, check_text
from tracehound.client.deletion import delete_from
from tracehound.client.experiments import (
    find_experiment,
    find_experiments,
    known_experiments,
    make_experiment,
    tag_experiment,
)
from tracehound.client.feedback import change_assessment, find_assessment, keep_assessment, remove_assessment
from tracehound.client.linking import link_to_run
from tracehound.client.models import find_model, find_models
from tracehound.client.narrowing import to_search
from tracehound.client.pages import read_pages
from tracehound.client.registry import (
    find_registered,
    find_version,
    make_registered_model,
    make_version,
    versions_of,
)
from tracehound.client.runs import (
    end_of_run,
    experiment_name,
    find_run,
    find_runs,
    make_run,
    set_metrics,
    set_params,
    tag_run,
)
from tracehound.client.tags import delete_tag, set_tag
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.assessment import Assessment, AssessmentError, AssessmentSource, Expectation, Feedback
from tracehound.model.ids import experiment_id as id_of_experiment
from tracehound.model.logged_model import LoggedModel, ModelVersion, RegisteredModel
from tracehound.model.paged import PagedList
from tracehound.model.run import Run
from tracehound.model.trace import Experiment, Trace
from tracehound.model.values import clean_text
from tracehound.runtime import Runtime, beside, current
from tracehound.store.targets import parse_target


class StoreClient:
    """A store, under the names of MLflow's client; without a URI the active one, whatever that is at the time."""

    def __init__(self, tracking_uri: str | None = None) -> None:
        if tracking_uri is not None:
            parse_target(tracking_uri)
        self._uri = tracking_uri

    @property
    def tracking_uri(self) -> str:
        """Where this client reads and writes."""
        return self._runtime().settings.tracking_uri

    def _runtime(self) -> Runtime:
        return current() if self._uri is None else beside(self._uri)

    # Traces

    def search_traces(
        self,
        experiment_ids: Sequence[str] | None = None,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
        run_id: str | None = None,
        include_spans: bool = True,  # noqa: FBT001, FBT002 - MLflow's signature
        model_id: str | None = None,
        locations: Sequence[str] | None = None,
        flush: bool = False,  # noqa: FBT001, FBT002 - as above
    ) -> PagedList[Trace]:
        """Return one page of the traces that a filter is true of, and the token of the next one in `token`.

        The arguments are those of `tracehound.search_traces`. A page that begins at a `page_token` does so behind the
        last trace of the page before, whatever was written meanwhile.
        """
        check_flag("include_spans", include_spans)
        check_flag("flush", flush)
        if max_results is None:
            raise ArgumentError("max_results is a whole number from 0 up, not None")
        runtime = self._runtime()
        if flush:
            runtime.flush()
        store = runtime.drained_store()
        search = to_search(
            runtime, store, experiment_ids, filter_string, max_results, order_by, locations, run_id=run_id,
            model_id=model_id, page_token=page_token,
        )  # fmt: skip
        cursors: list[str | None] = [None]
        pages = read_pages(store, search, max_results, include_spans=include_spans, on_page=cursors.append)
        traces = [trace for page in pages for trace in page]
        return PagedList(traces, cursors[-1])

    def get_trace(self, trace_id: str, display: bool = True, flush: bool = False) -> Trace:  # noqa: ARG002, FBT001, FBT002 - MLflow's
        """Return a whole trace; raise `NotFoundError` where there is none. `display` changes nothing."""
        runtime = self._runtime()
        if flush:
            runtime.flush()
        wanted = clean_text(str(trace_id))
        found = runtime.drained_store().read_traces([wanted]).get(wanted)
        if found is None:
            raise NotFoundError(f"there is no trace {wanted}")
        return found

    def delete_traces(
        self,
        experiment_id: str,
        max_timestamp_millis: int | None = None,
        max_traces: int | None = None,
        trace_ids: Sequence[str] | None = None,
        *,
        request_ids: Sequence[str] | None = None,
    ) -> int:
        """Delete traces of an experiment and return how many there were (`tracehound.delete_traces`)."""
        wanted = trace_ids if request_ids is None else request_ids
        return delete_from(self._runtime(), experiment_id, max_timestamp_millis, max_traces, wanted)

    def set_trace_tag(self, trace_id: str, key: str, value: object) -> None:
        """Set a tag of a trace (`tracehound.set_trace_tag`)."""
        set_tag(self._runtime(), trace_id, key, value)

    def delete_trace_tag(self, trace_id: str, key: str) -> None:
        """Remove a tag of a trace (`tracehound.delete_trace_tag`)."""
        delete_tag(self._runtime(), trace_id, key)

    def link_traces_to_run(self, trace_ids: Sequence[str], run_id: str) -> None:
        """Let traces belong to a run, too; a trace that began in no run is of this one from now on.

        Raise `ArgumentError` for more than 100 traces, `NotFoundError` where the run or one of them is not there: then
        none is linked.
        """
        link_to_run(self._runtime(), trace_ids, run_id)

    # Assessments

    def log_feedback(
        self,
        trace_id: str,
        name: str = "feedback",
        value: Any = None,
        source: AssessmentSource | None = None,
        error: BaseException | AssessmentError | str | None = None,
        rationale: str | None = None,
        metadata: dict[str, str] | None = None,
        span_id: str | None = None,
    ) -> Assessment:
        """Keep an opinion of a trace (`tracehound.log_feedback`)."""
        said = Feedback(name, value, error, source, metadata=metadata, span_id=span_id, rationale=rationale)
        return keep_assessment(self._runtime(), trace_id, said)

    def log_expectation(
        self,
        trace_id: str,
        name: str,
        value: Any,
        source: AssessmentSource | None = None,
        metadata: dict[str, str] | None = None,
        span_id: str | None = None,
    ) -> Assessment:
        """Keep what a trace should have come to (`tracehound.log_expectation`)."""
        said = Expectation(name, value, source, metadata=metadata, span_id=span_id)
        return keep_assessment(self._runtime(), trace_id, said)

    def log_assessment(self, trace_id: str, assessment: Assessment) -> Assessment:
        """Keep an assessment of a trace (`tracehound.log_assessment`)."""
        return keep_assessment(self._runtime(), trace_id, assessment)

    def get_assessment(self, trace_id: str, assessment_id: str) -> Assessment:
        """Return an assessment (`tracehound.get_assessment`)."""
        return find_assessment(self._runtime(), trace_id, assessment_id)[1]

    def update_assessment(self, trace_id: str, assessment_id: str, assessment: Assessment) -> Assessment:
        """Change an assessment (`tracehound.update_assessment`)."""
        return change_assessment(self._runtime(), trace_id, assessment_id, assessment)

    def delete_assessment(self, trace_id: str, assessment_id: str) -> None:
        """Delete an assessment (`tracehound.delete_assessment`)."""
        remove_assessment(self._runtime(), trace_id, assessment_id)

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: Mapping[str, object] | None = None
    ) -> str:
        """Make an experiment and return its id (`tracehound.create_experiment`)."""
        return make_experiment(self._runtime(), name, artifact_location, tags).experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Return an experiment by its id (`tracehound.get_experiment`)."""
        return find_experiment(self._runtime(), experiment_id)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return an experiment by its name; None where there is none."""
        return known_experiments(self._runtime()).get(id_of_experiment(clean_text(str(name))))

    def search_experiments(
        self,
        view_type: object = None,  # noqa: ARG002 - MLflow's signature
        max_results: int | None = None,
        filter_string: str | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return the experiments that a filter is true of, all on one page (`tracehound.search_experiments`)."""
        found = find_experiments(self._runtime(), None, filter_string, order_by)
        return _page(found, max_results, page_token)

    def set_experiment_tag(self, experiment_id: str, key: str, value: object) -> None:
        """Set a tag of an experiment."""
        runtime = self._runtime()
        tag_experiment(runtime, find_experiment(runtime, experiment_id).name, {key: value})

    # Runs

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: Mapping[str, object] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Make a run, which is not the one under way, and return it; it ends with `set_terminated`."""
        runtime = self._runtime()
        name = experiment_name(runtime, experiment_id)
        return make_run(runtime, name, run_name=run_name, start_time_ms=start_time, tags=tags)

    def get_run(self, run_id: str) -> Run:
        """Return a run by its id (`tracehound.get_run`)."""
        return find_run(self._runtime(), run_id)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """Note that a run has ended, FINISHED unless it is said otherwise, now or at a time in milliseconds."""
        runtime = self._runtime()
        find_run(runtime, run_id)
        end_of_run(runtime, run_id, status, end_time)

    def set_tag(self, run_id: str, key: str, value: object) -> None:
        """Set a tag of a run."""
        runtime = self._runtime()
        find_run(runtime, run_id)
        tag_run(runtime, run_id, {key: value})

    def log_param(self, run_id: str, key: str, value: object) -> object:
        """Set a parameter of a run and return the value (`tracehound.log_param`)."""
        set_params(self._runtime(), run_id, {key: value})
        return value

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,  # noqa: ARG002 - MLflow's signature
        step: int | None = None,  # noqa: ARG002 - as above
    ) -> None:
        """Set a metric of a run; the last value counts (`tracehound.log_metric`)."""
        runtime = self._runtime()
        find_run(runtime, run_id)
        set_metrics(runtime, run_id, {key: value})

    def search_runs(
        self,
        experiment_ids: Sequence[str],
        filter_string: str = "",
        run_view_type: object = None,  # noqa: ARG002 - MLflow's signature
        max_results: int = 1000,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return the runs that a filter is true of, the newest first (`tracehound.search_runs`)."""
        found = find_runs(self._runtime(), experiment_ids, filter_string, None, order_by)
        return _page(found, max_results, page_token)

    # Models

    def get_logged_model(self, model_id: str) -> LoggedModel:
        """Return a model by its id (`tracehound.get_logged_model`)."""
        return find_model(self._runtime(), model_id)

    def search_logged_models(
        self,
        experiment_ids: Sequence[str],
        filter_string: str | None = None,
        max_results: int | None = None,
        order_by: Sequence[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """Return the models that a filter is true of, the newest first (`tracehound.search_logged_models`)."""
        found = find_models(self._runtime(), experiment_ids, filter_string, None, order_by)
        return _page(found, max_results, page_token)

    def create_registered_model(
        self, name: str, tags: Mapping[str, object] | None = None, description: str | None = None
    ) -> RegisteredModel:
        """Make a name that versions can be registered under; raise `AlreadyExistsError` for one that there is."""
        return make_registered_model(self._runtime(), name, tags, description)

    def get_registered_model(self, name: str) -> RegisteredModel:
        """Return a registered name; raise `NotFoundError` where there is none."""
        return find_registered(self._runtime(), name)

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: Mapping[str, object] | None = None,
        description: str | None = None,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Make the next version of a registered name, of the model in `source` (`models:/ID`) or of `model_id`."""
        return make_version(
            self._runtime(), name, source, run_id=run_id, tags=tags, description=description, model_id=model_id
        )

    def get_model_version(self, name: str, version: str | int) -> ModelVersion:
        """Return a version of a registered name; raise `NotFoundError` where there is none."""
        return find_version(self._runtime(), name, version)

    def get_model_versions(self, name: str) -> list[ModelVersion]:
        """Return the versions of a registered name, the first one first."""
        return versions_of(self._runtime(), name)


def _page(found: Sequence[Any], max_results: int | None, page_token: str | None) -> PagedList[Any]:
    """Return one page of an answer that is at hand; its tokens are places in it."""
    check_count("max_results", max_results)
    check_text("page_token", page_token)
    if page_token is not None and not page_token.isdecimal():
        raise ArgumentError(f"page_token {page_token!r} is not one that a search returned")
    start = int(page_token or 0)
    end = len(found) if max_results is None else start + max_results
    return PagedList(found[start:end], str(end) if 0 < end < len(found) and max_results else None)
