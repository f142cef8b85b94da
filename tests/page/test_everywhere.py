"""What holds for every view: hostile values harm nothing, everyone can read it, on any screen, and it is quick."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.page.conftest import ROOT, Open, Processor
from tests.page.data import HOSTILE_ID
from tests.page.test_trace import ERRORS, open_first
from tests.page.test_traces import DESK, write_filter
from tests.server.process import ServerProcess

AXE = ROOT / "ui" / "node_modules" / "axe-core" / "axe.min.js"
LAYOUT_SHIFT = """() => new Promise(done => {
    new PerformanceObserver(list => done(list.getEntries().reduce((sum, each) => sum + each.value, 0)))
        .observe({type: 'layout-shift', buffered: true});
    setTimeout(() => done(0), 300);  // there is no entry where nothing has moved
})"""
IMAGES = ROOT / "docs" / "images"


def violations(page: Page) -> list[str]:
    """Return what axe finds that is serious, with where it is."""
    # The policy of the page allows no script of ours either: it is run through the debugger, as a reader would.
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice']})")
    return [
        f"{each['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"][:3]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_any_view(view: Open, theme: str) -> None:
    page = view(experiment=DESK, theme=theme)
    expect(page.locator(".charts canvas").first).to_be_visible()
    expect(page.locator(".facet button").first).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("c")
    expect(page.get_by_role("checkbox", name="Session")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("Escape")
    open_first(page)
    for tab in ("Values", "Attributes", "Events", "Feedback", "Trace"):
        page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        assert violations(page) == [], tab
    page.keyboard.press("v")
    page.keyboard.press("v")
    assert violations(page) == []
    page.goto(page.url.split("?")[0] + "?filter=nonsense")
    expect(page.get_by_role("alert")).to_be_visible()
    assert violations(page) == []
    page.keyboard.press("?")
    assert violations(page) == []


def harm(page: Page) -> object:
    return page.evaluate("[window.harmed ?? null, document.querySelectorAll('iframe, img, script:not([src])').length]")


def test_hostile_values_harm_nothing_and_still_show(view: Open) -> None:
    page = view(experiment="hostile")
    row = page.locator("#row-0")
    expect(row).to_contain_text("<script>")
    expect(row).to_contain_text("⟨U+202E⟩")
    assert harm(page) == [None, 0]
    page.goto(page.url.replace("experiment=hostile", f"trace={HOSTILE_ID}"))
    items = page.get_by_role("treeitem")
    expect(items.first).to_contain_text("<script>")
    for tab in ("Values", "Attributes", "Events", "Feedback", "Trace"):
        page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        assert harm(page) == [None, 0]
    page.get_by_role("tab", name="Values").click()
    for form in ("Chat", "Text", "JSON"):
        page.get_by_role("group", name="Inputs as").get_by_role("button", name=form).click()
        expect(page.locator(".value").first).to_contain_text("<script>")
        assert harm(page) == [None, 0]
    assert page.locator("a[href^='javascript']").count() == 0
    items.nth(1).click()
    expect(page.get_by_text("10,000,000 characters")).to_be_visible()
    page.get_by_role("button", name="Show more").click()
    expect(page.get_by_text("220,000 of 10,000,000 characters")).to_be_visible()
    assert harm(page) == [None, 0]


def test_the_page_may_run_nothing_but_its_own_files(browser: Browser, desk_server: ServerProcess) -> None:
    page = browser.new_page()
    page.goto(desk_server.url)
    expect(page.locator("#row-0")).to_be_visible()
    page.evaluate("""() => {
        const script = document.createElement('script');
        script.textContent = 'window.harmed = 4';
        document.body.append(script);
    }""")
    assert page.evaluate("window.harmed ?? null") is None
    page.close()


def test_three_hundred_and_sixty_pixels_are_enough(view: Open) -> None:
    page = view(experiment=DESK, width=360, height=740)
    expect(page.locator("#row-0")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.locator("#row-0").click()
    expect(page.get_by_role("treeitem").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert violations(page) == []


def test_the_theme_follows_the_system_until_somebody_chooses(view: Open) -> None:
    page = view(experiment=DESK, theme="dark")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#row-0")).to_be_visible()
    page.keyboard.press("d")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


def test_the_first_paint_of_a_cold_server_takes_less_than_a_second_of_processors(
    view: Open, desk: Path, measured: Callable[[str], None]
) -> None:
    server = ServerProcess(desk)
    try:
        page = view(server=server, experiment=DESK)
        expect(page.locator("#row-0")).to_be_visible()
        used_s = Processor(page).process_s() + sum(psutil.Process(server.pid).cpu_times()[:2])
        painted_ms = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        moved = page.evaluate(LAYOUT_SHIFT)
    finally:
        server.kill()
    measured(f"first paint after {painted_ms:.0f} ms, {used_s:.2f} s of processors; layout moved by {moved:.3f}")
    assert used_s < 1
    assert moved < 0.1  # what is called good


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_of_the_documentation(view: Open, theme: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """They are taken in each run, so that they can be, and kept where that is asked for."""
    folder = IMAGES if request.config.getoption("--update-golden") else tmp_path
    page = view(experiment=DESK, theme=theme, width=1280, height=800)
    expect(page.locator(".charts canvas").nth(4)).to_be_visible()
    expect(page.locator(".facet button").first).to_be_visible()
    taken = [page.screenshot(path=folder / f"traces-{theme}.png")]
    if theme == "light":
        write_filter(page, "tags.env = ")
        expect(page.get_by_role("listbox", name="Completions").get_by_role("option").first).to_be_visible()
        taken.append(page.screenshot(path=folder / "filter.png", clip={"x": 0, "y": 0, "width": 1280, "height": 260}))
    page.goto(page.url.split("?")[0] + f"?experiment={DESK}&filter={ERRORS}")
    open_first(page)
    page.keyboard.press("e")
    expect(page.get_by_role("heading", name="TimeoutError")).to_be_visible()
    taken.append(page.screenshot(path=folder / f"trace-{theme}.png"))
    assert all(len(picture) > 20_000 for picture in taken)
