"""The table of traces: what is found, how it is narrowed, and what the address says of it."""

from __future__ import annotations

import re
import time
from urllib.parse import parse_qs, urlparse

from playwright.sync_api import Page, expect

import tracehound
from tests.page.conftest import Open
from tests.page.data import TICKETS
from tests.server.process import ServerProcess

DESK = "support-desk"


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlparse(page.url).query).items()}


def wait_for_query(page: Page, **wanted: str) -> None:
    page.wait_for_function(
        "wanted => Object.entries(wanted).every(([k, v]) => (new URLSearchParams(location.search).get(k) ?? '') === v)",
        arg=wanted,
    )


def rows_of(page: Page) -> int:
    expect(page.locator(".table .row:not(.head)").first).to_be_visible()
    return int(page.locator(".table .row:not(.head)").count())


def write_filter(page: Page, text: str) -> None:
    page.locator("body").press("/")
    expect(page.locator(".cm-content")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type(text)


def test_the_newest_traces_are_there_with_what_they_took(view: Open) -> None:
    page = view(experiment=DESK)
    first = page.locator("#row-0")
    expect(first).to_contain_text("answer_ticket")
    expect(first).to_contain_text(re.compile(r"\$0\.\d+"))
    expect(page.get_by_role("columnheader")).to_have_count(10)


def test_only_what_is_in_view_is_there_and_scrolling_reaches_the_last_trace(view: Open) -> None:
    page = view(experiment=DESK)
    assert rows_of(page) < 60
    page.locator(".table").focus()
    told = page.locator(".above .muted")
    while (before := told.text_content()) != f"{TICKETS} traces":
        page.keyboard.press("End")  # the last row that was read, which has the next ones read
        expect(told).not_to_have_text(before or "")
    page.keyboard.press("End")
    expect(page.locator(f"#row-{TICKETS - 1}")).to_be_visible()
    assert rows_of(page) < 60


def test_a_filter_is_written_with_completion_from_the_data(view: Open) -> None:
    page = view(experiment=DESK)
    expect(page.locator(".facet").first).to_be_visible()
    write_filter(page, "tags.e")
    expect(page.get_by_role("option", name="tags.env")).to_be_visible()
    page.keyboard.press("Enter")
    page.keyboard.type("= ")
    expect(page.get_by_role("option", name="'staging'")).to_be_visible()
    page.keyboard.type("'st")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.locator("body").press("/")
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    wait_for_query(page, filter="tags.env = 'staging'")
    expect(page.locator("#row-0")).to_contain_text("staging")


def test_a_wrong_filter_is_told_in_the_servers_words_under_the_place_with_what_is_meant(view: Open) -> None:
    page = view(experiment=DESK, filter="attributes.name = 'answer_ticket' AND status = 'OK'")
    told = page.get_by_role("alert")
    expect(told).to_contain_text("status")
    place = page.locator(".cm-lintRange-error")
    expect(place).to_have_text("status")
    arrow = told.locator("span").first
    assert abs(place.bounding_box()["x"] - arrow.bounding_box()["x"]) < 4
    told.get_by_role("button").click()
    expect(told).to_have_count(0)
    expect(page.locator("#row-0")).to_contain_text("answer_ticket")
    assert "attributes.status = 'OK'" in query_of(page)["filter"]


def test_a_facet_tells_how_many_there_are_and_narrows_to_one_value_and_back(view: Open) -> None:
    page = view(experiment=DESK)
    staging = page.get_by_role("navigation", name="Facets").get_by_role("button", name=re.compile("^staging"))
    expect(staging).to_contain_text(str(TICKETS // 4))
    staging.click()
    wait_for_query(page, filter="tags.env = 'staging'")
    expect(page.locator("#row-0")).to_contain_text("staging")
    expect(staging).to_have_attribute("aria-pressed", "true")
    staging.click()
    wait_for_query(page, filter="")


def test_a_click_on_a_head_orders_and_another_one_turns_it_round(view: Open) -> None:
    page = view(experiment=DESK)
    head = page.get_by_role("columnheader", name=re.compile("^Duration"))
    head.get_by_role("button").click()
    wait_for_query(page, order="execution_time_ms DESC")
    expect(head).to_have_attribute("aria-sort", "descending")
    expect(page.locator("#row-0")).to_contain_text("Error")  # what waits for a model that is silent takes longest
    head.get_by_role("button").click()
    wait_for_query(page, order="execution_time_ms ASC")
    expect(page.locator("#row-0")).to_contain_text("OK")


def test_columns_are_chosen_ordered_and_made_wider(view: Open) -> None:
    page = view(experiment=DESK)
    page.locator("body").press("c")
    page.get_by_role("checkbox", name="Session").check()
    page.get_by_role("checkbox", name="Cost").uncheck()
    page.get_by_role("button", name="Name to the left").click()
    page.keyboard.press("Escape")
    heads = page.get_by_role("columnheader")
    expect(heads.first).to_contain_text("Name")
    expect(heads.last).to_contain_text("Session")
    before = heads.first.bounding_box()["width"]
    page.get_by_role("separator", name="Width of Name").press("ArrowRight")
    page.wait_for_function("() => location.search.includes('name%3A')")
    assert heads.first.bounding_box()["width"] == before + 16
    page.reload()
    expect(heads.first).to_contain_text("Name")
    expect(heads.last).to_contain_text("Session")


def test_the_range_of_time_is_relative_or_between_two_moments(view: Open, own_server: ServerProcess) -> None:
    now_ns = time.time_ns()
    for minutes_ago in (600, 60, 0):
        tracehound.start_span_no_context("answer", start_time_ns=now_ns - minutes_ago * 60_000_000_000).end()
    tracehound.flush()
    page = view(server=own_server)
    few = page.locator(".above .muted")
    expect(few).to_have_text("3 traces")
    page.locator("body").press("t")
    page.get_by_role("button", name="Last 15 minutes").click()
    wait_for_query(page, since="15m")
    expect(few).to_have_text("1 traces")
    page.locator("body").press("t")
    page.get_by_label("From").fill("2001-01-01T00:00")
    page.get_by_label("To", exact=True).fill("2001-01-02T00:00")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.get_by_role("heading", name="No trace passes")).to_be_visible()
    page.get_by_role("button", name="At any time").click()
    expect(page.locator("#row-0")).to_be_visible()


def test_dragging_on_a_chart_narrows_the_time(view: Open) -> None:
    page = view(experiment=DESK)
    plot = page.locator(".charts .u-over").first
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=5)
    page.mouse.up()
    page.wait_for_function("() => new URLSearchParams(location.search).has('until')")
    asked = query_of(page)
    hours = (int(asked["until"]) - int(asked["since"])) / 3_600_000
    assert 10 < hours < 14  # half of the day
    expect(page.locator("#row-0")).to_be_visible()


def test_charts_tell_what_there_was(view: Open) -> None:
    page = view(experiment=DESK)
    charts = page.get_by_role("region", name="Over time").get_by_role("figure")
    for title, told in (("Traces", r"OK \d+Error \d+"), ("Latency", r"p50.*p95.*p99"), ("Error rate", r"%"),
                        ("Tokens", r"input.*output"), ("Cost", r"\$")):  # fmt: skip
        expect(charts.filter(has_text=title)).to_contain_text(re.compile(told))


def test_new_traces_are_counted_and_nothing_moves_until_they_are_asked_for(
    view: Open, own_server: ServerProcess
) -> None:
    with tracehound.start_span("first"):
        pass
    page = view(server=own_server)
    expect(page.locator("#row-0")).to_contain_text("first")
    expect(page.locator(".charts canvas").first).to_be_visible()
    for _ in range(2):
        with tracehound.start_span("second"):
            pass
    fresh = page.get_by_role("button", name="2 new · show")
    expect(fresh).to_be_visible()
    expect(page.locator("#row-0")).to_contain_text("first")
    fresh.click()
    expect(page.locator("#row-0")).to_contain_text("second")
    expect(fresh).to_have_count(0)


def test_a_store_without_traces_says_how_to_have_some(view: Open, own_server: ServerProcess) -> None:
    page = view(server=own_server)
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    expect(page.get_by_text("@tracehound.trace")).to_be_visible()


def test_a_server_that_is_gone_is_told_and_asked_again(view: Open, own_server: ServerProcess) -> None:
    page = view(server=own_server)
    expect(page.get_by_role("heading", name="No traces yet")).to_be_visible()
    own_server.kill()
    page.locator("body").press("r")
    expect(page.get_by_role("alert")).to_contain_text("The server does not answer")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_the_keys_choose_and_open_a_trace_and_lead_back(view: Open) -> None:
    page = view(experiment=DESK)
    expect(page.locator("#row-0")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(page.locator("#row-1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page.get_by_role("tree")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#row-1")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)
