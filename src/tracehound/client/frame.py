"""Search results as a DataFrame: the twelve columns of MLflow's newest document, which answer to the older names too.

`frame["status"]`, `frame.groupby("tags.env")`, `frame.sort_values("execution_time_ms")`, `row.get("request_preview")`:
programs written for any version of MLflow, and the code of its documents, run on it. What the names mean, and when
they are forgotten, stands in `client.columns`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from pandas.core.groupby import DataFrameGroupBy

from tracehound.client.columns import (
    OLDER_NAMES,
    PREVIEWS,
    TraceColumns,
    has_key,
    holds,
    to_columns,
    value_in,
)
from tracehound.client.located import Located
from tracehound.client.named_methods import add_methods, labels_in
from tracehound.client.text import to_texts
from tracehound.model.notebook import show_traces
from tracehound.model.viewer import viewer_page

# What a frame has for `columns`, without what is added here.
_columns: Final[Any] = pd.DataFrame.columns
_Frame: Any = pd.DataFrame  # methods of its own that are not in the stubs of pandas
_BACKTICKS: Final = re.compile("`([^`]+)`")


class TraceRow(pd.Series):
    """A row of a `TraceFrame`."""

    @property
    def _constructor(self) -> Callable[..., Any]:
        return _to_series

    @property
    def _constructor_expanddim(self) -> Callable[..., Any]:
        return _to_frame

    def __contains__(self, name: object) -> bool:  # type: ignore[misc] # pandas-stubs only call it final
        return _find(self, name) is not None

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str) and (found := _find(self, key)) is not None:
            column, inner = found
            value = super().__getitem__(column)
            return value if inner is None else value_in(value, inner)
        return super().__getitem__(key)


def _find(row: TraceRow, name: object) -> tuple[Any, str | None] | None:
    """Return what a name means in a row: a label, and the key in what stands there."""
    index: Any = row.index
    if not isinstance(index, TraceColumns):
        return (name, None) if name in index else None
    if pd.Index.__contains__(index, name):
        return name, None
    if (column := index.meaning(name)) is not None:
        return column, None
    keyed = index.key_of(name)
    if keyed is None:
        return None
    return keyed if holds(pd.Series.__getitem__(row, keyed[0]), keyed[1]) else None


class TraceFrame(pd.DataFrame):
    """Traces as a DataFrame; `wide()` makes an ordinary one of it, with the older names and the tags as columns."""

    @property
    def _constructor(self) -> Callable[..., Any]:
        return _to_frame

    @property
    def _constructor_sliced(self) -> Callable[..., Any]:
        return _to_series

    @property
    def columns(self) -> Any:
        """The labels; `in` knows the older names, and those of the tags that any of the traces has."""
        index = _columns.__get__(self)
        if not isinstance(index, TraceColumns):
            return index
        return index.bound(self._cells)

    @columns.setter
    def columns(self, labels: Any) -> None:
        _columns.__set__(self, labels)

    def _cells(self, column: str) -> Any:
        return pd.DataFrame.__getitem__(self, column).to_numpy()

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            found = self._find(key)
            return super().__getitem__(key) if found is None else found
        if isinstance(key, list) and (named := self._named(key)):
            return self._extended(named)[key]
        return super().__getitem__(key)

    def _find(self, name: str) -> Any:
        """Return the column that a name means which is not the name of a column."""
        index: Any = _columns.__get__(self)
        if not isinstance(index, TraceColumns):
            return None
        if (column := index.meaning(name)) is not None:
            return super().__getitem__(column).rename(name)
        keyed = index.key_of(name)
        if keyed is None or not has_key(cells := self._cells(keyed[0]), keyed[1]):
            return None
        return pd.Series([value_in(cell, keyed[1]) for cell in cells], index=self.index, name=name, dtype=object)

    def _named(self, labels: Iterable[Any]) -> dict[str, Any]:
        """Return the columns that those of the labels mean which are not names of columns."""
        found = {label: self._find(label) for label in labels if isinstance(label, str)}
        return {label: column for label, column in found.items() if column is not None}

    def _ours(self, label: Any) -> Any:
        """Return a label with an older name replaced by the present one."""
        index: Any = _columns.__get__(self)
        meant = index.meaning(label) if isinstance(index, TraceColumns) and isinstance(label, str) else None
        return meant or label

    def _answering(self, labels: Iterable[Any]) -> Any:
        """Return the frame with those columns besides that the labels mean; itself where they mean none."""
        added = self._named(labels)
        return self._extended(added) if added else self

    def _extended(self, added: Mapping[str, Any]) -> Any:
        """Return the frame with more columns; the values of the others are shared."""
        extended = self.copy(deep=False)
        for name, column in added.items():
            extended.insert(len(extended.columns), name, column)
        return extended

    def _hold(self, labels: Iterable[Any]) -> None:
        """Make columns of what the labels mean, for something is to be written there."""
        for label, column in self._named(labels).items():
            self[label] = column

    @property
    def loc(self) -> Any:
        """Rows and columns by their labels, as `DataFrame.loc`; the columns may be named by the older names."""
        return Located("loc", self)

    def _get_value(self, index: Any, col: Any, takeable: bool = False) -> Any:  # noqa: FBT001, FBT002 - as pandas has it
        """Return a cell, for `DataFrame.at`."""
        found = None if takeable else self._find(col)
        return _Frame._get_value(self, index, col, takeable) if found is None else found.loc[index]

    def _set_value(self, index: Any, col: Any, value: Any, takeable: bool = False) -> None:  # noqa: FBT001, FBT002 - as above
        if not takeable:
            self._hold([] if col in OLDER_NAMES else [col])
        _Frame._set_value(self, index, self._ours(col), value, takeable)

    def _drop_labels_or_levels(self, keys: Any, axis: Any = 0) -> Any:
        """Leave out what another frame has as well, after they were merged: what an older name means stays."""
        return _Frame._drop_labels_or_levels(self, [key for key in keys if self._ours(key) == key], axis)

    def wide(self) -> pd.DataFrame:
        """Return an ordinary DataFrame with all that this one answers to as columns.

        That is the columns themselves, then their older names, then `tags.NAME` and `metadata.NAME` for every key that
        a trace has.
        """
        index: Any = _columns.__get__(self)
        cells = {prefix: self._cells(name) for prefix, name in _WIDE.items() if name in getattr(index, "ours", ())}
        keys = {
            f"{prefix}.{key}": None
            for prefix, values in cells.items()
            for cell in values
            if isinstance(cell, dict)
            for key in cell
        }
        return _plain(self._extended(self._named([*OLDER_NAMES, *PREVIEWS, *keys])))

    def insert(self, loc: int, column: Any, value: Any, *arguments: Any, **named: Any) -> None:
        """Insert a column, as `DataFrame.insert` does; it may have an older name, which it then takes over."""
        if column not in list(_columns.__get__(self)):
            arguments, named = (), {"allow_duplicates": True}
        super().insert(loc, column, value, *arguments, **named)

    def _repr_html_(self) -> str:
        """Return what notebooks show."""
        return self.shown_with(viewer_page())

    def shown_with(self, page: bytes | None) -> str:
        """Return a result as HTML, in this page of the viewer if there is one; what is none any more as pandas does."""
        if not {"trace", "trace_id"} <= getattr(_columns.__get__(self), "ours", set()):
            return str(_plain(self)._repr_html_())  # type: ignore[operator] # it is there, whatever the stubs say
        return show_traces(list(self._cells("trace")), page)

    def groupby(self, by: Any = None, *arguments: Any, **named: Any) -> Any:
        """Group by columns, which may be named by the older names, as `DataFrame.groupby` does."""
        source = self._answering(labels_in(by))
        groups = pd.DataFrame.groupby(source, by, *arguments, **named)
        groups.__class__ = TraceGroups  # it has no state of its own
        return groups

    def rename(self, mapper: Any = None, *, axis: Any = None, **named: Any) -> Any:
        """Rename columns, which may be named by the older names, as `DataFrame.rename` does."""
        if mapper is not None and axis in _COLUMNS_AXIS:
            mapper, axis, named["columns"] = None, None, mapper
        if isinstance(columns := named.get("columns"), Mapping):
            named["columns"] = {self._ours(old): new for old, new in columns.items()}
        return super().rename(mapper, axis=axis, **named)

    def drop(self, labels: Any = None, *, axis: Any = 0, **named: Any) -> Any:
        """Remove rows or columns, which may be named by the older names, as `DataFrame.drop` does."""
        if labels is not None and axis in _COLUMNS_AXIS:
            labels, axis, named["columns"] = None, 0, labels
        if (columns := named.get("columns")) is not None:
            named["columns"] = [self._ours(label) for label in labels_in(columns)]
        return super().drop(**named) if labels is None else super().drop(labels, axis=axis, **named)

    def reindex(self, labels: Any = None, *, axis: Any = None, **named: Any) -> Any:
        """Choose rows or columns by their labels, as `DataFrame.reindex` does; columns also by the older names."""
        if labels is not None and axis in _COLUMNS_AXIS:
            labels, axis, named["columns"] = None, None, labels
        source = self._answering(labels_in(named.get("columns")))
        return super(TraceFrame, source).reindex(labels, axis=axis, **named)

    def eval(self, expr: str, *, inplace: bool = False, **named: Any) -> Any:
        """Evaluate an expression over the columns, as `DataFrame.eval` does; `query` follows it.

        Tags are written in backticks: ``frame.query("`tags.env` == 'prod'")``.
        """
        named["level"] = named.get("level", 0) + 1  # where local variables are looked for
        if inplace:
            return super().eval(expr, inplace=True, **named)
        added = self._named([*OLDER_NAMES, *PREVIEWS, *_BACKTICKS.findall(expr)])
        result = pd.DataFrame.eval(self._extended(added), expr, **named)
        return result.drop(columns=list(added)) if isinstance(result, pd.DataFrame) else result

    def agg(self, func: Any = None, *arguments: Any, **named: Any) -> Any:
        """Aggregate, as `DataFrame.agg` does."""
        source = self._extended(self._named(_aggregated(func, named)))
        return pd.DataFrame.aggregate(source, func, *arguments, **named)

    aggregate = agg

    def to_json(self, *arguments: Any, **named: Any) -> Any:
        """Write JSON, as `DataFrame.to_json` does, with each `trace` as text."""
        return _plain(to_texts(self, only_traces=True)).to_json(*arguments, **named)

    def to_csv(self, *arguments: Any, **named: Any) -> Any:
        """Write CSV, as `DataFrame.to_csv` does; whatever is no text or number is written as JSON."""
        return _plain(to_texts(self._answering(labels_in(named.get("columns"))))).to_csv(*arguments, **named)

    def to_parquet(self, *arguments: Any, **named: Any) -> Any:
        """Write Parquet, as `DataFrame.to_parquet` does; whatever is no text or number is written as JSON."""
        return _plain(to_texts(self)).to_parquet(*arguments, **named)

    def to_sql(self, *arguments: Any, **named: Any) -> Any:  # type: ignore[misc] # as with `TraceRow.__contains__`
        """Write a table, as `DataFrame.to_sql` does; whatever is no text or number is written as JSON."""
        return _plain(to_texts(self)).to_sql(*arguments, **named)


_COLUMNS_AXIS: Final = (1, "columns")
_WIDE: Final = {"tags": "tags", "metadata": "trace_metadata"}


class TraceGroups(DataFrameGroupBy):  # type: ignore[type-arg] # of any labels
    """Groups of a `TraceFrame`, whose columns can be named by the older names."""

    def __getitem__(self, key: Any) -> Any:
        return super(TraceGroups, self._with(labels_in(key))).__getitem__(key)

    def aggregate(self, func: Any = None, *arguments: Any, **named: Any) -> Any:
        """Aggregate, as the groups of a DataFrame do."""
        source = self._with(_aggregated(func, named))
        return super(TraceGroups, source).aggregate(func, *arguments, **named)

    agg = aggregate

    def _with(self, labels: Iterable[Any]) -> Any:
        """Return the same groups with the columns that the labels mean."""
        source: Any = self.obj
        added = source._named(labels) if isinstance(source, TraceFrame) else {}
        if not added:
            return self
        groups: Any = copy.copy(self)
        groups.__dict__.pop("_cache", None)  # what was worked out of the columns so far
        groups.obj = source._extended(added)
        return groups


def to_frame(columns: Mapping[str, Any]) -> TraceFrame:
    """Return a frame of columns, times as numbers also where there is no row."""
    frame = pd.DataFrame({name: _to_column(name, values) for name, values in columns.items()}, copy=False)
    frame.columns = to_columns(list(columns))
    return TraceFrame(frame)


def _to_column(name: str, values: list[Any]) -> Any:
    if name == "request_time":
        return np.array(values, dtype="int64")
    if name == "execution_duration":
        return np.array(values, dtype="float64" if None in values else "int64")
    cells = np.empty(len(values), dtype=object)
    cells[:] = values
    return pd.Series(cells, dtype=object)


def _to_frame(*arguments: Any, **named: Any) -> pd.DataFrame:
    """Return what pandas makes a frame of: one of ours as long as its columns are."""
    frame = pd.DataFrame(*arguments, **named)
    return TraceFrame(frame) if isinstance(frame.columns, TraceColumns) else frame


def _to_series(*arguments: Any, **named: Any) -> Any:
    """Return what pandas makes a series of: a row where its labels are columns."""
    series = pd.Series(*arguments, **named)
    return TraceRow(series) if isinstance(series.index, TraceColumns) else series


def _plain(frame: pd.DataFrame) -> pd.DataFrame:
    """Return an ordinary DataFrame of the same values."""
    plain = pd.DataFrame(frame, copy=False)
    plain.columns = pd.Index(list(plain.columns), dtype=object)
    return plain


def _aggregated(func: Any, named: Mapping[str, Any]) -> list[Any]:
    """Return the labels that the arguments of `agg` name: keys of a mapping, and the first of `name=(label, how)`."""
    pairs = [each[0] for each in named.values() if isinstance(each, tuple) and each]
    return [*func, *pairs] if isinstance(func, Mapping) else pairs


add_methods(TraceFrame)
