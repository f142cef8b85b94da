"""Logged models in MLflow's API: what traces are produced by."""

from __future__ import annotations

from typing import Any, Final

from tracehound.client.models import (
    find_model,
    find_models,
    make_model,
    set_model_params,
    set_model_status,
    tag_model,
    untag_model,
)
from tracehound.client.runs import experiment_name
from tracehound.errors import ArgumentError
from tracehound.query.lenient import tokenize_leniently
from tracehound.server.mlflow.listing import page_of
from tracehound.server.served import Served
from tracehound.wire.mlflow.entities import read_model_status, to_model_message
from tracehound.wire.mlflow.messages import Message, without_none

_MOST: Final = 50_000


def create_model(served: Served, asked: Message) -> dict[str, Any]:
    """Make a model, which is not ready until it is said to be."""
    experiment = experiment_name(served.runtime, asked.text("experiment_id"))
    model = make_model(
        served.runtime, asked.text_or_none("name") or None, experiment,
        source_run_id=asked.text_or_none("source_run_id") or None, tags=asked.pairs("tags"),
        params=asked.pairs("params"), model_type=asked.text_or_none("model_type") or None,
    )  # fmt: skip
    set_model_status(served.runtime, model.model_id, "PENDING")
    return _told(served, model.model_id)


def get_model(served: Served, asked: Message) -> dict[str, Any]:
    """Return a model."""
    return _told(served, asked.text("model_id"))


def finalize_model(served: Served, asked: Message) -> dict[str, Any]:
    """Note that a model is ready, or that it will not be."""
    model_id = asked.text("model_id")
    set_model_status(served.runtime, model_id, read_model_status(asked.text("status")))
    return _told(served, model_id)


def search_models(served: Served, asked: Message) -> dict[str, Any]:
    """Return a page of the models of experiments that a filter is true of."""
    if asked.forms("datasets"):
        raise ArgumentError("models know nothing of datasets here: leave datasets out")
    order_by = [_order(each) for each in asked.forms("order_by")]
    found = find_models(
        served.runtime, asked.list_of_texts("experiment_ids"), asked.text_or_none("filter"), None, order_by,
        tokenize_leniently,
    )  # fmt: skip
    page, token = page_of(found, lambda each: each.model_id, asked, _MOST)
    return without_none({"models": [to_model_message(each) for each in page], "next_page_token": token})


def set_tags(served: Served, asked: Message) -> dict[str, Any]:
    """Set tags of a model."""
    model_id = asked.text("model_id")
    tag_model(served.runtime, model_id, asked.pairs("tags"))
    return _told(served, model_id)


def delete_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Remove a tag of a model."""
    untag_model(served.runtime, asked.text("model_id"), asked.text("tag_key"))
    return {}


def log_params(served: Served, asked: Message) -> dict[str, Any]:
    """Set parameters of a model."""
    set_model_params(served.runtime, asked.text("model_id"), asked.pairs("params"))
    return {}


def _told(served: Served, model_id: str) -> dict[str, Any]:
    return {"model": to_model_message(find_model(served.runtime, model_id))}


def _order(asked: Message) -> str:
    """Return an order as our language writes it; it ascends unless it is said not to."""
    is_ascending = asked.boolean_or_none("ascending")
    return f"{asked.text('field_name')} {'DESC' if is_ascending is False else 'ASC'}"
