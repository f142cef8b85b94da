"""Random traces, filters and orders: few keys and values, so that filters hit, and the odd ones among them."""

from __future__ import annotations

import itertools
import random
from typing import Any

from hypothesis import strategies as st

from tests.traces import START_MS, part, span
from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.derive import COST, TOKEN_USAGE
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.record import replace, to_json_text
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.model.trace import TracePart
from tracehound.model.weight import WEIGHT
from tracehound.query.expand import linked_run_key
from tracehound.query.periods import parse_period
from tracehound.query.tokens import quote

# The odd ones are those that engines disagree about.
KEYS = st.sampled_from(["n", "env", "日本", "k\0z", 'q"k'])
VALUES = st.sampled_from(
    ["5", "prod", "5.0", "", "Prod", "05", "-1e3", "5 ", " 5", "٥", "日本語", "🐕", "a\0b", "a", "5\0", "x" * 300]
)
NUMBERS = st.sampled_from(["5", "-1", "0", "5.0", "2.5e3", "99999999999999999999", "-1e400"])
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
EQUALITY = st.sampled_from(["=", "!="])
PATTERNS = st.lists(st.sampled_from(["%", "\0", "_", "a", "a\0", "5", "P", "ro", "日", "it's"]), max_size=4).map(
    "".join
)
WORDS = st.sampled_from(["prod", "%pr%", "日本", "%本語%", "%not%JSON%", "%it's", "%5%"])
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
        {"mlflow.sourceRun": "a", linked_run_key("b"): "true"},
        {linked_run_key("a"): "true"},
    ]
)
SPAN_VALUES = [
    None, '{"q":"a","n":[1,{"n":"5"},5.0]}', '["a",null,"prod"]', '"日本語"', "5", '{"n":{},"q":false}', '{"a.b":true}',
    '{"n":null,"a":{"b":"5 "}}', "[]", "not JSON",
]  # fmt: skip
SPAN_ATTRIBUTES: list[dict[str, str]] = [
    {}, {"m.k": '"prod"'}, {"m": '{"k":[5,"a"]}'}, {"mlflow.chat.tokenUsage": '{"input_tokens":5}'}, {"x": '"it\'s"'},
]  # fmt: skip
WEIGHTS = st.sampled_from([{}, {}, {WEIGHT: "10"}, {WEIGHT: "3.3333333333333335"}, {WEIGHT: "0"}, {WEIGHT: "x"}])
EXPERIMENTS = ["Default", "shop"]
MILLISECONDS = st.integers(0, 4)


@st.composite
def said(draw: st.DrawFn, trace: int) -> tuple[TracePart | Edit, ...]:
    """A trace, and what was said of it from outside."""
    return *draw(parts(trace)), *(draw(assessments(trace, number)) for number in range(draw(st.integers(0, 4))))


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


def spans_below(seed: int, trace: int) -> list[Span]:
    """Return spans below the first of a trace, all of one number: a case is soon drawn, and made simpler."""
    chance = random.Random(seed)
    return [
        replace(
            span(
                number, trace=trace, parent=chance.randrange(1, number), start_ms=chance.randrange(5),
                duration_ms=chance.choice([None, 0, 1, 2, 3]), name=chance.choice(["a", "call", "日本"]),
            ),
            span_type=chance.choice(["TOOL", "LLM", "it's", None]),
            status=SpanStatus(chance.choice(list(SpanStatusCode)), chance.choice(["", "", "prod"])),
            inputs_json=chance.choice(SPAN_VALUES),
            outputs_json=chance.choice(SPAN_VALUES),
            attributes_json=chance.choice(SPAN_ATTRIBUTES),
        )
        for number in range(2, 2 + chance.choice([0, 1, 1, 2, 3, 4]))
    ]  # fmt: skip


@st.composite
def parts(draw: st.DrawFn, trace: int) -> list[TracePart]:
    """The parts of a trace: one, or one with its first span and one with the others."""
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
    others = spans_below(draw(st.integers(0, 2**32 - 1)), trace)
    is_apart = bool(others) and draw(st.booleans())
    experiment = draw(st.sampled_from(EXPERIMENTS))
    first = part(
        *([] if is_apart else others),
        root,
        experiment=experiment,
        tags=tags,
        metadata=draw(st.dictionaries(KEYS, VALUES, max_size=2) | USAGES) | draw(WEIGHTS),
        client_request_id=draw(st.none() | st.just("C-1")),
    )
    return [first, part(*others, experiment=experiment, written_ns=2)] if is_apart else [first]


@st.composite
def span_tests(draw: st.DrawFn) -> str:
    """A comparison of one span, without its prefix."""
    names = ["name", "type", "status", "status", "duration_ms", "duration_ms", "path", "content", "rare"]
    name = draw(st.sampled_from(names))
    if name in ("name", "type"):
        texts = st.sampled_from(["a", "call", "TOOL", "LLM", "it's"]).map(quote)
        return f"{name} {draw(operations(EQUALITY, texts, has_patterns=True, has_ranges=False))}"
    if name == "status":
        return f"status {draw(operations(EQUALITY, st.sampled_from(['OK', 'ERROR', 'UNSET']).map(quote)))}"
    if name == "duration_ms":
        return f"duration_ms {draw(operations(OPERATORS, st.sampled_from(['0', '1', '2.5'])))}"
    if name == "content":
        return f"content {draw(st.sampled_from(['LIKE', 'ILIKE', 'CONTAINS']))} {quote(draw(PATTERNS | WORDS))}"
    if name == "path":
        path = draw(
            st.sampled_from(
                ["inputs.n", "inputs.q", "outputs.q", "attributes.m.k", "inputs.n.n", "inputs.a.b", "inputs.0"]
            )
        )
        plain = NUMBERS | VALUES.map(quote)
        asked = operations(OPERATORS, plain, has_patterns=True) | operations(EQUALITY, plain | BOOLEANS | BOOLEANS)
        return f"{path} {draw(asked | st.sampled_from(['IS NULL', 'IS NOT NULL']))}"
    return draw(
        st.sampled_from(
            ["repetitions >= 2", "input_tokens > 4", "type IS NULL", "duration_ms IS NULL", "status_message = 'prod'"]
        )
    )


@st.composite
def steps_of_a_name(draw: st.DrawFn) -> str:
    """A name with how long the span took, or with an attribute of it, and maybe something else of it."""
    name = draw(st.sampled_from(["name = 'call'", "name = 'a'", "name = '日本'", "name IN ('a', 'call')"]))
    lengths = [
        f"duration_ms {each}" for each in ("> 0", "> 1", ">= 2", "< 2.5", "= 1", "= 0", "BETWEEN 1 AND 2", "< 0")
    ]
    attributes = [f"attributes.{each}" for each in ("m.k = 'prod'", "m.k = 'a'", "x = 'it''s'", "m.k IN ('a', 'prod')")]
    others = ["status = 'ERROR'", "type = 'LLM'", "NOT duration_ms > 1"]
    found = [name, *draw(st.lists(st.sampled_from([*lengths, *attributes]), min_size=1, max_size=3))]
    all_of = draw(st.permutations([*found, *draw(st.lists(st.sampled_from(others), max_size=1))]))
    step = f"span({' AND '.join(all_of)})"
    return draw(st.sampled_from([step, step, step, f"count({step}) >= 1", f"{step} THEN span(type = 'LLM')"]))


@st.composite
def scopes(draw: st.DrawFn) -> str:
    """What is asked of the spans of a trace: of one, of several that stand somehow to each other, of their number."""
    if draw(st.booleans()):
        return f"span.{draw(span_tests())}"
    words = st.lists(st.sampled_from(["AND", "OR", "AND NOT"]), min_size=2, max_size=2)
    conditions = st.lists(span_tests(), min_size=1, max_size=3).flatmap(
        lambda found: words.map(lambda between: f"span({_joined(found, between)})")
    )
    chain = draw(st.lists(conditions, min_size=1, max_size=3))
    text = draw(st.sampled_from([" > ", " >> ", " THEN "])).join(chain)
    return f"count({text}) {draw(OPERATORS)} {draw(st.integers(0, 3))}" if draw(st.booleans()) else text


def _joined(found: list[str], words: list[str]) -> str:
    """Return comparisons with the words between them: AND goes before OR."""
    return " ".join(itertools.chain(*itertools.zip_longest(found, words[: len(found) - 1], fillvalue="")))


@st.composite
def comparisons(draw: st.DrawFn) -> str:
    kinds = [
        *(
            "tags",
            "tags",
            "metadata",
            "assessed",
            "assessed",
            "assessed",
            "status",
            "text",
            "time",
            "null",
            "number",
            "number",
        ),
        *("spans", "spans", "spans", "trace text", "trace text", "step"),
    ]
    kind = draw(st.sampled_from(kinds))
    if kind in ("spans", "step"):
        return draw(scopes() if kind == "spans" else steps_of_a_name())
    if kind == "trace text":
        field = draw(st.sampled_from(["trace.text", "attributes.request", "trace.response"]))
        return f"{field} {draw(st.sampled_from(['LIKE', 'ILIKE', 'CONTAINS']))} {quote(draw(PATTERNS | WORDS))}"
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
        name = draw(st.sampled_from(["name", "client_request_id", "trace_id", "user", "run_id"]))
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
    shape = draw(st.sampled_from(["pattern", "one", "list", "pattern", "list", "range"]))
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


# A few together, so that each case is in many of the searches.
TOGETHER = st.lists(comparisons(), min_size=2, max_size=4).map(lambda found: "(" + " OR ".join(found) + ")")
FILTERS = st.recursive(
    comparisons() | TOGETHER,
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
    *("tags.env", "tags.n", "metadata.`日本`", "metadata.k", "input_tokens", "cost", "run_id"),
]
ORDERS = st.lists(
    st.tuples(st.sampled_from(ORDER_FIELDS), st.sampled_from(["", " ASC", " DESC"])).map("".join), max_size=3
)
TRACES = st.integers(1, 12).flatmap(
    lambda count: st.tuples(*(said(trace=number) for number in range(1, count + 1))).map(
        lambda found: tuple(itertools.chain(*found))
    )
)
PAGE_SIZES = st.sampled_from([1, 1, 2, 2, 3, 5])

# What statistics are grouped by, and how time is cut: from finer than an hour to longer than all there is.
GROUPS = st.lists(st.sampled_from([*ORDER_FIELDS[3:], "total_tokens", "tags.`k\0z`"]), max_size=2, unique=True)
PERIODS = st.none() | st.builds(
    parse_period, st.sampled_from(["1s", "15m", "1h", "6h", "1d", "1mo"]), st.sampled_from(["UTC", "Asia/Kathmandu"])
)
