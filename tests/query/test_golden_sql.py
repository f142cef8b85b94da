"""Each shape of SQL as a file that a human reads, with the plan that SQLite makes of it.

The plan is taken on an empty store with the real schema: it shows which index a shape can use. Names of tables differ
between versions of SQLite ("SEARCH TABLE trace AS t" before 3.36), so those words are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.golden import check_golden
from tracehound.query.search import parse_search
from tracehound.query.sqlite import Sql, latency_sql, search_sql
from tracehound.store.sqlite.connection import migrate, open_connection

GOLDEN = Path(__file__).with_name("golden")

# name of the file: filter, order
SHAPES: dict[str, tuple[str | None, Sequence[str]]] = {
    "newest": (None, ()),
    "state": ("attributes.status = 'ERROR'", ()),
    "tag": ("tags.env = 'prod'", ()),
    "tag_differs": ("tags.env != 'prod'", ()),
    "tag_as_number": ("tags.score > 5", ()),
    "nullable_attribute": ("attributes.client_request_id != 'C-1'", ()),
    "and_or": ("tags.env = 'prod' AND (attributes.status = 'ERROR' OR metadata.ver = '2')", ()),
    "in_list": ("tags.env IN ('prod', 'dev') OR attributes.latency IS NULL", ()),
    "not_in_list": ("tags.env NOT IN ('prod', 'dev') AND tags.a != 'x'", ()),
    "pattern": ("attributes.name ILIKE '%report%' AND tags.a NOT LIKE 'x_'", ()),
    "absence": ("tags.env IS NULL AND NOT (metadata.a IS NOT NULL)", ()),
    "slowest": ("attributes.execution_time_ms > 5000", ["execution_time_ms DESC"]),
    "fastest": (None, ["execution_time_ms ASC"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_first_page_is_searched_by_this_statement_and_plan(shape: str, tmp_path: Path, update_golden: bool) -> None:
    filter_string, order = SHAPES[shape]
    statement = search_sql(parse_search(["0"], filter_string, order))
    check_golden(GOLDEN / f"{shape}.sql", describe(statement, tmp_path), update=update_golden)


def test_a_later_page_begins_in_the_index_where_the_page_before_ended(tmp_path: Path, update_golden: bool) -> None:
    search = parse_search(["0"], "tags.env = 'prod'")
    statement = search_sql(search.behind(search.cursor([1_735_689_600_000, "tr-1"])))
    check_golden(GOLDEN / "later_page.sql", describe(statement, tmp_path), update=update_golden)


def test_several_experiments_are_one_statement(tmp_path: Path, update_golden: bool) -> None:
    statement = search_sql(parse_search(["0", "7"], None))
    check_golden(GOLDEN / "several_experiments.sql", describe(statement, tmp_path), update=update_golden)


def test_latency_is_counted_in_the_index_alone(tmp_path: Path, update_golden: bool) -> None:
    statement = latency_sql(parse_search(["0"]))
    check_golden(GOLDEN / "latency.sql", describe(statement, tmp_path), update=update_golden)


def describe(statement: Sql, folder: Path) -> str:
    """Return the statement, its parameters and its plan, the last two as comments."""
    path = folder / "plan.db"
    connection = open_connection(path)
    migrate(connection, path)
    rows = connection.execute(f"EXPLAIN QUERY PLAN {statement.text}", statement.parameters).fetchall()
    connection.close()
    depth = {0: 0}
    plan = []
    for number, parent, _, detail in rows:
        depth[number] = depth[parent] + 1
        plan.append(f"-- {'  ' * depth[parent]}{detail.replace('TABLE ', '')}")
    parameters = f"-- parameters: {', '.join(map(repr, statement.parameters))}"
    return "\n".join([statement.text, "", parameters, "-- plan:", *plan, ""])
