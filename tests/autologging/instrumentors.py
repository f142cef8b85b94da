"""Instrumentations that make trouble, as real ones do: for versions that are not there, and with faults."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined,unused-ignore]

from tracehound.autologging.table import Integration


class Outdated(BaseInstrumentor):  # type: ignore[misc,unused-ignore] # it has no types
    """Was made for a version of the library that is long gone."""

    def instrumentation_dependencies(self) -> Collection[str]:
        return ["openai < 0.1"]

    def _instrument(self, **kwargs: Any) -> None:
        pass

    def _uninstrument(self, **kwargs: Any) -> None:
        pass


class Failing(BaseInstrumentor):  # type: ignore[misc,unused-ignore] # it has no types
    """Looks for what the library has not any more, when half of it is patched."""

    tracer: Any = None

    def instrumentation_dependencies(self) -> Collection[str]:
        return []

    def _instrument(self, **kwargs: Any) -> None:
        Failing.tracer = kwargs["tracer_provider"].get_tracer("failing")
        raise AttributeError("module 'openai' has no attribute 'Completion'")

    def _uninstrument(self, **kwargs: Any) -> None:
        pass


class Staying(BaseInstrumentor):  # type: ignore[misc,unused-ignore] # it has no types
    """Cannot be taken out again."""

    tracer: Any = None

    def instrumentation_dependencies(self) -> Collection[str]:
        return []

    def _instrument(self, **kwargs: Any) -> None:
        Staying.tracer = kwargs["tracer_provider"].get_tracer("staying")

    def _uninstrument(self, **kwargs: Any) -> None:
        raise RuntimeError("in use")


def integration_of(instrumentor: type[BaseInstrumentor]) -> Integration:
    """Return a row of the table for one of these."""
    return Integration(
        f"test_{instrumentor.__name__.lower()}",
        "OpenAI",
        "openai",
        "openai",
        f"{__name__}:{instrumentor.__name__}",
        "tests",
    )
