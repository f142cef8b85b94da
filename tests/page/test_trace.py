"""One trace: its spans in three views, what they hold, and what can be said of it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

import tracehound
from tests.page.conftest import Open, Processor
from tests.page.data import MANY, MANY_ID
from tests.page.test_traces import DESK, query_of, wait_for_query
from tests.server.process import ServerProcess

ERRORS = "attributes.status = 'ERROR'"
# Scrolls to a part of the tree, and waits until that was drawn.
FRAME = """async part => {
    const tree = document.querySelector("[role=tree]");
    tree.scrollTop = part * tree.scrollHeight;
    for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
}"""


def open_first(page: Page) -> Page:
    """Open the first trace of the table."""
    expect(page.locator("#row-0")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("treeitem").first).to_be_visible()
    return page


def test_the_tree_shows_each_span_below_its_parent_with_how_long_it_took(view: Open) -> None:
    page = open_first(view(experiment=DESK))
    items = page.get_by_role("treeitem")
    expect(items.nth(0)).to_have_attribute("aria-level", "1")
    expect(items.nth(1)).to_contain_text("classify")
    expect(items.nth(1)).to_have_attribute("aria-level", "2")
    expect(items.nth(1)).to_contain_text(re.compile(r"\d ms"))
    root, step = (items.nth(number).locator(".lane i").bounding_box() for number in (0, 1))
    assert root is not None
    assert step is not None
    assert step["width"] < root["width"]


def test_the_keys_select_spans_close_branches_and_find_errors(view: Open) -> None:
    page = open_first(view(experiment=DESK, filter=ERRORS))
    items = page.get_by_role("treeitem")
    count = items.count()
    page.keyboard.press("ArrowLeft")
    expect(items).to_have_count(1)
    page.keyboard.press("ArrowRight")
    expect(items).to_have_count(count)
    page.keyboard.press("e")
    expect(page.locator(".span.chosen")).to_contain_text("write_reply")
    expect(page.get_by_role("heading", name="TimeoutError")).to_be_visible()
    page.get_by_text("Stack", exact=True).click()
    expect(page.locator(".failure")).to_contain_text("_call_model")


def test_values_are_shown_as_chat_markdown_json_and_text(view: Open) -> None:
    page = open_first(view(experiment=DESK, filter="attributes.status = 'OK'"))
    page.get_by_role("treeitem").filter(has_text="write_reply").click()
    panel = page.get_by_role("region", name="Span", exact=True)
    inputs = panel.locator(".value").filter(has=page.get_by_role("heading", name="Inputs"))
    expect(inputs.locator(".chat > li")).to_have_count(2)
    outputs = panel.locator(".value").filter(has=page.get_by_role("heading", name="Outputs"))
    expect(outputs.locator(".chat .markdown")).to_be_visible()
    outputs.get_by_role("button", name="JSON").click()
    expect(outputs.locator(".json")).to_contain_text("assistant")
    outputs.get_by_role("button", name=re.compile("choices")).click()
    expect(outputs.locator(".json")).not_to_contain_text("assistant")
    outputs.get_by_role("button", name="Text").click()
    expect(outputs.locator("pre")).to_contain_text('"role": "assistant"')
    page.get_by_role("treeitem").first.click()
    expect(outputs.locator(".markdown")).to_be_visible()
    outputs.get_by_role("button", name="Copy").click()
    expect(outputs.get_by_role("button", name="Copied")).to_be_visible()
    assert "reply" in page.evaluate("navigator.clipboard.readText()")


def test_a_text_is_looked_for_in_all_spans_and_enter_leads_to_the_next_one(view: Open) -> None:
    page = open_first(view(experiment=DESK))
    page.keyboard.press("/")
    page.keyboard.type("you ANSWER tickets")
    status = page.get_by_role("region", name="Spans of the trace").get_by_role("status")
    expect(status).to_have_text(re.compile(r"^2 of \d$"))
    expect(page.locator(".span.dim")).not_to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator(".span.chosen")).to_contain_text("classify")
    page.keyboard.press("Enter")
    expect(page.locator(".span.chosen")).to_contain_text("write_reply")


def test_the_flame_shows_the_same_spans_and_a_click_selects_one(view: Open) -> None:
    page = open_first(view(experiment=DESK))
    page.keyboard.press("v")
    page.keyboard.press("v")
    wait_for_query(page, view="flame")
    flame = page.get_by_role("img", name=re.compile("^Flame of"))
    box = flame.bounding_box()
    assert box is not None
    flame.click(position={"x": box["width"] * 0.8, "y": 30})
    expect(page.get_by_role("heading", name="write_reply")).to_be_visible()


def test_the_next_trace_is_one_key_away_and_ones_like_it_one_click(view: Open) -> None:
    page = open_first(view(experiment=DESK))
    first = query_of(page)["trace"]
    page.keyboard.press("n")
    page.wait_for_function("first => new URLSearchParams(location.search).get('trace') !== first", arg=first)
    page.keyboard.press("p")
    wait_for_query(page, trace=first)
    page.get_by_role("button", name="Similar traces").click()
    wait_for_query(page, trace="", filter="attributes.name = 'answer_ticket'")


@pytest.fixture
def trace_id(store_path: object) -> str:
    with tracehound.start_span("plan", span_type="AGENT") as span:
        span.set_inputs({"goal": "lunch"})
        tracehound.update_current_trace(tags={"env": "dev"})
    return span.trace_id


def test_feedback_is_added_corrected_and_taken_back(view: Open, trace_id: str, own_server: ServerProcess) -> None:
    page = view(server=own_server, trace=trace_id)
    page.get_by_role("tab", name=re.compile("Feedback")).click()
    page.get_by_label("Name").fill("helpful")
    page.get_by_label("Value").fill("no")
    page.get_by_role("button", name="Add").click()
    said = page.locator(".said li")
    expect(said).to_contain_text("helpful no")
    said.get_by_role("button", name="Correct").click()
    page.get_by_label("Value").fill("yes")
    page.get_by_label("Why").fill("It came on time.")
    page.locator("form").get_by_role("button", name="Correct").click()
    expect(said).to_contain_text("helpful yes")
    found = tracehound.get_trace(trace_id)
    assert found is not None
    [kept] = found.search_assessments("helpful")
    assert (getattr(kept, "value", None), kept.rationale) == (True, "It came on time.")
    said.get_by_role("button", name="Take back").click()
    expect(said).to_have_count(0)


def test_tags_are_set_changed_and_removed(view: Open, trace_id: str, own_server: ServerProcess) -> None:
    page = view(server=own_server, trace=trace_id)
    page.get_by_role("tab", name="Trace").click()
    page.get_by_label("Tag", exact=True).fill("reviewed by/ana")
    page.get_by_label("Value", exact=True).fill("yes")
    page.get_by_role("button", name="Set").click()
    expect(page.get_by_label("Value of reviewed by/ana")).to_have_value("yes")
    page.get_by_label("Value of env").fill("prod")
    page.get_by_label("Value of env").press("Enter")
    page.get_by_role("button", name="Remove reviewed by/ana").click()
    expect(page.get_by_label("Value of reviewed by/ana")).to_have_count(0)
    found = tracehound.get_trace(trace_id)
    assert found is not None
    tags = found.info.tags
    assert tags["env"] == "prod"
    assert "reviewed by/ana" not in tags


def test_a_trace_that_runs_grows_while_one_looks(view: Open, own_server: ServerProcess) -> None:
    with tracehound.start_span("long") as root:
        with tracehound.start_span("first"):
            pass
        page = view(server=own_server)
        expect(page.locator("#row-0")).to_contain_text("Running")  # after a second it is told of
        page.locator("#row-0").click()
        expect(page.get_by_role("treeitem").filter(has_text="long")).to_contain_text("running")
        with tracehound.start_span("second"):
            pass
    expect(page.get_by_role("treeitem").filter(has_text="second")).to_be_visible()
    expect(page.locator(".about")).to_contain_text("OK")
    assert root.trace_id in page.url


def test_a_trace_that_is_not_there_is_told(view: Open) -> None:
    page = view(trace="tr-nowhere")
    expect(page.get_by_role("alert")).to_contain_text("there is no trace tr-nowhere")
    page.get_by_role("button", name="All traces").click()
    expect(page.locator("#row-0")).to_be_visible()


def test_fifty_thousand_spans_open_and_scroll(
    view: Open, seconds: Callable[[], float], measured: Callable[[str], None]
) -> None:
    page = view(experiment="nobody's")  # the page itself is there, and what is measured is the trace
    expect(page.get_by_role("alert")).to_be_visible()
    processor = Processor(page)
    begun, used_s = seconds(), processor.process_s()
    page.goto(page.url.replace("experiment=nobody%27s", f"trace={MANY_ID}"))
    page.evaluate("""async () => {  // looks in each frame; `expect` waits half a second in between
        while (!document.querySelector("[role=treeitem]")) await new Promise(requestAnimationFrame);
    }""")
    opened_s, used_s = seconds() - begun, processor.process_s() - used_s
    expect(page.get_by_role("treeitem").first).to_be_visible()
    assert page.get_by_role("treeitem").count() < 100
    expect(page.get_by_text(f"{MANY:,} spans")).to_be_visible()
    page.get_by_role("tree").focus()
    begun, moved_s = seconds(), processor.thread_s()
    page.keyboard.press("End")
    expect(page.get_by_role("treeitem").filter(has_text=f"document {MANY}")).to_be_visible()
    scrolled_s, moved_s = seconds() - begun, processor.thread_s() - moved_s
    measured(
        f"50,000 spans: open after {opened_s:.2f} s ({used_s:.2f} s of processors), the last one in view "
        f"{scrolled_s:.2f} s after the key ({moved_s:.2f} s)"
    )
    assert used_s < 1.5
    assert moved_s < 0.25
    frames_s = []
    for at in range(60):
        before_s = processor.thread_s()
        page.evaluate(FRAME, at / 60)
        frames_s.append(processor.thread_s() - before_s)
    measured(f"scrolling through them, the longest frame took {max(frames_s) * 1_000:.0f} ms of a processor")
    assert max(frames_s) < 0.25
