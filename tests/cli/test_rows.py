"""`tracehound stats` and `tracehound sql` for other programs: formats, files, mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.terminal import piped, write
from tests.traces import part, span


@pytest.fixture(autouse=True)
def some_traces() -> None:
    write(
        part(span(1, 1, name="a", duration_ms=5), tags={"env": "prod"}),
        part(span(1, 2, name="a", start_ms=1, duration_ms=7, failed=True)),
        part(span(1, 3, name="b,c", start_ms=3_600_000)),
    )


def test_statistics_are_the_same_in_every_format() -> None:
    asked = ("stats", "--by", "name", "--metrics", "count,error_rate,latency_mean,cost")
    rows = [
        {"name": "a", "count": 2, "error_rate": 0.5, "latency_mean": 6.0, "cost": None},
        {"name": "b,c", "count": 1, "error_rate": 0.0, "latency_mean": 10.0, "cost": None},
    ]
    assert [json.loads(line) for line in piped(*asked).stdout.splitlines()] == rows
    assert json.loads(piped(*asked, "--format", "json").stdout) == rows
    done = piped(*asked, "--output", "stats.csv")
    assert (done.returncode, done.stdout) == (0, b"")
    assert Path("stats.csv").read_text("utf-8") == (
        'name,count,error_rate,latency_mean,cost\na,2,0.5,6.0,\n"b,c",1,0.0,10.0,\n'
    )


def test_periods_are_times_with_an_offset() -> None:
    done = piped("stats", "tags.env IS NULL", "--every", "1h", "--time-zone", "Asia/Kolkata", "--metrics", "count")
    assert [json.loads(line)["time"][-6:] for line in done.stdout.splitlines()] == ["+05:30", "+05:30"]


def test_rows_of_sql_are_the_same_in_every_format() -> None:
    query = "SELECT name, duration_ms AS ms, x'00ff' AS bytes, NULL AS absent FROM traces WHERE name = 'b,c'"
    row = {"name": "b,c", "ms": 10, "bytes": "AP8=", "absent": None}
    assert json.loads(piped("sql", query).stdout) == row
    assert json.loads(piped("sql", query, "--format", "json").stdout) == [row]
    assert piped("sql", query, "--format", "csv").stdout == b'name,ms,bytes,absent\n"b,c",10,AP8=,\n'


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("stats", "--by", "nmae"), "nmae"),
        (("stats", "--metrics", "p95,latncy"), "there is no metric 'latncy'"),
        (("stats", "--every", "7h"), "an interval is a length that divides a day"),
        (("stats", "--every", "1d", "--time-zone", "Mars"), "there is no time zone 'Mars'"),
        (("sql", "DELETE FROM traces"), "SQL may SELECT from traces"),
        (("sql", ""), "there is no SELECT"),
        (("search", "--timeout", "0"), "Invalid value for '--timeout'"),
        (("stats", "--format", "table", "--output", "x.txt"), "a table is for a terminal"),
    ],
)
def test_a_mistake_is_told_on_stderr_and_ends_with_2(arguments: tuple[str, ...], told: str) -> None:
    done = piped(*arguments)
    assert done.returncode == 2, done.stderr
    assert told in done.stderr.decode()
    assert done.stdout == b""


def test_a_search_that_takes_too_long_ends_with_1() -> None:
    done = piped("search", "trace.text RLIKE '^x$'", "--timeout", "1e-9")
    assert done.returncode == 1
    assert "the search has taken longer than 1e-09 s" in done.stderr.decode()


def test_times_are_headed_as_what_they_are_shown_as() -> None:
    assert piped("token", "create", "--role", "read", "--name", "a test").returncode == 0
    for command, headings, keys in (
        (("token", "list"), "id name role experiments created expires state", {"created_ms", "expires_ms"}),
        (("audit",), "time who what count subjects details", {"time_ms"}),
    ):
        assert piped(*command, "--format", "table").stdout.decode().splitlines()[0].split() == headings.split()
        assert keys <= json.loads(piped(*command).stdout).keys()
