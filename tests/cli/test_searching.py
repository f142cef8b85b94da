"""`tracehound search` for other programs: formats, fields, times, limits, files, closed pipes."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import tracehound
from tests.cli.terminal import piped, write
from tests.traces import START_MS, part, span
from tracehound.model.reserved import ARTIFACT_LOCATION


@pytest.fixture
def three_traces() -> None:
    write(
        part(span(1, 1, name="first", start_ms=0), tags={"env": "prod", "n": "9"}),
        part(span(1, 2, name='sec"ond', start_ms=1000, duration_ms=5), tags={"env": "dev"}, client_request_id="c"),
        part(span(1, 3, name="third,\nof all", start_ms=2000), experiment="shop"),
    )


FIELDS = "trace_id,name,latency,tags.n,request,tags"
ROWS: list[dict[str, Any]] = [
    {"trace_id": f"tr-{2:032x}", "name": 'sec"ond', "latency": 5, "tags.n": None, "request": {"question": "why?"},
     "tags": {"env": "dev", "mlflow.traceName": 'sec"ond', ARTIFACT_LOCATION: f"tracehound:/0/traces/tr-{2:032x}"}},
    {"trace_id": f"tr-{1:032x}", "name": "first", "latency": 10, "tags.n": "9", "request": {"question": "why?"},
     "tags": {"env": "prod", "n": "9", "mlflow.traceName": "first",
              ARTIFACT_LOCATION: f"tracehound:/0/traces/tr-{1:032x}"}},
]  # fmt: skip


@pytest.mark.usefixtures("three_traces")
def test_every_format_holds_the_same_values() -> None:
    lines = piped("search", "--fields", FIELDS).stdout.splitlines()
    assert [json.loads(line) for line in lines] == ROWS
    assert json.loads(piped("search", "--fields", FIELDS, "--format", "json").stdout) == ROWS
    rows = list(csv.DictReader(io.StringIO(piped("search", "--fields", FIELDS, "--format", "csv").stdout.decode())))
    assert [(row["name"], row["latency"], row["tags.n"], json.loads(row["request"])) for row in rows] == [
        ('sec"ond', "5", "", {"question": "why?"}),
        ("first", "10", "9", {"question": "why?"}),
    ]
    done = piped("search", "--fields", FIELDS, "--output", "found.parquet")
    assert (done.returncode, done.stdout) == (0, b"")
    table = pq.read_table("found.parquet").to_pylist(maps_as_pydicts="strict")
    assert table == [{**row, "request": json.dumps(row["request"], separators=(",", ":"))} for row in ROWS]
    assert piped("search", "--fields", FIELDS, "--format", "parquet").stdout[:4] == b"PAR1"


def test_feedback_and_numbers_of_the_spans_are_columns_too() -> None:
    usage = {"mlflow.trace.tokenUsage": '{"total_tokens":1500}', "mlflow.trace.cost": '{"total_cost":0.25}'}
    write(part(span(1, 1, start_ms=0), metadata=usage), part(span(1, 2, start_ms=1)))
    for value in ("bad", True):
        tracehound.log_feedback(trace_id=f"tr-{1:032x}", name="quality", value=value)
    tracehound.flush()
    asked = ("search", "--fields", "total_tokens,cost,span_count,feedback.quality", "--order-by", "cost")
    rows = [json.loads(line) for line in piped(*asked).stdout.splitlines()]
    assert [[*row.values()] for row in rows] == [[1500, 0.25, 1, True], [None, None, 1, None]]
    assert piped(*asked, "--format", "csv").stdout.splitlines()[1:] == [b"1500,0.25,1,true", b",,1,"]
    assert piped(*asked, "--format", "table").stdout.splitlines()[1].split() == [b"1,500", b"0.25", b"1", b"true"]
    assert piped(*asked, "--output", "found.parquet").returncode == 0
    found = pq.read_table("found.parquet").to_pydict()
    assert [*found.values()] == [[1500.0, None], [0.25, None], [1.0, 1.0], ["true", None]]


@pytest.mark.usefixtures("three_traces")
def test_an_answer_without_traces_is_empty_in_every_format() -> None:
    nothing = ("search", "tags.env = 'none'", "--fields", "name", "--format")
    told = {form: piped(*nothing, form).stdout for form in ("jsonl", "json", "csv", "table")}
    assert told == {"jsonl": b"", "json": b"[]\n", "csv": b"name\n", "table": b"no trace matches\n"}


@pytest.mark.usefixtures("three_traces")
@pytest.mark.parametrize(
    ("options", "names"),
    [
        (("--since", "2025-01-01T00:00:01Z"), [2]),
        (("--until", str(START_MS + 1000)), [1]),
        (("--since", "1m"), []),
        (("--until", "1h", "--all-experiments"), [3, 2, 1]),
        (("--all-experiments", "--order-by", "latency", "--order-by", "timestamp"), [2, 1, 3]),
        (("--experiment", "shop", "--experiment", "Default", "--limit", "2"), [3, 2]),
        (("tags.env = 'dev' OR tags.n = '9'", "--since", "2025-01-01T00:00:01Z", "--limit", "all"), [2]),
    ],
)
def test_times_experiments_orders_and_limits_choose_the_traces(options: tuple[str, ...], names: list[int]) -> None:
    done = piped("search", "--fields", "trace_id", "--format", "csv", *options)
    assert done.stdout.decode().split()[1:] == [f"tr-{number:032x}" for number in names], done.stderr


@pytest.mark.usefixtures("three_traces")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--fields", "name,latncy"), 2, "write latency\n    name,latncy\n         ^~~~~~\n"),
        (("--fields", "name,tags"), 0, ""),
        (("--fields", "日本,name"), 2, "    日本,name\n    ^~~~\n"),
        (("--fields", "name,,state"), 2, "    name,,state\n         ^\n"),
        (("--fields", "name, name"), 2, "    name, name\n          ^~~~\n"),
        (("--order-by", "name up"), 2, "an order is a field, then ASC or DESC\n    name up\n    ^~~~~~~\n"),
        (("--order-by", "attributes.latncy DESC"), 2, "    attributes.latncy DESC\n    ^~~~~~~~~~~~~~~~~\n"),
        (("--since", "soon"), 2, "--since takes a length of time such as 1h"),
        (("--since", "1h", "--until", "2h"), 2, "--since 1h is not before --until 2h"),
        (("--experiment", "shp"), 1, "did you mean 'shop'?"),
        (("--limit", "some"), 2, "'some' is not a valid integer"),
        (("--watch",), 2, "--watch draws a table in a terminal"),
        (("--output", "no/such/folder.csv"), 2, "no/such/folder.csv cannot be written"),
        (("--limit", "1"), 0, ""),
    ],
)
def test_what_is_wrong_is_said_where_it_stands(arguments: tuple[str, ...], code: int, message: str) -> None:
    done = piped("search", *arguments)
    assert (done.returncode, message in done.stderr.decode()) == (code, True), done.stderr.decode()


def test_a_default_that_leaves_traces_out_says_so() -> None:
    write(*(part(span(1, number)) for number in range(1, 26)))
    done = piped("search", "--fields", "trace_id")
    assert done.stdout.count(b"\n") == 20
    assert done.stderr == b"the first 20; there are more: --limit N, or --limit all\n"
    assert piped("search", "--fields", "trace_id", "--limit", "all").stdout.count(b"\n") == 25


def test_a_reader_that_has_seen_enough_ends_the_command_quietly() -> None:
    write(*(part(span(1, number), tags={"long": "x" * 10_000}) for number in range(1, 200)))
    process = subprocess.Popen(
        [sys.executable, "-m", "tracehound", "search", "--limit", "all"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert (process.stderr.read(), process.wait(120)) == (b"", 0)
    process.stderr.close()


@pytest.mark.usefixtures("three_traces")
def test_a_trace_is_found_by_the_beginning_of_its_id_and_as_the_last() -> None:
    write(part(span(1, 0xAB << 120)))
    whole = f"tr-{0xAB << 120:032x}"
    for written in (whole, whole.removeprefix("tr-"), "tr-ab", "ab0", "tr-ab00000000…"):
        assert json.loads(piped("show", written).stdout)["info"]["trace_id"] == whole, written
    assert json.loads(piped("show", "last").stdout)["info"]["trace_id"] == f"tr-{3:032x}"
    several = piped("show", "tr-000")
    assert (several.returncode, b"several traces begin with tr-000" in several.stderr) == (2, True)
    assert piped("show", "tr-ef").returncode == 1


@pytest.mark.usefixtures("three_traces")
def test_tags_are_shown_set_and_deleted() -> None:
    trace_id = f"tr-{2:032x}"
    assert piped("tags", "set", trace_id, "a=b=c", "env=test").returncode == 0
    assert piped("tags", "delete", trace_id, "a").returncode == 0
    shown = json.loads(piped("tags", trace_id).stdout)
    assert (shown["env"], shown["mlflow.traceName"], "a" in shown) == ("test", 'sec"ond', False)
    for arguments, code in (
        (("delete", trace_id, "a"), 1),
        (("set", trace_id, "a"), 2),
        (("set", "tr-" + "9" * 32, "a=b"), 1),
    ):
        assert piped("tags", *arguments).returncode == code, arguments


@pytest.mark.usefixtures("three_traces")
def test_experiments_are_told_with_their_traces() -> None:
    found = json.loads(piped("experiments").stdout)
    assert [(each["name"], each["traces"], each["newest"] - START_MS) for each in found] == [
        ("Default", 2, 1000),
        ("shop", 1, 2000),
    ]


@pytest.mark.usefixtures("three_traces")
def test_the_shell_completes_commands_fields_and_experiments() -> None:
    def complete(words: str, count: int) -> list[str]:
        told = piped(_TRACEHOUND_COMPLETE="bash_complete", COMP_WORDS=f"tracehound {words}", COMP_CWORD=str(count))
        return [line.partition(",")[2] for line in told.stdout.decode().splitlines()]

    assert complete("exp", 1) == ["experiments", "export"]
    assert complete("search --experiment sh", 3) == ["shop"]
    assert complete("search --fields name,tags.e", 3) == ["name,tags.env"]
    assert complete("search --order-by laten", 3) == ["latency"]
    for shell in ("bash", "zsh", "fish"):
        assert b"_TRACEHOUND_COMPLETE" in piped("completion", shell).stdout


@pytest.mark.usefixtures("three_traces")
def test_searching_loads_no_library_of_frames() -> None:
    program = (
        "import sys\nfrom tracehound.cli.main import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "loaded = {'pandas', 'pyarrow', 'polars', 'numpy'} & {*sys.modules}\n"
        "sys.exit(f'loaded: {loaded}' if loaded else 0)"
    )
    for arguments in (["--help"], ["search"], ["search", "--format", "csv", "--fields", "request"]):
        done = subprocess.run([sys.executable, "-c", program, *arguments], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert Path("tracehound.db").exists()
