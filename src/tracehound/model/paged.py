"""One page of a longer answer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")


class PagedList(list[T]):
    """A list that knows the token of the page behind it; None where there is none.

    >>> import tracehound
    >>> for turn in range(3):
    ...     tracehound.start_span_no_context(f"turn {turn}").end()
    >>> client = tracehound.MlflowClient()
    >>> page = client.search_traces(max_results=2)
    >>> last = client.search_traces(max_results=2, page_token=page.token)
    >>> len(page), len(last), last.token
    (2, 1, None)
    """

    def __init__(self, items: Iterable[T], token: str | None) -> None:
        super().__init__(items)
        self.token = token

    def to_list(self) -> list[T]:
        """Return the items alone."""
        return list(self)
