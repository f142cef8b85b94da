"""Traces that belong to a run they did not begin in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tracehound.client.known import read_known
from tracehound.client.runs import find_run
from tracehound.context.scope import SOURCE_RUN
from tracehound.errors import ArgumentError
from tracehound.model.edit import METADATA, Edit
from tracehound.model.values import clean_text
from tracehound.query.expand import linked_run_key
from tracehound.runtime import Runtime

_MOST_LINKED: Final = 100


def link_to_run(runtime: Runtime, trace_ids: Sequence[str], run_id: str) -> None:
    """Let traces belong to a run, too; a trace that began in no run is of this one from now on.

    Raise `ArgumentError` for more than 100 traces, `NotFoundError` where the run or one of them is not there: then none
    is linked.
    """
    if isinstance(trace_ids, str) or not isinstance(trace_ids, Sequence):
        raise ArgumentError(f"trace_ids is a list of ids, not {trace_ids!r}")
    if len(trace_ids) > _MOST_LINKED:
        raise ArgumentError(f"at most {_MOST_LINKED} traces can be linked at a time, not {len(trace_ids)}")
    find_run(runtime, run_id)
    known = [read_known(runtime, clean_text(str(each)), must_be_current=True) for each in trace_ids]
    for trace in known:
        assert trace is not None  # noqa: S101 - the store had to answer
        said = {linked_run_key(run_id): "true"}
        if SOURCE_RUN not in trace.metadata():
            said[SOURCE_RUN] = run_id
        for key, value in said.items():
            runtime.keep_edit(Edit(trace.trace_id, key, value, runtime.edit_time_ns(), METADATA))
