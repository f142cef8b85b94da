"""Experiments in MLflow's API."""

from __future__ import annotations

from typing import Any, Final

from tracehound.client.experiments import (
    find_experiment,
    find_experiments,
    known_experiments,
    make_experiment,
    tag_experiment,
    untag_experiment,
)
from tracehound.errors import NotFoundError
from tracehound.model.ids import experiment_id
from tracehound.model.values import clean_text
from tracehound.query.lenient import tokenize_leniently
from tracehound.server.mlflow.listing import page_of
from tracehound.server.served import Served
from tracehound.wire.mlflow.entities import to_experiment_message
from tracehound.wire.mlflow.messages import Message, without_none

_MOST: Final = 50_000
_DELETED_ONLY: Final = ("DELETED_ONLY", 2)


def create_experiment(served: Served, asked: Message) -> dict[str, Any]:
    """Make an experiment."""
    made = make_experiment(
        served.runtime, asked.text("name"), asked.text_or_none("artifact_location"), asked.pairs("tags")
    )
    return {"experiment_id": made.experiment_id}


def get_experiment(served: Served, asked: Message) -> dict[str, Any]:
    """Return an experiment by its id."""
    return {"experiment": to_experiment_message(find_experiment(served.runtime, asked.text("experiment_id")))}


def get_experiment_by_name(served: Served, asked: Message) -> dict[str, Any]:
    """Return an experiment by its name."""
    name = clean_text(asked.text("experiment_name"))
    found = known_experiments(served.runtime).get(experiment_id(name))
    if found is None:
        raise NotFoundError(f"there is no experiment {name!r}")
    return {"experiment": to_experiment_message(found)}


def search_experiments(served: Served, asked: Message) -> dict[str, Any]:
    """Return a page of the experiments that a filter is true of; none was ever deleted."""
    found = find_experiments(
        served.runtime, None, asked.text_or_none("filter"), asked.list_of_texts("order_by"), tokenize_leniently
    )
    kept = [] if asked.take("view_type", None) in _DELETED_ONLY else found
    page, token = page_of(kept, lambda each: each.experiment_id, asked, _MOST)
    return without_none({"experiments": [to_experiment_message(each) for each in page], "next_page_token": token})


def set_experiment_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Set a tag of an experiment."""
    experiment = find_experiment(served.runtime, asked.text("experiment_id"))
    tag_experiment(served.runtime, experiment.name, {asked.text("key"): asked.text_or_empty("value")})
    return {}


def delete_experiment_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Remove a tag of an experiment."""
    untag_experiment(served.runtime, asked.text("experiment_id"), asked.text("key"))
    return {}
