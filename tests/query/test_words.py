"""The words of texts lead to each trace that has a text: what the evaluator finds, the index has found before."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.traces import span
from tracehound.model.occurrence import RecordedEvent
from tracehound.model.record import replace
from tracehound.model.span import Span, SpanStatus, SpanStatusCode
from tracehound.query.check import parse_filter
from tracehound.query.fields import SPAN_FIELDS
from tracehound.query.needles import literals_in, needles_of
from tracehound.query.patterns import make_matcher
from tracehound.query.spans import is_true_of_spans, values_of_span
from tracehound.query.tokens import quote
from tracehound.query.tree import Operator, Scope, Test
from tracehound.query.words import Piece, elsewhere, words_by_place, words_of
from tracehound.store.sqlite.words import Block, lines_with, make_block, merge_blocks, without

# Letters whose lower case depends on what is beside them, escapes of JSON, scripts without spaces, numbers.
LETTERS = "order Order a _ 日本 本 語 🐕 ΟΔΟΣ ſ s Straße İ don’t ä กา 한국어 1 0.10 1e5 100000 K - / \\"
TEXTS = st.lists(
    st.sampled_from([*LETTERS.split(), " ", ", ", "\n", '"', "\0", "\t", "x" * 80, "\N{KELVIN SIGN}"]), max_size=6
).map("".join)
# As other programs write them, too: with spaces, with escapes, with other forms of numbers.
NUMBERS = st.sampled_from(
    ["1", "1.50", "1e5", "-0", "0.1000000000000000055", "123456789012345678901234", "NaN", "1E+3"]
)
VALUES = st.recursive(
    TEXTS.map(json.dumps) | TEXTS.map(lambda text: json.dumps(text, ensure_ascii=False)) | NUMBERS | st.just("null"),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: f"[{', '.join(found)}]")
        | st.dictionaries(st.sampled_from(["q", "a.b", "x"]), inner, max_size=3).map(
            lambda found: "{" + ",".join(f'"{key}": {value}' for key, value in found.items()) + "}"
        )
    ),
    max_leaves=5,
)
TRACES = st.builds(
    lambda name, message, values, event: [
        replace(
            span(1, name=name),
            status=SpanStatus(SpanStatusCode.ERROR, message),
            inputs_json=values[0],
            outputs_json=values[1],
            attributes_json={"k": values[2]},
            event_records=(RecordedEvent(event, 0, {"m": values[3]}),),
        )
    ],
    TEXTS, TEXTS, st.lists(VALUES, min_size=4, max_size=4), TEXTS,
)  # fmt: skip
CONTENT = SPAN_FIELDS["content"]
TEXT_FIELDS = ["trace.text", "trace.request", "trace.response", "span.content"]
VALUE_FIELDS = ["span.name", "span.inputs.q", "span.inputs.q.x", "span.outputs.a.b", "span.attributes.k"]


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[list[Span]], str]:
    """Traces, and a comparison of a text: mostly with a part of one that they have."""
    traces = draw(st.lists(TRACES, min_size=1, max_size=4))
    texts = [text for spans in traces for span in spans for text in values_of_span(CONTENT, span, spans)]
    whole, begin, length = draw(st.sampled_from(texts)), draw(st.integers(0, 8)), draw(st.integers(1, 12))
    return traces, draw(filters(draw(TEXTS | st.just(whole[begin : begin + length]))))


@st.composite
def filters(draw: st.DrawFn, text: str) -> str:
    """A comparison with a text: with itself, in a pattern, in a regular expression."""
    word = draw(st.sampled_from(["LIKE", "ILIKE", "CONTAINS", "RLIKE", "="]))
    field = draw(st.sampled_from(VALUE_FIELDS if word == "=" else TEXT_FIELDS + VALUE_FIELDS))
    if word == "RLIKE":
        before, behind = st.sampled_from(["", "(?i)", "^", "(a|b)?"]), st.sampled_from(["", "[^a]?", "+", "*"])
        text = f"{draw(before)}e{re.escape(text)}{draw(behind)}".replace("\0", "x00").replace("\\\n", "\\n")
    elif "LIKE" in word:
        open_ends = st.sampled_from(["", "%", "_"])
        text = f"{draw(open_ends)}{text}{draw(open_ends)}"
    return f"{field} {word} {quote(text)}"


@pytest.mark.prove
@given(cases())
def test_whatever_is_found_has_the_words(case: tuple[list[list[Span]], str]) -> None:
    traces, filter_string = case
    node = parse_filter(filter_string)
    assert isinstance(node, (Scope, Test))
    needles = needles_of(node)
    if needles is None:
        return
    block = make_block((number, words_of(spans)) for number, spans in enumerate(traces))
    lines = lines_with(block.words, needles)
    found = set(block.find(needles, lines)) if lines is not None else set()
    wanted = {number for number, spans in enumerate(traces) if is_true_of_spans(node, spans)}
    event("something is found" if wanted else "nothing is found")
    assert wanted <= found
    for spans in (spans for spans in traces if is_true_of_spans(node, spans)):
        for words in (words_by_place(spans), words_of(spans)):  # as rows have them now, and had them before
            assert any(all(has_piece(words or b"", piece) for piece in pieces) for pieces in needles)


def has_piece(words: bytes, piece: Piece) -> bool:
    """Whether one of the words that are asked for has a piece in it where it may (`clickhouse.vocabulary`)."""
    forms = {piece.text} if piece.in_inputs else {piece.text, elsewhere(piece.text)}
    before, behind = (b"" if is_open else b" " for is_open in (piece.open_left, piece.open_right))
    return any(b"".join((before, form, behind)) in b" %b " % words for form in forms)


def test_words_of_inputs_are_told_from_those_that_stand_elsewhere() -> None:
    attributes = {"model": '"gpt"', "big": '{"question": 7}'}
    spans = [
        replace(span(1, name="ask"), inputs_json='{"question":"Why 7?"}', outputs_json='"because Ä"'),
        replace(span(2, name="look up"), inputs_json='["who\\nelse"]', attributes_json=attributes),
    ]
    words = set((words_by_place(spans) or b"").decode().split())
    in_inputs = {"question", "why", "who", "else"}
    assert in_inputs < words
    assert {each for each in words if each.isupper()} == {"ASK", "BECAUSE", "LOOK", "UP", "GPT", "QUESTION"}
    assert {"7", "ä"} < words


def test_a_value_that_is_nested_too_deep_to_be_read_is_known_by_the_text_that_it_is() -> None:
    deep = f'{"[" * 5_000}"needle"{"]" * 5_000}'
    words = (words_of([replace(span(1), inputs_json=deep, outputs_json="1E+3")]) or b"").split()
    assert b"needle" in words
    assert b"1000" in words


LISTS_OF_WORDS = st.lists(st.sets(st.sampled_from([b"a", b"b", b"c", b"d", b"e"])).map(b" ".join), max_size=40)


@given(st.lists(LISTS_OF_WORDS, min_size=1, max_size=4), st.sets(st.integers(0, 80)))
def test_blocks_hold_what_those_held_that_they_were_made_of(lists: list[list[bytes]], gone: set[int]) -> None:
    numbered = list(enumerate(words for each in lists for words in each))
    rest = iter(numbered)
    merged = merge_blocks([make_block([next(rest) for _ in each]) for each in lists])
    assert content(merged) == content(make_block(numbered))
    left = without(merged, gone)
    kept = [(number, words) for number, words in numbered if number not in gone]
    assert (content(left) if left is not None else []) == content(make_block(kept))
    assert left is None or without(left, {number for number, _ in kept}) is None
    again = merge_blocks([each for each in (left, merged, left) if each is not None])
    assert content(again) == content(make_block([*kept, *numbered, *kept]))


def content(block: Block) -> list[tuple[bytes, list[int]]]:
    """Return each word with the traces that have it."""
    rows = ((word, [row for row in range(len(block.seqs)) if _has(part, row)]) for word, part in block.parts())
    return sorted((word, [block.seqs[row] for row in found]) for word, found in rows)


def _has(part: Sequence[int] | int, row: int) -> bool:
    return bool(part >> row & 1) if isinstance(part, int) else row in part


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        ("plain words", ["plain words"]),
        ("^GET /orders/[0-9]+", ["GET /orders/"]),
        (r"v1\.2\b!", ["v1.2", "!"]),
        ("colou?r", ["colo", "r"]),
        ("ab{0,2}c", ["a", "c"]),
        ("a|b", []),
        ("(?i:not this)but", ["but"]),
        ("(a(b)c)*d(?P<name>e)f", ["d", "f"]),
        (r"[[:alpha:]]x[^]y]z[\]w]", ["x", "z"]),
        (r"\pN\p{Greek}a\x41\x{41}b\101", ["a", "b"]),
        (r"\Qa.b\E", []),
        ("(?i)größe", ["gr", "e"]),
        ("größe", ["größe"]),
    ],
)  # fmt: skip
def test_the_texts_that_a_regular_expression_needs_are_known(pattern: str, literals: list[str]) -> None:
    make_matcher(Operator.RLIKE, pattern)
    assert literals_in(pattern) == literals
