"""The base of every record, and the two encodings of records and values. Only this room imports msgspec.

Records are frozen: what was captured does not change. Those that capture makes hold texts and other records only, so
the garbage collector need not look at them (`gc=False`). Two encodings are used: MessagePack between our own processes
(small, quick to write in the traced call) and JSON for everything that others read.
"""

from __future__ import annotations

import functools
import json
import math
import reprlib
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar, Union

import msgspec

Record = msgspec.Struct
Raw = msgspec.Raw  # what is not decoded

R = TypeVar("R")

DecodeError = msgspec.DecodeError
InvalidError = msgspec.ValidationError
Undecoded = msgspec.Raw  # a field that is left as the JSON it is
Left = msgspec.UnsetType  # a field that is left out of JSON and of plain values where it is `LEFT_OUT`
LEFT_OUT: Final = msgspec.UNSET

replace = msgspec.structs.replace
to_tuple = msgspec.structs.astuple
force_setattr = msgspec.structs.force_setattr  # only for a record's own `__post_init__`

# Returns a record as MessagePack; what `unpacker` returns is the inverse. No function around it: traced calls use it.
to_msgpack: Final[Callable[[Record], bytes]] = msgspec.msgpack.Encoder().encode
_SHORT: Final = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 80
_json = msgspec.json.Encoder().encode
_from_json = msgspec.json.Decoder().decode


def unpacker(*kinds: type[R]) -> Callable[[bytes], R]:
    """Return the function that reads what `to_msgpack` wrote of records of these kinds, told apart by their tags.

    It raises `DecodeError` for anything else. Make it once: what it is made from takes longer to look at than a record.
    """
    return msgspec.msgpack.Decoder(Union[kinds]).decode  # noqa: UP007 - a union made from values


def json_reader(kind: type[R]) -> Callable[[bytes], R]:
    """Return the function that reads JSON as this kind of record, and skips what the record has no field for.

    It raises `DecodeError` for anything else. Make it once, as with `unpacker`.
    """
    return msgspec.json.Decoder(kind).decode


def to_record(value: object, kind: type[R], *, is_text: bool = False) -> R:
    """Return plain values as a record of this kind; raise `InvalidError`, a `DecodeError`, where they do not fit.

    With `is_text` a text may stand for a number or a boolean, as it does in the query of a URL.
    """
    return msgspec.convert(value, kind, strict=not is_text)


def to_plain(value: object) -> Any:
    """Return records, and whatever is made of them, as dicts, lists, texts and numbers; `to_record` is the inverse."""
    return msgspec.to_builtins(value)


def json_schemas(kinds: Sequence[Any], template: str) -> tuple[Sequence[dict[str, Any]], dict[str, Any]]:
    """Return the JSON schema of each kind, and by their names those of the records that they are made of.

    The template says how one refers to another: `#/components/schemas/{name}`.
    """
    return msgspec.json.schema_components(kinds, ref_template=template)


def to_json(value: object) -> bytes:
    """Return a value that is made of JSON types or records as JSON; `from_json` is its inverse."""
    return _json(value)


def from_json(data: bytes | str) -> Any:
    """Return what a JSON text holds as plain Python values; raise `DecodeError` if it is not JSON."""
    return _from_json(data)


def to_json_text(value: object, *, pretty: bool = False) -> str:
    """Return a value that is made of JSON types as JSON for others to read, on lines of its own each if pretty.

    It is JSON in the strict sense: NaN and infinities, which JSON has not, become null, and a lone surrogate, which
    UTF-8 has not, is written as an escape.
    """
    try:
        text = _json(value).decode()
    except UnicodeEncodeError:
        text = json.dumps(_without_nan(value), allow_nan=False, separators=(",", ":"))
    return msgspec.json.format(text, indent=2) if pretty else text


def read_json_text(text: bytes | str) -> Any:
    """Return what a JSON text of others holds, which Python's `json` may have written: NaN, infinities and all.

    Raises `ValueError` for what is not JSON.
    """
    try:
        return _from_json(text)
    except (DecodeError, UnicodeError):
        return json.loads(text)


def has_plain_numbers(text: str) -> bool:
    """Whether it is JSON, and `to_json_text` writes each of its numbers in the same way."""
    try:
        _read_plain(text)
    except (DecodeError, UnicodeError, RecursionError):
        return False
    return True


@functools.lru_cache(maxsize=1024)  # many are in nearly every trace
def _check_plain(number: str) -> None:
    if _json(float(number)).decode() != number:
        raise ValueError(number)


_read_plain = msgspec.json.Decoder(float_hook=_check_plain).decode


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def short_repr(self: Record) -> str:
    """Return a `repr` of a few fields, those of `__rich_repr__`: a record may hold megabytes."""
    fields = (f"{name}={_SHORT.repr(value)}" for name, value in self.__rich_repr__())
    return f"{type(self).__name__}({', '.join(fields)})"
