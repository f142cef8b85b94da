"""Filters of experiments, runs and models: the language of traces over plain values."""

from __future__ import annotations

import pytest

from tracehound.errors import FilterError
from tracehound.query.plain import parse_plain_filter, sorted_by

VALUES: dict[tuple[str, str], str | int | float] = {
    ("attributes", "name"): "nightly",
    ("attributes", "start_time"): 1000,
    ("metrics", "loss"): 0.5,
    ("params", "k"): "3",
    ("tags", "a.b"): "x",
    ("tags", "empty"): "",
}
NAMES = ("name", "start_time", "end_time")

TRUE = [
    "name = 'nightly'", "attributes.name = 'nightly'", "attribute.name != 'x'", "name LIKE 'night%'",
    "name ILIKE 'NIGHT%'", "name CONTAINS 'ght'", "start_time = 1000", "start_time > 999.5", "start_time < '2000'",
    "metrics.loss BETWEEN 0.4 AND 0.6", "metric.loss IN (0.1, 0.5)", "params.k = 3", "param.k = '3'", "params.k < 4",
    "parameters.k NOT IN (4, 5)", "tags.a.b = 'x'", "tags.`a.b` = 'x'", "tag.empty = ''", "tags.empty IS NOT NULL",
    "end_time IS NULL", "tags.none IS NULL AND metrics.none IS NULL", "NOT tags.none = 'x'",
    "name = 'x' OR (params.k = 3 AND NOT metrics.loss > 1)", "metrics.loss NOT BETWEEN 1 AND 2", "",
]  # fmt: skip
FALSE = [
    "name = 'Nightly'", "tags.none != 'x'", "tags.none NOT IN ('x')", "metrics.none > 0", "end_time < 5",
    "metrics.none NOT BETWEEN 1 AND 2", "metrics.loss = 'low'", "metrics.loss LIKE '0%'", "tags.empty IS NULL",
    "params.k = 4 OR name = 'x'", "tags.a = 'x'", "name > 5", "NOT (name = 'nightly' OR params.k = 4)",
]  # fmt: skip


def find(group: str, name: str) -> str | int | float | None:
    return VALUES.get((group, name))


@pytest.mark.parametrize("text", TRUE)
def test_a_filter_is_true_of_values_as_one_of_traces_is(text: str) -> None:
    assert parse_plain_filter(text, NAMES, 0).is_true_of(find)


@pytest.mark.parametrize("text", FALSE)
def test_what_is_absent_or_of_another_kind_makes_no_comparison_true(text: str) -> None:
    assert not parse_plain_filter(text, NAMES, 0).is_true_of(find)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nmae = 'x'", "'nmae' is no field here; there are end_time, name, start_time, and tags.NAME"),
        ("name = 'nightly' AND (params.k = 3 OR NOT latency > 3)", "'latency' is no field here"),
        ("attributes.state = 'OK'", "'state' is no field here"),
        ("span.name = 'x'", "'span.name' is no field here"),
        ("name =", "name ="),
    ],
)
def test_a_wrong_filter_is_told_where_it_is_wrong(text: str, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        parse_plain_filter(text, NAMES, 0)


def test_an_order_has_numbers_first_then_texts_and_what_is_absent_last_in_either_direction() -> None:
    items = ["b", "10", None, "9", "a"]

    def find_in(item: str | None) -> object:
        return lambda _group, _name: item

    assert sorted_by(items, ["tags.k"], NAMES, find_in) == ["9", "10", "a", "b", None]
    assert sorted_by(items, ["tags.k DESC"], NAMES, find_in) == ["b", "a", "10", "9", None]
    assert sorted_by(items, [], NAMES, find_in) == items
    for bad in ("", "nobody", "tags.k UP"):
        with pytest.raises(FilterError):
            sorted_by(items, [bad], NAMES, find_in)
