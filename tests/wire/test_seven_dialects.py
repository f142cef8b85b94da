"""The same calls give the same traces and are found by the same searches, whatever convention told of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.traces import part
from tests.wire.dialect_spans import foreign_span
from tests.wire.spoken import CALLS, SPEAKERS, genai_events, spans_of
from tracehound.client.pages import read_pages
from tracehound.model.ids import experiment_id
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.model.trace import Trace
from tracehound.query.search import parse_search
from tracehound.store.api import Store
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.store import SqliteStore
from tracehound.wire.dialects.translate import translate_part, translate_span

FOREIGN = sorted(SPEAKERS.keys() - {"mlflow"})
CALL_NAMES = [*(call.name for call in CALLS), "embedding", "agent"]
FILTERS = [
    "span.type = 'CHAT_MODEL'",
    "span.type = 'CHAT_MODEL' AND span.status = 'ERROR'",
    "span.type = 'TOOL' AND span.content LIKE '%sunny%'",
    "span.type = 'EMBEDDING'",
    "span(type = 'AGENT') AND span(type = 'TOOL')",
    "span(type = 'AGENT') > span(type = 'TOOL')",
    "count(span(type = 'CHAT_MODEL')) >= 2",
    "span.inputs.model = 'gpt-4o-mini'",
    "span.inputs.temperature < 0.5",
    "span.inputs.city = 'Paris'",
    "span.content LIKE '%Capital of France%'",
    "span.content LIKE '%Paris%'",
    "span.attributes.`gen_ai.request.max_tokens` = 64",
    "span.attributes.`mlflow.llm.model` = 'gpt-4o-mini'",
    "attributes.input_tokens > 20",
    "attributes.output_tokens < 9",
    "attributes.total_tokens = 60",
    "attributes.session = 's-1'",
    "attributes.user = 'u-1'",
    "metadata.`mlflow.trace.session` = 's-1'",
    "attributes.request LIKE '%What is it?%'",
    "attributes.response LIKE '%sunny%'",
    "attributes.status = 'ERROR'",
    "trace.text LIKE '%get_weather%'",
]


@pytest.fixture(scope="module", params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened: Store = MemoryStore()
    if request.param == "sqlite":
        opened = SqliteStore(tmp_path_factory.mktemp("seven") / "seven.db")
    for number, name in enumerate(SPEAKERS):
        opened.write(
            [translate_part(part(*_moved(spans, number), experiment=name)) for spans in spans_of(name).values()]
        )
    yield opened
    opened.close()


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("call", CALL_NAMES)
def test_a_call_reads_the_same_in_every_convention(name: str, call: str) -> None:
    ours, theirs = ([_read(span) for span in spans_of(each)[call]] for each in ("mlflow", name))
    assert theirs == ours


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_conversation_in_events_reads_as_one_in_attributes(call: Any) -> None:
    attributes, events = genai_events(call)
    told = translate_span(foreign_span(attributes, events=events, failed=call.answer is None))
    ours = spans_of("mlflow")[call.name][0]
    assert _read(told) == _read(ours)


@pytest.mark.parametrize("text", FILTERS)
def test_a_search_finds_the_same_calls_in_every_convention(store: Store, text: str) -> None:
    found = {name: sorted(trace.info.name for trace in _search(store, name, text)) for name in SPEAKERS}
    assert found["mlflow"], "a filter that finds nothing shows nothing"
    assert found == dict.fromkeys(SPEAKERS, found["mlflow"])


def test_previews_tokens_session_and_user_of_a_trace_are_the_same_in_every_convention(store: Store) -> None:
    told = {name: {trace.info.name: _read_whole(trace) for trace in _search(store, name)} for name in SPEAKERS}
    assert {name: told[name] for name in FOREIGN} == dict.fromkeys(FOREIGN, told["mlflow"])


def test_an_exception_is_kept_as_it_was_told(store: Store) -> None:
    for name in SPEAKERS:
        [trace] = _search(store, name, "attributes.status = 'ERROR'")
        [event] = [event for event in trace.data.spans[0].events if event.name == "exception"]
        assert event.attributes["exception.message"] == "no such thing"


def _moved(spans: list[Span], number: int) -> list[Span]:
    """Return the spans in a trace of their own for each convention."""
    return [replace(span, trace_id=f"tr-{number + 1:016x}{span.trace_id[-16:]}") for span in spans]


def _search(store: Store, experiment: str, text: str | None = None) -> list[Trace]:
    search = parse_search([experiment_id(experiment)], text)
    return [trace for page in read_pages(store, search) for trace in page]


def _read(span: Span) -> dict[str, Any]:
    """Return what a span says in the words that all conventions have."""
    read = translate_span(span)
    keys = ("mlflow.chat.tokenUsage", "mlflow.llm.model", "mlflow.chat.tools", "gen_ai.response.finish_reasons",
            "gen_ai.response.time_to_first_chunk", "gen_ai.request.temperature", "gen_ai.request.max_tokens",
            "session.id", "user.id")  # fmt: skip
    said = {key: read.get_attribute(key) for key in keys}
    reasons = said["gen_ai.response.finish_reasons"]
    if isinstance(reasons, str):  # Logfire's own is JSON in a text, and is left alone
        said["gen_ai.response.finish_reasons"] = json.loads(reasons)
    return {"type": read.span_type, "inputs": read.inputs_json, "outputs": read.outputs_json, **said}


def _read_whole(trace: Trace) -> dict[str, Any]:
    info = trace.info
    kept = ("mlflow.trace.tokenUsage", "mlflow.trace.session", "mlflow.trace.user", "mlflow.traceInputs")
    metadata = {key: info.trace_metadata.get(key) for key in kept}
    return {"request": info.request_preview, "response": info.response_preview, "state": info.state, **metadata}
