"""Models and versions of applications, which traces belong to: made, named as the active one, and found."""

from __future__ import annotations

import dataclasses
import time
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final

from tracehound.client.arguments import check_count, check_name, check_return_type, check_texts
from tracehound.client.experiments import ensure_experiment, find_experiment
from tracehound.client.runs import find_run
from tracehound.context.scope import common, current_scope, own_scope, set_scope
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.edit import Facts
from tracehound.model.ids import experiment_id as id_of_experiment
from tracehound.model.logged_model import MODEL, STATUSES, LoggedModel, model_of_facts
from tracehound.model.run import PARAM, TAG
from tracehound.model.values import clean_text
from tracehound.query.plain import Find, parse_plain_filter, sorted_by
from tracehound.query.tokens import Reader, tokenize
from tracehound.runtime import Runtime, current

_ATTRIBUTES: Final = (
    "name", "model_id", "experiment_id", "status", "model_type", "source_run_id", "creation_timestamp",
    "creation_time", "last_updated_timestamp",
)  # fmt: skip
_FILE: Final = "file.MLmodel"


class ActiveModel(LoggedModel, frozen=True, dict=True):
    """The model that traces are of from now on; as a block, until the block ends, and what counted before it then.

    >>> import tracehound
    >>> with tracehound.set_active_model(name="agent-v1") as old:
    ...     with tracehound.set_active_model(name="agent-v2") as new:
    ...         tracehound.get_active_model_id() == new.model_id
    ...     tracehound.get_active_model_id() == old.model_id
    True
    True
    """

    def __enter__(self) -> ActiveModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exception: BaseException | None, stack: TracebackType | None
    ) -> None:
        here, everywhere = self.__dict__["before"]
        set_scope(dataclasses.replace(own_scope(), model_id=here))
        common.set_model(everywhere)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Say which model the traces that begin from now on are of: an id, or a name, made in the active experiment if new.

    It counts here and, where nothing else is said, in the threads of the process; as a block, until the block ends.
    Raise `ArgumentError` unless just one of the two is given, `NotFoundError` for an id that is not there.

    >>> import tracehound
    >>> with tracehound.set_active_model(name="agent-v2") as model:
    ...     with tracehound.start_span("answer"):
    ...         pass
    >>> len(tracehound.search_traces(model_id=model.model_id, return_type="list"))
    1
    """
    if (name is None) == (model_id is None):
        raise ArgumentError("set_active_model takes name= or model_id=, and not both")
    runtime = current()
    if model_id is not None:
        model = find_model(runtime, model_id)
    else:
        model = _named(runtime, name) or make_model(runtime, name)
    before = own_scope().model_id, None if common.scope is None else common.scope.model_id
    set_scope(dataclasses.replace(own_scope(), model_id=model.model_id))
    common.set_model(model.model_id)
    active = ActiveModel(**model.to_dictionary())
    active.__dict__["before"] = before
    return active


def clear_active_model() -> None:
    """Say that the traces that begin from now on are of no model, also where the environment named one.

    >>> import tracehound
    >>> _ = tracehound.set_active_model(name="agent-v2")
    >>> tracehound.clear_active_model()
    >>> tracehound.get_active_model_id() is None
    True
    """
    runtime = current()
    runtime.settings = dataclasses.replace(runtime.settings, model_id=None)
    set_scope(dataclasses.replace(own_scope(), model_id=None))
    common.set_model(None)


def get_active_model_id() -> str | None:
    """Return the id of the model that traces which begin here are of; None where nobody said.

    >>> import tracehound
    >>> with tracehound.set_active_model(name="agent-v2") as model:
    ...     tracehound.get_active_model_id() == model.model_id
    True
    """
    scope = current_scope()
    return (None if scope is None else scope.model_id) or current().settings.model_id


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Make a model whose files lie elsewhere, in the active experiment or another one, and return it.

    >>> import tracehound
    >>> tracehound.create_external_model("agent-v2", params={"temperature": 0.2}).params
    {'temperature': '0.2'}
    """
    runtime = current()
    experiment = None if experiment_id is None else find_experiment(runtime, experiment_id).name
    if source_run_id is not None:
        find_run(runtime, source_run_id)
    return make_model(
        runtime, name, experiment, source_run_id=source_run_id, tags=tags, params=params, model_type=model_type
    )


def get_logged_model(model_id: str) -> LoggedModel:
    """Return a model by its id; raise `NotFoundError` where there is none.

    >>> import tracehound
    >>> model = tracehound.create_external_model("agent-v2")
    >>> tracehound.get_logged_model(model.model_id).name
    'agent-v2'
    """
    return find_model(current(), model_id)


def search_logged_models(
    experiment_ids: Sequence[str] | None = None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    output_format: str = "pandas",
) -> Any:
    """Return the models that a filter is true of, the newest first: a DataFrame, or a list with `output_format="list"`.

    The filter and `order_by` speak of `name`, `model_type` and the like, `tags.K` and `params.K`. Without
    `experiment_ids` the active experiment is searched.

    >>> import tracehound
    >>> _ = tracehound.create_external_model("agent-v2", tags={"team": "a"})
    >>> [model.name for model in tracehound.search_logged_models(filter_string="tags.team = 'a'", output_format="list")]
    ['agent-v2']
    """
    if output_format not in ("pandas", "list"):
        raise ArgumentError(f"output_format is 'pandas' or 'list', not {output_format!r}")
    check_return_type(output_format)
    runtime = current()
    wanted = [id_of_experiment(runtime.settings.experiment)] if experiment_ids is None else experiment_ids
    found = find_models(runtime, wanted, filter_string, max_results, order_by)
    if output_format == "list":
        return found
    import pandas as pd

    return pd.DataFrame([each.to_dictionary() for each in found], columns=list(LoggedModel.__struct_fields__))


def log_model_params(params: Mapping[str, object], model_id: str | None = None) -> None:
    """Set parameters of a model, without an id of the active one; raise `ArgumentError` where there is none.

    >>> import tracehound
    >>> with tracehound.set_active_model(name="agent-v2") as model:
    ...     tracehound.log_model_params({"temperature": 0.2})
    >>> tracehound.get_logged_model(model.model_id).params
    {'temperature': '0.2'}
    """
    runtime = current()
    wanted = model_id or get_active_model_id()
    if wanted is None:
        raise ArgumentError("no model is active: give model_id=, or call set_active_model first")
    set_model_params(runtime, wanted, params)


def make_model(
    runtime: Runtime,
    name: str | None,
    experiment: str | None = None,
    *,
    source_run_id: str | None = None,
    tags: Mapping[str, object] | None = None,
    params: Mapping[str, object] | None = None,
    model_type: str | None = None,
) -> LoggedModel:
    """Make a model in the experiment of a name, without one in the active experiment, and return it."""
    for argument, given in (("name", name), ("model_type", model_type)):
        if given is not None:
            check_name(argument, given)
    model_id = f"m-{uuid.uuid4().hex}"
    facts = {
        "name": clean_text(name or f"model-{model_id[2:10]}"),
        "experiment": ensure_experiment(runtime, experiment or runtime.settings.experiment).name,
        "creation_time": str(runtime.clock_ns() // 1_000_000),
        **({} if model_type is None else {"model_type": clean_text(model_type)}),
        **({} if source_run_id is None else {"source_run_id": source_run_id}),
        **{f"{TAG}{key}": value for key, value in check_texts("tags", tags).items()},
        **{f"{PARAM}{key}": value for key, value in check_texts("params", params).items()},
    }
    _say(runtime, model_id, facts)
    return model_of_facts(model_id, facts)


def set_model_params(runtime: Runtime, model_id: str, params: Mapping[str, object]) -> None:
    """Set parameters of a model; raise `NotFoundError` where there is none."""
    said = check_texts("params", params)
    _change(runtime, model_id, {f"{PARAM}{key}": value for key, value in said.items()})


def tag_model(runtime: Runtime, model_id: str, tags: Mapping[str, object]) -> None:
    """Set tags of a model; raise `NotFoundError` where there is none."""
    _change(runtime, model_id, {f"{TAG}{key}": value for key, value in check_texts("tags", tags).items()})


def untag_model(runtime: Runtime, model_id: str, key: str) -> None:
    """Remove a tag of a model; raise `NotFoundError` where there is no model, or it has no such tag."""
    if key not in find_model(runtime, model_id).tags:
        raise NotFoundError(f"the model {model_id!r} has no tag {key!r}")
    _change(runtime, model_id, {f"{TAG}{key}": None})


def set_model_status(runtime: Runtime, model_id: str, status: str) -> None:
    """Note whether a model is ready; raise `NotFoundError` where there is none."""
    if status not in STATUSES:
        raise ArgumentError(f"a model's status is {', '.join(STATUSES)}, not {status!r}")
    _change(runtime, model_id, {"status": status})


def set_model_file(runtime: Runtime, model_id: str, text: str) -> None:
    """Keep the file that describes a model; raise `NotFoundError` where there is none."""
    _change(runtime, model_id, {_FILE: clean_text(text)})


def model_file(runtime: Runtime, model_id: str) -> str | None:
    """Return the file that describes a model, if somebody gave one."""
    return runtime.drained_store().facts(MODEL, model_id).get(model_id, {}).get(_FILE)


def _change(runtime: Runtime, model_id: str, facts: Mapping[str, str | None]) -> None:
    find_model(runtime, model_id)
    _say(runtime, model_id, {**facts, "last_updated": str(runtime.clock_ns() // 1_000_000)})


def find_model(runtime: Runtime, model_id: str) -> LoggedModel:
    """Return a model by its id; raise `NotFoundError` where there is none."""
    facts = runtime.drained_store().facts(MODEL, str(model_id)).get(str(model_id))
    if facts is None:
        raise NotFoundError(f"there is no model with the id {model_id!r}; create_external_model makes one")
    return model_of_facts(model_id, facts)


def find_models(
    runtime: Runtime,
    experiment_ids: Sequence[str] | None,
    filter_string: str | None = None,
    max_results: int | None = None,
    order_by: Sequence[str] | None = None,
    read: Reader = tokenize,
) -> list[LoggedModel]:
    """Return the models of experiments, of all where none are given, that a filter is true of, the newest first."""
    if isinstance(experiment_ids, str):
        raise ArgumentError(f"experiment_ids is a list of ids: [{experiment_ids!r}]")
    check_count("max_results", max_results)
    wanted = parse_plain_filter(filter_string, _ATTRIBUTES, time.time_ns() // 1_000_000, read)
    models = [model_of_facts(each, facts) for each, facts in runtime.drained_store().facts(MODEL).items()]
    within = [model for model in models if experiment_ids is None or model.experiment_id in experiment_ids]
    found = [model for model in within if wanted.is_true_of(_find_in(model))]
    newest_first = sorted(found, key=lambda model: (-model.creation_timestamp, model.model_id))
    return sorted_by(newest_first, order_by or (), _ATTRIBUTES, _find_in)[:max_results]


def _named(runtime: Runtime, name: str | None) -> LoggedModel | None:
    """Return the newest model of the active experiment that has a name."""
    found = find_models(runtime, [id_of_experiment(runtime.settings.experiment)])
    return next((model for model in found if model.name == name), None)


def _say(runtime: Runtime, model_id: str, facts: Mapping[str, str | None]) -> None:
    runtime.keep_edit(Facts(MODEL, model_id, dict(facts), runtime.edit_time_ns()))


def _find_in(model: LoggedModel) -> Find:
    def find(group: str, name: str) -> str | int | None:
        if group == "attributes":
            found: str | int | None = getattr(model, "creation_timestamp" if name == "creation_time" else name)
            return found
        values: dict[str, str] = getattr(model, group, {})
        return values.get(name)

    return find
