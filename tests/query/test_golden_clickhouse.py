"""Each shape of ClickHouse's SQL as a file that a human reads. Whether it says what is right the engine tells."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.golden import check_golden
from tracehound.query.access import Range
from tracehound.query.clickhouse import DIALECT, ROW, can_be_brief, newest_sql, search_sql, slowest_sql
from tracehound.query.clickhouse_statistics import statistics_sql
from tracehound.query.fields import NAME
from tracehound.query.periods import parse_period
from tracehound.query.search import Search, parse_search
from tracehound.query.sql import Sql
from tracehound.query.statistics import DURATIONS, StatisticsQuery, parse_groups
from tracehound.query.tree import Operator, Test
from tracehound.query.wide import Asked, Condition, wide_condition
from tracehound.store.clickhouse.engine import bind

GOLDEN = Path(__file__).with_name("golden") / "clickhouse"

# name of the file: filter, order
SHAPES: dict[str, tuple[str | None, Sequence[str]]] = {
    "newest": (None, ()),
    "tag": ("tags.env = 'prod'", ()),
    "two_tags": ("tags.env = 'prod' AND tags.region = 'eu' AND attributes.status = 'OK'", ()),
    "empty_tag": ("tags.env = ''", ()),
    "tag_differs": ("tags.env != 'prod'", ()),
    "tag_as_number": ("tags.score > 5", ["tags.score DESC"]),
    "and_or": ("tags.env = 'prod' AND (attributes.status = 'ERROR' OR metadata.ver = '2')", ()),
    "in_list": ("tags.env IN ('prod', 'dev') OR attributes.latency IS NULL", ()),
    "not_in_list": ("tags.env NOT IN ('prod', 'dev') AND tags.a != 'x'", ()),
    "patterns": ("attributes.name ILIKE '%kept%' AND tags.a NOT LIKE 'x\\_' AND tags.b RLIKE '^a.'", ()),
    "values_of_a_tag": ("tags.team CONTAINS 'blue' AND NOT tags.team CONTAINS 'dark'", ()),
    "kept_apart": ("metadata.`mlflow.traceInputs` CONTAINS 'why'", ()),
    "slowest": ("attributes.execution_time_ms > 5000", ["execution_time_ms DESC"]),
    "tokens": ("attributes.total_tokens >= 100", ["cost DESC"]),
    "feedback": ("feedback.correct = TRUE AND expectation.score > 0.5 AND feedback.tone IS NULL", ()),
    "one_span": ("span.type = 'TOOL' AND span.status = 'ERROR'", ()),
    "attribute_of_a_span": ("span.name = 'call' AND span.attributes.model = 'claude'", ()),
    "long_span": ("span.name = 'call' AND span.duration_ms BETWEEN 3000 AND 8000", ()),
    "long_span_with_attribute": (
        "span.name = 'call' AND span.duration_ms > 50000000 AND span.attributes.model = 'claude'",
        (),
    ),
    "long_span_of_a_type": (
        "span.name = 'call' AND span.duration_ms > 50000000 AND span.attributes.model = 'claude' AND span.type = 'LLM'",
        (),
    ),
    "no_such_span": ("NOT span.status = 'ERROR'", ()),
    "count_of_spans": ("count(span(status = 'ERROR' AND duration_ms > 5)) >= 2", ()),
    "child": ("span(name = 'agent') > span(status = 'ERROR')", ()),
    "words": ("trace.text CONTAINS 'late delivery today'", ()),
    "words_of_inputs": ("span.name = 'call' AND span.inputs.q CONTAINS 'late delivery today'", ()),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_page_is_searched_by_this_statement(shape: str, update_golden: bool) -> None:
    search = parse_search(["0"], *SHAPES[shape])
    where = condition(search)
    exact = "exact" if where.is_exact else "the evaluator looks at what it finds"
    text = f"-- {SHAPES[shape][0] or 'all traces'}: {exact}\n{described(search_sql(search, where, 101))}"
    check_golden(GOLDEN / f"{shape}.sql", text, update=update_golden)


def test_a_later_page_of_several_experiments_is_searched_by_this_statement(update_golden: bool) -> None:
    first = parse_search(["0", "7"], "tags.env = 'prod'", ["tags.score"])
    search = first.behind(first.cursor(["5", 1, "tr-1"]))
    check_golden(GOLDEN / "later_page.sql", described(search_sql(search, condition(search), 101)), update=update_golden)


def test_a_page_of_what_began_within_some_time_is_searched_by_this_statement(update_golden: bool) -> None:
    search = parse_search(["0"], "tags.env = 'prod'")
    text = described(search_sql(search, condition(search), 101, Range(1_000, 2_000)))
    check_golden(GOLDEN / "within_some_time.sql", text, update=update_golden)


def test_a_brief_page_of_the_slowest_is_searched_by_these_statements(update_golden: bool) -> None:
    search = parse_search(["0", "7"], "tags.env = 'prod'", ["execution_time_ms DESC"])
    assert can_be_brief(search)
    slowest = slowest_sql(search, condition(search), 101)
    assert slowest is not None
    found = [slowest, search_sql(search, condition(search), 101, least_ms=7_000, is_brief=True)]
    check_golden(GOLDEN / "slowest_brief.sql", "\n".join(map(described, found)), update=update_golden)


def test_only_places_that_a_brief_row_says_are_asked_for_briefly() -> None:
    assert can_be_brief(parse_search(["0"], "tags.env = 'prod'"))
    assert not can_be_brief(parse_search(["0"], None, ["name"]))
    assert not can_be_brief(parse_search(["0"], None, ["tags.trace_id"]))
    fastest = parse_search(["0"], None, ["execution_time_ms ASC"])
    assert slowest_sql(fastest, condition(fastest), 101) is None


def test_when_the_newest_began_is_asked_by_this_statement(update_golden: bool) -> None:
    check_golden(GOLDEN / "newest_of_several.sql", described(newest_sql(["0", "7"], 6_000)), update=update_golden)


def test_traces_are_added_up_by_this_statement(update_golden: bool) -> None:
    search = parse_search(["0"], "tags.env = 'prod'")
    query = StatisticsQuery(search, tuple(parse_groups(["name", "tags.region"])), parse_period("1h"))
    check_golden(GOLDEN / "statistics.sql", described(statistics_sql(query, condition(search))), update=update_golden)


def test_percentiles_alone_are_worked_out_by_this_statement(update_golden: bool) -> None:
    search, hourly = parse_search(["0"]), parse_period("1h")
    query = StatisticsQuery(search, (NAME,), hourly, frozenset({DURATIONS}), fractions=(0.5, 0.95))
    text = described(statistics_sql(query, condition(search)))
    check_golden(GOLDEN / "statistics_percentiles.sql", text, update=update_golden)


def condition(search: Search) -> Condition:
    if search.where is None:
        return Condition(Sql("1"))
    return wide_condition(search.where, DIALECT, resolve)


def resolve(asked: Asked) -> list[str] | None:
    """Return what an index with these words and values has; only those that contain a text are few."""
    if isinstance(asked, Test):
        return [f"{asked.value}r", f"{asked.value}s"] if asked.operator is Operator.CONTAINS else None
    text = asked.text.decode()
    found = f"{text}r" if asked.open_right else text
    return [found] if asked.in_inputs else [found, found.upper()]


def described(sql: Sql) -> str:
    """Return the statement as it is sent, with the values of its parameters beneath; the columns stand in `ROW`."""
    text, values = bind(sql)
    text = text.replace(ROW, "(the columns of ROW)")
    return "\n".join([text, *(f"-- {name} = {value!r}" for name, value in values.items()), ""])
