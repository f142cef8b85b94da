"""Periods: the pieces that time is cut into for statistics, as a calendar on the wall cuts it.

A period begins where a clock in the time zone shows a round time: at midnight, on a Monday, on the first of a month.
When clocks are put back, the hour that comes twice is two periods; a day that is longer or shorter is one.
"""

from __future__ import annotations

import datetime
import functools
import math
import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from tracehound.errors import ArgumentError
from tracehound.query.times import parse_interval_ms

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
# Time zones differ from UTC by whole hours, or else by quarters: whatever begins in one of them begins with one.
_QUARTER_MS: Final = 900_000
_EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_HOUR: Final = datetime.timedelta(hours=1)
_MILLISECOND: Final = datetime.timedelta(milliseconds=1)
_MONTHS: Final = {"mo": 1, "month": 1, "q": 3, "quarter": 3, "y": 12, "year": 12}
_OF_MONTHS: Final = re.compile(r"\s*(\d{0,4})\s*([a-z]+?)s?\s*", re.IGNORECASE)
_SHAPE: Final = "a length that divides a day (1m, 15m, 1h, 6h), or days, weeks, months or years (1d, 1w, 1mo, 1y)"


@dataclass(frozen=True)
class Period:
    """A length of time and the time zone whose clock it follows: `length_ms`, or `months` where it is of these."""

    length_ms: int
    months: int
    zone: ZoneInfo

    @property
    def unit_ms(self) -> int:
        """The length of the pieces that all periods are made of, counted from the epoch."""
        return math.gcd(self.length_ms, _HOUR_MS if _is_off_by_hours(self.zone) else _QUARTER_MS)

    @property
    def equal_ms(self) -> int | None:
        """The length of the periods where they are equal pieces of time, counted from the epoch; None where not."""
        are_equal = self.unit_ms == self.length_ms or (self.zone.key == "UTC" and self.length_ms <= _DAY_MS)
        return self.length_ms if are_equal and not self.months else None

    def start_of(self, time_ms: int) -> int:
        """Return when the period of a time began, both in ms since the epoch."""
        return _start_of(self, time_ms // self.unit_ms * self.unit_ms)

    def to_datetime(self, start_ms: int) -> datetime.datetime:
        """Return a time as a clock in the zone shows it."""
        return _to_datetime(self.zone, start_ms)


def print_length(period: Period) -> str:
    """Return the length of a period as `parse_period` reads it; the zone is given beside it.

    >>> print_length(parse_period("1 week")), print_length(parse_period("quarter"))
    ('604800s', '3mo')
    """
    return f"{period.months}mo" if period.months else f"{period.length_ms // 1_000}s"


def parse_period(text: str, zone: str = "UTC") -> Period:
    """Return the period that a text names; raise `ArgumentError` for none.

    >>> daily = parse_period("1 day", "Asia/Kolkata")
    >>> daily.to_datetime(daily.start_of(1_735_689_600_000)).isoformat()
    '2025-01-01T00:00:00+05:30'
    """
    named = _zone(zone)
    length_ms = parse_interval_ms(text if any(map(str.isdigit, text)) else f"1{text}")
    if length_ms and (_DAY_MS % length_ms == 0 or length_ms % _DAY_MS == 0):
        return Period(length_ms, 0, named)
    found = _OF_MONTHS.fullmatch(text)
    months = _MONTHS.get(found[2].lower(), 0) * int(found[1] or 1) if found is not None else 0
    if not months:
        raise ArgumentError(f"an interval is {_SHAPE}, not {text!r}")
    return Period(0, months, named)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ArgumentError(f"there is no time zone {name!r}: write one such as UTC or Europe/Berlin") from None


@functools.lru_cache(maxsize=65_536)
def _to_datetime(zone: ZoneInfo, time_ms: int) -> datetime.datetime:
    return (_EPOCH + time_ms * _MILLISECOND).astimezone(zone)


@functools.cache
def _is_off_by_hours(zone: ZoneInfo) -> bool:
    """Whether a zone differs from UTC by whole hours: has done so, and will, as far as its rules say."""
    months = (_EPOCH.replace(year=year, month=month) for year in range(1970, 2100) for month in range(1, 13))
    offsets = {month.astimezone(zone).utcoffset() for month in months}
    return all(offset is not None and offset % _HOUR == datetime.timedelta(0) for offset in offsets)


@functools.lru_cache(maxsize=65_536)
def _start_of(period: Period, time_ms: int) -> int:
    moment = period.to_datetime(time_ms)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if period.months:
        months = (moment.year * 12 + moment.month - 1) // period.months * period.months
        start = midnight.replace(year=months // 12, month=months % 12 + 1, day=1)
    elif period.length_ms >= _DAY_MS:
        # Counted from a Monday, so that weeks begin with one.
        passed = (moment.toordinal() - 1) % (period.length_ms // _DAY_MS)
        start = midnight - datetime.timedelta(days=passed)
    else:
        shown_ms = (moment.replace(tzinfo=None) - midnight.replace(tzinfo=None)) // _MILLISECOND
        start = midnight + shown_ms // period.length_ms * period.length_ms * _MILLISECOND
        if period.length_ms <= _HOUR_MS:
            start = start.replace(fold=moment.fold)
    return (start - _EPOCH) // _MILLISECOND
