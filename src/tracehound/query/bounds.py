"""How large a filter may be: as somebody writes it, and as another process has printed it.

What is printed is longer than what was written: `query.expand` writes a test as two, one level deeper, and conditions
are joined to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# How many ANDs, ORs and NOTs can stand inside of each other: SQLite reads an expression with a stack of 100 places, of
# which each of them takes up to six (`tests/store_contract/test_sizes.py`).
MAX_DEPTH: Final = 12
MAX_COMPARISONS: Final = 10_000
# How many spans it may ask of, each on its own: SQLite plans each with all others, and more than 1,000 take it seconds.
MAX_SCOPES: Final = 1_000


@dataclass(frozen=True)
class Bounds:
    """How much a filter may hold; with `refuses_cut` a value that a cut text cannot have is a mistake."""

    comparisons: int
    depth: int
    refuses_cut: bool


WRITTEN: Final = Bounds(MAX_COMPARISONS, MAX_DEPTH, refuses_cut=True)
PRINTED: Final = Bounds(2 * MAX_COMPARISONS + 1_000, MAX_DEPTH + 2, refuses_cut=False)
