"""Payloads: how one part of a trace lies in a store, compressed, and ready to be a result.

The payload is JSON: what the part says of the whole trace (`head`), and its spans in the form that results return, so
that reading a page of results decodes each payload once and converts nothing.
"""

from __future__ import annotations

import threading
from binascii import a2b_base64
from collections.abc import Callable
from operator import itemgetter
from typing import Any, Final, TypeAlias, TypeVar

import zstandard

from tracehound.errors import TracehoundError
from tracehound.model.record import DecodeError, Record, from_json, json_reader, to_json
from tracehound.model.span import span_from_dict
from tracehound.model.trace import TracePart, TraceState


class DamagedPayloadError(TracehoundError):
    """What is stored of a trace is not what was written."""


# Level 1 of zstd takes 20 microseconds for a payload of 6 KB where 3, its own, takes 28 for 4 % less; without a look at
# what is the same for five bytes only it takes 17, for 3 % more.
_PARAMETERS: Final = zstandard.ZstdCompressionParameters(compression_level=1, min_match=6)
_DAMAGED: Final = "a stored trace is damaged and cannot be read"
_FAULTS: Final = (zstandard.ZstdError, DecodeError, LookupError, TypeError, ValueError, AttributeError)


def to_payload(part: TracePart) -> bytes:
    """Return the part as a payload; `from_payload` is the inverse."""
    return pack(to_unpacked(part))


def pack(unpacked: bytes) -> bytes:
    """Return the payload of what `to_unpacked` returned."""
    return _zstd.compressor.compress(unpacked)


def to_unpacked(part: TracePart) -> bytes:
    """Return what a payload of the part holds: all but what became of its process since."""
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
        "origin": part.origin,
    }
    return to_json({"head": head, "spans": [span.to_form() for span in part.spans]})


def from_payload(payload: bytes) -> TracePart:
    """Return the part that `to_payload` wrote; raise `DamagedPayloadError` for anything else."""
    try:
        form: dict[str, Any] = from_json(_zstd.decompressor.decompress(payload))
        head = form["head"]
        state = head.pop("state")
        return TracePart(
            spans=[span_from_dict(span) for span in form["spans"]],
            state=None if state is None else TraceState(state),
            **head,
        )
    except _FAULTS as error:
        raise DamagedPayloadError(_DAMAGED) from error


class _Body(Record):
    """What of a payload is decoded where the head is known already: skipping it costs a sixth of decoding it."""

    spans: list[Any]


S = TypeVar("S")

# Of a span: its id, that of its parent (both in base64), and when it began and ended.
Facts: TypeAlias = tuple[str, str | None, int, int | None]

_read_body: Final = json_reader(_Body)
facts_of_dict: Final = itemgetter("span_id", "parent_span_id", "start_time_unix_nano", "end_time_unix_nano")


def read_dicts(payload: bytes) -> list[dict[str, Any]]:
    """Return the spans of a payload as `model.merge` would return them of this part alone, each as its `to_dict`.

    Raise `DamagedPayloadError` for anything else than `to_payload` wrote.
    """
    return read_spans_as(payload, lambda text: _read_body(text).spans, facts_of_dict)


def read_spans_as(payload: bytes, read: Callable[[bytes], list[S]], facts: Callable[[S], Facts]) -> list[S]:
    """Return the spans of a payload in the order of results, as `read` reads them of its JSON; raise as `read_dicts`.

    What is not wanted of a span need not be decoded: 50,000 take 50 ms where all of them takes 260.
    """
    try:
        spans = read(_zstd.decompressor.decompress(payload))
        return spans if len(spans) == 1 else _in_order(spans, facts)
    except _FAULTS as error:
        raise DamagedPayloadError(_DAMAGED) from error


def _in_order(spans: list[S], facts: Callable[[S], Facts]) -> list[S]:
    """Return the spans without those that others replace, in the order of results: `model.merge` says which."""
    chosen: dict[str, tuple[Facts, S]] = {}
    for span in spans:
        told = facts(span)
        known = chosen.get(told[0])
        if known is None or known[0][3] is None or told[3] is not None:
            chosen[told[0]] = (told, span)

    def rank(pair: tuple[Facts, S]) -> tuple[bool, bool, int, bytes]:
        span_id, parent, start_ns, _ = pair[0]
        return (parent is not None, parent in chosen, start_ns, a2b_base64(span_id))

    return [span for _, span in sorted(chosen.values(), key=rank)]


class _Zstd(threading.local):
    """One of each for a thread, which cannot be shared: making them anew costs more than using them (ADR 0024)."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(compression_params=_PARAMETERS)
        self.decompressor = zstandard.ZstdDecompressor()


_zstd: Final = _Zstd()
