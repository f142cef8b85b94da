"""The columns of a result, and the older names by which programs ask for them.

The names live in the Index that a frame's columns are, and so go where the columns go: into a selection, a copy, a
pickle, a row. An operation that makes columns in a way that is not known here (`stack`, `agg`, a pivot) leaves an
ordinary Index behind, and with it a frame without older names: no answer rather than a wrong one. For the same reason
an older name means a column of the search only, never one of the same name that came from elsewhere, and a column
that really has the older name comes first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

import numpy as np
import pandas as pd

from tracehound.client.rows import COLUMNS
from tracehound.model.trace import Trace

# What MLflow 2 and the documents call the columns.
OLDER_NAMES: Final = {
    "request_id": "trace_id",
    "timestamp_ms": "request_time",
    "timestamp": "request_time",
    "status": "state",
    "execution_time_ms": "execution_duration",
    "request_metadata": "trace_metadata",
    "metadata": "trace_metadata",
}

# Older columns that are made of what stands in another one: the beginnings of inputs and outputs as texts.
PREVIEWS: Final = ("request_preview", "response_preview")
_TRACE: Final = "trace"

# `tags.NAME` is one tag of each trace.
_KEYED: Final = {
    "tags": "tags", "metadata": "trace_metadata", "request_metadata": "trace_metadata",
    "trace_metadata": "trace_metadata",
}  # fmt: skip

_Index: Any = pd.Index  # the methods that are extended here are not all in the stubs of pandas


class TraceColumns(_Index):  # type: ignore[misc] # as above
    """Columns, of which `ours` came from a search. `in` and look-ups know the older names of those.

    `cells` returns the values of a column that others are made of, so that `in` can say whether any trace has a key.
    """

    ours: frozenset[str] = frozenset()
    cells: Callable[[str], Any] | None = None

    def meaning(self, name: object) -> str | None:
        """Return the column that an older name means here."""
        column = OLDER_NAMES.get(name) if isinstance(name, str) else None
        return column if column in self.ours and not super().__contains__(name) else None

    def key_of(self, name: object) -> tuple[str, str] | None:
        """Return the column, and what in its cells, that `tags.NAME`, `metadata.NAME` or a preview mean here."""
        if not isinstance(name, str) or super().__contains__(name):
            return None
        prefix, dot, key = name.partition(".")
        column = _KEYED.get(prefix) if dot else None
        if name in PREVIEWS:
            column, key = _TRACE, name
        return (column, key) if column is not None and column in self.ours else None

    def __contains__(self, name: object) -> bool:
        if super().__contains__(name) or self.meaning(name) is not None:
            return True
        keyed = self.key_of(name)
        return keyed is not None and self.cells is not None and has_key(self.cells(keyed[0]), keyed[1])

    def get_loc(self, key: Any) -> Any:
        """Return where a column stands, also by its older name."""
        return super().get_loc(self.meaning(key) or key)

    def bound(self, cells: Callable[[str], Any]) -> TraceColumns:
        """Return the same columns, knowing the tags and the metadata of a frame."""
        index: TraceColumns = TraceColumns._simple_new(self._values, name=self._name)
        index._cache = self._cache
        index.ours, index.cells = self.ours, cells
        return index

    def _kept(self, index: Any, ours: Iterable[str] | None = None) -> Any:
        """Return an index that was made of this one with the older names of what is left."""
        if not isinstance(index, pd.Index) or index.nlevels != 1:
            return index
        labels = index.to_numpy(dtype=object)
        left = self.ours if ours is None else frozenset(ours)
        return to_columns(labels, left.intersection(label for label in labels if isinstance(label, str)), index.name)

    def _view(self) -> Any:
        return self._kept(super()._view())

    def view(self, cls: Any = None) -> Any:
        """Return the same columns."""
        return super().view(cls) if cls is not None else self._kept(super().view())

    def copy(self, *arguments: Any, **named: Any) -> Any:
        """Return a copy."""
        return self._kept(super().copy(*arguments, **named))

    def take(self, *arguments: Any, **named: Any) -> Any:
        """Return some of the columns."""
        return self._kept(super().take(*arguments, **named))

    def __getitem__(self, key: Any) -> Any:
        return self._kept(super().__getitem__(key))

    def _getitem_slice(self, slobj: slice) -> Any:
        return self._kept(super()._getitem_slice(slobj))

    def delete(self, loc: Any) -> Any:
        """Return the columns without some."""
        return self._kept(super().delete(loc))

    def insert(self, loc: int, item: Hashable) -> Any:
        """Return the columns with a new one, which is none of the search's whatever its name."""
        return self._kept(super().insert(loc, item), self.ours - {item})

    def append(self, other: Any) -> Any:
        """Return the columns with those of another frame behind them; what both have is nobody's."""
        others = other if isinstance(other, (list, tuple)) else [other]
        foreign = {label for each in others for label in each}
        return self._kept(super().append(other), self.ours - foreign)

    def _transform_index(self, func: Callable[[Any], Any], *, level: Any = None) -> Any:
        """Return the columns renamed: those that kept their names, and share them with no other, are still ours."""
        before = list(self)
        after = [func(label) for label in before]
        ours = {old for old, new in zip(before, after, strict=True) if old in self.ours and old == new}
        index = super()._transform_index(func, level=level)
        return self._kept(index, {label for label in ours if after.count(label) == 1})

    def __reduce__(self) -> Any:
        return to_columns, (self.to_numpy(dtype=object), self.ours, self.name)


def to_columns(labels: Any, ours: Iterable[str] = COLUMNS, name: Hashable = None) -> TraceColumns:
    """Return columns with these labels."""
    index: TraceColumns = TraceColumns._simple_new(np.array(labels, dtype=object), name=name)
    index.ours = frozenset(ours)
    return index


def has_key(cells: Any, key: str) -> bool:
    """Whether a trace has the tag; nobody can say it of no traces, where any may be asked for."""
    return len(cells) == 0 or any(holds(cell, key) for cell in cells)


def holds(cell: object, key: str) -> bool:
    """Whether there is something of this name in a cell."""
    return key in cell if isinstance(cell, dict) else isinstance(cell, Trace) and key in PREVIEWS


def value_in(cell: Any, key: str) -> Any:
    """Return what is of this name in a cell, None where there is nothing; of no inputs the beginning is empty."""
    if isinstance(cell, dict):
        return cell.get(key)
    return getattr(cell.info, key) or "" if holds(cell, key) else None
