"""Any Python value as JSON text, at the moment it is seen.

A traced program hands over whatever it has: models, arrays, frames, exceptions, cycles, objects whose `repr` raises.
None of them may raise here, and none may change the trace later, so values become text at once. msgspec does it for
all common types; what it refuses goes through `_plain`, slower and without assumptions. JSON has no infinities and no
NaN: they become null.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from tracehound.model.record import from_json, to_json

MAX_DEPTH: Final = 64
_MAX_INT_BITS: Final = 4096  # Python refuses to write out much longer ones

# The ways in which other libraries turn their objects into plain ones, tried in this order:
# pydantic, numpy and pandas scalars and arrays, pandas and polars frames.
_METHODS: Final = ("model_dump", "tolist", "to_dict")


def encode_value(value: object, max_bytes: int = 1_000_000) -> str:
    """Return the value as JSON text, cut and marked as cut when it is longer than `max_bytes`. Never raises.

    >>> encode_value({"question": "why?", "n": [1, 2.5, None]})
    '{"question":"why?","n":[1,2.5,null]}'
    """
    try:
        data = _encode(value)
    except Exception:  # noqa: BLE001 - no value may make capture raise
        data = to_json(_plain(value, 0, set()))
    if len(data) > max_bytes:
        data = _cut(data, max_bytes)
    return data.decode()


def decode_value(text: str) -> Any:
    """Return the plain value that a JSON text holds."""
    return from_json(text)


def clean_text(text: str) -> str:
    """Return the text as a plain `str`, without lone surrogates, which no encoding of UTF-8 can hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text if type(text) is str else str.__str__(text)


def to_text(value: object) -> str:
    """Return a tag or metadata value as text: text as it is, everything else as JSON (`true`, `3`, `{"a":1}`)."""
    return clean_text(value) if isinstance(value, str) else encode_value(value)


def _enc_hook(value: Any) -> Any:
    """Return something msgspec can encode in place of a value that it cannot.

    What a method gives counts only if it is plain: a mock answers every method with another mock, without end.
    """
    for plain in (str, int, float):
        if isinstance(value, plain):  # of a subclass, or msgspec had known it
            return plain(value)
    for name in _METHODS:
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            result = method()
            if result is None or isinstance(result, (dict, list, str, int, float)):
                return result
    return _describe(value)


_encode = msgspec.json.Encoder(enc_hook=_enc_hook).encode


def _plain(value: Any, depth: int, above: set[int]) -> Any:
    """Return the value with JSON types only, whatever it is; what cannot be shown is replaced by a note."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_INT_BITS else f"<an integer of {value.bit_length()} bits>"
    if value is None or isinstance(value, float):
        return value
    if depth >= MAX_DEPTH:
        return "<nested too deep>"
    if id(value) in above:
        return "<circular reference>"
    above.add(id(value))
    try:
        if isinstance(value, Mapping):
            return {_key(key): _plain(item, depth + 1, above) for key, item in value.items()}
        if isinstance(value, (list, tuple, AbstractSet)):
            return [_plain(item, depth + 1, above) for item in value]
        return _plain(from_json(_encode(value)), depth + 1, above)
    except Exception:  # noqa: BLE001 - no value may make capture raise
        return _describe(value)
    finally:
        above.discard(id(value))


def _key(key: object) -> str:
    """Return a mapping's key as text."""
    return clean_text(key) if isinstance(key, str) else _describe(key)


def _describe(value: object) -> str:
    """Return the `repr` of a value, or its type where that raises."""
    try:
        return clean_text(repr(value))
    except Exception:  # noqa: BLE001 - a repr is user code
        return f"<{type(value).__name__} whose repr raises>"


def _cut(data: bytes, max_bytes: int) -> bytes:
    """Return a JSON string with the beginning of the data and a note of how much is missing."""
    kept = data[:max_bytes].decode("utf-8", "ignore")
    return to_json(f"{kept}… [cut: {len(data)} bytes, {max_bytes} kept]")
