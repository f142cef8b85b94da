"""Values of OTLP: a JSON text -> `AnyValue` as protobuf's JSON writes it, and back.

Values are kept as JSON texts (`model.values`). A text that an AnyValue cannot give back letter for letter, such as a
number of more than 64 bits, travels as it is, under its key behind `RAW`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from tracehound.model.record import DecodeError, from_json
from tracehound.model.values import clean_text, encode_value

RAW: Final = "tracehound.json:"
_LONGEST_KNOWN: Final = 200
MAX_BYTES: Final = 2**62  # what was kept once is not cut again


def to_attributes(texts: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return attributes, given as JSON texts, in OTLP's form; `from_attributes` is the inverse."""
    return [_to_attribute(key, text) for key, text in texts.items()]


def from_attributes(attributes: Iterable[Any]) -> dict[str, str]:
    """Return attributes in OTLP's form as JSON texts; raise an ordinary `TypeError` or the like for what is none."""
    return to_texts((_text(each.get("key", "")), _from_any(each.get("value") or {})) for each in attributes)


def to_texts(pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
    """Return attributes, given as keys and plain values, as JSON texts."""
    texts: dict[str, str] = {}
    for given, value in pairs:
        key, is_raw = _read_key(given) if len(given) <= _LONGEST_KNOWN else _read_key.__wrapped__(given)
        if is_raw and isinstance(value, str) and _is_json(value):
            texts[key.removeprefix(RAW)] = value
        else:
            texts[key] = encode_value(value, MAX_BYTES)
    return texts


@functools.lru_cache(4_096)  # spans have the same few keys again and again; long ones are not kept
def _read_key(given: str) -> tuple[str, bool]:
    """Return a key without what no text may have, and whether it is one of `RAW`."""
    key = clean_text(given)
    return key, key.startswith(RAW)


def _to_attribute(key: str, text: str) -> dict[str, Any]:
    try:
        value = _to_any(from_json(text))
        if not key.startswith(RAW) and encode_value(_from_any(value), MAX_BYTES) == text:
            return {"key": key, "value": value}
    except (DecodeError, RecursionError, OverflowError):
        pass
    return {"key": RAW + key, "value": {"stringValue": text}}


def _to_any(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise OverflowError
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, str):
        return {"stringValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_to_any(each) for each in value]}}
    return {"kvlistValue": {"values": [{"key": key, "value": _to_any(each)} for key, each in value.items()]}}


def _from_any(value: Mapping[str, Any]) -> Any:
    """Return the plain value; names of protobuf's own (`string_value`) are read as well."""
    for name, read in _READERS.items():
        if name in value:
            return read(value[name])
    return None


def _items(holder: Any) -> list[Any]:
    found = holder.get("values") or []
    return found if isinstance(found, list) else []


def _read_list(holder: Any) -> list[Any]:
    return [_from_any(each) for each in _items(holder)]


def _read_map(holder: Any) -> dict[str, Any]:
    return {_text(each.get("key", "")): _from_any(each.get("value") or {}) for each in _items(holder)}


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _bool(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _is_json(text: str) -> bool:
    try:
        from_json(text)
    except (DecodeError, RecursionError):
        return False
    return True


_KINDS: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _text,
    "int": int,
    "double": float,  # "NaN" and "Infinity" are texts there
    "bool": _bool,
    "array": _read_list,
    "kvlist": _read_map,
    "bytes": _text,  # base64, as JSON has no bytes
}
_READERS: Final = {
    name: read for kind, read in _KINDS.items() for name in (f"{kind}Value", f"{kind}_value")
}  # fmt: skip
