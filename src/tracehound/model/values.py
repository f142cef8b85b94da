"""Any Python value as JSON text, at the moment it is seen.

A traced program hands over whatever it has: models, arrays, frames, exceptions, cycles, objects whose `repr` raises.
None of them may raise here, and none may change the trace later, so values become text at once. msgspec does it for
all common types; what it refuses goes through `_plain`, slower and without assumptions. JSON has no infinities and no
NaN: they become null. What is too large is cut: arrays, frames and long texts before they are written out, so that a
call does not wait for what nobody will see.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime
import json
import math
from collections import deque
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any, Final

import msgspec

from tracehound.model.record import from_json, read_json_text, to_json

MAX_DEPTH: Final = 64
_MAX_NODES: Final = 100_000
_MAX_INT_BITS: Final = 4096  # Python refuses to write out much longer ones

# The ways in which other libraries turn their objects into plain ones, tried in this order:
# pydantic, numpy and pandas scalars and arrays, polars frames, whatever follows their example.
_METHODS: Final = ("model_dump", "tolist", "to_dicts", "to_dict")
_MAX_ITEMS: Final = 10_000  # of an array or frame
_MAX_CUT_KEYS: Final = 1_000  # of a mapping whose values are cut one by one
_SLICED: Final = frozenset((str, bytes, bytearray))
_NOTE_BYTES: Final = 100  # what the notes about cuts take, generously


def encode_value(value: object, max_bytes: int = 1_000_000) -> str:
    """Return the value as JSON text, cut and marked as cut when it is longer than `max_bytes`. Never raises.

    >>> encode_value({"question": "why?", "n": [1, 2.5, None]})
    '{"question":"why?","n":[1,2.5,null]}'
    """
    try:
        if type(value) in _SLICED and len(value) > max_bytes:  # type: ignore[arg-type] # these have a length
            return _cut_text(value, max_bytes).decode()  # type: ignore[arg-type] # as above
        data = _encode(value)
    except Exception:  # noqa: BLE001 - no value may make capture raise
        data = _encode_anyhow(value)
    if len(data) > max_bytes:
        data = _cut_any(value, data, max_bytes)
    return data.decode()


def _cut_any(value: object, data: bytes, max_bytes: int) -> bytes:
    """Return the JSON of a value cut to a length: of a mapping each value, of anything else behind its beginning."""
    if type(value) is dict and 0 < len(value) <= _MAX_CUT_KEYS:
        try:
            return _fit(value, max_bytes)
        except Exception:  # noqa: BLE001, S110 - it may be changed by others meanwhile
            pass
    return _cut(data, max_bytes)


def decode_value(text: str) -> Any:
    """Return the plain value that a JSON text holds; a text that is no JSON is a value itself.

    MLflow keeps such texts: what was set on a span of OpenTelemetry beside it.
    """
    try:
        return read_json_text(text)
    except (ValueError, RecursionError):
        return text


def encode_exactly(value: object) -> str:
    """Return the JSON text of a value of JSON types that `decode_value` gives back as it is: NaN is kept as well."""
    try:
        text = to_json(value).decode()
    except UnicodeEncodeError:
        return json.dumps(value)
    return text if from_json(text) == value else json.dumps(value, ensure_ascii=False)


def clean_text(text: str) -> str:
    """Return the text as a plain `str`, without lone surrogates, which no encoding of UTF-8 can hold."""
    if type(text) is str and text.isascii():  # nearly all are: a fifth of the time of encoding them
        return text
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
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, deque):
        return list(value)
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple) and shape and not isinstance(value, type):
        return _of_array(value, shape)
    return _by_method(value)


def _of_array(value: Any, shape: tuple[int, ...]) -> Any:
    """Return an array or a frame as rows, or what is to be seen of a large one."""
    if math.prod(shape) > _MAX_ITEMS:
        return _describe_large(value, shape)
    if hasattr(value, "columns") and hasattr(value, "iloc"):
        return value.to_dict(orient="records")
    return _by_method(value)


def _by_method(value: Any) -> Any:
    """Return what an object says it is made of, else its `repr`."""
    for name in _METHODS:
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            result = method()
            if result is None or isinstance(result, (dict, list, str, int, float)):
                return result
    return _describe(value)


_encode = msgspec.json.Encoder(enc_hook=_enc_hook).encode


def _encode_anyhow(value: object) -> bytes:
    """Return the value as JSON, whatever it is."""
    return to_json(_plain(value, 0, set(), [_MAX_NODES]))


def _plain(value: Any, depth: int, above: set[int], left: list[int]) -> Any:
    """Return the value with JSON types only, whatever it is; what cannot be shown is replaced by a note.

    `left` is how many values may be visited yet: objects that refer to each other can be entered in more ways than
    there is time for.
    """
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int):
        return value if value.bit_length() <= _MAX_INT_BITS else f"<an integer of {value.bit_length()} bits>"
    if value is None or isinstance(value, float):
        return value
    left[0] -= 1
    if depth >= MAX_DEPTH or left[0] < 0:
        return "<nested too deep>" if left[0] >= 0 else "<too much to show>"
    if id(value) in above:
        return "<circular reference>"
    above.add(id(value))
    try:
        return _plain_inside(value, depth + 1, above, left)
    except Exception:  # noqa: BLE001 - no value may make capture raise
        return _describe(value)
    finally:
        above.discard(id(value))


def _plain_inside(value: Any, depth: int, above: set[int], left: list[int]) -> Any:
    """Return a value that holds others, or that something else makes plain."""
    if isinstance(value, Mapping):
        return {_key(key): _plain(item, depth, above, left) for key, item in value.items()}
    if isinstance(value, (list, tuple, AbstractSet)):
        return [_plain(item, depth, above, left) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
        return {name: _plain(item, depth, above, left) for name, item in fields.items()}
    return _plain(from_json(_encode(value)), depth, above, left)


def _key(key: object) -> str:
    """Return a mapping's key as text."""
    return clean_text(key) if isinstance(key, str) else _describe(key)


def _describe(value: object) -> str:
    """Return the `repr` of a value, or its type where that raises."""
    try:
        return clean_text(repr(value))
    except Exception:  # noqa: BLE001 - a repr is user code
        return f"<{type(value).__name__} whose repr raises>"


def _describe_large(value: Any, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return what is to be seen of a large array or frame: its kind, its shape, its first rows."""
    rows = max(1, _MAX_ITEMS * shape[0] // math.prod(shape))
    kind = type(value)
    told = {"type": f"{kind.__module__}.{kind.__qualname__}", "shape": list(shape)}
    if (dtype := getattr(value, "dtype", None)) is not None:
        told["dtype"] = str(dtype)
    return {**told, f"first {rows} of {shape[0]}": value[:rows] if rows > 1 else _describe(value)}


def _fit(values: dict[Any, Any], max_bytes: int) -> bytes:
    """Return a mapping that is too large with its largest values cut, so that the others can still be read."""
    items = {_key(key): item for key, item in values.items()}
    texts = {key: encode_value(item, max_bytes) for key, item in items.items()}
    share = max_bytes // len(texts)
    spare = sum(max(0, share - len(text)) for text in texts.values())
    large = [key for key, text in texts.items() if len(text) > share - _NOTE_BYTES]
    for key in large:
        room = max(share + spare // len(large) - len(key) - _NOTE_BYTES, _NOTE_BYTES)
        is_whole = not isinstance(items[key], (dict, *_SLICED))
        texts[key] = _cut(_encode_anyhow(items[key]), room).decode() if is_whole else encode_value(items[key], room)
    data = b"{" + b",".join(to_json(key) + b":" + text.encode() for key, text in texts.items()) + b"}"
    return data if len(data) <= 2 * max_bytes else _cut(data, max_bytes)


def _cut_text(text: str | bytes | bytearray, max_bytes: int) -> bytes:
    """Return the beginning of a long text or of long bytes as JSON, and how much there was."""
    if isinstance(text, str):
        kept = text[:max_bytes].encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")
        return to_json(f"{kept}… [cut: {len(text)} characters, {len(kept)} kept]")
    some = max_bytes // 4 * 3  # base64 takes four for three
    return to_json(f"{base64.b64encode(text[:some]).decode()}… [cut: {len(text)} bytes, {some} kept]")


def _cut(data: bytes, max_bytes: int) -> bytes:
    """Return a JSON string with the beginning of the data and a note of how much is missing."""
    kept = data[:max_bytes].decode("utf-8", "ignore")
    return to_json(f"{kept}… [cut: {len(data)} bytes, {max_bytes} kept]")
