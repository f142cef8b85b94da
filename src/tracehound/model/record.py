"""The base of every record, and the two encodings of records and values. Only this room imports msgspec.

Records are frozen: what was captured does not change. Those that capture makes hold texts and other records only, so
the garbage collector need not look at them (`gc=False`). Two encodings are used: MessagePack between our own processes
(small, quick to write in the traced call) and JSON for everything that others read.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar, Union

import msgspec

Record = msgspec.Struct

R = TypeVar("R")

DecodeError = msgspec.DecodeError

replace = msgspec.structs.replace

# Returns a record as MessagePack; what `unpacker` returns is the inverse. No function around it: traced calls use it.
to_msgpack: Final[Callable[[Record], bytes]] = msgspec.msgpack.Encoder().encode
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


def to_json(value: object) -> bytes:
    """Return a value that is made of JSON types or records as JSON; `from_json` is its inverse."""
    return _json(value)


def from_json(data: bytes | str) -> Any:
    """Return what a JSON text holds as plain Python values; raise `DecodeError` if it is not JSON."""
    return _from_json(data)
