"""Functions of MLflow that Tracehound itself needs no name for."""

from __future__ import annotations

import warnings
from typing import Any

from tracehound import runtime


def get_tracking_uri() -> str:
    """Return where traces are kept, as it was said.

    >>> get_tracking_uri().endswith(".db")
    True
    """
    return runtime.current().settings.tracking_uri


def flush_trace_async_logging(terminate: bool = False) -> None:  # noqa: ARG001, FBT001, FBT002 - MLflow's signature
    """Bring all finished traces of this process into the store."""
    runtime.flush()


def autolog(*arguments: Any, **options: Any) -> None:  # noqa: ARG001 - MLflow's many
    """Accept what MLflow's function of this name accepts, and say that no calls are traced by themselves yet."""
    _say_that_nothing_is_logged("mlflow.autolog()")


def autolog_openai(*arguments: Any, **options: Any) -> None:  # noqa: ARG001 - MLflow's many
    """Accept what MLflow's function of this name accepts, and say that no calls are traced by themselves yet."""
    _say_that_nothing_is_logged("mlflow.openai.autolog()")


_said: set[str] = set()


def _say_that_nothing_is_logged(call: str) -> None:
    if call not in _said:
        _said.add(call)
        warnings.warn(
            f"{call} traces no calls yet: put @mlflow.trace above the functions that make them, or add an OpenTelemetry"
            " instrumentation with tracer_provider=mlflow.tracing.get_bridged_tracer_provider()",
            stacklevel=3,
        )
