"""How many rows are asked for, and how many of them are looked at together."""

from __future__ import annotations

from tracehound.store.clickhouse.pace import Pace


def test_where_all_are_kept_no_more_are_asked_for_than_are_missing() -> None:
    pace = Pace(wanted=101)
    assert (pace.rows, pace.together) == (101, 101)
    pace.note(100, 100)
    assert (pace.rows, pace.together) == (1, 1)


def test_where_few_are_kept_rows_are_asked_for_at_once_and_looked_at_a_few_at_a_time() -> None:
    pace = Pace(wanted=101)
    pace.note(101, 8)
    assert pace.rows == int(1.25 * 93 * 102 / 9)
    assert pace.together == 4 * 101
    pace.note(404, 32)
    assert pace.together == pace.rows == int(1.25 * 61 * 506 / 41)


def test_where_none_is_kept_more_are_looked_at_each_time() -> None:
    pace = Pace(wanted=2)
    while pace.together < 2_000:
        before = pace.together
        pace.note(before, 0)
        assert min(2 * before, 2_000) <= pace.together <= 4 * before
    pace.note(2_000, 0)
    assert (pace.rows, pace.together) == (2_000, 2_000)
    pace = Pace(wanted=50)
    pace.note(50, 49)
    pace.note(pace.together, 0)
    assert pace.together >= 2


def test_where_all_are_wanted_as_many_are_asked_for_each_time() -> None:
    pace = Pace(wanted=None)
    pace.note(2_000, 1)
    assert (pace.rows, pace.together) == (2_000, 2_000)


def test_where_it_is_known_how_many_are_looked_at_for_one_that_is_kept_the_first_are_as_many() -> None:
    pace = Pace(wanted=100, for_one=3)
    assert (pace.rows, pace.together) == (375, 300)
    pace.note(300, 80)
    assert pace.rows == pace.together == int(1.25 * 20 * 301 / 81)
    pace = Pace(wanted=100, for_one=50)  # by others: no more of them are looked at before one is known
    assert (pace.rows, pace.together) == (2_000, 400)
    assert (Pace(wanted=3_000, for_one=2).rows, Pace(wanted=3_000, for_one=2).together) == (3_000, 3_000)
    assert (Pace(wanted=None).rows, Pace(wanted=None).together) == (2_000, 2_000)
