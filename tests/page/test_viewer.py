"""Pages that hold their traces: opened from disk with the network off, they show what the server shows."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, Page, Request, expect

import tracehound
from tests.page.conftest import Open
from tests.page.data import tracehound_json
from tests.page.test_everywhere import violations
from tests.page.test_traces import DESK
from tests.traces import span
from tracehound.entities import Trace
from tracehound.model.record import replace
from tracehound.model.trace import TracePart
from tracehound.model.viewer import read_page
from tracehound.store.sqlite.store import SqliteStore

TABS = ("Values", "Attributes", "Events", "Feedback", "Trace")
SPANS = 10_000
WORDS = ("the", "model", "answers", "question", "about", "orders", "returns", "articles", "found", "which", "says")


def export(store: Path, output: Path, *arguments: str) -> Path:
    """Write a page with the command line, as a process of its own."""
    command = [sys.executable, "-m", "tracehound", "export", *arguments, "--store", str(store), "--html", str(output)]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return output


@pytest.fixture(scope="session")
def desk_page(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(desk, tmp_path_factory.mktemp("pages") / "desk.html", "--experiment", DESK)


@pytest.fixture(scope="session")
def hostile_page(desk: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export(desk, tmp_path_factory.mktemp("pages") / "hostile.html", "--experiment", "hostile")


@pytest.fixture
def open_file(browser: Browser) -> Iterator[Open]:
    """Open a page from disk with the network off; nothing may go wrong in it, and nothing else be asked for."""
    opened: list[Page] = []
    wrong: list[str] = []

    def open_page(path: Path, *, width: int = 1440, height: int = 900, theme: str = "light", **query: str) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            offline=True,
        )
        page = context.new_page()

        def look(request: Request) -> None:
            if request.url.partition("?")[0] != path.as_uri():
                wrong.append(f"asked {request.url}")

        page.on("request", look)
        page.on("pageerror", lambda error: wrong.append(f"raised {error}"))
        page.on("console", lambda said: wrong.append(said.text) if "Content Security Policy" in said.text else None)
        page.goto(f"{path.as_uri()}?{urlencode(query)}" if query else path.as_uri())
        opened.append(page)
        return page

    yield open_page
    for page in opened:
        page.context.close()
    assert wrong == []


def stored(path: Path, experiment: str) -> list[Trace]:
    """Return the traces of an experiment as the store gives them, newest first."""
    tracehound.set_tracking_uri(str(path))
    known = tracehound.get_experiment_by_name(experiment)
    assert known is not None
    return tracehound.search_traces([known.experiment_id], return_type="list")


def test_the_page_holds_what_the_store_holds(desk: Path, desk_page: Path, hostile_page: Path) -> None:
    for path, experiment in ((desk_page, DESK), (hostile_page, "hostile")):
        found = list(read_page(path.read_bytes()))
        assert found == [(trace, experiment) for trace in stored(desk, experiment)]


def test_a_trace_is_chosen_from_a_list_by_keys_alone(open_file: Open, desk_page: Path) -> None:
    page = open_file(desk_page)
    expect(page.get_by_role("status")).to_have_text("480 traces")
    expect(page.locator("#row-0")).to_contain_text("answer_ticket")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    items = page.get_by_role("treeitem")
    expect(items.first).to_contain_text("answer_ticket")
    page.keyboard.press("j")
    expect(page.locator(".span.chosen")).to_contain_text("classify")
    page.keyboard.press("/")
    page.keyboard.type("you ANSWER tickets")
    expect(page.get_by_role("region", name="Spans of the trace").get_by_role("status")).to_have_text(
        re.compile(r"^2 of \d$")
    )
    page.keyboard.press("Escape")
    first = page.url
    page.keyboard.press("n")
    page.wait_for_function("first => location.href !== first", arg=first)
    page.go_back()
    page.wait_for_function("first => location.href === first", arg=first)
    page.keyboard.press("Escape")
    expect(page.locator("#row-0")).to_be_visible()
    page.keyboard.press("/")
    expect(page.get_by_label("Find traces")).to_be_focused()
    page.keyboard.type("blue KETTLE")
    expect(page.get_by_role("status")).not_to_have_text("480 traces")
    expect(page.locator("#row-0")).to_contain_text("kettle")
    page.get_by_role("columnheader", name="Duration").get_by_role("button").click()
    expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
    page.get_by_label("Find traces").fill("nothing has this")
    expect(page.get_by_role("heading", name="No trace has this text")).to_be_visible()


def told(page: Page) -> dict[str, list[str]]:
    """Return what a page tells of the trace that it shows: its spans, and of each what the tabs say."""
    items = page.get_by_role("treeitem")
    expect(items.first).to_be_visible()
    found = {"head": [page.locator(".about .facts").inner_text()], "spans": items.all_inner_texts()}
    for number in range(items.count()):
        items.nth(number).click()
        for tab in ("Values", "Attributes", "Events"):
            page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
            expect(page.locator(".panel h2")).to_contain_text(found["spans"][number].split("\n")[1].strip("▲ "))
            found[f"{number} {tab}"] = [page.locator(".panel").inner_text()]
    return found


@pytest.mark.parametrize("state", ["OK", "ERROR"])
def test_the_page_shows_what_the_server_shows(
    view: Open, open_file: Open, desk: Path, desk_page: Path, state: str
) -> None:
    trace = next(each for each in stored(desk, DESK) if each.info.state == state)
    assert told(open_file(desk_page, trace=trace.info.trace_id)) == told(view(trace=trace.info.trace_id))


def test_what_was_said_is_shown_and_cannot_be_changed(open_file: Open, desk: Path, desk_page: Path) -> None:
    trace = next(each for each in stored(desk, DESK) if each.info.assessments)
    page = open_file(desk_page, trace=trace.info.trace_id)
    page.get_by_role("tab", name="Feedback 1").click()
    expect(page.locator(".said")).to_contain_text("The customer said so.")
    page.get_by_role("tab", name="Trace", exact=True).click()
    expect(page.locator(".panel")).to_contain_text("staging" if trace.info.tags["env"] == "staging" else "prod")
    for tab in TABS:
        page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        expect(page.locator(".panel form")).to_have_count(0)


def test_hostile_values_harm_nothing_and_still_show(open_file: Open, hostile_page: Path) -> None:
    page = open_file(hostile_page)
    items = page.get_by_role("treeitem")
    expect(items.first).to_contain_text("<script>")
    scripts = page.locator("script").count()
    for tab in TABS:
        page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        assert harmed(page) is None
    page.get_by_role("tab", name="Values").click()
    items.nth(1).click()
    expect(page.get_by_text("10,000,000 characters")).to_be_visible()
    assert (harmed(page), page.locator("iframe, img").count(), page.locator("script").count()) == (None, 0, scripts)


def harmed(page: Page) -> object:
    return page.evaluate("window.harmed ?? null")


def test_the_page_may_run_its_own_script_only_and_reach_nobody(browser: Browser, hostile_page: Path) -> None:
    page = browser.new_page()  # with the network on
    page.goto(hostile_page.as_uri())
    expect(page.get_by_role("treeitem").first).to_be_visible()
    said = page.evaluate("""async () => {
        const script = document.createElement('script');
        script.textContent = 'window.harmed = 4';
        document.body.append(script);
        const image = new Image();
        const loaded = new Promise(done => { image.onload = () => done('loaded'); image.onerror = () => done('no'); });
        image.src = 'data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==';
        const fetched = await fetch('data:text/plain,hello').then(() => 'fetched', () => 'no');
        return [window.harmed ?? null, await loaded, fetched];
    }""")
    assert said == [None, "no", "no"]
    page.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_list_and_trace(open_file: Open, desk_page: Path, theme: str) -> None:
    page = open_file(desk_page, theme=theme)
    expect(page.locator("#row-0")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("data-theme", theme)
    assert violations(page) == []
    page.locator("#row-0").click()
    expect(page.get_by_role("treeitem").first).to_be_visible()
    for tab in TABS:
        page.get_by_role("tab", name=re.compile(f"^{tab}")).click()
        assert violations(page) == [], tab
    page.keyboard.press("v")
    page.keyboard.press("v")
    assert violations(page) == []
    page.keyboard.press("d")
    expect(page.locator("html")).not_to_have_attribute("data-theme", theme)


@pytest.mark.parametrize(("width", "height"), [(360, 740), (900, 500)])
def test_small_screens_and_low_frames_are_enough(open_file: Open, desk_page: Path, width: int, height: int) -> None:
    page = open_file(desk_page, width=width, height=height)
    page.locator("#row-0").click()
    expect(page.get_by_role("treeitem").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert violations(page) == []


def large_trace() -> TracePart:
    """Return a trace of 10,000 spans with what such spans hold: messages, answers, usage; never the same twice."""
    draw = random.Random(11)

    def text(words: int) -> str:
        return " ".join(draw.choice(WORDS) + draw.choice(("", "", f"-{draw.randrange(10_000)}")) for _ in range(words))

    spans = [replace(span(1, 0x1234, name="agent", duration_ms=SPANS), span_id=f"{draw.getrandbits(64):016x}")]
    for number in range(2, SPANS + 1):
        said = {"messages": [{"role": "system", "content": text(12)}, {"role": "user", "content": text(24)}]}
        reply = {"choices": [{"message": {"role": "assistant", "content": text(40)}}]}
        usage = {"input_tokens": draw.randrange(900), "output_tokens": draw.randrange(300), "total_tokens": 1_200}
        spans.append(
            replace(
                span(number, 0x1234, start_ms=number, name=f"step {number}"),
                span_id=f"{draw.getrandbits(64):016x}",
                parent_id=spans[0 if number % 10 == 2 else -1].span_id,  # chains of ten
                span_type="CHAT_MODEL",
                inputs_json=tracehound_json(said),
                outputs_json=tracehound_json(reply),
                attributes_json={
                    "mlflow.llm.model": '"large-2"', "mlflow.chat.tokenUsage": tracehound_json(usage),
                    "request.id": f'"{draw.getrandbits(128):032x}"',
                },
            )
        )  # fmt: skip
    return TracePart(spans[0].trace_id, experiment="large", written_ns=1, spans=spans)


def processor_s(browser: Browser) -> float:
    """Return how much time of processors all processes of the browser have taken."""
    session = browser.new_browser_cdp_session()
    found = session.send("SystemInfo.getProcessInfo")["processInfo"]
    session.detach()
    return float(sum(each["cpuTime"] for each in found))


def test_ten_thousand_spans_are_less_than_five_megabytes_and_open(
    open_file: Open,
    browser: Browser,
    tmp_path: Path,
    seconds: Callable[[], float],
    measured: Callable[[str], None],
) -> None:
    path = tmp_path / "large.db"
    part = large_trace()
    store = SqliteStore(path)
    try:
        store.write([part])
    finally:
        store.close()
    begun = seconds()
    file = export(path, tmp_path / "large.html", "--experiment", "large")
    written_s = seconds() - begun
    size = file.stat().st_size
    held = sum(len(each.inputs_json or "") + len(each.outputs_json or "") for each in part.spans)
    assert size < 5_000_000
    [(found, _)] = read_page(file.read_bytes())
    assert sorted(each.span_id for each in found.data.spans) == sorted(each.span_id for each in part.spans)
    begun, used_s = seconds(), processor_s(browser)
    page = open_file(file)
    expect(page.get_by_role("treeitem").first).to_be_visible()
    opened_s = seconds() - begun
    used_s = processor_s(browser) - used_s
    expect(page.get_by_text(f"{SPANS:,} spans")).to_be_visible()
    page.get_by_role("tree").focus()
    begun = seconds()
    page.keyboard.press("End")
    expect(page.get_by_role("treeitem").filter(has_text=f"step {SPANS}")).to_be_visible()
    scrolled_s = seconds() - begun
    begun = seconds()
    page.get_by_label("Find in this trace").fill("nobody has written this")
    expect(page.get_by_text(f"0 of {SPANS:,}")).to_be_visible()
    found_s = seconds() - begun
    measured(
        f"10,000 spans with {held / 1e6:.1f} MB of values: {size / 1e6:.2f} MB of page, written in {written_s:.2f} s, "
        f"open after {opened_s:.2f} s ({used_s:.2f} s of processors), the last span in view "
        f"{scrolled_s:.2f} s after the key, all looked through in {found_s:.2f} s"
    )
