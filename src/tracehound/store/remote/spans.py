"""The spans of a trace as a server has sent them: decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tracehound.errors import StoreError
from tracehound.model.record import DecodeError
from tracehound.model.span import Span, span_from_dict
from tracehound.wire.payload import DamagedPayloadError, read_dicts


@dataclass(slots=True)  # not frozen: that makes them in three times the time, for every trace of a result
class SentSpans:
    """Spans of one payload (`model.stored_spans`); a `StoreError` says which server has damaged ones."""

    payload: bytes
    url: str

    def read_spans(self) -> list[Span]:
        """Return the spans, in the order of results."""
        with _damage(self.url):
            return [span_from_dict(each) for each in read_dicts(self.payload)]

    def read_dicts(self) -> list[dict[str, Any]]:
        """Return what `Span.to_dict` returns of each."""
        with _damage(self.url):
            return read_dicts(self.payload)


@contextmanager
def _damage(url: str) -> Iterator[None]:
    try:
        yield
    except (DamagedPayloadError, DecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise StoreError(f"a trace of the server {url} is damaged: `tracehound doctor` says which, there") from error
