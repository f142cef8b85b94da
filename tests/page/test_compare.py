"""Two values of a key beside each other: what is chosen, what it tells, and what the address says of it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

import tracehound
from tests.page.conftest import Open
from tests.page.data import TICKETS, count_of_old
from tests.page.test_everywhere import violations
from tests.page.test_traces import DESK, query_of, wait_for_query
from tests.server.process import ServerProcess

VERSIONS = {"place": "compare", "experiment": DESK, "by": "tags.version", "baseline": "2.0", "candidate": "2.1"}


def measure(page: Page, name: str) -> str:
    row = page.locator(f"tr[data-measure='{name}']")
    expect(row).to_be_visible()
    return str(row.inner_text())


def test_a_key_and_two_values_are_chosen_with_what_the_data_has(view: Open) -> None:
    page = view(experiment=DESK)
    page.get_by_role("link", name="Compare").click()
    wait_for_query(page, by="")
    page.get_by_role("button", name="tags.version: 2.0 → 2.1").click()
    wait_for_query(page, by="tags.version", baseline="2.0", candidate="2.1", experiment=DESK)
    expect(page.get_by_role("region", name="Measures")).to_contain_text("Error rate")
    assert page.locator("#compare-values option").evaluate_all("all => all.map(each => each.value)") == ["2.0", "2.1"]
    assert "tags.env" in page.locator("#compare-keys option").evaluate_all("all => all.map(each => each.value)")
    page.get_by_role("combobox", name="Key", exact=True).fill("tags.env")
    page.get_by_role("combobox", name="Key", exact=True).press("Tab")
    wait_for_query(page, by="tags.env", baseline="")
    expect(page.get_by_label("Baseline")).to_be_focused()
    page.get_by_label("Baseline").fill("prod")
    page.get_by_label("Candidate").fill("staging")
    page.get_by_role("button", name="Compare", exact=True).click()
    wait_for_query(page, by="tags.env", baseline="prod", candidate="staging")
    expect(page.get_by_role("region", name="Traces of staging")).to_contain_text(f"{TICKETS // 4} traces")
    page.get_by_role("button", name="Swap").click()
    wait_for_query(page, baseline="staging", candidate="prod")
    page.go_back()
    wait_for_query(page, baseline="prod", candidate="staging")


def test_the_address_shows_the_same_to_someone_else_and_the_numbers_are_those_of_the_sdk(view: Open) -> None:
    page = view(**VERSIONS)
    old = count_of_old() + 1
    expect(page.get_by_role("region", name="Traces of 2.0")).to_contain_text(f"{old} traces")
    expect(page.get_by_role("region", name="Traces of 2.1")).to_contain_text(f"{TICKETS - old} traces")
    expect(page.locator(".latencies canvas")).to_be_visible()
    assert re.search(r"Error rate\s+[\d.]+ %\s+[\d.]+ %\s+[−+][\d.]+ points", measure(page, "error_rate"))
    assert "too few: it takes 574 traces" in measure(page, "p99")
    assert page.locator("tr[data-measure='p99'] svg").count() == 0
    assert page.locator("tr[data-measure='p50'] svg").count() == 1


def test_only_what_differs_beyond_chance_is_marked(view: Open, own_server: ServerProcess) -> None:
    for number in range(80):
        slow = number % 2
        span = tracehound.start_span_no_context(
            "answer", tags={"flag": "on" if slow else "off"}, start_time_ns=(1_800_000_000_000 + number) * 1_000_000
        )
        span.end(end_time_ns=(1_800_000_000_000 + number + 100 + number + 400 * slow) * 1_000_000)
    tracehound.flush()
    page = view(server=own_server, place="compare", by="tags.flag", baseline="off", candidate="on")
    assert "▲ more" in measure(page, "p50")
    assert "▲ more" in measure(page, "latency_mean")
    assert not re.search("more|less", measure(page, "error_rate"))
    assert "too few" in measure(page, "cost")


def test_examples_lead_to_traces_and_back_and_a_side_leads_to_its_table(view: Open) -> None:
    page = view(**VERSIONS)
    side = page.get_by_role("region", name="Traces of 2.0")
    for title in ("Slowest", "Failing", "Typical"):
        expect(side.get_by_role("heading", name=title)).to_be_visible()
    expect(side.get_by_role("listitem")).to_have_count(9)
    side.get_by_role("listitem").first.click()
    expect(page.get_by_role("treeitem").first).to_be_visible()
    page.go_back()
    expect(side).to_be_visible()
    side.get_by_role("link", name="traces").click()
    expect(page.locator("#row-0")).to_be_visible()
    assert query_of(page)["filter"] == "tags.version = '2.0'"


def test_the_filter_narrows_both_sides_and_what_is_wrong_is_told(view: Open) -> None:
    page = view(**VERSIONS, filter="attributes.status = 'ERROR'")
    assert re.search(r"Error rate\s+100 %\s+100 %", measure(page, "error_rate"))
    page.goto(page.url.replace("tags.version", "tags"))
    expect(page.get_by_role("alert")).to_contain_text("a prefix and needs a name behind it")


def test_values_that_no_trace_has_are_two_empty_sides(view: Open) -> None:
    page = view(**{**VERSIONS, "baseline": "7", "candidate": "<script>window.harmed = 1</script>"})
    expect(page.get_by_role("region", name="Traces of 7")).to_contain_text("0 traces")
    assert "too few" in measure(page, "error_rate")
    assert page.evaluate("window.harmed ?? null") is None


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_everyone_can_read_it_on_any_screen(view: Open, theme: str, width: int) -> None:
    page = view(place="compare", experiment=DESK, theme=theme, width=width, height=800)
    expect(page.get_by_role("button", name="tags.version: 2.0 → 2.1")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="tags.version: 2.0 → 2.1").click()
    expect(page.locator(".latencies canvas")).to_be_visible()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
