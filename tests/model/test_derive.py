"""What the spans say of their trace: tokens and costs are counted once, and the first that says a thing says it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.traces import part, span
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.model.trace import TraceInfo


def telling(number: int, parent: int | None = None, **attributes: Any) -> Span:
    texts = {key.replace("__", "."): json.dumps(value) for key, value in attributes.items()}
    return replace(span(number, parent=parent, start_ms=number), attributes_json=texts)


def using(number: int, tokens: int | None, parent: int | None = None) -> Span:
    usage = {} if tokens is None else {"mlflow.chat.tokenUsage": {"input_tokens": tokens, "output_tokens": 0}}
    return replace(telling(number, parent), attributes_json={key: json.dumps(value) for key, value in usage.items()})


@pytest.mark.parametrize(
    ("spans", "tokens"),
    [
        ([using(1, None), using(2, 5, 1), using(3, 7, 1)], 12),
        ([using(1, 12), using(2, 5, 1), using(3, 7, 1)], 12),  # a framework that repeats the sum
        ([using(1, 5), using(2, 5, 1)], 5),  # one call, told by two instrumentations
        ([using(1, 7), using(2, 5, 1), using(3, 7, 1)], 12),  # an agent that tells of its last call only
        ([using(1, 20), using(2, 5, 1), using(3, 7, 1)], 20),  # one that called what nobody else traced
        ([using(1, None), using(2, 7, 1), using(3, None, 2), using(4, 5, 3), using(5, 7, 3), using(6, 1, 1)], 13),
        ([using(1, 5, 99), using(2, 7, 98)], 12),  # whose parents are elsewhere
    ],
)
def test_tokens_are_counted_once(spans: list[Span], tokens: int) -> None:
    for order in (spans, spans[::-1]):
        usage = merge_parts([part(*order)]).info.token_usage
        assert usage is not None
        assert usage["input_tokens"] == tokens


def test_spans_that_are_above_one_another_end_the_count() -> None:
    info = merge_parts([part(using(1, None), using(2, 5, 3), using(3, 7, 2), using(4, 4, 1))]).info
    assert info.token_usage == {"input_tokens": 4, "output_tokens": 0, "total_tokens": 4}


def test_a_chain_of_ten_thousand_spans_that_all_tell_is_counted_once() -> None:
    chain = [using(number, 1, number - 1 or None) for number in range(1, 10_001)]
    usage = merge_parts([part(*chain)]).info.token_usage
    assert usage is not None
    assert usage["input_tokens"] == 1


def info_of(*spans: Span, **said: Any) -> TraceInfo:
    return merge_parts([part(*spans, **said)]).info


def test_the_root_says_the_session_and_the_user_and_else_the_earliest_span_does() -> None:
    children = [telling(3, 1, session__id="late"), telling(2, 1, session__id="early", user__id="me")]
    assert info_of(telling(1), *children).trace_metadata["mlflow.trace.session"] == "early"
    info = info_of(telling(1, session__id="root"), *children)
    assert info.trace_metadata["mlflow.trace.session"] == "root"
    assert info.trace_metadata["mlflow.trace.user"] == "me"


def test_what_somebody_said_of_the_trace_goes_before_what_its_spans_say() -> None:
    said = {"name": "theirs", "tags": {"a": "span"}, "metadata": {"k": "span"}}
    spans = [telling(1, session__id="span", tracehound__ofTrace=said)]
    info = info_of(*spans, tags={"a": "said"}, metadata={"k": "said", "mlflow.trace.session": "said"})
    assert (info.tags["a"], info.trace_metadata["k"]) == ("said", "said")
    assert info.trace_metadata["mlflow.trace.session"] == "said"
    assert info.name == "theirs"
    assert info.tags["mlflow.traceName"] == "theirs"


def test_tags_of_the_trace_on_its_root_are_tags_of_the_trace() -> None:
    tag = {"mlflow.traceTag.team": '"search"', "mlflow.traceTag.tries": "2", "mlflow.traceTag.": '"none"'}
    root = replace(span(1), attributes_json=tag)
    info = info_of(root, replace(span(2, parent=1), attributes_json={"mlflow.traceTag.not": '"mine"'}))
    assert (info.tags["team"], info.tags["tries"]) == ("search", "2")
    assert not {"not", ""} & info.tags.keys()


def test_what_a_span_says_of_the_trace_cannot_take_our_own_keys_and_may_be_nonsense() -> None:
    said = {"name": 3, "tags": {"mlflow.artifactLocation": "/", "ok": 1}, "metadata": ["no"]}
    info = info_of(telling(1, tracehound__ofTrace=said), telling(2, 1, tracehound__ofTrace="no"))
    assert info.name == "step"
    assert info.tags["mlflow.artifactLocation"].startswith("tracehound:/")
    assert info.tags["ok"] == "1"
