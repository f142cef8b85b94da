"""The command line, as a user runs it: a process of its own, its output, its exit code."""

from __future__ import annotations

import subprocess
import sys

import pytest

import tracehound
from tracehound.cli.commands import SECTIONS
from tracehound.cli.main import cli


def tracehound_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tracehound", *arguments], check=False, capture_output=True, text=True, encoding="utf-8"
    )


@pytest.fixture
def one_trace() -> str:
    with pytest.raises(ValueError, match="bad"), tracehound.start_span("agent", span_type="AGENT") as span:
        span.set_inputs({"question": "why [bold]?[/bold]\x1b[31m"})
        tracehound.update_current_trace(tags={"env": "prod"})
        with tracehound.start_span("tool", span_type="TOOL"):
            raise ValueError("bad")
    tracehound.flush()
    return span.trace_id


def test_search_shows_a_row_for_each_trace(one_trace: str) -> None:
    done = tracehound_command("search", "--format", "table", "tags.env = 'prod'")
    assert done.returncode == 0, done.stderr
    heading, row = done.stdout.splitlines()
    assert heading.split() == ["time", "state", "name", "ms", "request", "trace"]
    assert one_trace in row
    assert " ERROR " in row
    assert " agent " in row
    assert '{"question":"why [bold]?[/bold]' in row
    assert "\x1b" not in done.stdout


def test_search_that_finds_nothing_says_so(one_trace: str) -> None:
    done = tracehound_command("search", "--format", "table", "tags.env = 'dev'")
    assert (done.returncode, done.stdout) == (0, "no trace matches\n")


def test_an_explained_search_tells_what_led_to_its_traces_or_what_left_none(one_trace: str) -> None:
    found = tracehound_command("search", "--explain", "tags.env = 'prod'")
    assert found.returncode == 0, found.stderr
    assert found.stdout.splitlines()[0] == "driven by tags.env = 'prod'"
    assert "1 found on the first page" in found.stdout
    empty = tracehound_command("search", "--explain", "tags.env = 'prod' AND attributes.status = 'OK'")
    assert empty.stdout.splitlines()[-1] == "nothing found: no trace has attributes.status = 'OK'"


def test_show_prints_the_spans_as_a_tree(one_trace: str) -> None:
    done = tracehound_command("show", "--format", "tree", one_trace)
    assert done.returncode == 0, done.stderr
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert lines[0].startswith("agent  ERROR")
    assert "tags     env=prod  mlflow.traceName=agent" in lines
    assert any(line.startswith("agent  AGENT") for line in lines)
    assert any(line.startswith("└── tool  TOOL") for line in lines)
    assert "    ✗ ValueError: bad" in lines


def test_a_wrong_filter_is_pointed_at_and_exits_with_2(one_trace: str) -> None:
    done = tracehound_command("search", "status = 'OK'")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "error: 'status' needs a prefix: write attributes.status",
        "    status = 'OK'",
        "    ^~~~~~",
        "  write:",
        "    attributes.status = 'OK'",
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", "tr-none"), 1, "error: there is no trace tr-none in tracehound.db"),
        (("search", "--store", "nowhere.db"), 1, "nowhere.db: run a traced program"),
        (("search", "--store", "mysql://x"), 2, "'mysql://x' names no store"),
        (("search", "--limit", "0"), 2, "0 is not in the range"),
        (("find",), 2, "No such command 'find'"),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr(
    one_trace: str, arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = tracehound_command(*arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert message in done.stderr


def test_the_demo_runs_a_program_and_shows_what_its_traces_tell() -> None:
    done = tracehound_command("demo", "--questions", "30")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for heading in (
        "1. A program runs",
        "2. Newest errors",
        "3. Slowest calls",
        "4. Latency and errors",
        "5. One whole",
    ):
        assert heading in done.stdout
    newest_errors = done.stdout.split("2. Newest errors")[1].split("3. Slowest")[0]
    assert newest_errors.count(" ERROR ") == 5
    assert "└── " in done.stdout.split("5. One whole")[1]
    again = tracehound_command(
        "search", "--store", "tracehound-demo.db", "--experiment", "docs-assistant", "--limit", "500"
    )
    assert again.stdout.count("tr-") > 30


def test_the_help_tells_of_each_command_once_and_in_whole_sentences() -> None:
    listed = [name for commands in SECTIONS.values() for name in commands]
    assert sorted(listed) == sorted(cli.commands)
    shown = tracehound_command("--help").stdout.splitlines()
    told = {name: text for commands in SECTIONS.values() for name, text in commands.items()}
    assert [name for name in listed if f"  {name:11}  {told[name]}" not in shown] == []
    assert max(map(len, shown)) <= 80


def test_gc_deletes_old_traces_and_says_how_many() -> None:
    for _ in range(3):
        tracehound.start_span_no_context("old", start_time_ns=10**18).end()
    tracehound.set_experiment("shop")
    tracehound.start_span_no_context("old", start_time_ns=10**18).end()
    tracehound.start_span_no_context("new").end()
    tracehound.flush()
    done = tracehound_command("gc", "--older-than", "30d", "--experiment", "shop")
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "1 trace deleted"), done.stderr
    done = tracehound_command("gc", "--older-than", "4w")
    assert (done.returncode, done.stdout.split(",")[0]) == (0, "3 traces deleted"), done.stderr
    assert [trace.info.name for trace in tracehound.search_traces(return_type="list")] == ["new"]


def test_gc_refuses_an_age_that_is_none(one_trace: str) -> None:
    done = tracehound_command("gc", "--older-than", "soon")
    assert (done.returncode, done.stdout) == (2, "")
    assert "a length of time such as 12h, 30d or 8w, not 'soon'" in done.stderr
