"""Many traces: what is asked of them is answered, rightly, and the run tells how soon."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from tests.page.conftest import Open
from tests.page.test_traces import write_filter
from tests.server.process import ServerProcess
from tests.traces import part, span
from tracehound.store.sqlite.store import SqliteStore

MANY = 20_000
AT_A_TIME = 2_000


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Serve a store of many traces, of which each twentieth is of `dev`, and a later one cost more."""
    path = tmp_path_factory.mktemp("many") / "many.db"
    store = SqliteStore(path)
    for first in range(1, MANY + 1, AT_A_TIME):
        store.write(
            [
                part(
                    span(1, trace=number, start_ms=number * 1_000, duration_ms=number % 997, name=f"name {number % 7}"),
                    tags={"env": "prod" if number % 20 else "dev"},
                    metadata={"mlflow.trace.cost": f'{{"total_cost": {number / 1_000}}}'},
                )
                for number in range(first, first + AT_A_TIME)
            ]
        )
    store.close()
    running = ServerProcess(path)
    yield running
    running.kill()


def test_many_traces_are_filtered_ordered_scrolled_and_opened(
    view: Open, many: ServerProcess, seconds: Callable[[], float], measured: Callable[[str], None]
) -> None:
    page = view(server=many)
    first, told = page.locator("#row-0"), []

    def note(what: str, begun: float) -> None:
        told.append(f"{what} {(seconds() - begun) * 1_000:.0f}")

    expect(first).to_contain_text("$20.00")
    begun = seconds()
    page.get_by_role("columnheader", name="Duration").get_by_role("button").click()
    expect(first).to_contain_text("996 ms")
    note("order by duration", begun)
    for order, cost in (("most expensive first", "$20.00"), ("cheapest first", "$0.0010")):
        begun = seconds()
        page.get_by_role("columnheader", name="Cost").get_by_role("button").click()
        expect(first).to_contain_text(cost)
        note(order, begun)
    write_filter(page, "tags.env = 'dev'")
    page.keyboard.press("Escape")
    page.locator(".filter .editor").click()
    begun = seconds()
    page.keyboard.press("Enter")
    expect(first).to_contain_text("$0.020")
    note("filter", begun)
    page.locator(".table").focus()
    begun = seconds()
    page.keyboard.press("End")
    expect(page.locator(".above [role=status]")).to_have_text("200+ traces")
    note("the next hundred", begun)
    page.keyboard.press("Home")
    begun = seconds()
    first.click()
    expect(page.get_by_role("treeitem").first).to_be_visible()
    note("open one", begun)
    measured(f"{MANY:,} traces, in ms from the key or the click to what is seen: {', '.join(told)}")
