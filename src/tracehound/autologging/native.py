"""Libraries that make spans themselves: how each is told whose provider they go to, as an instrumentor is told."""

from __future__ import annotations

import importlib
from importlib import util
from types import ModuleType
from typing import Any


class PydanticAI:
    """Agents of Pydantic AI make spans in OpenTelemetry's GenAI conventions where they are given settings."""

    def instrument(self, *, tracer_provider: object, **options: Any) -> None:
        """Let all agents that have no settings of their own make spans."""
        library = importlib.import_module("pydantic_ai")
        models = importlib.import_module("pydantic_ai.models.instrumented")
        library.Agent.instrument_all(models.InstrumentationSettings(tracer_provider=tracer_provider, **options))

    def uninstrument(self) -> None:
        """Let agents make no spans."""
        importlib.import_module("pydantic_ai").Agent.instrument_all(instrument=False)


class Strands:
    """Agents of Strands make spans in OpenTelemetry's GenAI conventions, with one tracer for all of them."""

    def instrument(self, *, tracer_provider: Any) -> None:
        """Give the library's tracer another provider than the global one."""
        self._connect(tracer_provider)

    def uninstrument(self) -> None:
        """Give the library's tracer the global provider again."""
        self._connect(importlib.import_module("opentelemetry.trace").get_tracer_provider())

    def _connect(self, tracer_provider: Any) -> None:
        tracer = importlib.import_module("strands.telemetry.tracer").get_tracer()
        tracer.tracer_provider = tracer_provider
        tracer.tracer = tracer_provider.get_tracer(tracer.service_name)


class ModelContextProtocol:
    """MCP's SDK makes spans of requests from its second release on; before, OpenInference passes the context along."""

    def __init__(self, instrumentor: Any) -> None:
        self._theirs = instrumentor
        self._before: object = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._theirs, name)

    def instrument(self, *, tracer_provider: Any, **options: Any) -> None:
        """Give the SDK's tracer another provider than the global one, or put OpenInference's patches in."""
        native = _native_tracing_of_mcp()
        if native is None:
            self._theirs.instrument(tracer_provider=tracer_provider, **options)
        else:
            self._before = native._tracer
            vars(native)["_tracer"] = tracer_provider.get_tracer("mcp-python-sdk")

    def uninstrument(self) -> None:
        """Give it back what it had, or take the patches out."""
        native = _native_tracing_of_mcp()
        if native is None:
            self._theirs.uninstrument()
        else:
            vars(native)["_tracer"] = self._before


def _native_tracing_of_mcp() -> ModuleType | None:
    """Return where the SDK keeps its tracer, if it has one."""
    name = "mcp.shared._otel"
    module = importlib.import_module(name) if util.find_spec(name) else None
    return module if hasattr(module, "_tracer") else None
