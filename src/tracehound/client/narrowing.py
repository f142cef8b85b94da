"""The traces of a run, and of a model: what those arguments of a search ask for."""

from __future__ import annotations

from collections.abc import Sequence

from tracehound.client.arguments import check_search, check_text
from tracehound.client.registry import resolve_model_ids
from tracehound.client.runs import run_in
from tracehound.errors import NotFoundError
from tracehound.model.ids import experiment_id as id_of_experiment
from tracehound.query.check import joined
from tracehound.query.fields import ATTRIBUTES
from tracehound.query.search import Search, cursor_time_ms
from tracehound.query.tree import Checked, Operator, Or, Test
from tracehound.runtime import Runtime
from tracehound.store.api import Searched
from tracehound.store.experiments import read_experiments


def to_search(
    runtime: Runtime,
    store: Searched,
    experiment_ids: object = None,
    filter_string: object = None,
    max_results: object = None,
    order_by: object = None,
    locations: object = None,
    *,
    run_id: str | None = None,
    model_id: str | None = None,
    page_token: str | None = None,
    also: Sequence[Checked] = (),
) -> Search:
    """Return the search that arguments of `search_traces` ask for, those of a run and a model among them.

    Runs and models are those of the store. What is found has to pass the conditions `also`, too. Raise `NotFoundError`
    for a run or an experiment that is not there. Without an experiment it is that of the run.
    """
    check_text("run_id", run_id)
    check_text("model_id", model_id)
    check_text("page_token", page_token)
    run = None if run_id is None else run_in(store, run_id)
    search = check_search(
        runtime, experiment_ids, filter_string, max_results, order_by, locations,
        default_experiment=None if run is None else run.info.experiment_id,
        now_ms=None if page_token is None else cursor_time_ms(page_token),
    )  # fmt: skip
    if locations is not None or experiment_ids is not None:
        _check_known(runtime, store, search.experiment_ids)
    conditions: list[Checked] = [*also]
    if run_id is not None:
        conditions.append(Test(ATTRIBUTES["run_id"], Operator.EQ, run_id))
    if model_id is not None:
        of_model: list[Checked] = [
            Test(ATTRIBUTES["model_id"], Operator.EQ, each) for each in resolve_model_ids(store, model_id)
        ]
        conditions.append(joined(Or, of_model))
    search = search.narrowed(*conditions)
    return search if page_token is None else search.behind(page_token)


def _check_known(runtime: Runtime, store: Searched, experiment_ids: Sequence[str]) -> None:
    """Raise `NotFoundError` for an experiment that nobody made and that has no trace; the active one may have none."""
    unknown = {*experiment_ids} - {id_of_experiment(runtime.settings.experiment)}
    if unknown and (unknown := unknown - read_experiments(store).keys()):
        raise NotFoundError(f"there is no experiment with the id {min(unknown)!r}; search_experiments lists all")
