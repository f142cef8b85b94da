"""Where traces go that begin here, whatever run or experiment is active; and capture as it was at first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tracehound.capture.configure import configure, enable
from tracehound.capture.live_span import LiveSpan
from tracehound.context.scope import common, own_scope, set_scope
from tracehound.errors import ArgumentError
from tracehound.model.location import MlflowExperimentLocation, TraceLocation
from tracehound.model.reserved import SPAN_TOOLS
from tracehound.runtime import current, find_experiment


def set_destination(destination: MlflowExperimentLocation | TraceLocation, *, context_local: bool = False) -> None:
    """Send the traces that begin from now on into an experiment, whatever run or experiment is active; until `reset`.

    With `context_local` that counts in the thread or task of the call alone, and goes before what counts everywhere.
    Raise `NotFoundError` for an experiment that is not there, `ArgumentError` for a place that is none: traces are kept
    in experiments, not in tables of Databricks.

    >>> import tracehound
    >>> from tracehound.entities import MlflowExperimentLocation
    >>> shop = tracehound.create_experiment("shop")
    >>> tracehound.tracing.set_destination(MlflowExperimentLocation(shop))
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> tracehound.get_trace(span.trace_id).info.experiment_id == shop
    True
    >>> tracehound.tracing.reset()
    """
    place = destination.mlflow_experiment if isinstance(destination, TraceLocation) else destination
    if not isinstance(place, MlflowExperimentLocation):
        raise ArgumentError(
            f"a destination is MlflowExperimentLocation(experiment_id=...), not {destination!r}: traces are kept in"
            " experiments"
        )
    name = find_experiment(current(), str(place.experiment_id)).name
    if context_local:
        set_scope(replace(own_scope(), destination=name))
    else:
        common.set_destination(name)


def reset() -> None:
    """Forget the destinations that were set everywhere and here, the span processors, and that capture is off.

    What keeps secrets out (`configure`: `mask`, `redact`) stays: a program that begins anew means to keep no more.

    >>> import tracehound
    >>> tracehound.tracing.disable()
    >>> tracehound.tracing.reset()
    >>> with tracehound.start_span("seen") as span:
    ...     span.is_recording()
    True
    """
    common.set_destination(None)
    if own_scope().destination is not None:
        set_scope(replace(own_scope(), destination=None))
    configure(span_processors=[])
    enable()


def set_span_chat_tools(span: LiveSpan, tools: Sequence[Mapping[str, object]]) -> None:
    """Say which tools a chat model could call, as OpenAI's API describes them.

    Raise `ArgumentError` for what is no list of such tools.

    >>> import tracehound
    >>> with tracehound.start_span("ask", span_type="CHAT_MODEL") as span:
    ...     add = {"name": "add", "parameters": {"type": "object"}}
    ...     tracehound.tracing.set_span_chat_tools(span, [{"type": "function", "function": add}])
    >>> tracehound.get_trace(span.trace_id).data.spans[0].attributes["mlflow.chat.tools"][0]["function"]["name"]
    'add'
    """
    if not isinstance(tools, (list, tuple)) or not all(_is_tool(each) for each in tools):
        raise ArgumentError(
            "tools are a list such as [{'type': 'function', 'function': {'name': 'add', 'parameters': {}}}],"
            f" not {tools!r}"
        )
    span.set_attribute(SPAN_TOOLS, list(tools))


def _is_tool(given: object) -> bool:
    if not isinstance(given, Mapping) or not isinstance(given.get("type"), str):
        return False
    function = given.get("function")
    return function is None or (isinstance(function, Mapping) and isinstance(function.get("name"), str))
