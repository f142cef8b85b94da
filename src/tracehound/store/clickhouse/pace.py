"""How many rows a search asks for, and how many of what it finds are looked at together.

A row costs little; the trace that it leads to, which the evaluator looks at, costs ten times as much. So a statement
asks for all rows that should be needed, and of these some are looked at, then more, until the page is full.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_MOST_ROWS: Final = 2_000  # of one statement
_SPARE: Final = 1.25  # times as many as should be enough, where not all of them are kept
_GROWS: Final = 4  # times as many are looked at as before, at most: the few before may have been the odd ones


@dataclass
class Pace:
    """What follows from how many were looked at and kept until now, of which so many are wanted, or all.

    Before there is one `for_one` says how many were looked at for one that was kept, by searches like it.
    """

    wanted: int | None
    for_one: float = 1
    looked: int = 0
    kept: int = 0
    together: int = 0

    def __post_init__(self) -> None:
        wanted = self.wanted or _MOST_ROWS
        self.together = min(int(wanted * min(self.for_one, _GROWS)), max(wanted, _MOST_ROWS))

    @property
    def rows(self) -> int:
        """How many rows the next statement is asked for."""
        if self.wanted is not None and self.looked == 0 and self.for_one > 1:
            return max(self.together, min(int(_SPARE * self.wanted * self.for_one), _MOST_ROWS))
        is_known = self.wanted is not None and 0 < self.kept < self.looked
        return max(self.together, min(self._expected(), _MOST_ROWS)) if is_known else self.together

    def note(self, looked: int, kept: int) -> None:
        """Take note of what was looked at together, and how much of it was kept.

        If nothing was, more are looked at each time, whatever was kept before.
        """
        self.looked += looked
        self.kept += kept
        if self.wanted is None:
            return
        missing = self.wanted - self.kept
        if self.looked == self.kept or missing <= 0:
            self.together = max(1, missing)
            return
        least = missing if kept else 2 * self.together
        self.together = min(max(least, min(self._expected(), _GROWS * self.together)), _MOST_ROWS)

    def _expected(self) -> int:
        """Return how many should be enough, by the share that was kept until now."""
        missing = (self.wanted or 0) - self.kept
        return int(_SPARE * missing * (self.looked + 1) / (self.kept + 1))
