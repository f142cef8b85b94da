"""Assessments in MLflow's API."""

from __future__ import annotations

from typing import Any, Final

from tracehound.client.feedback import change_assessment, find_assessment, keep_assessment, remove_assessment
from tracehound.errors import ArgumentError
from tracehound.model.assessment_form import read_assessment
from tracehound.model.form import write_time
from tracehound.server.served import Served
from tracehound.wire.mlflow.messages import Message, snake_case

_CHANGEABLE: Final = ("assessment_name", "feedback", "expectation", "rationale", "metadata")


def create_assessment(served: Served, asked: Message) -> dict[str, Any]:
    """Keep what somebody says of a trace, under a new id."""
    trace_id = asked.text("trace_id")
    now = write_time(served.runtime.clock_ns() // 1_000_000)
    given = asked.form("assessment").values_left()
    said = read_assessment(Message({"create_time": now, "last_update_time": now, **given}, "assessment"))
    kept = keep_assessment(served.runtime, trace_id, said)
    served.announcer.note([trace_id])
    return {"assessment": kept.to_dict()}


def get_assessment(served: Served, asked: Message) -> dict[str, Any]:
    """Return an assessment."""
    _, found = find_assessment(served.runtime, asked.text("trace_id"), asked.text("assessment_id"))
    return {"assessment": found.to_dict()}


def update_assessment(served: Served, asked: Message) -> dict[str, Any]:
    """Change what the mask names of an assessment; metadata are added to what there is."""
    trace_id, assessment_id = asked.text("trace_id"), asked.text("assessment_id")
    given = asked.form("assessment").values_left()
    paths = [snake_case(each.strip()) for each in asked.text_or_empty("update_mask").split(",") if each.strip()]
    unknown = [each for each in paths if each not in _CHANGEABLE]
    if unknown or not paths:
        raise ArgumentError(f"update_mask names {', '.join(_CHANGEABLE)}, with commas; not {', '.join(unknown)!r}")
    _, old = find_assessment(served.runtime, trace_id, assessment_id)
    form = {key: value for key, value in old.to_dict().items() if key not in paths}
    form |= {key: given[key] for key in paths if key in given}
    if {"feedback", "expectation"} & set(paths):  # one takes the place of the other, which is refused below
        form = {key: value for key, value in form.items() if key in paths or key not in ("feedback", "expectation")}
    form.setdefault("assessment_name", old.name)
    changed = change_assessment(served.runtime, trace_id, assessment_id, read_assessment(Message(form, "assessment")))
    served.announcer.note([trace_id])
    return {"assessment": changed.to_dict()}


def delete_assessment(served: Served, asked: Message) -> dict[str, Any]:
    """Delete an assessment, which may be gone already."""
    trace_id = asked.text("trace_id")
    remove_assessment(served.runtime, trace_id, asked.text("assessment_id"))
    served.announcer.note([trace_id])
    return {}
