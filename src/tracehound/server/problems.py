"""Errors as answers: one row an error class -> the status of HTTP and the word for it.

What a user did wrong is a 4xx, and its message says what to do. 500 is for faults of ours alone, which are logged and
told to nobody: no message holds SQL or the name of a type of Python.
"""

from __future__ import annotations

import http
import logging
from dataclasses import dataclass
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response

from tracehound.errors import (
    AlreadyExistsError,
    ArgumentError,
    FilterError,
    NotFoundError,
    SearchCancelledError,
    SearchTimeoutError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    TracehoundError,
)
from tracehound.model.record import Record, to_json
from tracehound.server.guard.credentials import ArrivedFromElsewhereError, UnauthenticatedError
from tracehound.server.guard.origins import ForeignPageError, WrongHostError
from tracehound.server.guard.rights import DeniedError
from tracehound.wire.compression import DamagedBodyError, TooLargeError, UnknownEncodingError
from tracehound.wire.otlp import DamagedRequestError

_logger = logging.getLogger("tracehound.server")

MEDIA_TYPE: Final = "application/problem+json"


class BadRequestError(TracehoundError):
    """A request that is not what its route takes; the message says what is."""


class MediaTypeError(TracehoundError):
    """A body of another kind than the route takes."""


class BacklogFullError(TracehoundError):
    """More is waiting to be written than may be; later there will be room."""


class StoppingError(TracehoundError):
    """The server is about to stop, and takes nothing on."""


class TooSlowError(TracehoundError):
    """A body that does not come in the time that there is for it."""


class UnstorableError(TracehoundError):
    """What no store can hold, though it could be read."""


class RefusedChangesError(UnstorableError):
    """Some of the changes that a request brings, by their place among them, are not for this token to make."""

    def __init__(self, reason: str, refused: list[int]) -> None:
        super().__init__(reason)
        self.refused = refused


class RefusedTracesError(RefusedChangesError):
    """Some of them are traces for an experiment of others."""


class FilterPlace(Record, frozen=True, kw_only=True):
    """Where in a filter or an order the mistake is: offsets in characters, and the line with a caret below it."""

    text: str
    start: int
    end: int
    shown: str
    corrected: str | None = None


class Problem(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Why there is no answer (RFC 9457): `code` is for programs, `detail` for people."""

    status: int
    title: str
    code: str
    detail: str
    filter: FilterPlace | None = None
    retry_after_s: int | None = None
    refused: list[int] | None = None


@dataclass(frozen=True)
class _Row:
    status: int
    code: str
    retry_after_s: int | None = None


# By the nearest class that is here: one error's row is that of its base where it has none of its own.
PROBLEMS: Final[dict[type[Exception], _Row]] = {
    BadRequestError: _Row(400, "INVALID_REQUEST"),
    DamagedBodyError: _Row(400, "INVALID_REQUEST"),
    DamagedRequestError: _Row(400, "INVALID_REQUEST"),
    FilterError: _Row(400, "INVALID_FILTER"),
    AlreadyExistsError: _Row(409, "ALREADY_EXISTS"),
    ArgumentError: _Row(400, "INVALID_ARGUMENT"),
    UnauthenticatedError: _Row(401, "UNAUTHENTICATED"),
    ArrivedFromElsewhereError: _Row(401, "ARRIVED_FROM_ELSEWHERE"),
    ForeignPageError: _Row(403, "FOREIGN_PAGE"),
    DeniedError: _Row(403, "PERMISSION_DENIED"),
    NotFoundError: _Row(404, "NOT_FOUND"),
    TooSlowError: _Row(408, "TOO_SLOW"),
    TooLargeError: _Row(413, "BODY_TOO_LARGE"),
    MediaTypeError: _Row(415, "UNSUPPORTED_MEDIA_TYPE"),
    UnknownEncodingError: _Row(415, "UNSUPPORTED_ENCODING"),
    WrongHostError: _Row(421, "WRONG_HOST"),
    UnstorableError: _Row(422, "UNSTORABLE"),
    RefusedTracesError: _Row(403, "PERMISSION_DENIED"),
    BacklogFullError: _Row(429, "TOO_MUCH_AT_ONCE", retry_after_s=1),
    SearchCancelledError: _Row(503, "SEARCH_CANCELLED"),
    SearchTimeoutError: _Row(504, "SEARCH_TIMEOUT"),
    StoppingError: _Row(503, "STOPPING", retry_after_s=5),
    StoreBusyError: _Row(503, "STORE_BUSY", retry_after_s=1),
    StoreFullError: _Row(507, "STORE_FULL"),
    StoreReadOnlyError: _Row(507, "STORE_READ_ONLY"),
    StoreError: _Row(503, "STORE_UNUSABLE", retry_after_s=10),
}
_FAULT: Final = "the server has a fault; its log says more"


def to_problem(error: Exception) -> Problem:
    """Return what to tell of an error; a fault of ours is logged and not told."""
    if isinstance(error, HTTPException):
        return _problem_of_status(error.status_code)
    row = next((PROBLEMS[each] for each in type(error).__mro__ if each in PROBLEMS), None)
    if row is None:
        _logger.error("a request has met a fault", exc_info=error)
        return Problem(status=500, title=_title(500), code="INTERNAL", detail=_FAULT)
    place = None
    if isinstance(error, FilterError):
        place = FilterPlace(
            text=error.text, start=error.start, end=error.end, shown=str(error), corrected=error.corrected
        )
    return Problem(
        status=row.status,
        title=_title(row.status),
        code=row.code,
        detail=error.message if isinstance(error, FilterError) else str(error),
        filter=place,
        retry_after_s=row.retry_after_s,
        refused=error.refused if isinstance(error, RefusedChangesError) else None,
    )


def to_response(problem: Problem) -> Response:
    """Return a problem as the answer to a request."""
    return Response(to_json(problem), problem.status, headers_of(problem), MEDIA_TYPE)


def headers_of(problem: Problem) -> dict[str, str]:
    """Return the headers that say when to try again, or with what, if that helps."""
    headers = {} if problem.retry_after_s is None else {"Retry-After": str(problem.retry_after_s)}
    return headers | ({"WWW-Authenticate": 'Bearer realm="tracehound"'} if problem.status == 401 else {})


def _problem_of_status(status: int) -> Problem:
    told = {
        404: "there is nothing at this address; /api/v1/openapi.json lists what there is",
        405: "this address takes another method; /api/v1/openapi.json lists them",
    }
    code = http.HTTPStatus(status).name
    return Problem(status=status, title=_title(status), code=code, detail=told.get(status, _title(status)))


def _title(status: int) -> str:
    return http.HTTPStatus(status).phrase
