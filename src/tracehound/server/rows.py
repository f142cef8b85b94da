"""What a row of the route table is: a call, which takes a record and gives one, or an endpoint, which does it all.

A call's request is made of the JSON body, the names in the path and, where there is no body, the query. It works in a
thread, for the store makes it wait; an endpoint runs in the event loop and must not wait.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from tracehound.model.record import Record
from tracehound.server.guard.rights import Right as Right  # noqa: PLC0414 - rows are written with it
from tracehound.server.problems import Problem, to_response
from tracehound.server.served import Served


class Asked(Record, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The base of requests."""


class Nothing(Asked, frozen=True):
    """A request without anything in it, or an answer."""


@dataclass(frozen=True)
class Call:
    """A route that takes a record and gives one; `told` says how problems are told there."""

    method: str
    path: str
    handle: Callable[[Served, Any], Any]
    request: type[Asked]
    response: Any
    right: Right
    told: Callable[[Problem], Response] = to_response

    @property
    def has_body(self) -> bool:
        """Whether the request is made of a body."""
        return self.method in ("POST", "PUT", "PATCH")


@dataclass(frozen=True)
class Endpoint:
    """A route that reads the request and makes the answer itself; the media types say what of.

    Routes of other people's APIs are described elsewhere.
    """

    method: str
    path: str
    handle: Callable[[Served, Request], Awaitable[Response]]
    takes: tuple[str, ...]
    gives: tuple[str, ...]
    right: Right
    told: Callable[[Problem], Response] = to_response
    is_described: bool = True


Row: TypeAlias = Call | Endpoint
