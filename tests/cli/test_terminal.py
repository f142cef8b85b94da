"""What the command shows in real terminals of 60, 100 and 200 columns, and without one: golden files to be read."""

from __future__ import annotations

import re
import sys

import pytest
from rich.cells import cell_len

from tests.cli.terminal import GOLDEN, Terminal, piped, traces_of_many_kinds, write
from tests.golden import check_golden
from tests.traces import part, span
from tracehound.model.record import replace

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")

ESCAPE = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
COMMANDS = {
    "search": ("search",),
    "fields": ("search", "--limit=3", "--fields", "name,latency,state,tags.note,request_time,metadata,tags,response"),
    "show": ("show", "tr-abcdef0123456789abcdef0123456001"),
    "full": ("show", "tr-abcdef0123456789abcdef0123456005", "--full"),
    "tail": ("tail", "-n", "3"),
    "experiments": ("experiments",),
    "stats": ("stats", "--by", "name", "--every", "1d", "--metrics", "count,error_rate,p95,latency_max,cost"),
    "compare": ("compare", "name", "answer", "plan"),
    "sql": ("sql", "SELECT name, state, duration_ms, length(request_preview) AS long FROM traces ORDER BY trace_id"),
    "mistake": ("search", "attributes.name = 'a' AND tags.environment = 'staging' AND state = 'OK' AND tags.a = 'b'"),
}  # fmt: skip


def visible(shown: str) -> str:
    """Return what a terminal was sent in characters that can be read in a review."""
    return shown.replace("\x1b", "␛")


@pytest.mark.parametrize("columns", [60, 100, 200])
@pytest.mark.parametrize("command", COMMANDS)
def test_no_line_is_wider_than_the_terminal(command: str, columns: int, *, update_golden: bool) -> None:
    write(*traces_of_many_kinds())
    shown, code = Terminal(*COMMANDS[command], columns=columns).end()
    assert code == (2 if command == "mistake" else 0), shown
    plain = ESCAPE.sub("", shown)
    assert "\x1b" not in plain
    assert [line for line in plain.splitlines() if cell_len(line) > columns and not line.startswith(MESSAGES)] == []
    check_golden(GOLDEN / f"{command}_{columns}.txt", visible(shown), update=update_golden)


MESSAGES = (
    "error: ",
    "    attributes.name = 'a' AND tags.environment",
)  # sentences and corrections are to be copied whole


@pytest.mark.parametrize("command", COMMANDS)
def test_what_is_piped_is_for_programs_and_has_no_colours(command: str, *, update_golden: bool) -> None:
    write(*traces_of_many_kinds())
    done = piped(*COMMANDS[command])
    told = done.stdout.decode() + done.stderr.decode()
    assert "\x1b[" not in told
    check_golden(GOLDEN / f"{command}_piped.txt", told, update=update_golden)


def test_without_colours_a_terminal_gets_none(*, update_golden: bool) -> None:
    write(*traces_of_many_kinds())
    shown, _ = Terminal("search", columns=100, NO_COLOR="1").end()
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", shown)
    check_golden(GOLDEN / "search_no_color.txt", visible(shown), update=update_golden)


def test_a_thousand_nested_spans_are_shown_and_stay_readable_in_a_narrow_terminal() -> None:
    chain = [span(number, parent=number - 1 or None, name=f"step_{number}") for number in range(1, 1001)]
    write(part(*chain))
    shown, code = Terminal("show", "last", columns=60).end()
    lines = ESCAPE.sub("", shown).splitlines()
    assert (code, max(map(cell_len, lines)) <= 60) == (0, True)
    for number in (1, 2, 10, 500, 1000):
        assert [line for line in lines if f"step_{number} " in line], number


def test_spans_whose_parents_form_a_circle_are_shown_too() -> None:
    write(part(span(1, name="root"), span(2, parent=3, name="first"), span(3, parent=2, name="second")))
    shown = piped("show", "last", "--format", "tree").stdout.decode()
    assert shown.count("first") == shown.count("second") == 1


def test_watch_draws_what_is_new_and_ends_with_ctrl_c_as_it_should() -> None:
    write(part(span(1, 1, name="before")))
    terminal = Terminal("search", "--watch", "0.2", columns=100)
    terminal.read_until(lambda shown: "before" in shown)
    write(part(span(1, 2, name="afterwards")))
    terminal.read_until(lambda shown: "afterwards" in shown)
    terminal.interrupt()
    assert terminal.end()[1] == 0


def test_tail_shows_what_finishes_also_what_began_earlier_and_ends_with_130() -> None:
    running = replace(part(span(1, 1, name="slow", duration_ms=None)), owner="nobody.1")
    write(part(span(1, 2, name="before")), running)
    terminal = Terminal("tail", "-f", columns=100)
    terminal.read_until(lambda shown: "before" in shown)
    write(part(span(1, 3, start_ms=-90_000_000, name="late")))
    terminal.read_until(lambda shown: "late" in shown)
    assert "slow" not in terminal.shown
    write(part(span(1, 1, name="slow"), written_ns=5), part(span(2, 2, parent=1, name="more"), written_ns=6))
    terminal.read_until(lambda shown: "slow" in shown)
    terminal.interrupt()
    shown, code = terminal.end()
    names = [line.split()[3] for line in ESCAPE.sub("", shown).splitlines() if "tr-" in line]
    assert (names, code) == (["before", "late", "slow"], 130)
