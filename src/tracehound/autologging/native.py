"""Libraries that make spans themselves: how each is told whose provider they go to, as an instrumentor is told."""

from __future__ import annotations

import importlib
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
