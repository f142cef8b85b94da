"""Functions of MLflow that Tracehound itself needs no name for."""

from __future__ import annotations

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
