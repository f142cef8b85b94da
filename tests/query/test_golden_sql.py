"""Each shape of SQL as a file that a human reads, with the plan that SQLite makes of it.

The plan is taken on an empty store with the real schema: it shows which index a shape can use. The SQLite of this
Python and the newest one (that of the package apsw) have to make the same.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw
import pytest

from tests.golden import check_golden
from tracehound.model.summary import SUMMED
from tracehound.query.access import EVER, InOrder, Plan, Range, find_paths, time_range
from tracehound.query.fields import ATTRIBUTES, NAME
from tracehound.query.periods import parse_period
from tracehound.query.search import Search, parse_search
from tracehound.query.sql import DURATIONS_MASK, HAS_SPANS, MATCHES, NUMBER_IN, VALUE, Sql
from tracehound.query.sqlite import distinct_sql, edge_sql, search_sql, statistics_sql
from tracehound.query.statistics import ALL, DURATIONS, StatisticsQuery
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
    "slowest_of_tag": ("tags.env = 'prod'", ["execution_time_ms DESC"]),
    "by_tag": ("tags.env = 'prod'", ["tags.score DESC"]),
    "one_trace": ("attributes.trace_id = 'tr-1' AND tags.env = 'prod'", ()),
    "time_range": ("attributes.timestamp_ms BETWEEN 5 AND 9 AND tags.env = 'prod'", ()),
    "long_value": (f"tags.env = '{'x' * 201}'", ()),
    "most_expensive": (None, ["cost DESC"]),
    "most_tokens_above": ("attributes.total_tokens > 100", ["total_tokens DESC"]),
    "client_request": ("attributes.client_request_id = 'C-1'", ()),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_first_page_is_searched_by_this_statement_and_plan(shape: str, tmp_path: Path, update_golden: bool) -> None:
    filter_string, order = SHAPES[shape]
    search = parse_search(["0"], filter_string, order)
    statement = search_sql(search, first_plan(search))
    check_golden(GOLDEN / f"{shape}.sql", describe(statement, tmp_path), update=update_golden)


def test_a_later_page_begins_in_the_index_where_the_page_before_ended(tmp_path: Path, update_golden: bool) -> None:
    first = parse_search(["0"], "tags.env = 'prod'")
    search = first.behind(first.cursor([1_735_689_600_000, "tr-1"]))
    statement = search_sql(search, first_plan(search))
    check_golden(GOLDEN / "later_page.sql", describe(statement, tmp_path), update=update_golden)


@pytest.mark.parametrize("order", ["cost ASC", "cost DESC"])
def test_a_page_behind_others_of_the_same_number_begins_behind_them(
    order: str, tmp_path: Path, update_golden: bool
) -> None:
    first = parse_search(["0"], None, [order])
    search = first.behind(first.cursor([0.0, 1_735_689_600_000, "tr-1"]))
    name = order.replace(" ", "_").lower()
    plan = dataclasses.replace(first_plan(search), edge=0.0 if order.endswith("ASC") else None)
    check_golden(GOLDEN / f"{name}_behind.sql", describe(search_sql(search, plan), tmp_path), update=update_golden)


def test_slow_spans_of_a_type_are_looked_for_in_the_index_first(tmp_path: Path, update_golden: bool) -> None:
    search = parse_search(["0"], "span.type = 'TOOL' AND span.duration_ms > 3000")
    path = next(find_paths(search.where, lambda *_: [(4711, "12 check"), (4712, "13 check"), (4713, "3 check")]))
    statement = search_sql(search, Plan(path, Range(5, 9)))
    check_golden(GOLDEN / "slow_tools.sql", describe(statement, tmp_path), update=update_golden)


def test_segments_of_an_index_are_merged(tmp_path: Path, update_golden: bool) -> None:
    search = parse_search(["0", "7"], None, ["total_tokens DESC"])
    statement = search_sql(search, Plan(InOrder(), EVER, segments=(0, 1)))
    check_golden(GOLDEN / "segments.sql", describe(statement, tmp_path), update=update_golden)


def test_what_a_page_ends_with_is_asked_of_the_index(tmp_path: Path, update_golden: bool) -> None:
    search = parse_search(["0", "7"], "tags.env != 'prod'", ["cost ASC"])
    statement = edge_sql(search, Plan(InOrder(), time_range(search)))
    assert statement is not None
    check_golden(GOLDEN / "edge.sql", describe(statement, tmp_path), update=update_golden)


def test_numbers_of_a_tag_are_added_up_in_the_index_alone(tmp_path: Path, update_golden: bool) -> None:
    query = StatisticsQuery(parse_search(["0"], "tags.env = 'prod'"), (), parse_period("1h"), frozenset(SUMMED))
    statement = statistics_sql(query, first_plan(query.search))
    check_golden(GOLDEN / "sums_of_tag.sql", describe(statement, tmp_path), update=update_golden)


def test_several_experiments_are_one_statement(tmp_path: Path, update_golden: bool) -> None:
    search = parse_search(["0", "7"], None)
    statement = search_sql(search, first_plan(search))
    check_golden(GOLDEN / "several_experiments.sql", describe(statement, tmp_path), update=update_golden)


def test_latency_is_counted_in_the_index_alone(tmp_path: Path, update_golden: bool) -> None:
    query = StatisticsQuery(parse_search(["0"]), (NAME,), parse_period("1h"), frozenset({DURATIONS}))
    statement = statistics_sql(query, first_plan(query.search))
    check_golden(GOLDEN / "statistics.sql", describe(statement, tmp_path), update=update_golden)


def test_other_terms_are_asked_for_before_the_traces_are_looked_at(tmp_path: Path, update_golden: bool) -> None:
    search = parse_search(["0"], "tags.env = 'prod' AND tags.region = 'eu'")
    query = StatisticsQuery(search, (NAME,), parse_period("1h"), frozenset({DURATIONS}))
    statement = statistics_sql(query, first_plan(query.search))
    check_golden(GOLDEN / "statistics_of_two.sql", describe(statement, tmp_path), update=update_golden)


def test_sums_and_different_values_are_counted_in_groups(tmp_path: Path, update_golden: bool) -> None:
    query = StatisticsQuery(parse_search(["0"], "tags.env = 'prod'"), (ATTRIBUTES["user"],), None, ALL)
    plan = first_plan(query.search)
    check_golden(GOLDEN / "sums.sql", describe(statistics_sql(query, plan), tmp_path), update=update_golden)
    check_golden(GOLDEN / "distinct.sql", describe(distinct_sql(query, plan), tmp_path), update=update_golden)


def first_plan(search: Search) -> Plan:
    """Return a plan along the first path that the filter offers, for a store that knows two values of each key."""
    first = next(find_paths(search.where, lambda group, key, _most: [(4711, "6"), (4712, "a report")]), InOrder())
    return Plan(first, time_range(search))


def describe(statement: Sql, folder: Path) -> str:
    """Return the statement, its parameters and its plan, the last two as comments; both copies of SQLite plan alike."""
    path = folder / "plan.db"
    connection = open_connection(path)
    migrate(connection, path)
    schema = [text for (text,) in connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]
    wanted = f"EXPLAIN QUERY PLAN {statement.text}"
    plan = show_plan(connection.execute(wanted, statement.parameters).fetchall())
    connection.close()
    newest = apsw.Connection(":memory:")
    for name, arguments in ((NUMBER_IN, 1), (VALUE, 2), (MATCHES, 3), (DURATIONS_MASK, 3)):
        newest.create_scalar_function(name, lambda *_: None, arguments, deterministic=True)
    newest.create_aggregate_function(HAS_SPANS, lambda: (None, lambda *_: None, lambda *_: None), 3)
    for text in schema:
        newest.execute(text)
    assert show_plan(list(newest.execute(wanted, statement.parameters))) == plan, "two versions of SQLite"
    newest.close()
    parameters = f"-- parameters: {', '.join(map(repr, statement.parameters))}"
    return "\n".join([statement.text, "", parameters, "-- plan:", *plan, ""])


def show_plan(rows: Iterable[Sequence[Any]]) -> list[str]:
    """Return a plan as comments, in the words of no version of SQLite.

    Before 3.36 it said "SEARCH TABLE trace AS t", and gave sub-queries numbers; later ones count the terms that are
    left to be sorted by, and tell of an EXISTS as of a table, not as of a query inside of another.
    """
    depth = {0: 0}
    plan = []
    for number, parent, _, told in rows:
        if told.startswith("CORRELATED SCALAR SUBQUERY"):
            depth[number] = depth[parent]
            continue
        depth[number] = depth[parent] + 1
        detail = re.sub(r"TABLE (\w+ AS )?|(?<=q )EXISTS ", "", told)
        detail = re.sub(r"LAST (TERM|\d+ TERMS) OF", "RIGHT PART OF", detail)
        detail = re.sub(r"^(CO-ROUTINE) .*|^(SCAN) (SUBQUERY|page|found).*", r"\1\2", detail)
        plan.append(f"-- {'  ' * depth[parent]}{detail}")
    return plan
