"""A notebook that is run and turned into a page by Jupyter itself, and looked at with the network off."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Request, expect

from tests.page.conftest import NEEDED, ROOT
from tests.page.test_everywhere import IMAGES

NOTEBOOK = ROOT / "examples" / "traces_in_a_notebook.ipynb"
PYTHON = os.environ.get("TRACEHOUND_TEST_NOTEBOOK_PYTHON")  # of an environment with Jupyter in it: ./dev page test

pytestmark = pytest.mark.skipif(PYTHON is None and NEEDED not in os.environ, reason="./dev page test has Jupyter")


@pytest.fixture(scope="module")
def run_notebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Run the example in a kernel, and return the folder with what came of it: `run.ipynb` and `run.html`."""
    folder = tmp_path_factory.mktemp("notebook")
    environment = {
        **os.environ, "TRACEHOUND_TRACKING_URI": str(folder / "traces.db"), "IPYTHONDIR": str(folder),
        "JUPYTER_CONFIG_DIR": str(folder), "JUPYTER_DATA_DIR": str(folder / "data"),
    }  # fmt: skip
    convert = [str(PYTHON), "-m", "jupyter", "nbconvert", "--output-dir", str(folder), "--output", "run"]
    for steps in (["--execute", "--to", "notebook", str(NOTEBOOK)], ["--to", "html", str(folder / "run.ipynb")]):
        done = subprocess.run(
            [*convert, *steps], check=False, capture_output=True, text=True, env=environment, cwd=folder, timeout=300
        )
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def page(browser: Browser, run_notebook: Path) -> Iterator[Page]:
    """Open the page without a network; what is in its frames asks for nothing."""
    context = browser.new_context(viewport={"width": 1100, "height": 900}, offline=True)
    page = context.new_page()
    asked: list[str] = []

    def look(request: Request) -> None:
        if request.frame != page.main_frame and not request.url.startswith("about:"):
            asked.append(request.url)

    page.on("request", look)
    page.goto((run_notebook / "run.html").as_uri())
    yield page
    context.close()
    assert asked == []


def frames(page: Page) -> list[FrameLocator]:
    """Return what the three cells show: a trace, a frame, a list."""
    found = page.locator("iframe[title]")
    expect(found).to_have_count(3)
    return [found.nth(number).content_frame for number in range(3)]


def test_a_trace_is_shown_in_its_cell(page: Page) -> None:
    trace, _, _ = frames(page)
    items = trace.get_by_role("treeitem")
    expect(items.first).to_contain_text("answer")
    expect(trace.locator(".about")).to_contain_text("Error")
    items.nth(2).click()
    expect(trace.get_by_role("heading", name="TimeoutError")).to_be_visible()
    page.keyboard.press("k")
    expect(trace.locator(".span.chosen")).to_contain_text("search")
    expect(page.locator("body")).to_contain_text("tr-")


def test_a_frame_and_a_list_are_shown_to_choose_from(page: Page) -> None:
    _, frame, chosen = frames(page)
    expect(frame.get_by_role("status")).to_have_text("3 traces")
    frame.get_by_role("row").filter(has_text="When does it come?").first.click()
    expect(frame.get_by_role("treeitem").first).to_contain_text("answer")
    frame.get_by_role("treeitem").nth(2).click()
    expect(frame.locator(".panel .markdown strong")).to_have_text("When does it come?")
    frame.get_by_role("button", name="← Traces").click()
    expect(frame.locator("#row-0")).to_be_visible()
    expect(chosen.get_by_role("treeitem").first).to_contain_text("answer")  # one alone is open at once


def test_a_value_is_copied_and_the_notebook_is_out_of_reach(page: Page) -> None:
    trace, _, _ = frames(page)
    trace.get_by_role("button", name="Copy id").click()
    expect(trace.get_by_role("button", name="Copied")).to_be_visible()
    reached = trace.locator("body").evaluate("""() => {
        const tries = [() => parent.document.title, () => localStorage.length, () => document.cookie];
        return tries.map(each => { try { each(); return 'reached'; } catch (error) { return error.name; } });
    }""")
    assert reached == ["SecurityError"] * 3


def test_a_picture_for_the_documentation(page: Page, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """It is taken in each run, so that it can be, and kept where that is asked for."""
    trace, _, _ = frames(page)
    trace.get_by_role("treeitem").nth(2).click()
    expect(trace.get_by_role("heading", name="TimeoutError")).to_be_visible()
    cell = page.locator(".jp-CodeCell").nth(1)
    folder = IMAGES if request.config.getoption("--update-golden") else tmp_path
    assert len(cell.screenshot(path=folder / "notebook.png")) > 20_000


def test_what_the_notebook_keeps_is_small_and_has_a_text_for_those_who_show_no_html(run_notebook: Path) -> None:
    cells = json.loads((run_notebook / "run.ipynb").read_text("utf-8"))["cells"]
    shown = [output["data"] for cell in cells for output in cell.get("outputs", ()) if "data" in output]
    assert [sorted(each) for each in shown] == [["text/html", "text/plain"]] * 3
    sizes = [len("".join(each["text/html"])) for each in shown]
    print(f"each cell of the notebook keeps {', '.join(f'{size:,}' for size in sizes)} characters")
    assert max(sizes) < 250_000
