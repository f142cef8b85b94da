"""The namespace `tracing` of MLflow's API: capture as a whole, and its connection with OpenTelemetry."""

from __future__ import annotations

from tracehound.capture.configure import configure as configure
from tracehound.capture.configure import disable as disable
from tracehound.capture.configure import enable as enable
from tracehound.capture.configure import redacted as redacted
from tracehound.capture.provider import get_span_processor as get_span_processor
from tracehound.capture.provider import get_tracer_provider as get_tracer_provider
from tracehound.capture.scoped import context as context
