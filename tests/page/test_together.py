"""Traces that belong together: sessions as conversations, users, and two traces side by side."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import tracehound
from tests.page.conftest import Open
from tests.page.data import TICKETS
from tests.page.test_everywhere import IMAGES, violations
from tests.page.test_trace import open_first
from tests.page.test_traces import DESK, query_of, wait_for_query, write_filter
from tests.server.process import ServerProcess


def test_sessions_are_listed_with_what_their_traces_add_up_to(view: Open) -> None:
    page = view(experiment=DESK)
    expect(page.locator("#row-0")).to_be_visible()
    page.keyboard.press("2")
    wait_for_query(page, place="sessions")
    rows = page.locator(".sheet tbody tr")
    expect(rows.first).to_contain_text(re.compile(r"^s-\d+3"))  # three turns each
    told = page.get_by_role("status")
    expect(told).to_have_text(re.compile(r"^\d\d\+ sessions$"))
    more = page.get_by_role("button", name="Show more")
    while (before := told.text_content()) != f"{TICKETS // 3} sessions":
        more.click()
        expect(told).not_to_have_text(before or "")
    names = page.locator(".sheet tbody tr td:first-child").all_text_contents()
    assert len(set(names)) == len(names) == TICKETS // 3
    assert page.get_by_role("link", name="Sessions").get_attribute("aria-current") == "page"


def test_a_session_is_read_as_a_conversation_and_each_turn_opens_its_trace(view: Open) -> None:
    page = view(experiment=DESK, place="sessions")
    page.locator(".sheet tbody a").first.click()
    page.wait_for_function("() => new URLSearchParams(location.search).has('session')")
    turns = page.locator(".turns > ol > li")
    expect(turns).to_have_count(3)
    expect(page.locator(".about")).to_contain_text(re.compile(r"Turns3.*Tokens[\d,]+.*Cost\$"))
    expect(turns.first.locator(".said-by.user")).not_to_contain_text("ticket")  # the text, not the object around it
    session = query_of(page)["session"]
    turns.nth(1).get_by_role("link").click()
    expect(page.get_by_role("treeitem").first).to_be_visible()
    page.locator(".facts").get_by_role("link", name=session).click()
    expect(turns).to_have_count(3)
    page.keyboard.press("Escape")
    wait_for_query(page, session="", place="sessions")


def test_users_are_listed_and_lead_to_what_they_did(view: Open) -> None:
    page = view(experiment=DESK, place="users")
    rows = page.locator(".sheet tbody tr")
    expect(rows).to_have_count(6)
    ana = rows.filter(has_text="ana")
    expect(ana).to_contain_text(re.compile(r"^ana\d\d\d\d"))  # traces, sessions
    ana.get_by_role("link").click()
    wait_for_query(page, place="", filter="attributes.user = 'ana'")
    expect(page.locator("#row-0")).to_contain_text("ana")


def test_a_filter_narrows_sessions_and_a_wrong_one_is_told_in_its_place(view: Open) -> None:
    page = view(experiment=DESK, place="sessions", filter="attributes.user = 'ana' AND attributes.status = 'ERROR'")
    expect(page.locator(".sheet tbody tr").first).to_contain_text("ana")
    write_filter(page, "nonsense = 1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert").first).to_be_visible()
    nobody = view(experiment=DESK, place="users", filter="attributes.user = 'nobody'")
    expect(nobody.get_by_role("heading", name="No users")).to_be_visible()
    nobody.get_by_role("button", name="In all traces").click()
    expect(nobody.locator(".sheet tbody tr").first).to_be_visible()


@pytest.fixture
def two_runs(store_path: object) -> tuple[str, str]:
    def answer(*, has_check: bool) -> str:
        with tracehound.start_span("answer", span_type="AGENT") as root:
            root.set_inputs({"question": "why?"})
            with tracehound.start_span("search", span_type="RETRIEVER") as search:
                search.set_outputs(["a", "b"])
            if has_check:
                with tracehound.start_span("check tone", span_type="GUARDRAIL"):
                    pass
            with tracehound.start_span("write", span_type="CHAT_MODEL") as write:
                write.set_inputs({"notes": ["a", "politely"] if has_check else ["a"]})
            root.set_outputs({"reply": "because, dear" if has_check else "because"})
        return root.trace_id

    return answer(has_check=False), answer(has_check=True)


def test_two_traces_stand_side_by_side_and_what_set_them_apart_is_shown_first(
    view: Open, own_server: ServerProcess, two_runs: tuple[str, str]
) -> None:
    before, after = two_runs
    page = view(server=own_server, trace=after)
    expect(page.get_by_role("treeitem").first).to_be_visible()
    page.keyboard.press("x")
    page.locator("#compare .choice").click()
    wait_for_query(page, trace=before, **{"with": after})
    expect(page.locator(".about").get_by_role("status")).to_have_text("3 of 4 steps differ")
    items = page.get_by_role("treeitem")
    expect(items).to_have_count(4)
    expect(page.locator(".pair.chosen")).to_contain_text("check tone")
    expect(page.locator(".pair.chosen")).to_contain_text("only right")
    page.keyboard.press("e")
    expect(page.locator(".pair.chosen")).to_contain_text("write")
    expect(page.get_by_role("row", name=re.compile(r"notes\[1\]"))).to_contain_text("nothingpolitely")
    page.keyboard.press("e")
    expect(page.locator(".pair.chosen")).to_contain_text("answer")
    expect(page.get_by_role("row", name=re.compile("reply"))).to_contain_text("becausebecause, dear")
    assert violations(page) == []
    page.get_by_role("link", name="Swap").click()
    wait_for_query(page, trace=after, **{"with": before})
    expect(page.locator(".pair.gone")).to_contain_text("check tone")
    page.keyboard.press("Escape")
    wait_for_query(page, trace=after, **{"with": ""})


def test_a_trace_that_is_not_there_cannot_be_compared_with(
    view: Open, own_server: ServerProcess, two_runs: tuple[str, str]
) -> None:
    page = view(server=own_server, trace=two_runs[0], **{"with": "tr-nowhere"})
    expect(page.get_by_role("alert")).to_contain_text("there is no trace tr-nowhere")
    page.get_by_role("button", name="Back to the trace").click()
    expect(page.get_by_role("treeitem").first).to_be_visible()


@pytest.mark.parametrize(("theme", "width"), [("light", 1440), ("dark", 1440), ("light", 360), ("dark", 360)])
def test_everyone_can_read_them_on_any_screen(view: Open, theme: str, width: int) -> None:
    page = view(experiment=DESK, place="sessions", theme=theme, width=width, height=800)
    expect(page.locator(".sheet tbody tr").first).to_contain_text(re.compile(r"s-\d+3"))
    check(page, width)
    page.locator(".sheet tbody a").first.click()
    expect(page.locator(".turns > ol > li").first).to_be_visible()
    check(page, width)
    page.keyboard.press("3")
    expect(page.locator(".sheet tbody tr").first).to_be_visible()
    check(page, width)
    page.keyboard.press("1")
    open_first(page)
    page.keyboard.press("x")
    page.locator("#compare .choice").first.click()
    expect(page.locator(".pair.chosen")).to_be_visible()
    check(page, width)


def check(page: Page, width: int) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert violations(page) == []


def test_pictures_of_the_documentation(view: Open, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """They are taken in each run, so that they can be, and kept where that is asked for."""
    folder = IMAGES if request.config.getoption("--update-golden") else tmp_path
    page = open_first(view(experiment=DESK, width=1280, height=640))
    page.keyboard.press("x")
    page.locator("#compare .choice").nth(1).click()
    expect(page.locator(".two .value")).to_have_count(4)
    taken = [page.screenshot(path=folder / "diff.png")]
    page = view(experiment=DESK, place="sessions", width=1280, height=640)
    page.locator(".sheet tbody a").first.click()
    expect(page.locator(".about")).to_contain_text("Tokens")
    expect(page.locator(".turns > ol > li")).to_have_count(3)
    taken.append(page.screenshot(path=folder / "session.png"))
    assert all(len(picture) > 20_000 for picture in taken)
