"""The spans of a trace as a store keeps them, for a trace that is read only when somebody looks."""

from __future__ import annotations

from typing import Any, Protocol

from tracehound.model.span import Span


class StoredSpans(Protocol):
    """The spans of a trace, not yet decoded; two that are equal hold the same spans."""

    @property
    def payload(self) -> bytes:
        """The spans in the form of `wire.payload`, which may be handed on as it is."""
        ...

    def read_spans(self) -> list[Span]:
        """Return the spans, in the order of results."""
        ...

    def read_dicts(self) -> list[dict[str, Any]]:
        """Return what `Span.to_dict` returns of each, without making spans on the way."""
        ...
