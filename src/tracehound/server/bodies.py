"""Bodies and queries of requests -> records; what does not fit is told in words, never in names of Python's types."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from starlette.requests import ClientDisconnect, Request

from tracehound.model.record import DecodeError, InvalidError, Record, from_json, to_record
from tracehound.server.problems import BadRequestError, MediaTypeError
from tracehound.wire.compression import TooLargeError, decompress

JSON: Final = "application/json"

R = TypeVar("R", bound=Record)

_WORDS: Final = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}
_QUOTED: Final = re.compile(r"`([^`]*)`")
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")


def _ignore(_count: int) -> None:
    """Do nothing with how much has come."""


async def read_body(request: Request, max_bytes: int, on_bytes: Callable[[int], None] = _ignore) -> bytes:
    """Return the body as it was sent; raise `TooLargeError` as soon as it is known to be too large.

    `on_bytes` is told how many bytes have come each time, and may raise to refuse them.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > max_bytes:
        raise TooLargeError(f"the body has {int(said):,} bytes; {max_bytes:,} may be sent at a time")
    chunks: list[bytes] = []
    count = 0
    async for chunk in request.stream():
        count += len(chunk)
        if count > max_bytes:
            raise TooLargeError(f"the body has more than {max_bytes:,} bytes")
        on_bytes(len(chunk))
        chunks.append(chunk)
    return b"".join(chunks)


def media_type(request: Request) -> str:
    """Return the media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json_object(request: Request, max_bytes: int) -> dict[str, Any]:
    """Return the JSON object in a body; an empty body is an empty object."""
    try:
        packed = await read_body(request, max_bytes)
    except ClientDisconnect as error:
        raise BadRequestError("the body is cut off") from error
    data = decompress(packed, request.headers.get("content-encoding", ""), max_bytes)
    if not data:
        return {}
    if media_type(request) != JSON:
        raise MediaTypeError(f"the body is to be {JSON}, and its Content-Type is to say so")
    try:
        found = from_json(data)
    except (DecodeError, UnicodeDecodeError) as error:
        raise BadRequestError("the body is no JSON") from error
    except RecursionError as error:
        raise BadRequestError("the values in the body are nested too deep") from error
    if not isinstance(found, dict):
        raise BadRequestError("the body is to be a JSON object")
    return found


def to_request(values: Mapping[str, Any], kind: type[R], *, is_text: bool = False) -> R:
    """Return a record of plain values; raise `BadRequestError`, which names the field, where they do not fit."""
    try:
        return to_record(dict(values), kind, is_text=is_text)
    except InvalidError as error:
        raise BadRequestError(_in_words(str(error))) from error


def _in_words(message: str) -> str:
    """Return the message of a decoder with the place first, and words of our own for types."""
    place = _PLACE.search(message)
    said = message if place is None else message[: place.start()]
    told = _QUOTED.sub(lambda found: " or ".join(_WORDS.get(each, f"'{each}'") for each in found[1].split(" | ")), said)
    told = told.replace("Object missing required field", "there is no field").replace(
        "Object contains unknown field", "nothing is known of the field"
    )
    told = told[:1].lower() + told[1:]
    return told if place is None or not place[1] else f"{place[1]}: {told}"
