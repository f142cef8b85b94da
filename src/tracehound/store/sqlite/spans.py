"""The spans of a trace that came in one part, as that part lies in the file: decoded when they are asked for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracehound.model.span import Span, span_from_dict
from tracehound.store.sqlite.faults import damaged_rows
from tracehound.wire.payload import read_dicts


@dataclass(slots=True)  # not frozen: that makes them in three times the time, for every trace of a result
class PayloadSpans:
    """Spans of one payload (`model.stored_spans`); a `StoreError` says which file is damaged."""

    payload: bytes
    path: Path

    def read_spans(self) -> list[Span]:
        """Return the spans, in the order of results."""
        with damaged_rows(self.path):
            return [span_from_dict(each) for each in read_dicts(self.payload)]

    def read_dicts(self) -> list[dict[str, Any]]:
        """Return what `Span.to_dict` returns of each."""
        with damaged_rows(self.path):
            return read_dicts(self.payload)
