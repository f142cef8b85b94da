"""What a warehouse is asked through: the seam between our SQL and whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from tracehound.query.limit import SearchLimit

Row: TypeAlias = "Sequence[Any]"


class Session(Protocol):
    """A connection to a warehouse. It may be used by one thread at a time."""

    def select(self, text: str, values: Mapping[str, Any], limit: SearchLimit | None = None) -> list[Row]:
        """Return the rows of a statement with named parameters (`:name`), which are texts, numbers or truth.

        Raise as the limit does when it is over, and `StoreError` for all else that goes wrong.
        """
        ...

    def close(self) -> None:
        """Give the connection up."""
        ...
