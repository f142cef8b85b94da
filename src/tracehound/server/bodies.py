"""Bodies and queries of requests -> records; what does not fit is told in words, never in names of Python's types."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from tracehound.model.record import DecodeError, InvalidError, Record, from_json, to_record
from tracehound.server.problems import BadRequestError, MediaTypeError, TooSlowError
from tracehound.server.served import Served
from tracehound.server.writer import Share
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
_AT_ONCE_BYTES: Final = 16_000  # what is longer is read in a thread
_QUOTED: Final = re.compile(r"`([^`]*)`")
_PLACE: Final = re.compile(r" - at `(?:key in )?\$\.?(.*?)`$")


def expect_body(request: Request, share: Share, timeout_s: float) -> None:
    """Note what the body of a request is counted in, and how long it may take."""
    request.state.share, request.state.timeout_s = share, timeout_s


async def read_body(request: Request, max_bytes: int, on_bytes: Callable[[int], None] | None = None) -> bytes:
    """Return the body as it was sent; raise `TooLargeError` as soon as it is known to be too large.

    `on_bytes` is told how many bytes have come each time, and may raise to refuse them: without it they are counted
    until the request is answered. Raise `TooSlowError` for a body that takes too long to come.
    """
    count_bytes = on_bytes or request.state.share.take
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > max_bytes:
        raise TooLargeError(f"the body has {int(said):,} bytes; {max_bytes:,} may be sent at a time")
    chunks: list[bytes] = []
    count = 0
    with _within(request.state.timeout_s):
        async for chunk in request.stream():
            count += len(chunk)
            if count > max_bytes:
                raise TooLargeError(f"the body has more than {max_bytes:,} bytes")
            count_bytes(len(chunk))
            chunks.append(chunk)
    return b"".join(chunks)


@contextmanager
def _within(timeout_s: float) -> Iterator[None]:
    """Raise `TooSlowError` where the block takes longer. A task for each body would cost more than most do."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - it runs in one
    is_late = False

    def end() -> None:
        nonlocal is_late
        is_late = True
        task.cancel()

    alarm = asyncio.get_running_loop().call_later(timeout_s, end)
    try:
        yield
    except asyncio.CancelledError:
        if not is_late:
            raise
        if hasattr(task, "uncancel"):  # from Python 3.11 on
            task.uncancel()
        raise TooSlowError(f"the body has not come within {timeout_s:g} seconds") from None
    finally:
        alarm.cancel()


def media_type(request: Request) -> str:
    """Return the media type of the body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json_object(served: Served, request: Request) -> dict[str, Any]:
    """Return the JSON object in a body; an empty body is an empty object."""
    max_bytes = min(served.limits.max_json_bytes, served.limits.max_body_bytes)
    try:
        packed = await read_body(request, max_bytes)
    except ClientDisconnect as error:
        raise BadRequestError("the body is cut off") from error
    if len(packed) <= _AT_ONCE_BYTES and not request.headers.get("content-encoding"):
        return _to_object(request, packed, max_bytes)
    async with served.gate.passed(max_bytes if request.headers.get("content-encoding") else len(packed)):
        return await run_in_threadpool(_to_object, request, packed, max_bytes)


def _to_object(request: Request, packed: bytes, max_bytes: int) -> dict[str, Any]:
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
