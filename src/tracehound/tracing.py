"""The namespace `tracing` of MLflow's API: capture as a whole, and its connection with OpenTelemetry."""

from __future__ import annotations

from tracehound.capture.configure import configure as configure
from tracehound.capture.configure import disable as disable
from tracehound.capture.configure import enable as enable
from tracehound.capture.configure import redacted as redacted
from tracehound.capture.destination import reset as reset
from tracehound.capture.destination import set_destination as set_destination
from tracehound.capture.destination import set_span_chat_tools as set_span_chat_tools
from tracehound.capture.headers import (
    get_tracing_context_headers_for_http_request as get_tracing_context_headers_for_http_request,
)
from tracehound.capture.headers import (
    set_tracing_context_from_http_request_headers as set_tracing_context_from_http_request_headers,
)
from tracehound.capture.provider import get_span_processor as get_span_processor
from tracehound.capture.provider import get_tracer_provider as get_tracer_provider
from tracehound.capture.scoped import context as context
from tracehound.client.notebook import disable_notebook_display as disable_notebook_display
from tracehound.client.notebook import enable_notebook_display as enable_notebook_display
