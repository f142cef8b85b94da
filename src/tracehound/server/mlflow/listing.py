"""Pages of what is at hand as a whole: experiments, runs, models.

A page begins behind the last thing of the page before, whatever was made meanwhile, and its token names that thing.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TypeVar

from tracehound.errors import ArgumentError
from tracehound.wire.mlflow.messages import Message

T = TypeVar("T")


def page_of(found: Sequence[T], id_of: Callable[[T], str], asked: Message, most: int) -> tuple[list[T], str | None]:
    """Return the page that a message asks for, and the token of the next one where there is more."""
    limit = limit_of(asked, most, most)
    token = asked.text_or_empty("page_token")
    start = _behind(found, id_of, token) if token else 0
    page = list(found[start : start + limit])
    has_more = start + limit < len(found)
    return page, base64.urlsafe_b64encode(id_of(page[-1]).encode()).decode() if has_more else None


def limit_of(asked: Message, default: int, most: int) -> int:
    """Return how many results a message asks for; raise `ArgumentError` for a number that is not allowed."""
    limit = asked.integer_or_none("max_results")
    if limit is None:
        return default
    if not 1 <= limit <= most:
        raise ArgumentError(f"max_results is a whole number from 1 to {most:,}, not {limit}")
    return limit


def _behind(found: Sequence[T], id_of: Callable[[T], str], token: str) -> int:
    try:
        last = base64.urlsafe_b64decode(token).decode()
    except ValueError:
        last = None
    place = next((number for number, each in enumerate(found) if id_of(each) == last), None)
    if place is None:
        raise ArgumentError(f"page_token {token!r} is not one that this search returned")
    return place + 1
