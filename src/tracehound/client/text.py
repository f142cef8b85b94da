"""The cells of a result as text, for files and tables that hold texts and numbers only."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from tracehound.model.trace import Trace


def to_texts(frame: pd.DataFrame, *, only_traces: bool = False) -> pd.DataFrame:
    """Return the frame with its columns of other things than texts and numbers as JSON, each column all or nothing.

    So every cell of a column can be read in the same way, and None stays what is absent.
    """
    changed = frame.copy(deep=False)
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        if column.dtype == object and _is_other(column, only_traces=only_traces):
            cells = [None if cell is None else _to_text(cell) for cell in column]
            changed.isetitem(at, np.array(cells, dtype=object))
    return changed


def _is_other(column: Any, *, only_traces: bool) -> bool:
    if only_traces:
        return any(isinstance(cell, Trace) for cell in column)
    return any(isinstance(cell, (Trace, dict, list, bool)) for cell in column) or _is_mixed(column)


def _is_mixed(column: Any) -> bool:
    """Whether texts and other things stand in a column, such as answers of several kinds."""
    kinds = {isinstance(cell, str) for cell in column if cell is not None}
    return len(kinds) == 2


def _to_text(cell: object) -> str:
    if isinstance(cell, Trace):
        return cell.to_json()
    return json.dumps(cell, ensure_ascii=False, default=str)
