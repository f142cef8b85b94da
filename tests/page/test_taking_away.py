"""What is found is kept under a name, taken away as a file, or as a program that is run here."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Page, expect

import tracehound
from tests.page.conftest import Open
from tests.page.test_everywhere import violations
from tests.page.test_traces import DESK, query_of, wait_for_query
from tests.server.process import ServerProcess

# What has to be quoted, in Python and for a shell.
AWKWARD = """it's "quoted" \\ $HOME `id` \U0001f600 ü"""
FILTER = "tags.note = 'it''s \"quoted\" \\ $HOME `id` \U0001f600 ü' OR tags.note = 'two'"


def open_menu(page: Page, name: str) -> None:
    expect(page.locator("#row-0")).to_be_visible()
    page.get_by_role("button", name=name, exact=False).and_(page.locator(".menu-button")).click()


def copied(page: Page, what: str) -> str:
    open_menu(page, "Export")
    page.get_by_role("button", name=f"Copy as {what}").click()
    expect(page.get_by_text("Copied")).to_be_visible()
    return str(page.evaluate("navigator.clipboard.readText()"))


@pytest.fixture
def noted(store_path: Path) -> list[str]:
    """Trace what the filter finds two of, in an experiment with a name that has to be quoted.

    Each starts a second after the one before: of two that start in one millisecond, the order by time is that of their ids.
    """
    tracehound.set_experiment("o'brien's \"lab\"")
    first_ns = time.time_ns() - 3_000_000_000
    made = []
    for second, note in enumerate((AWKWARD, "two", "three")):
        span = tracehound.start_span_no_context("answer", tags={"note": note}, start_time_ns=first_ns + second * 1_000_000_000)
        span.end()
        made.append(span.trace_id)
    tracehound.flush()
    return made


def run_python(text: str) -> list[str]:
    program = f"{text}\nprint('\\n'.join(traces['trace_id']))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    return done.stdout.split()


def run_shell(text: str) -> list[str]:
    done = subprocess.run(["/bin/sh", "-c", text], check=True, capture_output=True, text=True)
    return [each["trace"]["trace_id"] for each in json.loads(done.stdout)["traces"]]


@pytest.mark.skipif(sys.platform == "win32", reason="the command is for a shell")
@pytest.mark.parametrize(("what", "run"), [("Python", run_python), ("curl", run_shell)])
@pytest.mark.parametrize("experiment", ["", "o'brien's \"lab\""])
def test_what_is_copied_finds_what_is_shown_when_it_is_run(
    view: Open, own_server: ServerProcess, noted: list[str], what: str, run: Callable[[str], list[str]], experiment: str
) -> None:
    page = view(server=own_server, filter=FILTER, experiment=experiment, since="24h", order="timestamp_ms ASC")
    expect(page.locator(".above .muted")).to_have_text("2 traces")
    assert run(copied(page, what)) == noted[:2]


def test_a_search_without_anything_is_copied_as_one(view: Open, own_server: ServerProcess, noted: list[str]) -> None:
    page = view(server=own_server)
    assert sorted(run_python(copied(page, "Python"))) == sorted(noted)


@pytest.mark.parametrize("title", ["JSON lines", "CSV", "Parquet"])
def test_what_the_filter_matches_is_downloaded(
    view: Open, own_server: ServerProcess, noted: list[str], title: str, tmp_path: Path
) -> None:
    page = view(server=own_server, filter=FILTER, order="timestamp_ms ASC")
    open_menu(page, "Export")
    with page.expect_download() as download:
        page.get_by_role("link", name=title).click()
    assert download.value.suggested_filename.startswith("traces.")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    if title == "Parquet":
        found = pq.read_table(path)["trace_id"].to_pylist()
    elif title == "CSV":
        found = [line.partition(",")[0] for line in path.read_text("utf-8").splitlines()[1:]]
    else:
        found = [json.loads(line)["trace_id"] for line in path.read_text("utf-8").splitlines()]
    assert found == noted[:2]


def test_without_pyarrow_the_page_says_how_to_have_parquet(view: Open, store_path: Path, noted: list[str]) -> None:
    arguments = ["server", "--port", "0", "--store", str(store_path)]
    program = f"import sys; sys.modules['pyarrow'] = None; from tracehound.cli.main import main; main({arguments})"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as running:
        try:
            assert running.stdout is not None
            found = re.search(r"http://\S+", running.stdout.readline())
            assert found is not None
            page = view(server=SimpleNamespace(url=found[0]))
            open_menu(page, "Export")
            expect(page.get_by_role("link", name="CSV")).to_be_visible()
            expect(page.get_by_role("link", name="Parquet")).to_have_count(0)
            expect(page.get_by_text("Parquet needs more on the server")).to_contain_text("tracehound[arrow]")
        finally:
            running.kill()


def test_a_search_is_saved_for_everyone_and_used_and_deleted(
    view: Open, own_server: ServerProcess, noted: list[str]
) -> None:
    page = view(server=own_server, filter=FILTER, since="24h", order="name ASC")
    open_menu(page, "Saved")
    page.get_by_role("textbox", name="Name").fill("of the <b>lab</b>")
    page.get_by_role("button", name="Save what is shown").click()
    expect(page.get_by_role("button", name="Delete the search of the <b>lab</b>")).to_be_visible()
    [saved] = tracehound.saved_searches()
    assert (saved.filter, saved.since, saved.order_by) == (FILTER, "24h", ["name ASC"])

    tracehound.save_search("three", "tags.note = 'three'", since="2 days")
    tracehound.save_search("of several", experiments=["a", "b"])
    tracehound.flush()
    page = view(server=own_server)
    open_menu(page, "Saved")
    expect(page.get_by_role("button", name="of several every trace")).to_be_disabled()
    page.get_by_role("button", name="three tags.note").click()
    wait_for_query(page, filter="tags.note = 'three'", since="2d", order="")
    expect(page.locator(".above .muted")).to_have_text("1 traces")
    open_menu(page, "Saved")
    page.get_by_role("button", name="Delete the search three").click()
    expect(page.get_by_role("button", name="Delete the search three")).to_have_count(0)
    assert [each.name for each in tracehound.saved_searches()] == ["of several", "of the <b>lab</b>"]
    assert "filter" in query_of(page)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_everyone_can_read_the_menus(view: Open, theme: str, width: int) -> None:
    page = view(experiment=DESK, theme=theme, width=width, height=740)
    for name in ("Saved", "Export"):
        open_menu(page, name)
        expect(page.locator(".menu:popover-open")).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.keyboard.press("Escape")
