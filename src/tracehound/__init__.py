"""Tracehound: see what a GenAI application did.

Capture every call with `trace` and `start_span`, say more about it with `update_current_trace`, and find it again with
`search_traces`. Names and behaviour are MLflow's; see the README for where Tracehound goes further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracehound import entities as entities
    from tracehound import tracing as tracing
    from tracehound.capture.current import get_active_trace_id as get_active_trace_id
    from tracehound.capture.current import get_current_active_span as get_current_active_span
    from tracehound.capture.current import get_last_active_trace_id as get_last_active_trace_id
    from tracehound.capture.current import update_current_trace as update_current_trace
    from tracehound.capture.decorator import trace as trace
    from tracehound.capture.manual import start_span as start_span
    from tracehound.capture.manual import start_span_no_context as start_span_no_context
    from tracehound.client.deletion import delete_traces as delete_traces
    from tracehound.client.search import explain_search as explain_search
    from tracehound.client.search import get_trace as get_trace
    from tracehound.client.search import search_traces as search_traces
    from tracehound.client.tags import delete_trace_tag as delete_trace_tag
    from tracehound.client.tags import set_trace_tag as set_trace_tag
    from tracehound.compat.mlflow import install_as_mlflow as install_as_mlflow
    from tracehound.errors import ArgumentError as ArgumentError
    from tracehound.errors import FilterError as FilterError
    from tracehound.errors import NotFoundError as NotFoundError
    from tracehound.errors import StoreBusyError as StoreBusyError
    from tracehound.errors import StoreError as StoreError
    from tracehound.errors import StoreReadOnlyError as StoreReadOnlyError
    from tracehound.errors import TracehoundError as TracehoundError
    from tracehound.runtime import flush as flush
    from tracehound.runtime import set_experiment as set_experiment
    from tracehound.runtime import set_tracking_uri as set_tracking_uri

__version__ = "0.1.0"

# Each public name and the module it is loaded from when it is first used: `import tracehound` alone costs nothing.
_PUBLIC = {
    "ArgumentError": "tracehound.errors",
    "FilterError": "tracehound.errors",
    "NotFoundError": "tracehound.errors",
    "StoreBusyError": "tracehound.errors",
    "StoreError": "tracehound.errors",
    "StoreReadOnlyError": "tracehound.errors",
    "TracehoundError": "tracehound.errors",
    "explain_search": "tracehound.client.search",
    "delete_trace_tag": "tracehound.client.tags",
    "delete_traces": "tracehound.client.deletion",
    "flush": "tracehound.runtime",
    "get_active_trace_id": "tracehound.capture.current",
    "get_current_active_span": "tracehound.capture.current",
    "get_last_active_trace_id": "tracehound.capture.current",
    "get_trace": "tracehound.client.search",
    "install_as_mlflow": "tracehound.compat.mlflow",
    "search_traces": "tracehound.client.search",
    "set_experiment": "tracehound.runtime",
    "set_trace_tag": "tracehound.client.tags",
    "set_tracking_uri": "tracehound.runtime",
    "start_span": "tracehound.capture.manual",
    "start_span_no_context": "tracehound.capture.manual",
    "trace": "tracehound.capture.decorator",
    "update_current_trace": "tracehound.capture.current",
}

# Public modules that can be reached as attributes, as in `tracehound.tracing.disable()`.
_MODULES = ("entities", "tracing")


def __getattr__(name: str) -> object:
    """Load a public name."""
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"tracehound.{name}")
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'tracehound' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC, *_MODULES})
