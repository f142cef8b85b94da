"""Orders by an index of segments, when there are more of these than one statement merges."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.traces import part, span
from tracehound.query.search import Search, parse_search
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite import finding
from tracehound.store.sqlite.store import SqliteStore

EXPERIMENTS = ("desk", "shop", "lab")
CHANGES = [
    part(
        span(1, trace=number, start_ms=number % 5),
        experiment=EXPERIMENTS[number % 3],
        tags={"env": "prod" if number % 4 else "dev"},
        metadata={"mlflow.trace.cost": f'{{"total_cost": {number % 7 / 4}}}'} if number % 6 else {},
    )
    for number in range(1, 61)
]


def ids_of_pages(store: Store, search: Search) -> list[str]:
    page = store.search(search)
    found = [info.trace_id for info in page.traces]
    while page.next_cursor is not None:
        page = store.search(search.behind(page.next_cursor))
        found += [info.trace_id for info in page.traces]
    return found


@pytest.mark.parametrize(
    "filter_string", [None, "tags.env = 'prod'", "attributes.cost > 0.5", "attributes.cost IS NULL"]
)
@pytest.mark.parametrize("order", [["cost DESC"], ["cost ASC"], ["cost", "trace_id DESC"], ["total_tokens"]])
@pytest.mark.parametrize("most", [1, 32])
def test_parts_of_an_index_are_merged_in_order(
    filter_string: str | None, order: list[str], most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_SEGMENTS", most)
    sqlite, memory = SqliteStore(tmp_path / "traces.db"), MemoryStore()
    sqlite.write(CHANGES)
    memory.write(CHANGES)
    experiment_ids = [each.experiment_id for each in memory.experiments()]
    for limit in (1, 7, 100):
        search = parse_search(experiment_ids, filter_string, order, limit)
        assert ids_of_pages(sqlite, search) == ids_of_pages(memory, search)
    sqlite.close()
