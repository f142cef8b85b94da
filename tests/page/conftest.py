"""A browser that looks at the built page, which a real server gives, over a store with real traces."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.page import data
from tests.server.process import ServerProcess

ROOT = Path(__file__).parents[2]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
NEEDED = "TRACEHOUND_NEEDS_CHROMIUM"  # set where a browser that is not there is a failure

MEASURED: list[str] = []  # what tests have measured, in sentences

expect.set_options(timeout=15_000)

Open = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = []
    if CHROMIUM is None:
        missing.append("there is no Chromium on PATH")
    if not (resources.files("tracehound.server") / "static" / "index.html").is_file():
        missing.append("the page was not built: ./dev page")
    if missing and NEEDED in os.environ:
        raise pytest.UsageError("; ".join(missing))
    for item in items if missing else ():
        item.add_marker(pytest.mark.skip(reason="; ".join(missing)))


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the store with the traces of `data`, once for all tests that change nothing in it."""
    path = tmp_path_factory.mktemp("desk") / "tracehound.db"
    data.fill(path)
    return path


@pytest.fixture(scope="session")
def desk_server(desk: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(desk)
    yield running
    running.kill()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--host-resolver-rules=MAP traces.test 127.0.0.1"]
        )
        yield found
        found.close()


@pytest.fixture
def view(browser: Browser, desk_server: ServerProcess) -> Iterator[Open]:
    """Open the page as its address says; nothing may go wrong in it, and nothing be asked of another host."""
    opened: list[Page] = []
    wrong: list[str] = []

    def look(request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1:", "data:", "blob:")):
            wrong.append(f"asked {request.url}")

    def open_page(
        *, server: ServerProcess | None = None, width: int = 1440, height: int = 900, theme: str = "light", **query: str
    ) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
            reduced_motion="reduce",
        )
        page = context.new_page()
        page.on("request", look)
        page.on("pageerror", lambda error: wrong.append(f"raised {error}"))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"{(server or desk_server).url}/?{urlencode(query)}")
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.context.close()
    assert wrong == []


@pytest.fixture
def own_server(store_path: Path) -> Iterator[ServerProcess]:
    """Run a server over the test's own store, which the test traces into."""
    running = ServerProcess(store_path)
    yield running
    running.kill()


class Processor:
    """Tells how much time of processors a page takes.

    That is what a test may judge: the time on the clock is also that of whatever else the machine does.
    """

    def __init__(self, page: Page) -> None:
        self._session = page.context.new_cdp_session(page)
        self._session.send("Performance.enable", {"timeDomain": "threadTicks"})

    def thread_s(self) -> float:
        """Return what the page's thread has taken since this was made: nothing moves or is drawn meanwhile."""
        return self._read("ThreadTime")

    def process_s(self) -> float:
        """Return what all threads of the page's process have taken since that began."""
        return self._read("ProcessTime")

    def _read(self, name: str) -> float:
        metrics = self._session.send("Performance.getMetrics")["metrics"]
        return float(next(each["value"] for each in metrics if each["name"] == name))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell what was measured, whether the tests passed or not, and how busy the machine was."""
    load = f" at a load of {os.getloadavg()[0]:.0f}" if MEASURED and hasattr(os, "getloadavg") else ""
    for text in MEASURED:
        terminalreporter.write_line(f"measured{load}: {text}")


@pytest.fixture
def measured() -> Callable[[str], None]:
    """Return what notes a sentence about what was measured, for the end of the run."""
    return MEASURED.append


@pytest.fixture
def seconds() -> Callable[[], float]:
    """Return how many seconds have gone by since the test began to measure."""
    begun = time.perf_counter()
    return lambda: time.perf_counter() - begun
