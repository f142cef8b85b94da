"""The measures of a comparison as a DataFrame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import pandas as pd

ComparisonFrame: TypeAlias = pd.DataFrame


def to_comparison_frame(rows: Sequence[Mapping[str, Any]]) -> ComparisonFrame:
    """Return the measures with their names as the index; what is not known is NaN."""
    return pd.DataFrame(rows).set_index("measure")
