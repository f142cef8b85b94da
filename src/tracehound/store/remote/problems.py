"""What is wrong, in words: a server that is not there, that is none of ours, or an answer that is a problem."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any, Final

from tracehound.errors import (
    ArgumentError,
    FilterError,
    NotFoundError,
    SearchCancelledError,
    SearchTimeoutError,
    StoreBusyError,
    StoreDeniedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    TracehoundError,
)
from tracehound.model.record import DecodeError, from_json
from tracehound.store.remote.forms import PATH, PROTOCOL
from tracehound.store.remote.transport import Answer, Sent

_ADVICE: Final = (
    "see that `tracehound server` runs there, or name another place with set_tracking_uri or TRACEHOUND_TRACKING_URI"
)
_PROBLEM: Final = "application/problem+json"
_MLFLOW_VERSION: Final = re.compile(rb"[0-9]+\.[0-9]+[0-9A-Za-z.+-]{0,20}\s*")
_LONGEST_WAIT_S: Final = 300.0  # that a server can ask for


_KINDS: Final = {401: StoreDeniedError, 403: StoreDeniedError, 429: StoreBusyError, 503: StoreBusyError}


class RefusedError(ArgumentError):
    """What the server will never take, however often it is sent."""


# By the code of the problem, what a store in this process would have raised; what is not here is a `StoreError`.
_ERRORS: Final[dict[str, type[TracehoundError]]] = {
    "INVALID_REQUEST": ArgumentError,
    "INVALID_ARGUMENT": ArgumentError,
    "INVALID_FILTER": ArgumentError,
    "NOT_FOUND": NotFoundError,
    "BODY_TOO_LARGE": RefusedError,
    "UNSTORABLE": RefusedError,
    "TOO_MUCH_AT_ONCE": StoreBusyError,
    "STOPPING": StoreBusyError,
    "STORE_BUSY": StoreBusyError,
    "SEARCH_CANCELLED": SearchCancelledError,
    "SEARCH_TIMEOUT": SearchTimeoutError,
    "STORE_FULL": StoreFullError,
    "STORE_READ_ONLY": StoreReadOnlyError,
}


def unreachable(url: str, error: Exception) -> StoreError:
    """Return the error for a server that gives no answer."""
    if isinstance(error, TimeoutError):
        return StoreError(f"the server {url} does not answer in time: {_ADVICE}")
    if isinstance(error, (http.client.HTTPException, ConnectionResetError, BrokenPipeError)):
        return StoreError(f"the server {url} has broken the connection off: {_ADVICE}")
    return StoreError(f"the server {url} cannot be reached ({_reason(error)}): {_ADVICE}")


def not_understood(url: str) -> StoreError:
    """Return the error for an answer that is none of ours."""
    return StoreError(f"what answers at {url} is not a Tracehound server, or one behind something else: {_ADVICE}")


def to_error(url: str, answer: Answer) -> TracehoundError:
    """Return the error that an answer tells of: that which a store in this process would have raised."""
    problem = _problem_in(answer)
    code, detail = problem.get("code"), str(problem.get("detail") or "")
    place = problem.get("filter")
    if code == "INVALID_FILTER" and isinstance(place, dict):
        try:
            return FilterError(detail, place["text"], place["start"], place["end"], place.get("corrected"))
        except LookupError:
            return not_understood(url)
    if refused := problem.get("refused"):
        return _refusal(url, detail, refused)
    kind = RefusedError if answer.status == 413 else _ERRORS.get(str(code))
    if kind is not None and not issubclass(kind, StoreError):
        return kind(detail or f"the server {url} does not take so much at a time ({answer.status})")
    error = (kind or _KINDS.get(answer.status, StoreError))(_told(url, answer, detail))
    error.retry_after_s = _retry_after_s(answer)
    if isinstance(error, StoreDeniedError):
        error.is_final = code == "PERMISSION_DENIED"
    return error


def _refusal(url: str, detail: str, refused: object) -> StoreError:
    """Return the error for a batch of which the server does not take some from this token."""
    if not isinstance(refused, list) or not all(type(each) is int and each >= 0 for each in refused):
        return not_understood(url)
    error = StoreDeniedError(f"the server {url} does not take some of what this program has sent ({detail})")
    error.is_final, error.refused = True, tuple(refused)
    return error


def is_problem(answer: Answer) -> bool:
    """Whether an answer tells of a problem as our servers do."""
    return answer.headers.get("content-type", "").startswith(_PROBLEM)


def check_hello(url: str, answer: Answer, ask: Callable[[Sent], Answer]) -> None:
    """Raise `StoreError` unless the answer to the first request is that of a Tracehound server we understand."""
    if answer.status != 200:
        if _problem_in(answer) or answer.status in (401, 403, 429) or answer.status >= 500:
            raise to_error(url, answer)
        if 300 <= answer.status < 400:
            where = answer.headers.get("location", "elsewhere").partition("?")[0].removesuffix(PATH)
            raise StoreError(f"{url} is not a Tracehound server, but points to {where}: name the server itself")
        raise _not_ours(url, ask)
    try:
        hello = from_json(answer.body)
    except (DecodeError, UnicodeDecodeError):
        hello = None
    if not isinstance(hello, dict) or type(hello.get("protocol")) is not int:
        raise _not_ours(url, ask)
    if hello["protocol"] != PROTOCOL:
        theirs = hello["protocol"]
        older = "that server" if theirs < PROTOCOL else "the package `tracehound` of this program"
        raise StoreError(f"the server {url} speaks protocol {theirs} and this program {PROTOCOL}: upgrade {older}")


def _not_ours(url: str, ask: Callable[[Sent], Answer]) -> StoreError:
    """Return what to say of a server of something else: MLflow's tells its version."""
    try:
        version = ask(Sent("GET", "/version"))
    except (OSError, http.client.HTTPException):
        return not_understood(url)
    if version.status == 200 and _MLFLOW_VERSION.fullmatch(version.body):
        number = version.body.decode("ascii").strip()
        return StoreError(
            f"{url} is a server of MLflow {number}, not of Tracehound: start one with `tracehound server`, or name the"
            " path of a file"
        )
    return StoreError(f"{url} is not a Tracehound server: {_ADVICE}")


def _problem_in(answer: Answer) -> dict[str, Any]:
    """Return the problem that an answer is; nothing where it is none of ours."""
    if not is_problem(answer):
        return {}
    try:
        found = from_json(answer.body)
    except (DecodeError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _told(url: str, answer: Answer, detail: str) -> str:
    status = answer.status
    said = f"{status}: {detail}" if detail else str(status)
    if status in (401, 403):
        return (
            f"the server {url} does not let this program in ({said}): set TRACEHOUND_TRACKING_TOKEN to a token that may"
            " do this, or ask whoever runs it for one"
        )
    if status in (429, 503):
        return f"the server {url} is busy, or about to start or stop ({said}): try again later"
    if status == 507:
        return f"the server {url} cannot store anything ({said})"
    return f"the server {url} has failed ({said}): its log says more"


def _retry_after_s(answer: Answer) -> float | None:
    """Return how long the server asks us to wait; dates, which it may say instead, are left out."""
    said = answer.headers.get("retry-after", "").strip()
    return min(float(said), _LONGEST_WAIT_S) if said.isdecimal() else None


def _reason(error: Exception) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror or "") or str(error) or type(error).__name__
