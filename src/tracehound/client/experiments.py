"""Experiments: made before their first trace, described, and found. One exists as soon as it has a trace, too."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from tracehound.client.arguments import check_count, check_name, check_text, check_texts
from tracehound.errors import AlreadyExistsError, NotFoundError
from tracehound.model.edit import Facts
from tracehound.model.ids import experiment_id as id_of_experiment
from tracehound.model.run import TAG
from tracehound.model.trace import Experiment
from tracehound.model.values import clean_text
from tracehound.query.plain import Find, parse_plain_filter, sorted_by
from tracehound.query.tokens import Reader, tokenize
from tracehound.runtime import Runtime, current
from tracehound.store.experiments import KIND, read_experiments, to_facts

_ATTRIBUTES = ("name", "experiment_id", "creation_time", "lifecycle_stage")


def create_experiment(name: str, artifact_location: str | None = None, tags: Mapping[str, object] | None = None) -> str:
    """Make an experiment and return its id; raise `AlreadyExistsError` where there is one of this name.

    Nothing is kept at `artifact_location`: traces hold what belongs to them.

    >>> import tracehound
    >>> number = tracehound.create_experiment("shop", tags={"team": "a"})
    >>> tracehound.get_experiment(number).name
    'shop'
    """
    return make_experiment(current(), name, artifact_location, tags).experiment_id


def get_experiment(experiment_id: str) -> Experiment:
    """Return an experiment by its id; raise `NotFoundError` where there is none.

    >>> import tracehound
    >>> tracehound.get_experiment("0").name
    'Default'
    """
    return find_experiment(current(), experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """Return an experiment by its name; None where there is none.

    >>> import tracehound
    >>> tracehound.get_experiment_by_name("nowhere") is None
    True
    """
    return known_experiments(current()).get(id_of_experiment(clean_text(str(name))))


def search_experiments(
    view_type: object = None,  # noqa: ARG001 - MLflow's signature
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: Sequence[str] | None = None,
) -> list[Experiment]:
    """Return the experiments that a filter is true of, the newest first; those that were never created come last.

    The filter speaks of `name`, `creation_time` and `tags.K`. `view_type` changes nothing: none is ever deleted.

    >>> import tracehound
    >>> _ = tracehound.create_experiment("shop", tags={"team": "a"})
    >>> [each.name for each in tracehound.search_experiments(filter_string="tags.team = 'a'")]
    ['shop']
    """
    return find_experiments(current(), max_results, filter_string, order_by)


def set_experiment_tag(key: str, value: object) -> None:
    """Set a tag of the active experiment; a value that is no text becomes JSON.

    >>> import tracehound
    >>> tracehound.set_experiment_tag("team", "a")
    >>> tracehound.get_experiment("0").tags
    {'team': 'a'}
    """
    set_experiment_tags({key: value})


def set_experiment_tags(tags: Mapping[str, object]) -> None:
    """Set tags of the active experiment; values that are no texts become JSON.

    >>> import tracehound
    >>> tracehound.set_experiment_tags({"team": "a", "year": 2026})
    >>> sorted(tracehound.get_experiment("0").tags)
    ['team', 'year']
    """
    runtime = current()
    tag_experiment(runtime, runtime.settings.experiment, tags)


def make_experiment(
    runtime: Runtime, name: str, artifact_location: object = None, tags: Mapping[str, object] | None = None
) -> Experiment:
    """Make an experiment; raise `AlreadyExistsError` where there is one of this name."""
    cleaned = check_name("an experiment's name", name)
    check_text("artifact_location", artifact_location)
    said = check_texts("tags", tags)
    if id_of_experiment(cleaned) in known_experiments(runtime):
        raise AlreadyExistsError(f"there is an experiment {name!r} already; set_experiment makes it the active one")
    created_ms = runtime.clock_ns() // 1_000_000
    return _keep(runtime, Experiment(id_of_experiment(cleaned), cleaned, said, created_ms))


def ensure_experiment(runtime: Runtime, name: str) -> Experiment:
    """Return the experiment of a name, made where it was not."""
    number = id_of_experiment(name)
    known = known_experiments(runtime).get(number)
    return known or _keep(runtime, Experiment(number, name, {}, runtime.clock_ns() // 1_000_000))


def tag_experiment(runtime: Runtime, name: str, tags: Mapping[str, object]) -> None:
    """Set tags of an experiment."""
    said = check_texts("tags", tags)
    runtime.keep_edit(Facts(KIND, id_of_experiment(name), to_facts(name, said, None), runtime.edit_time_ns()))


def untag_experiment(runtime: Runtime, experiment_id: str, key: str) -> None:
    """Remove a tag of an experiment; raise `NotFoundError` where there is none, or it has no such tag."""
    experiment = find_experiment(runtime, experiment_id)
    if key not in experiment.tags:
        raise NotFoundError(f"the experiment {experiment.name!r} has no tag {key!r}")
    facts = {**to_facts(experiment.name, {}, None), f"{TAG}{key}": None}
    runtime.keep_edit(Facts(KIND, experiment.experiment_id, facts, runtime.edit_time_ns()))


def known_experiments(runtime: Runtime) -> dict[str, Experiment]:
    """Return the experiments by id."""
    return read_experiments(runtime.drained_store())


def find_experiment(runtime: Runtime, number: str) -> Experiment:
    """Return an experiment by its id; raise `NotFoundError` where there is none."""
    found = known_experiments(runtime).get(number)
    if found is None:
        raise NotFoundError(f"there is no experiment with the id {number!r}; create_experiment makes one")
    return found


def find_experiments(
    runtime: Runtime,
    max_results: int | None,
    filter_string: str | None,
    order_by: Sequence[str] | None,
    read: Reader = tokenize,
) -> list[Experiment]:
    """Return the experiments that a filter is true of, in an order."""
    check_count("max_results", max_results)
    wanted = parse_plain_filter(filter_string, _ATTRIBUTES, time.time_ns() // 1_000_000, read)
    found = [each for each in known_experiments(runtime).values() if wanted.is_true_of(_find_in(each))]
    newest_first = sorted(found, key=lambda each: (-(each.creation_time or 0), each.name))
    return sorted_by(newest_first, order_by or (), _ATTRIBUTES, _find_in)[:max_results]


def _keep(runtime: Runtime, experiment: Experiment) -> Experiment:
    said = to_facts(experiment.name, experiment.tags, experiment.creation_time)
    runtime.keep_edit(Facts(KIND, experiment.experiment_id, said, runtime.edit_time_ns()))
    return experiment


def _find_in(experiment: Experiment) -> Find:
    def find(group: str, name: str) -> str | int | None:
        return experiment.tags.get(name) if group == "tags" else getattr(experiment, name, None)

    return find
