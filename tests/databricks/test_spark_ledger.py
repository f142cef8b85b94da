"""The ledger of searches, on Spark: whole, and page by page, and every filter that the language has."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.databricks.spark import NEEDS_SPARK, new_warehouse
from tests.query.test_language import VALID
from tests.query.typos import NOW_MS
from tests.store_contract.test_searching import LEDGER, MLFLOW, SPANS, found_in_pages, ledger_traces
from tracehound.query.search import parse_search
from tracehound.store.api import Searched
from tracehound.store.databricks.warehouse import Warehouse
from tracehound.store.memory import MemoryStore

pytestmark = NEEDS_SPARK
LEDGERS = {"queries": LEDGER, "queries_mlflow": MLFLOW, "queries_spans": SPANS}
SEARCHES = [
    pytest.param(name, line, id=str(line.get("filter", line.get("order"))))
    for name, ledger in LEDGERS.items()
    for line in ledger["searches"]
]
PAGED = [each for each in SEARCHES if len(each.values[1]["finds"]) > 2]  # type: ignore[index] # a line of the ledger


@pytest.fixture(scope="module")
def warehouses() -> Iterator[dict[str, Warehouse]]:
    """A table for each ledger, which Spark reads once."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(new_warehouse(ledger_traces(each["traces"]))) for name, each in LEDGERS.items()
        }


@pytest.fixture(scope="module")
def files() -> Iterator[dict[str, Warehouse]]:
    """The same tables, whose files Spark reads for each statement: as far as the statement lets it."""
    with contextlib.ExitStack() as stack:
        yield {
            name: stack.enter_context(new_warehouse(ledger_traces(each["traces"]), is_cached=False))
            for name, each in LEDGERS.items()
        }


@pytest.mark.parametrize(("ledger", "line"), SEARCHES)
def test_a_search_on_spark_finds_what_the_ledger_says(
    files: dict[str, Warehouse], ledger: str, line: dict[str, Any]
) -> None:
    assert found_in_pages(files[ledger], line, page_size=100) == [line["finds"]]


@pytest.mark.parametrize(("ledger", "line"), PAGED)
def test_pages_of_two_on_spark_make_the_same_result(
    warehouses: dict[str, Warehouse], ledger: str, line: dict[str, Any]
) -> None:
    pages = found_in_pages(warehouses[ledger], line, page_size=2)
    assert list(itertools.chain.from_iterable(pages)) == line["finds"]
    assert all(len(page) == 2 for page in pages[:-1])


@pytest.mark.parametrize("filter_string", VALID)
def test_every_valid_filter_is_answered_on_spark_as_in_memory(
    warehouses: dict[str, Warehouse], filter_string: str
) -> None:
    search = parse_search(["0"], filter_string, now_ms=NOW_MS)
    memory = MemoryStore()
    memory.write(ledger_traces(LEDGER["traces"]))
    assert warehouses["queries"].search(search).traces == memory.search(search).traces


def names(store: Searched, filter_string: str) -> list[str]:
    return [info.name for info in store.search(parse_search(["0"], filter_string)).traces]


def test_ten_thousand_values_of_one_list_are_answered(warehouses: dict[str, Warehouse]) -> None:
    warehouse = warehouses["queries"]
    assert names(warehouse, f"tags.env IN ('prod', {', '.join(repr(str(each)) for each in range(9_999))})") == ["alpha"]
    assert names(warehouse, f"tags.num NOT IN ({', '.join(map(str, range(9, 9_999)))})") == ["delta", "alpha"]
