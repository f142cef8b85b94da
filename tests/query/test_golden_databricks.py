"""Each shape of the SQL for a warehouse of Databricks as a file to be read. Spark tells if it is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden import check_golden
from tests.query.test_golden_clickhouse import SHAPES
from tracehound.query.databricks import DIALECT, INFO, WHOLE, bind, experiments_sql, resolve, run_sql, search_sql
from tracehound.query.search import Search, parse_search
from tracehound.query.sql import Sql
from tracehound.query.wide import TRUE, Condition, wide_condition

GOLDEN = Path(__file__).with_name("golden") / "databricks"
TABLE = "`main`.`tracehound`.trace"
ALL_SHAPES = {
    **SHAPES,
    "common_pattern": ("tags.a RLIKE '^v[0-9]|x$' AND tags.b NOT RLIKE 'a.b'", ()),
    "repetition": ("tags.a RLIKE 'a.*b' AND feedback.tone RLIKE '(?i)kind'", ()),
    "times": ("attributes.timestamp_ms >= 5 AND attributes.end_time_ms IN (7, 8.5)", ()),
}


@pytest.mark.parametrize("shape", ALL_SHAPES)
def test_a_page_is_searched_by_this_statement(shape: str, update_golden: bool) -> None:
    search = parse_search(["0"], *ALL_SHAPES[shape])
    where = condition(search)
    exact = "exact" if where.is_exact else "the evaluator looks at what it finds"
    columns = INFO if where.is_exact else WHOLE
    text = f"-- {ALL_SHAPES[shape][0] or 'all traces'}: {exact}\n"
    text += described(search_sql(search, where, 101, TABLE, columns))
    check_golden(GOLDEN / f"{shape}.sql", text, update=update_golden)


def test_a_later_page_of_several_experiments_is_searched_by_this_statement(update_golden: bool) -> None:
    first = parse_search(["0", "7"], "tags.env = 'prod'", ["tags.score"])
    search = first.behind(first.cursor(["5", 1, "tr-1"]))
    text = described(search_sql(search, condition(search), 101, TABLE, INFO))
    check_golden(GOLDEN / "later_page.sql", text, update=update_golden)


def test_experiments_and_runs_are_read_by_these_statements(update_golden: bool) -> None:
    text = described(experiments_sql(TABLE)) + "\n" + described(run_sql("r-1", TABLE))
    check_golden(GOLDEN / "experiments_and_runs.sql", text, update=update_golden)


def test_no_value_is_in_the_text_of_a_statement() -> None:
    value = "x'); DROP TABLE trace; -- \\"
    search = parse_search(["0"], f"tags.`{value}` IN ('{value.replace(chr(39), chr(39) * 2)}', 'y')")
    text, values = bind(search_sql(search, condition(search), 1, TABLE, INFO))
    assert "DROP" not in text
    assert text.isascii()
    assert value in values.values()


def condition(search: Search) -> Condition:
    return Condition(TRUE) if search.where is None else wide_condition(search.where, DIALECT, resolve)


def described(sql: Sql) -> str:
    """Return the statement as it is sent, with the values of its parameters beneath; long ones are cut."""
    text, values = bind(sql)
    shown = {name: repr(value) for name, value in values.items()}
    lines = [f"-- {name} = {each if len(each) < 100 else each[:60] + '…'}" for name, each in shown.items()]
    return "\n".join([text, *lines, ""])
