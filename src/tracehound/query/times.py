"""Times and lengths of time as a filter writes them, in whole milliseconds."""

from __future__ import annotations

import datetime
import re
from typing import Final

_INTERVAL: Final = re.compile(r"\s*(\d{1,9})\s*([a-z]+)\s*", re.IGNORECASE)
_UNITS_MS: Final = {
    unit: length_ms
    for units, length_ms in (
        (("s", "sec", "second"), 1_000),
        (("m", "min", "minute"), 60_000),
        (("h", "hour"), 3_600_000),
        (("d", "day"), 86_400_000),
        (("w", "week"), 604_800_000),
    )
    for unit in units
}
# Python 3.10 reads fractions of 3 or 6 digits only, and no Z.
_FRACTION: Final = re.compile(r"(:\d\d)[.,](\d+)")


def parse_time_ms(text: str) -> int | None:
    """Return the milliseconds since the epoch of a date or time, floored; None where it is none.

    Without an offset it is UTC.

    >>> parse_time_ms("2024-01-01"), parse_time_ms("2024-01-01T01:00:00.1239+01:00")
    (1704067200000, 1704067200123)
    """
    whole = _FRACTION.sub(lambda found: f"{found[1]}.{found[2][:6]:0<6}", text.strip())
    try:
        moment = datetime.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", whole))
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    since = moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return since // datetime.timedelta(milliseconds=1)


def parse_interval_ms(text: str) -> int | None:
    """Return a length of time in milliseconds; None where it is none. Units are s, m, h, d and w, and their names.

    >>> parse_interval_ms("15 minutes"), parse_interval_ms("7d"), parse_interval_ms("soon")
    (900000, 604800000, None)
    """
    found = _INTERVAL.fullmatch(text)
    if found is None:
        return None
    unit = found[2].lower()
    length_ms = _UNITS_MS.get(unit) or _UNITS_MS.get(unit.removesuffix("s"))
    return None if length_ms is None else int(found[1]) * length_ms
