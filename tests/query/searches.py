"""Random traces, filters and orders: few keys and values, so that filters hit, and the odd ones among them."""

from __future__ import annotations

import itertools
from typing import Any

from hypothesis import strategies as st

from tests.traces import START_MS, part, span
from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.derive import COST, TOKEN_USAGE
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.record import to_json_text
from tracehound.model.trace import TracePart
from tracehound.query.tokens import quote

# The odd ones are those that engines disagree about.
KEYS = st.sampled_from(["n", "env", "日本", "k\0z", 'q"k'])
VALUES = st.sampled_from(
    ["5", "prod", "5.0", "", "Prod", "05", "-1e3", "5 ", " 5", "٥", "日本語", "🐕", "a\0b", "a", "5\0", "x" * 300]
)
NUMBERS = st.sampled_from(["5", "-1", "0", "5.0", "2.5e3", "99999999999999999999"])
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALITY = st.sampled_from(["=", "!="])
PATTERNS = st.lists(st.sampled_from(["%", "\0", "_", "a", "a\0", "5", "P", "ro", "日", "it's"]), max_size=4).map(
    "".join
)
REGULAR = st.sampled_from(["^5", "(?i)prod", "日.", "a\\x00b", "", "[^a-z]$", "^.{2,}$"])
TEXTS = st.sampled_from(["a", "C-1", "it's", span(1).trace_id])
ASSESSED_NAMES = st.sampled_from(["quality", "quality", 'q"k'])
ASSESSED_VALUES = VALUES | st.sampled_from([True, False, 5, 5.0, -1, 0.5, 10**25, ["a"], {"k": "prod"}, 0])
BOOLEANS = st.sampled_from(["TRUE", "false"])
USAGES = st.sampled_from(
    [
        {TOKEN_USAGE: '{"input_tokens":5,"output_tokens":1,"total_tokens":6}', COST: '{"total_cost":2.5e3}'},
        {TOKEN_USAGE: '{"input_tokens":99999999999999999999}', COST: '{"total_cost":0}'},
        {TOKEN_USAGE: '{"input_tokens":true,"total_tokens":-1}', COST: "[5]"},
        {TOKEN_USAGE: '{"input_tokens":"5"}', COST: "5"},
        {TOKEN_USAGE: "{", COST: '{"total_cost":null}'},
    ]
)
EXPERIMENTS = ["Default", "shop"]
MILLISECONDS = st.integers(0, 4)


@st.composite
def said(draw: st.DrawFn, trace: int) -> tuple[TracePart | Edit, ...]:
    """A trace, and what was said of it from outside."""
    return draw(parts(trace)), *(draw(assessments(trace, number)) for number in range(draw(st.integers(0, 4))))


@st.composite
def assessments(draw: st.DrawFn, trace: int, number: int) -> Edit:
    times: dict[str, Any] = {"create_time_ms": number, "last_update_time_ms": number}
    name, value, assessment_id = draw(ASSESSED_NAMES), draw(ASSESSED_VALUES), f"a-{number}"
    one: Assessment = (
        Feedback(name, value, assessment_id=assessment_id, valid=draw(st.booleans() | st.just(value=True)), **times)
        if draw(st.booleans())
        else Expectation(name, value, assessment_id=assessment_id, **times)
    )
    return Edit(f"tr-{trace:032x}", assessment_id, to_json_text(one.to_dict()), 1, ASSESSMENT)


@st.composite
def parts(draw: st.DrawFn, trace: int) -> TracePart:
    tags = draw(st.dictionaries(KEYS, VALUES, min_size=1, max_size=4))
    duration = draw(st.none() | MILLISECONDS)
    root = span(
        1,
        trace=trace,
        start_ms=draw(MILLISECONDS),
        duration_ms=duration,
        name=draw(st.sampled_from(["a", "b", "it's"])),
        failed=draw(st.booleans()),
    )
    return part(
        root,
        experiment=draw(st.sampled_from(EXPERIMENTS)),
        tags=tags,
        metadata=draw(st.dictionaries(KEYS, VALUES, max_size=2) | USAGES),
        client_request_id=draw(st.none() | st.just("C-1")),
    )


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    kind = draw(
        st.sampled_from(["tags", "metadata", "assessed", "status", "text", "time", "null", "assessed", "number"])
    )
    if kind == "assessed":
        group, name = draw(st.sampled_from(["feedback", "feedback", "expectation"])), draw(ASSESSED_NAMES)
        plain = NUMBERS | VALUES.map(quote)
        asked = operations(OPERATORS, plain, has_patterns=True) | operations(EQUALITY, plain | BOOLEANS | BOOLEANS)
        return f"{group}.`{name}` {draw(asked)}"
    if kind == "number":
        name = draw(st.sampled_from(["input_tokens", "total_tokens", "cost", "span_count"]))
        return f"attributes.{name} {draw(operations(OPERATORS, NUMBERS))}"
    if kind in ("tags", "metadata"):
        return f"{kind}.`{draw(KEYS)}` {draw(operations(OPERATORS, NUMBERS | VALUES.map(quote), has_patterns=True))}"
    if kind == "status":
        states = st.sampled_from(["'OK'", "'ERROR'", "'IN_PROGRESS'"])
        return f"attributes.status {draw(operations(EQUALITY, states))}"
    if kind == "text":
        name = draw(st.sampled_from(["name", "client_request_id", "trace_id", "user"]))
        return f"attributes.{name} {draw(operations(EQUALITY, TEXTS.map(quote), has_patterns=True, has_ranges=False))}"
    if kind == "null":
        name = draw(
            st.sampled_from(["attributes.latency", "attributes.cost", "attributes.user", "tags.n", "feedback.quality"])
        )
        return f"{name} IS {draw(st.sampled_from(['', 'NOT ']))}NULL"
    name = draw(st.sampled_from(["timestamp_ms", "execution_time_ms", "end_time_ms"]))
    base = 0 if name == "execution_time_ms" else START_MS
    values = st.tuples(MILLISECONDS, st.sampled_from(["", ".5", ".0"])).map(lambda pair: f"{base + pair[0]}{pair[1]}")
    return f"attributes.{name} {draw(operations(OPERATORS, values))}"


@st.composite
def operations(
    draw: st.DrawFn,
    operators: st.SearchStrategy[str],
    values: st.SearchStrategy[str],
    *,
    has_patterns: bool = False,
    has_ranges: bool = True,
) -> str:
    """An operator that is allowed for a field, and its values."""
    shape = draw(st.sampled_from(["pattern", "one", "list", "pattern", "range"]))
    negation = draw(st.sampled_from(["", "NOT "]))
    if shape == "list":
        return f"{negation}IN ({', '.join(draw(st.lists(values, min_size=1, max_size=3)))})"
    if shape == "range" and has_ranges and operators is OPERATORS:
        return f"{negation}BETWEEN {draw(values)} AND {draw(values)}"
    if shape == "pattern" and has_patterns:
        word = draw(st.sampled_from(["LIKE", "ILIKE", "RLIKE", "CONTAINS"]))
        pattern = draw(REGULAR if word == "RLIKE" else PATTERNS)
        return f"{negation if word != 'CONTAINS' else ''}{word} {quote(pattern)}"
    return f"{draw(operators)} {draw(values)}"


FILTERS = st.recursive(
    comparisons(),
    lambda inner: (
        inner.map(lambda found: f"NOT ({found})")
        | st.lists(inner, min_size=2, max_size=3).flatmap(
            lambda found: st.sampled_from([" AND ", " OR "]).map(lambda word: "(" + word.join(found) + ")")
        )
    ),
    max_leaves=6,
)
# What a search can be ordered by: one more field is one more entry.
ORDER_FIELDS = [
    *("timestamp", "latency", "end_time", "status", "name", "trace_id", "client_request_id", "user"),
    *("tags.env", "tags.n", "metadata.`日本`", "metadata.k", "input_tokens", "cost"),
]
ORDERS = st.lists(
    st.tuples(st.sampled_from(ORDER_FIELDS), st.sampled_from(["", " ASC", " DESC"])).map("".join), max_size=3
)
TRACES = st.integers(1, 12).flatmap(
    lambda count: st.tuples(*(said(trace=number) for number in range(1, count + 1))).map(
        lambda found: tuple(itertools.chain(*found))
    )
)
PAGE_SIZES = st.integers(1, 5)
