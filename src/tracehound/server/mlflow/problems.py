"""Problems as MLflow's clients read them: an error code, and a message for people.

The clients send a request again, up to seven times, where the answer is 408, 429, 500, 502, 503 or 504. So those are
for what may be better a moment later. A search that took too long is none of it: it would take as long again.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from tracehound.model.record import to_json
from tracehound.server.bodies import JSON
from tracehound.server.problems import Problem, headers_of

_INVALID: Final = "INVALID_PARAMETER_VALUE"

# By the word for a problem in our own API: the status, where it is another one here, and MLflow's word.
CODES: Final[dict[str, tuple[int | None, str]]] = {
    "INVALID_REQUEST": (None, _INVALID),
    "INVALID_FILTER": (None, _INVALID),
    "INVALID_ARGUMENT": (None, _INVALID),
    "ALREADY_EXISTS": (400, "RESOURCE_ALREADY_EXISTS"),
    "UNSUPPORTED_MEDIA_TYPE": (400, "BAD_REQUEST"),
    "UNSUPPORTED_ENCODING": (400, "BAD_REQUEST"),
    "BODY_TOO_LARGE": (None, _INVALID),
    "UNSTORABLE": (400, _INVALID),
    "UNAUTHENTICATED": (None, "UNAUTHENTICATED"),
    "ARRIVED_FROM_ELSEWHERE": (None, "UNAUTHENTICATED"),
    "FOREIGN_PAGE": (None, "PERMISSION_DENIED"),
    "WRONG_HOST": (None, "BAD_REQUEST"),
    "TOO_SLOW": (None, "BAD_REQUEST"),
    "PERMISSION_DENIED": (None, "PERMISSION_DENIED"),
    "NOT_FOUND": (None, "RESOURCE_DOES_NOT_EXIST"),
    "SEARCH_TIMEOUT": (400, "BAD_REQUEST"),
    "SEARCH_CANCELLED": (400, "BAD_REQUEST"),
    "TOO_MUCH_AT_ONCE": (None, "REQUEST_LIMIT_EXCEEDED"),
    "STOPPING": (None, "TEMPORARILY_UNAVAILABLE"),
    "STORE_BUSY": (None, "TEMPORARILY_UNAVAILABLE"),
    "STORE_UNUSABLE": (None, "TEMPORARILY_UNAVAILABLE"),
    "STORE_FULL": (None, "RESOURCE_EXHAUSTED"),
    "STORE_READ_ONLY": (None, "RESOURCE_EXHAUSTED"),
    "INTERNAL": (None, "INTERNAL_ERROR"),
}


def to_response(problem: Problem) -> Response:
    """Return a problem as the answer to a request of MLflow's API; of a filter it shows where the mistake is."""
    status, code = CODES.get(problem.code, (None, _of_status(problem.status)))
    message = problem.detail if problem.filter is None else problem.filter.shown
    return refusal(status or problem.status, code, message, headers_of(problem))


def refusal(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that says why there is none."""
    return Response(to_json({"error_code": code, "message": message}), status, headers, JSON)


def _of_status(status: int) -> str:
    return "INTERNAL_ERROR" if status >= 500 else "BAD_REQUEST"
