"""Search results as a DataFrame: the twelve columns of MLflow's newest document, in its order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tracehound.model.trace import Trace
from tracehound.model.values import decode_value

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = (
    "trace_id", "trace", "client_request_id", "state", "request_time", "execution_duration",
    "request", "response", "trace_metadata", "tags", "spans", "assessments",
)  # fmt: skip


def to_frame(traces: Sequence[Trace]) -> pd.DataFrame:
    """Return a DataFrame with a row for each trace; times are numbers also where there is no row.

    `request` and `response` are the decoded inputs and outputs of the root span, `spans` the spans in MLflow's form.
    """
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for trace in traces:
        for name, value in zip(COLUMNS, _row(trace), strict=True):
            columns[name].append(value)
    frame = pd.DataFrame({name: pd.Series(values, dtype=object) for name, values in columns.items()})
    durations = columns["execution_duration"]
    frame["request_time"] = pd.array(columns["request_time"], dtype="int64")
    frame["execution_duration"] = pd.array(durations, dtype="float64" if None in durations else "int64")
    return frame


def _row(trace: Trace) -> tuple[Any, ...]:
    info = trace.info
    request, response = trace.data.request, trace.data.response
    return (
        info.trace_id,
        trace,
        info.client_request_id,
        info.state.value,
        info.request_time,
        info.execution_duration,
        None if request is None else decode_value(request),
        None if response is None else decode_value(response),
        info.trace_metadata,
        info.tags,
        [span.to_dict() for span in trace.data.spans],
        [],
    )
