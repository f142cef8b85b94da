"""Payloads: how one part of a trace lies in a store, compressed, and ready to be a result.

The payload is JSON: what the part says of the whole trace (`head`), and its spans in the form that results return, so
that reading a page of results decodes each payload once and converts nothing.
"""

from __future__ import annotations

import sys
import threading
from typing import Any

from tracehound.errors import TracehoundError
from tracehound.model.record import DecodeError, from_json, to_json
from tracehound.model.span import span_from_dict
from tracehound.model.trace import TracePart, TraceState

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd


class DamagedPayloadError(TracehoundError):
    """What is stored of a trace is not what was written."""


def to_payload(part: TracePart) -> bytes:
    """Return the part as a payload; `from_payload` is the inverse."""
    head = {
        "trace_id": part.trace_id,
        "experiment": part.experiment,
        "written_ns": part.written_ns,
        "tags": part.tags,
        "metadata": part.metadata,
        "client_request_id": part.client_request_id,
        "request_preview": part.request_preview,
        "response_preview": part.response_preview,
        "state": part.state,
        "owner": part.owner,
    }
    return _compressor().compress(
        to_json({"head": head, "spans": [span.to_dict() for span in part.spans]}), zstd.ZstdCompressor.FLUSH_FRAME
    )


def from_payload(payload: bytes) -> TracePart:
    """Return the part that `to_payload` wrote; raise `DamagedPayloadError` for anything else."""
    try:
        form: dict[str, Any] = from_json(zstd.decompress(payload))
        head = form["head"]
        state = head.pop("state")
        return TracePart(
            spans=[span_from_dict(span) for span in form["spans"]],
            state=None if state is None else TraceState(state),
            **head,
        )
    except (zstd.ZstdError, DecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise DamagedPayloadError("a stored trace is damaged and cannot be read") from error


_local = threading.local()


def _compressor() -> zstd.ZstdCompressor:
    """Return this thread's compressor: making a new one for each payload costs more than compressing it."""
    if not hasattr(_local, "compressor"):
        _local.compressor = zstd.ZstdCompressor()
    found: zstd.ZstdCompressor = _local.compressor
    return found
