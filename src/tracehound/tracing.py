"""The namespace `tracing` of MLflow's API: capture as a whole, and its connection with OpenTelemetry."""

from __future__ import annotations

from tracehound.capture.provider import get_span_processor as get_span_processor
from tracehound.capture.provider import get_tracer_provider as get_tracer_provider
from tracehound.capture.scoped import context as context
from tracehound.runtime import switch


def disable() -> None:
    """Capture nothing from now on, whatever else is set, until `enable`; what runs already is kept when it ends.

    >>> import tracehound
    >>> tracehound.tracing.disable()
    >>> with tracehound.start_span("unseen") as span:
    ...     span.is_recording()
    False
    >>> tracehound.tracing.enable()
    """
    switch.is_off = True


def enable() -> None:
    """Capture again, after `disable`.

    >>> import tracehound
    >>> tracehound.tracing.enable()
    >>> with tracehound.start_span("seen") as span:
    ...     span.is_recording()
    True
    """
    switch.is_off = False
