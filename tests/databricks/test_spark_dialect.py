"""What Spark makes of characters and patterns, where engines differ: all of them at once, in few statements."""

from __future__ import annotations

import json

import pytest
import re2
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.databricks.spark import NEEDS_SPARK, new_warehouse, spark
from tests.query.test_common import PATTERNS, TEXTS
from tests.traces import part, span
from tracehound.query.common import common_expression
from tracehound.query.databricks import DIALECT, bind
from tracehound.query.patterns import make_matcher
from tracehound.query.search import parse_search
from tracehound.query.sql import Sql
from tracehound.query.tree import Operator

pytestmark = NEEDS_SPARK

EVERY_CHARACTER = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
CASED = EVERY_CHARACTER[:0x20000]
LIKE_PATTERNS = ["", "%", "_", "a%", "%a", "%a%b", "a\\", "\\%", "%\\_", "_b", "%🐕", "日_", "%\n%", "a%%b", "%\0"]
ODD = [
    "",
    "a",
    "ab",
    "a\\",
    "\\",
    "\\%",
    "\\_",
    "b🐕",
    "🐕",
    "日本",
    "日🐕",
    "a\nb",
    "a\0",
    "AB",
    "İ",
    "ı",
    "ſ",
    "K",
    "ΑΣ",
]


def those_that(condition: Sql, texts: list[str]) -> list[str]:
    """Return which of the texts, as the rows of `t`, a condition of Spark is true of."""
    source = "(SELECT posexplode(from_json(?, 'ARRAY<STRING>')) AS (place, name)) AS t"
    given_texts = json.dumps(texts, ensure_ascii=False)
    text, values = bind(
        Sql(
            f"SELECT t.name FROM {source} WHERE {condition.text} ORDER BY t.place", (given_texts, *condition.parameters)
        )
    )
    return [name for (name,) in spark().sql(text, args=values).collect()]


@pytest.mark.parametrize("operator", [Operator.LIKE, Operator.NOT_LIKE, Operator.ILIKE, Operator.NOT_ILIKE])
def test_like_means_what_it_means_here(operator: Operator) -> None:
    for pattern in filter(lambda each: DIALECT.can_match(operator, each), [*LIKE_PATTERNS, *ODD[-7:]]):
        matcher = make_matcher(operator, pattern)
        found = those_that(DIALECT.matches(operator, Sql("t.name"), pattern), ODD)
        assert found == [text for text in ODD if matcher(text)], pattern


def test_every_character_has_the_lower_case_that_python_gives_it() -> None:
    condition = DIALECT.matches(Operator.ILIKE, Sql("t.name"), "%k%")
    assert those_that(condition, CASED) == ["K", "k", "\N{KELVIN SIGN}"]
    text = "".join(each for each in EVERY_CHARACTER if each not in "%_" and each <= "\uffff")
    assert those_that(DIALECT.matches(Operator.ILIKE, Sql("t.name"), "".join(map(str.lower, text))), [text]) == [text]


@pytest.mark.parametrize("pattern", ["_🐕", "%🐕", "\U00010428%"])
def test_a_pattern_beyond_the_first_plane_is_left_to_the_evaluator(pattern: str) -> None:
    traces = [
        part(span(1, name="dog"), tags={"a": "x🐕"}),
        part(span(1, trace=2, name="deseret"), tags={"a": "\U00010400"}),
    ]
    search = parse_search(["0"], f"tags.a ILIKE '{pattern}'")
    with new_warehouse(traces) as warehouse:
        found = [info.name for info in warehouse.search(search).traces]
    assert found == ["dog" if "🐕" in pattern else "deseret"]


@settings(max_examples=40)
@given(st.lists(PATTERNS.filter(lambda each: common_expression(each) is not None), min_size=1, max_size=5))
def test_a_common_expression_finds_on_spark_what_re2_finds(patterns: list[str]) -> None:
    texts = [*TEXTS, *ODD]
    for pattern in patterns:
        try:
            compiled = re2.compile(pattern)
        except re2.error:
            continue
        condition = DIALECT.matches(Operator.RLIKE, Sql("t.name"), pattern)
        assert those_that(condition, texts) == [text for text in texts if compiled.search(text)], pattern
