"""`tracehound compare` and `tracehound saved`, as a user runs them."""

from __future__ import annotations

import csv
import io
import json

import pytest

import tracehound
from tests.cli.test_commands import tracehound_command

START_MS = 1_800_000_000_000


@pytest.fixture
def versions() -> None:
    """Forty answers of each of two versions, the second of which takes longer."""
    for number in range(80):
        version = 1 + number % 2
        span = tracehound.start_span_no_context(
            "answer", tags={"version": str(version)}, start_time_ns=(START_MS + number) * 1_000_000
        )
        span.end(end_time_ns=(START_MS + number + 100 * version + number) * 1_000_000)
    tracehound.flush()


@pytest.mark.usefixtures("versions")
def test_two_values_are_compared_in_a_table_with_bars_and_traces() -> None:
    done = tracehound_command("compare", "tags.version", "1", "2", "--format", "table")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0] == "tags.version: from '1' (40 traces) to '2' (40 traces)"
    assert next(line for line in lines if line.startswith("p50")).split()[-1] == "▲"
    assert "hold all together at 95 %" in done.stdout
    assert "p95, p99: too few" not in done.stdout
    assert "p99: too few: it takes 574 traces" in done.stdout
    assert "traces of '2'" in done.stdout
    assert "█" in done.stdout


@pytest.mark.usefixtures("versions")
@pytest.mark.parametrize("form", ["csv", "jsonl", "json"])
def test_the_comparison_is_data_for_other_programs(form: str) -> None:
    done = tracehound_command("compare", "tags.version", "1", "2", "--format", form, "--level", "0.9")
    assert done.returncode == 0, done.stderr
    wanted = tracehound.compare_traces("tags.version", "1", "2", level=0.9).to_rows()
    if form == "csv":
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        assert [each["measure"] for each in rows] == [each["measure"] for each in wanted]
        assert [each["low"] for each in rows] == ["" if each["low"] is None else str(each["low"]) for each in wanted]
    else:
        found = json.loads(done.stdout) if form == "json" else [json.loads(line) for line in done.stdout.splitlines()]
        assert found == wanted


@pytest.mark.usefixtures("versions")
def test_what_cannot_be_compared_is_told() -> None:
    assert "both values are '1'" in tracehound_command("compare", "tags.version", "1", "1").stderr
    done = tracehound_command("compare", "version", "1", "2")
    assert (done.returncode, "needs a prefix" in done.stderr) == (2, True)


@pytest.mark.usefixtures("versions")
def test_a_saved_search_is_listed_used_narrowed_and_deleted() -> None:
    added = tracehound_command(
        "saved", "add", "of two", "tags.version = '2' OR tags.none = 'x'", "--order-by", "latency"
    )
    assert (added.returncode, added.stderr) == (0, "")
    assert "of two" in tracehound_command("saved", "--format", "table").stdout
    [listed] = json.loads(tracehound_command("saved").stdout)
    assert (listed["name"], listed["order_by"]) == ("of two", ["latency"])

    found = [
        json.loads(line)
        for line in tracehound_command("search", "--saved", "of two", "--limit", "all").stdout.splitlines()
    ]
    assert [each["execution_duration"] for each in found] == sorted(each["execution_duration"] for each in found)
    assert len(found) == 40
    narrowed = tracehound_command("search", "--saved", "of two", "attributes.latency < 205").stdout.splitlines()
    assert len(narrowed) == 2
    turned = tracehound_command("search", "--saved", "of two", "--order-by", "latency DESC", "--limit", "1")
    assert json.loads(turned.stdout)["execution_duration"] == found[-1]["execution_duration"]

    missing = tracehound_command("search", "--saved", "of tow")
    assert (missing.returncode, "did you mean 'of two'?" in missing.stderr) == (1, True)
    assert tracehound_command("saved", "delete", "of two").returncode == 0
    assert json.loads(tracehound_command("saved").stdout) == []


@pytest.mark.usefixtures("versions")
def test_a_saved_search_keeps_its_experiments_and_its_time() -> None:
    tracehound.set_experiment("elsewhere")
    with tracehound.start_span("there"):
        pass
    tracehound.save_search("there", experiments=["elsewhere"], since="1 hour")
    tracehound.save_search("everywhere")
    tracehound.flush()
    assert len(tracehound_command("search", "--saved", "there").stdout.splitlines()) == 1
    assert len(tracehound_command("search", "--saved", "everywhere", "--limit", "all").stdout.splitlines()) == 81
    here = tracehound_command("search", "--saved", "there", "--experiment", "Default", "--since", "2020-01-01")
    assert len(here.stdout.splitlines()) == 20
