"""Periods follow the clock of a time zone, also where it is changed."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracehound.errors import ArgumentError
from tracehound.query.periods import parse_period

ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Sao_Paulo"]
LENGTHS = ["1s", "20m", "15 minutes", "1h", "hour", "6h", "12h", "1d", "3d", "week", "1mo", "quarter", "1y"]
DAY_MS = 86_400_000


def starts(text: str, zone: str, first: str, hours: int) -> list[str]:
    """Return the periods of so many hours, which are looked at each quarter of an hour."""
    period = parse_period(text, zone)
    begin_ms = int(datetime.datetime.fromisoformat(first).timestamp() * 1000)
    found = {period.start_of(begin_ms + quarter * 900_000) for quarter in range(hours * 4)}
    return [period.to_datetime(each).isoformat(timespec="minutes") for each in sorted(found)]


def test_a_day_of_25_hours_is_one_day_and_its_double_hour_two_hours() -> None:
    assert starts("1d", "Europe/Berlin", "2025-10-26T00:00+02:00", 26) == [
        "2025-10-26T00:00+02:00",
        "2025-10-27T00:00+01:00",
    ]
    assert starts("1h", "Europe/Berlin", "2025-10-26T01:00+02:00", 4) == [
        "2025-10-26T01:00+02:00",
        "2025-10-26T02:00+02:00",
        "2025-10-26T02:00+01:00",
        "2025-10-26T03:00+01:00",
    ]
    assert starts("6h", "Europe/Berlin", "2025-10-26T00:00+02:00", 8) == [
        "2025-10-26T00:00+02:00",
        "2025-10-26T06:00+01:00",
    ]


def test_weeks_begin_with_mondays_and_months_with_the_first() -> None:
    assert starts("1w", "Asia/Kolkata", "2025-01-01T00:00+05:30", 24) == ["2024-12-30T00:00+05:30"]
    assert starts("1mo", "Asia/Kolkata", "2025-03-31T23:00+05:30", 2) == [
        "2025-03-01T00:00+05:30",
        "2025-04-01T00:00+05:30",
    ]
    assert starts("quarter", "UTC", "2025-05-20T00:00+00:00", 1) == ["2025-04-01T00:00+00:00"]


@given(st.sampled_from(LENGTHS), st.sampled_from(ZONES), st.integers(0, 4_000_000_000_000))
def test_a_period_holds_the_time_that_it_is_of(text: str, zone: str, time_ms: int) -> None:
    period = parse_period(text, zone)
    start_ms = period.start_of(time_ms)
    assert start_ms <= time_ms
    assert period.start_of(start_ms) == start_ms
    assert period.start_of(time_ms // period.unit_ms * period.unit_ms) == start_ms
    assert {period.start_of(each) for each in range(start_ms, time_ms, max(1, (time_ms - start_ms) // 7))} <= {start_ms}


@given(st.sampled_from(LENGTHS), st.integers(-4_000_000_000_000, 4_000_000_000_000))
def test_equal_periods_are_counted_from_the_epoch(text: str, time_ms: int) -> None:
    period = parse_period(text)
    assert (period.equal_ms is None) == (text in {"3d", "week", "1mo", "quarter", "1y"})
    if period.equal_ms is not None:
        assert period.start_of(time_ms) == time_ms // period.equal_ms * period.equal_ms


@pytest.mark.parametrize("text", ["7h", "0m", "", "a while", "-1h", "1.5h", "0mo", "25h", "99999999999999999999d"])
def test_other_lengths_are_refused(text: str) -> None:
    with pytest.raises(ArgumentError, match="an interval is a length that divides a day"):
        parse_period(text)


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "Europe", "UTC\0"])
def test_a_time_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ArgumentError, match="there is no time zone"):
        parse_period("1h", zone)
