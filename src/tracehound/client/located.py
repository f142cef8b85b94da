"""`frame.loc[rows, columns]`, where the columns are named by the older names.

What an older name reads is worked out where it is a tag or metadata. Where such a name is written to, it becomes a
column first, with what the traces have: as pandas has it, a new column would lose all that is not written.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
from pandas.core import indexing

from tracehound.client.columns import OLDER_NAMES, TraceColumns, to_columns

_Locations: Any = indexing._LocIndexer  # what `DataFrame.loc` returns: it has no public name
_located: Any = pd.DataFrame.loc


class Located(_Locations):  # type: ignore[misc] # as above
    """What `TraceFrame.loc` returns."""

    def __getitem__(self, key: Any) -> Any:
        """Return rows and columns, as `DataFrame.loc` does."""
        source = self.obj._answering(_columns_of(key))
        return super().__getitem__(key) if source is self.obj else _located.fget(source)[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        """Write to rows and columns, as `DataFrame.loc` does."""
        before = self.obj.columns
        if labels := _columns_of(key):
            self.obj._hold([each for each in labels if each not in OLDER_NAMES])
            meant = [self.obj._ours(each) for each in labels]
            key = (key[0], meant if isinstance(key[1], list) else meant[0])
        super().__setitem__(key, value)
        if isinstance(before, TraceColumns):  # behind a list of columns they are others
            self.obj.columns = to_columns(self.obj.columns, before.ours, before.name)


def _columns_of(key: Any) -> list[Any]:
    """Return the columns that are named behind the rows: one, or a list of them."""
    if not isinstance(key, tuple) or len(key) != 2:
        return []
    columns = key[1]
    return columns if isinstance(columns, list) else [columns] if isinstance(columns, str) else []
