"""The experiments of a store: those that have traces, and those that were only created."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tracehound.errors import NotFoundError
from tracehound.model.trace import Experiment
from tracehound.settings import DEFAULT_EXPERIMENT
from tracehound.store.api import Searched, Store

KIND: Final = "experiment"
DEFAULT: Final = Experiment("0", DEFAULT_EXPERIMENT)
_TAG: Final = "tag."


def read_experiments(store: Searched) -> dict[str, Experiment]:
    """Return the experiments by id; the default one is always among them."""
    found = {DEFAULT.experiment_id: DEFAULT, **{each.experiment_id: each for each in store.experiments()}}
    for number, facts in store.facts(KIND).items():
        name = facts.get("name") or (found[number].name if number in found else number)
        found[number] = Experiment(
            number,
            name,
            tags={key.removeprefix(_TAG): value for key, value in facts.items() if key.startswith(_TAG)},
            creation_time=int(facts["creation_time"]) if "creation_time" in facts else None,
        )
    return found


def find_experiment(open_store: Callable[[], Store], number: str) -> Experiment:
    """Return the experiment that has an id; raise `NotFoundError` where none has. The default one needs no store."""
    found = DEFAULT if number == DEFAULT.experiment_id else read_experiments(open_store()).get(number)
    if found is None:
        raise NotFoundError(f"there is no experiment with the id {number!r}; create_experiment makes one")
    return found


def to_facts(name: str, tags: dict[str, str], creation_time: int | None) -> dict[str, str | None]:
    """Return what is kept of an experiment."""
    created = {} if creation_time is None else {"creation_time": str(creation_time)}
    return {"name": name, **created, **{f"{_TAG}{key}": value for key, value in tags.items()}}
