"""Keys of spans: a trace that passes has those that are asked for, and where they are exact no other one has."""

from __future__ import annotations

import itertools

import pytest

from tests.traces import span
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.query.check import parse_filter
from tracehound.query.span_keys import EDGES, LONGEST_NAME, Keys, keys_of, terms_and_keys_of
from tracehound.query.span_terms import durations_of_spans
from tracehound.query.spans import is_true_of_spans
from tracehound.query.tree import Scope, Test

LENGTHS = sorted({max(0, edge + near) for edge in EDGES for near in (-1, 0, 1, 2)} | {2 * EDGES[-1], 2**53 + 1})
VALUES = ("-1", "-0.5", "0", "0.5", "1", "2.5", "10", "11", "4000", "4000.5", "4001", "100000000", "3e8", "1e400")
COMPARED = [f"{operator} {value}" for operator, value in itertools.product(("<", "<=", "=", ">=", ">"), VALUES)]
LONG = "n" * LONGEST_NAME


def keys(text: str) -> Keys | None:
    return keys_of(scope_of(text).condition)


def has(found: Keys, *spans: Span) -> bool:
    """Whether the index leads to a trace."""
    own = set(terms_and_keys_of(spans, durations_of_spans(spans))[1])
    return all(own.intersection(each) for each in found.lists)


def scope_of(text: str) -> Scope[Test]:
    scope = parse_filter(text)
    assert isinstance(scope, Scope)
    return scope


@pytest.mark.parametrize("compared", [*COMPARED, "BETWEEN 10 AND 4000", "BETWEEN 11 AND 11", "BETWEEN 5 AND 4"])
def test_the_keys_of_a_duration_lead_to_all_that_pass_and_to_no_others_where_they_are_exact(compared: str) -> None:
    text = f"span.name = 'call' AND span.duration_ms {compared}"
    scope, found = scope_of(text), keys(text)
    assert found is not None
    assert (found.rest is None) == found.is_exact
    for length in LENGTHS:
        one = span(1, name="call", duration_ms=length)
        assert has(found, one) >= is_true_of_spans(scope, [one]), length
        if found.is_exact:
            assert has(found, one) == is_true_of_spans(scope, [one]), length


@pytest.mark.parametrize(
    ("compared", "is_exact"),
    [("> 4000", True), (">= 4001", True), ("<= 4000", True), ("> 4000.5", True), ("> 4001", False), ("= 4000", False),
     ("= 7", True), ("BETWEEN 1001 AND 4000", True), ("< 0", True), ("!= 5", False)],
)  # fmt: skip
def test_of_what_people_ask_for_the_keys_say_all(compared: str, is_exact: bool) -> None:
    found = keys(f"span.name = 'call' AND span.duration_ms {compared}")
    assert (found is not None and found.is_exact) == is_exact


ATTRIBUTES = ['"claude"', '"gpt"', "5", '"5"', '{"name":"claude"}', '["claude"]', f'"{LONG}{LONG}"', "null", "not JSON"]
ASKED = [
    "span.name = 'call' AND span.attributes.model = 'claude'",
    "span.name = 'call' AND span.attributes.model IN ('claude', 'gpt')",
    "span.name IN ('call', 'other') AND span.attributes.model.name = 'claude'",
    "span.name = 'call' AND span.attributes.model = '5' AND span.latency > 4",
    f"span.name = 'call' AND span.attributes.model = '{LONG}{LONG}'",
    f"span.name = '{LONG}' AND span.attributes.model = 'claude'",
    f"span.name = '{LONG}' AND span.duration_ms > 4",
    "span.name = 'call' AND span.attributes.model = 'claude' AND span.status = 'ERROR' AND span.duration_ms <= 4",
]


@pytest.mark.parametrize("text", ASKED)
def test_the_keys_of_attributes_lead_to_all_that_pass(text: str) -> None:
    scope, found = scope_of(text), keys(text)
    assert found is not None
    assert not found.is_exact
    for name, value, length in itertools.product(("call", "other", LONG, f"{LONG}!", ""), ATTRIBUTES, (4, 5, None)):
        one = replace(span(1, name=name, duration_ms=length, failed=True), attributes_json={"model": value})
        assert has(found, one) >= is_true_of_spans(scope, [one]), (name, value)


def test_an_attribute_of_another_span_is_not_taken_for_one_of_the_span() -> None:
    found = keys("span.name = 'call' AND span.attributes.model = 'claude' AND span.duration_ms > 10")
    assert found is not None
    assert found.rest is None
    call = span(1, name="call", duration_ms=20)
    claude, fast = (replace(each, attributes_json={"model": '"claude"'}) for each in (span(2), replace(call, name="x")))
    assert not has(found, call, claude)
    assert not has(found, fast)
    assert has(found, replace(call, attributes_json={"model": '"claude"'}))


@pytest.mark.parametrize(
    "text",
    ["span.name = 'call'", "span.duration_ms > 5", "span.name LIKE 'call' AND span.duration_ms > 5",
     "span(name = 'call' OR duration_ms > 5)", "span(NOT name = 'call' AND duration_ms > 5)",
     "span.name = 'call' AND span.attributes.model != 'claude'", "span.name = 'call' AND span.attributes.n = 5",
     "span.name = 'call' AND span.type = 'TOOL'", "span(name = 'call' AND duration_ms IS NULL)"],
)  # fmt: skip
def test_keys_are_asked_for_by_name_with_a_duration_or_an_attribute(text: str) -> None:
    assert keys(text) is None


def test_what_keys_do_not_say_is_left_to_be_asked() -> None:
    text = "span(name = 'call' AND attributes.model = 'claude' AND type = 'LLM')"
    found = keys(text)
    assert found is not None
    assert found.rest == scope_of("span(name = 'call' AND type = 'LLM')").condition


def test_many_names_with_many_values_are_not_asked_for_one_by_one() -> None:
    names, values = (", ".join(f"'{kind}{each}'" for each in range(2_000)) for kind in "nv")
    assert keys(f"span.name IN ({names}) AND span.attributes.model IN ({values})") is None
    assert keys(f"span.name IN ({names}) AND span.duration_ms > 5") is None
