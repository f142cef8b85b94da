"""Runs in MLflow's API: what traces are linked to, with parameters, tags, and the last value of each metric."""

from __future__ import annotations

from typing import Any, Final

from tracehound.client.runs import (
    check_status,
    experiment_name,
    find_run,
    find_runs,
    make_run,
    say_of_run,
    set_metrics,
    set_params,
    tag_run,
    untag_run,
)
from tracehound.errors import ArgumentError
from tracehound.model.run import RUN_NAME
from tracehound.query.lenient import tokenize_leniently
from tracehound.server.mlflow.listing import page_of
from tracehound.server.served import Served
from tracehound.wire.mlflow.entities import to_run_info_message, to_run_message
from tracehound.wire.mlflow.messages import Message, without_none

_MOST: Final = 50_000
_MOST_IN_A_BATCH: Final = 1_000
_DELETED_ONLY: Final = ("DELETED_ONLY", 2)


def create_run(served: Served, asked: Message) -> dict[str, Any]:
    """Make a run."""
    experiment = experiment_name(served.runtime, asked.text_or_empty("experiment_id") or "0")
    said = asked.pairs("tags")
    run = make_run(
        served.runtime, experiment, run_name=asked.text_or_none("run_name") or None,
        start_time_ms=asked.integer_or_none("start_time"), tags=said,
    )  # fmt: skip
    user = asked.text_or_empty("user_id")
    if user:
        say_of_run(served.runtime, run.info.run_id, {"user_id": user})
    return {"run": to_run_message(find_run(served.runtime, run.info.run_id))}


def get_run(served: Served, asked: Message) -> dict[str, Any]:
    """Return a run."""
    return {"run": to_run_message(find_run(served.runtime, _run_id(asked)))}


def update_run(served: Served, asked: Message) -> dict[str, Any]:
    """Note how a run ended, or what it is called now."""
    run_id = _run_id(asked)
    find_run(served.runtime, run_id)
    status, end_time, name = (
        asked.take("status", None),
        asked.integer_or_none("end_time"),
        asked.text_or_none("run_name"),
    )
    facts: dict[str, str | None] = {}
    if status is not None:
        facts["status"] = check_status(status).value
    if end_time is not None:
        facts["end_time"] = str(end_time)
    say_of_run(served.runtime, run_id, facts)
    if name:
        tag_run(served.runtime, run_id, {RUN_NAME: name})
    return {"run_info": to_run_info_message(find_run(served.runtime, run_id))}


def log_batch(served: Served, asked: Message) -> dict[str, Any]:
    """Set parameters, metrics and tags of a run; all of them, or none where one of them is wrong."""
    run_id = _run_id(asked)
    metrics = {each.text("key"): _number(each) for each in asked.forms("metrics")}
    params, tags = asked.pairs("params"), asked.pairs("tags")
    count = len(metrics) + len(params) + len(tags)
    if count > _MOST_IN_A_BATCH:
        raise ArgumentError(f"a batch has at most {_MOST_IN_A_BATCH:,} metrics, parameters and tags, not {count:,}")
    find_run(served.runtime, run_id)
    set_params(served.runtime, run_id, params)
    set_metrics(served.runtime, run_id, metrics)
    tag_run(served.runtime, run_id, tags)
    return {}


def log_metric(served: Served, asked: Message) -> dict[str, Any]:
    """Set a metric of a run; the last value counts."""
    run_id = _run_id(asked)
    find_run(served.runtime, run_id)
    set_metrics(served.runtime, run_id, {asked.text("key"): _number(asked)})
    return {}


def log_param(served: Served, asked: Message) -> dict[str, Any]:
    """Set a parameter of a run."""
    set_params(served.runtime, _run_id(asked), {asked.text("key"): asked.text_or_empty("value")})
    return {}


def set_run_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Set a tag of a run."""
    run_id = _run_id(asked)
    find_run(served.runtime, run_id)
    tag_run(served.runtime, run_id, {asked.text("key"): asked.text_or_empty("value")})
    return {}


def delete_run_tag(served: Served, asked: Message) -> dict[str, Any]:
    """Remove a tag of a run."""
    untag_run(served.runtime, _run_id(asked), asked.text("key"))
    return {}


def search_runs(served: Served, asked: Message) -> dict[str, Any]:
    """Return a page of the runs of experiments that a filter is true of; none was ever deleted."""
    found = find_runs(
        served.runtime, asked.list_of_texts("experiment_ids"), asked.text_or_none("filter"), None,
        asked.list_of_texts("order_by"), tokenize_leniently,
    )  # fmt: skip
    kept = [] if asked.take("run_view_type", None) in _DELETED_ONLY else found
    page, token = page_of(kept, lambda each: each.info.run_id, asked, _MOST)
    return without_none({"runs": [to_run_message(each) for each in page], "next_page_token": token})


def _run_id(asked: Message) -> str:
    """Return the run that is meant; its older name says the same."""
    return asked.text_or_empty("run_id") or asked.text("run_uuid")


def _number(asked: Message) -> float:
    """Return the value of a metric; protobuf writes those that JSON has not as words."""
    value = asked.take("value")
    words = {"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}
    if isinstance(value, str) and value in words:
        return float(words[value])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise asked.wrong("value", "a number", value)
    return float(value)
