"""What other people's instrumentation says is translated once, whole, and without losing anything.

The files under tests/data/dialects were recorded: what the instrumentors of a client library made of the same eight
calls (a chat, a tool, its result, a stream, a picture, an embedding, an error, the Responses API) against a stub; and
of an agent of LangGraph with one tool.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.golden import check_golden
from tests.traces import part
from tests.wire.dialect_spans import RECORDED, Event, foreign_span, recorded_spans
from tracehound.model.merge import merge_parts
from tracehound.model.record import replace
from tracehound.model.reserved import TRANSLATED_FROM
from tracehound.model.span import Span
from tracehound.model.values import encode_value
from tracehound.wire.dialects.translate import DIALECTS, translate_part, translate_span

FILES = sorted(path.stem for path in RECORDED.glob("*.jsonl"))
CLIENTS = [name for name in FILES if not name.startswith("langchain")]
MARKERS = sorted({key for dialect in DIALECTS for key in dialect.markers})


@pytest.mark.parametrize("name", CLIENTS)
def test_what_an_instrumentation_has_recorded_reads_as(name: str, update_golden: bool) -> None:
    told = [_told_beyond(span) for span in recorded_spans(name)]
    check_golden(RECORDED / f"{name}.golden.json", json.dumps(told, indent=1, ensure_ascii=False), update=update_golden)


@pytest.mark.parametrize("name", FILES)
def test_nothing_that_came_is_taken_away_or_changed(name: str) -> None:
    for before in recorded_spans(name):
        after = translate_span(before)
        assert {key: after.attributes_json[key] for key in before.attributes_json} == before.attributes_json
        assert after.event_records == before.event_records
        assert after.status == before.status


@pytest.mark.parametrize("name", FILES)
def test_translating_twice_is_translating_once(name: str) -> None:
    for span in recorded_spans(name):
        once = translate_part(part(span))
        assert TRANSLATED_FROM in once.spans[0].attributes_json
        assert translate_part(once) is once


@pytest.mark.parametrize("name", ["langchain_openinference", "langchain_openllmetry"])
def test_an_agent_of_langgraph_is_one_trace_whose_two_calls_are_counted_once(name: str) -> None:
    trace = merge_parts([translate_part(part(*recorded_spans(name)))])
    usage = trace.info.token_usage
    assert usage is not None
    assert (usage["input_tokens"], usage["output_tokens"], usage["total_tokens"]) == (42, 18, 60)
    models = [span for span in trace.data.spans if span.span_type == "CHAT_MODEL"]
    assert [span.outputs["choices"][0]["finish_reason"] for span in models] == ["tool_calls", "stop"]
    [tool] = [span for span in trace.data.spans if span.span_type == "TOOL"]
    assert tool.outputs == "sunny"
    assert not [key for key in trace.info.trace_metadata if "langgraph" in key]


def test_a_part_without_anything_foreign_is_that_part() -> None:
    ours = part(replace(foreign_span({"mlflow.llm.model": "m", "note": "gen_ai.system"}), span_type="LLM"))
    assert translate_part(ours) is ours


def test_what_a_span_says_itself_is_left_alone() -> None:
    said = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "why?",
        "llm.model_name": "theirs",
        "llm.token_count.prompt": 3,
        "mlflow.llm.model": "ours",
        "mlflow.chat.tokenUsage": {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2},
        "user.id": "me",
    }
    before = replace(foreign_span(said), span_type="TOOL", inputs_json='"mine"')
    after = translate_span(before)
    assert after.span_type == "TOOL"
    assert after.inputs == "mine"
    assert after.model_name == "ours"
    assert after.get_attribute("mlflow.chat.tokenUsage")["input_tokens"] == 1
    assert after.get_attribute("user.id") == "me"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
WORDS = (
    "role content parts type text tool_calls function name arguments image_url url id message messages choices usage "
    "input output candidates finish_reason index user model tool_call tool blob data source event.name gen_ai.choice "
    "gen_ai.user.message summary ai.generateText LLM chat logfire.msg assistant image file config"
)
words = st.sampled_from(WORDS.split())
shaped = st.recursive(
    words | st.none() | st.integers(-1, 3) | st.just(float("nan")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=5),
    max_leaves=14,
)
broken = st.sampled_from(['{"a":', "[", "[[", ""])
values = json_values | shaped | shaped.map(json.dumps) | broken
MORE_KEYS = (
    "llm.input_messages.999999999999999999999999.message.role",
    "llm.input_messages.0.message.tool_calls.1.tool_call.id",
    "llm.input_messages.1.message.contents.0.message_content.type",
    "llm.tools.0.tool.json_schema",
    "embedding.embeddings.0.embedding.text",
    "gen_ai.usage.raw",
    "gen_ai.completion.0.tool_calls.0.name",
    "langfuse.observation.completion_start_time",
    "langfuse.trace.metadata.a",
    "ai.response.toolCalls",
    "ai.values",
    "ai.embeddings",
    "logfire.msg",
    "metadata",
    "tag.tags",
)
keys = st.sampled_from([*MARKERS, *MORE_KEYS])


@given(st.dictionaries(keys, values, max_size=8), st.lists(st.tuples(keys, values), max_size=2))
def test_no_attributes_make_it_raise_or_lose_anything(attributes: dict[str, Any], happened: list[Any]) -> None:
    events = [Event("gen_ai.choice", {key: value}) for key, value in happened]
    before = foreign_span(attributes, events=events)
    after = translate_span(before)
    assert {key: after.attributes_json[key] for key in before.attributes_json} == before.attributes_json
    assert translate_span(after) is after


@pytest.mark.parametrize("key", MARKERS)
def test_values_that_are_nested_beyond_measure_are_kept_as_they_came(key: str) -> None:
    deep = "[" * 100_000 + "]" * 100_000
    blank = foreign_span({})
    for text in (deep, encode_value(deep), '{"messages":' * 20_000):
        span = replace(blank, attributes_json={key: text})
        assert translate_span(span).attributes_json[key] == text


def _told_beyond(before: Span) -> dict[str, Any]:
    """Return what a span says after its translation, in our words only."""
    after = translate_span(before)
    added = {key: value for key, value in after.attributes.items() if key not in before.attributes}
    return {"type": after.span_type, "inputs": after.inputs, "outputs": after.outputs, "added": added}
