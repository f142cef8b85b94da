"""The ledger of the language, line by line, and what must hold for any text at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.query.typos import NOW_MS, check_answer_or_clean_error
from tracehound.errors import FilterError
from tracehound.query.bounds import MAX_DEPTH
from tracehound.query.check import parse_filter
from tracehound.query.expand import expand
from tracehound.query.fields import Group
from tracehound.query.lenient import tokenize_leniently
from tracehound.query.printer import print_filter
from tracehound.query.tree import NULLS, And, Checked, Not, Operator, Or, Scope, Test

LEDGER: dict[str, list[dict[str, str]]] = yaml.safe_load(Path(__file__).with_name("filters.yaml").read_text("utf-8"))
VALID = [line["filter"] for line in LEDGER["valid"]]


@pytest.mark.parametrize("line", LEDGER["valid"], ids=lambda line: line["filter"])
def test_a_valid_filter_means_what_the_ledger_says(line: dict[str, str]) -> None:
    tree = parse_filter(line["filter"], NOW_MS)
    assert show(tree) == line["means"]
    assert parse_filter(print_filter(tree)) == tree


@pytest.mark.parametrize("line", LEDGER["invalid"], ids=lambda line: line["filter"])
def test_an_invalid_filter_is_refused_with_what_to_write_instead(line: dict[str, str]) -> None:
    with pytest.raises(FilterError) as raised:
        parse_filter(line["filter"])
    error = raised.value
    assert error.message == line["error"]
    assert error.text[error.start : error.end] == line.get("at", "")
    assert error.corrected == line.get("write")


@pytest.mark.parametrize("line", LEDGER["lenient"], ids=lambda line: line["filter"])
def test_a_filter_of_mlflows_clients_is_read_as_the_ledger_says(line: dict[str, str]) -> None:
    if "means" in line:
        assert show(expand(parse_filter(line["filter"], NOW_MS, tokenize_leniently))) == line["means"]
        return
    with pytest.raises(FilterError) as raised:
        parse_filter(line["filter"], NOW_MS, tokenize_leniently)
    error = raised.value
    assert error.message == line["error"]
    assert error.text[error.start : error.end] == line["at"]
    assert error.corrected == line.get("write")


@pytest.mark.parametrize("filter_string", VALID)
def test_a_valid_filter_means_the_same_when_it_is_read_leniently(filter_string: str) -> None:
    assert parse_filter(filter_string, NOW_MS, tokenize_leniently) == parse_filter(filter_string, NOW_MS)


def test_what_the_ledger_says_to_write_is_valid() -> None:
    for line in [*LEDGER["invalid"], *LEDGER["lenient"]]:
        if "write" in line:
            parse_filter(line["write"])


def test_the_message_points_at_the_line_and_place_of_the_mistake() -> None:
    with pytest.raises(FilterError) as raised:
        parse_filter("tags.状態 = 'x'\n  AND status = 'OK'")
    assert str(raised.value).splitlines() == [
        "'status' needs a prefix: write attributes.status",
        "      AND status = 'OK'",
        "          ^~~~~~",
        "  write:",
        "    tags.状態 = 'x'",
        "  AND attributes.status = 'OK'",
    ]


def test_the_caret_stands_under_the_mistake_behind_wide_characters() -> None:
    with pytest.raises(FilterError) as raised:
        parse_filter("tags.状態 = prod")
    shown = str(raised.value).splitlines()
    assert shown[1].index("prod") + 2 == shown[2].index("^")  # two characters of two columns stand before it


@pytest.mark.prove
@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_any_text_is_valid_or_gets_a_clean_error(text: str) -> None:
    check_answer_or_clean_error(text)


@pytest.mark.prove
@given(st.lists(st.sampled_from(["tags.a", "=", "'x'", "5", "AND", "OR", "(", ")", ".", "`b`", '"c"', "status", ">"])))
def test_any_row_of_tokens_is_valid_or_gets_a_clean_error(tokens: list[str]) -> None:
    check_answer_or_clean_error(" ".join(tokens))


def test_parentheses_that_change_nothing_nest_without_a_limit() -> None:
    assert parse_filter("(" * 20_000 + "tags.a = 'x'" + ")" * 20_000) == parse_filter("tags.a = 'x'")


def test_what_stands_inside_of_each_other_has_a_limit_that_is_said() -> None:
    parse_filter("NOT (" * MAX_DEPTH + "tags.a = 'x'" + ")" * MAX_DEPTH)
    with pytest.raises(FilterError, match="12 deep inside of each other, and no deeper"):
        parse_filter("NOT (" * (MAX_DEPTH + 1) + "tags.a = 'x'" + ")" * (MAX_DEPTH + 1))


def test_a_filter_of_ten_thousand_terms_is_one_flat_tree() -> None:
    tree = parse_filter(" OR ".join(f"tags.a = '{number}'" for number in range(10_000)))
    assert isinstance(tree, Or)
    assert len(tree.children) == 10_000


def test_a_filter_of_more_terms_is_refused() -> None:
    with pytest.raises(FilterError, match="at most 10,000 comparisons"):
        parse_filter(" OR ".join(f"tags.a = '{number}'" for number in range(10_001)))


def test_a_number_of_any_length_is_a_number() -> None:
    parse_filter(f"tags.a = {'9' * 5000}")


def show(node: Checked) -> str:
    """Return a checked tree as text, with every pair of parentheses that it has."""
    if isinstance(node, And):
        return "(" + " AND ".join(show(child) for child in node.children) + ")"
    if isinstance(node, Or):
        return "(" + " OR ".join(show(child) for child in node.children) + ")"
    if isinstance(node, Not):
        return f"NOT {show(node.child)}"
    if isinstance(node, Scope):
        spans = f"span({show(node.condition)})"
        spans += "".join(f" {step.relation.value} span({show(step.condition)})" for step in node.steps)
        return spans if node.count is None else f"count({spans}) {node.count.operator.value} {node.count.number}"
    if node.field.group is Group.SPAN:
        return show_test(".".join((node.field.name, *node.field.path)), node)
    prefix = "" if node.field.group is Group.ATTRIBUTES else f"{node.field.group.value}."
    return show_test(f"{prefix}{node.field.name}", node)


def show_test(name: str, test: Test) -> str:
    if test.operator in NULLS:
        return f"{name} {test.operator.value}"
    values = [f"'{each}'" if isinstance(each, str) else str(each) for each in (part.value for part in test.parts)]
    value = " AND ".join(values) if test.operator is Operator.BETWEEN else ", ".join(values)
    value = f"({value})" if test.operator is Operator.NOT_IN else value
    return f"{name} {test.operator.value} {value}"
