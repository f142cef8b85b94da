"""Methods of DataFrame that name columns, told the older names of these."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd

# Methods of DataFrame with the arguments that name columns. The first choose rows, and return the columns as they were.
_CHOOSING: Final = {
    "sort_values": ("by",), "drop_duplicates": ("subset",), "dropna": ("subset",), "duplicated": ("subset",),
    "nlargest": ("columns",), "nsmallest": ("columns",),
}  # fmt: skip
_SHAPING: Final = {
    "set_index": ("keys",), "merge": ("on", "left_on"), "join": ("on",), "value_counts": ("subset",),
    "pivot_table": ("values", "index", "columns"), "pivot": ("columns", "index", "values"),
    "melt": ("id_vars", "value_vars"), "explode": ("column",), "filter": ("items",),
    "to_string": ("columns",), "to_html": ("columns",),
}  # fmt: skip
# Methods with an argument that may say something else of each column.
_OF_EACH: Final = {"astype": "dtype", "fillna": "value", "round": "decimals", "isin": "values"}


def add_methods(kind: type[pd.DataFrame]) -> None:
    """Give a kind of frame the methods, which ask it what labels mean (`client.frame`)."""
    for table, keeps in ((_CHOOSING, True), (_SHAPING, False)):
        for method, parameters in table.items():
            setattr(kind, method, _knowing(method, parameters, keeps_columns=keeps))
    for method, parameter in _OF_EACH.items():
        setattr(kind, method, _knowing_keys(method, parameter))


def labels_in(given: Any) -> list[Any]:
    """Return what may be one label or several."""
    if isinstance(given, (list, tuple, pd.Index, np.ndarray)):
        return list(given)
    return [given] if isinstance(given, str) else []


def _knowing(method: str, parameters: tuple[str, ...], *, keeps_columns: bool) -> Callable[..., Any]:
    """Return a method of DataFrame that is told the older names of columns."""
    original = getattr(pd.DataFrame, method)
    signature = inspect.signature(original)

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        given = signature.bind(self, *arguments, **named).arguments
        added = self._named(label for each in parameters for label in labels_in(given.get(each)))
        if not added or given.get("inplace"):
            return original(self, *arguments, **named)
        result = original(self._extended(added), *arguments, **named)
        return result.drop(columns=list(added)) if keeps_columns and isinstance(result, pd.DataFrame) else result

    call.__name__ = method
    call.__doc__ = f"Do what `DataFrame.{method}` does; the columns may be named by the older names."
    return call


def _knowing_keys(method: str, parameter: str) -> Callable[..., Any]:
    """Return a method of DataFrame that is told the older names of columns as the keys of a mapping."""
    original = getattr(pd.DataFrame, method)
    signature = inspect.signature(original)

    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        given = signature.bind(self, *arguments, **named)
        of_each = given.arguments.get(parameter)
        if not isinstance(of_each, Mapping):
            return original(self, *arguments, **named)
        ours = {self._ours(label): each for label, each in of_each.items()}
        if given.arguments.get("inplace"):
            self._hold(ours)
        given.arguments.update({"self": self._answering(ours), parameter: ours})
        result = original(*given.args, **given.kwargs)
        return result if result is None else self._constructor(result)  # a frame of ours again

    call.__name__ = method
    call.__doc__ = f"Do what `DataFrame.{method}` does; the columns may be named by the older names."
    return call
