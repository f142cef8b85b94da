"""Statistics as a DataFrame that can show itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from tracehound.errors import ArgumentError


class StatsFrame(pd.DataFrame):
    """Groups of traces and numbers about them: a row for each group, and with periods for each of these."""

    _metadata: ClassVar[list[str]] = ["_groups"]  # what pandas hands on to frames that are made of this one
    _groups: tuple[str, ...] = ()

    @property
    def _constructor(self) -> Callable[..., Any]:
        return StatsFrame

    def plot(self, metric: str | None = None, **options: Any) -> Any:  # type: ignore[override] # the way most are looked at
        """Draw a metric: a line over time for each group, without periods a bar for each; return matplotlib's axes.

        The metric is the first one that is not a count, unless it is named; options go to `DataFrame.plot`. Needs
        matplotlib; other pictures are drawn from `pandas.DataFrame(frame)`.
        """
        plain = pd.DataFrame(self)
        metrics = [name for name in plain.columns if name not in self._groups]
        chosen = metric or next((name for name in metrics if name not in ("count", "errors")), metrics[0])
        if chosen not in metrics:
            raise ArgumentError(f"there is no metric {chosen!r} here: there are {', '.join(metrics)}")
        labels = [name for name in self._groups if name != "time"]
        # Frames, for pandas draws a series into the picture before.
        if "time" not in self._groups:
            bars = plain.set_index(labels) if labels else plain
            return bars[[chosen]][::-1].plot(**{"kind": "barh", "xlabel": chosen, "legend": False, **options})
        lines = plain.set_index(["time", *labels])[[chosen]]
        if labels:
            lines = lines[chosen].unstack(labels)
        return lines.plot(**{"ylabel": chosen, "marker": ".", "legend": bool(labels), **options})


def to_stats_frame(
    columns: Sequence[str], rows: Sequence[tuple[Any, ...]], groups: Sequence[str], time_zone: str | None
) -> StatsFrame:
    """Return rows as a frame; the first column holds times as a clock in the zone shows them, if there is a zone."""
    values = list(zip(*rows, strict=True)) or [()] * len(columns)
    data: dict[str, Any] = {}
    for at, name in enumerate(columns):
        if at == 0 and time_zone is not None:
            data[name] = pd.to_datetime(list(values[at]), utc=True).tz_convert(time_zone)
        elif name in groups:
            data[name] = pd.Series(list(values[at]), dtype=object)
        else:
            is_whole = set(map(type, values[at])) == {int}
            data[name] = np.array(values[at], dtype="int64" if is_whole else "float64")
    frame = StatsFrame(pd.DataFrame(data, columns=list(columns)))
    frame._groups = tuple(groups)
    return frame
