"""By whatever path spans come, they are in a store in our words: traced here, imported, running, kept in memory."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from opentelemetry.trace import Tracer

import tracehound
from tests.cli.terminal import piped
from tests.traces import part
from tests.wire.dialect_spans import RECORDED, foreign_span, recorded_spans
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.model.trace import Trace
from tracehound.settings import Settings
from tracehound.spool.spool import Spool
from tracehound.store.memory import MemoryStore
from tracehound.testing import recorded_traces
from tracehound.wire.otlp_json import from_otlp_line, to_otlp_line

CHAT: dict[str, str | int] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gpt-4o-mini",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 1,
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "why?"}]}]',
    "gen_ai.conversation.id": "s-1",
}
REQUEST = {"messages": [{"role": "user", "content": "why?"}], "model": "gpt-4o-mini"}


def check(trace: Trace) -> None:
    span = trace.data.spans[0]
    assert (span.span_type, span.inputs) == ("CHAT_MODEL", REQUEST)
    assert span.get_attribute("gen_ai.request.model") == "gpt-4o-mini"
    assert span.llm_cost is not None
    assert trace.info.token_usage == {"input_tokens": 3, "output_tokens": 1, "total_tokens": 4}
    assert trace.info.trace_metadata["mlflow.trace.session"] == "s-1"


def tracer() -> Tracer:
    return tracehound.tracing.get_tracer_provider().get_tracer("a library")


def test_spans_of_an_instrumentation_that_is_traced_here() -> None:
    with tracer().start_as_current_span("chat", attributes=CHAT):
        pass
    [trace] = tracehound.search_traces("attributes.session = 's-1'", return_type="list")
    check(trace)


def test_spans_that_are_kept_in_memory() -> None:
    with recorded_traces() as recorded, tracer().start_as_current_span("chat", attributes=CHAT):
        pass
    [trace] = recorded.traces()
    check(trace)


def test_a_trace_that_runs(tmp_path: Path) -> None:
    store = MemoryStore()
    spool = Spool(tmp_path / "spool", lambda: store, Settings(), dict)
    span = replace(foreign_span(CHAT), end_time_ns=None)
    spool.append_snapshot(part(span, owner="me"))
    spool.drain()
    trace = store.read_traces([span.trace_id])[span.trace_id]
    assert trace.info.state == "IN_PROGRESS"
    check(trace)
    spool.close()


def test_a_file_of_another_exporter_that_is_imported(tmp_path: Path) -> None:
    attributes = [{"key": key, "value": {"intValue" if isinstance(value, int) else "stringValue": value}}
                  for key, value in CHAT.items()]  # fmt: skip
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "chat", "startTimeUnixNano": "1735689600000000000",
            "endTimeUnixNano": "1735689601000000000", "attributes": attributes}  # fmt: skip
    line = json.dumps({"resourceSpans": [{"scopeSpans": [{"scope": {"name": "theirs"}, "spans": [span]}]}]})
    (tmp_path / "spans.jsonl").write_text(f"{line}\n")
    done = piped("import", "spans.jsonl")
    assert done.returncode == 0, done.stderr
    [trace] = tracehound.search_traces("span.type = 'CHAT_MODEL'", return_type="list")
    check(trace)


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.jsonl")))
def test_an_exported_trace_comes_back_as_it_was_translated_or_not(name: str) -> None:
    for span in recorded_spans(name):
        store = MemoryStore()
        store.write([part(span)])  # as if it had been stored before there was any translation
        trace = store.read_traces([span.trace_id])[span.trace_id]
        line = to_otlp_line(trace, "Default")
        [again] = from_otlp_line(line, "Default").parts
        assert again.spans == [span]


def unchanged(attributes: dict[str, str]) -> Span:
    """Return the span that a line of OTLP with these texts as attributes gives."""
    listed = [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()]
    span = {"traceId": "1" * 32, "spanId": "2" * 16, "name": "s", "attributes": listed}
    line = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]})
    return from_otlp_line(line.encode(), "Default").parts[0].spans[0]


def test_what_a_client_of_mlflow_sends_over_otlp_is_what_its_user_said() -> None:
    span = unchanged(
        {
            "mlflow.traceRequestId": '"tr-11111111111111111111111111111111"',
            "mlflow.spanType": '"TOOL"',
            "mlflow.spanInputs": '{"a": 1}',
            "mlflow.spanOutputs": '"3"',
            "mlflow.chat.tokenUsage": '{"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}',
            "said": '"so"',
            "plain": "not JSON",
        }
    )
    assert (span.span_type, span.inputs, span.outputs) == ("TOOL", {"a": 1}, "3")
    assert span.get_attribute("mlflow.chat.tokenUsage")["total_tokens"] == 3
    assert (span.get_attribute("said"), span.get_attribute("plain")) == ("so", "not JSON")


def test_mlflows_names_in_the_spans_of_other_programs_are_read_as_they_are_meant() -> None:
    span = unchanged({"mlflow.spanType": "TOOL", "mlflow.spanInputs": '{"a": 1}', "mlflow.spanOutputs": "3"})
    assert (span.span_type, span.inputs, span.outputs) == ("TOOL", {"a": 1}, "3")


def test_a_fault_of_the_translation_costs_the_translation_only(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from tracehound.wire.dialects import translate

    def fail(span: Span) -> Span:
        raise ZeroDivisionError

    monkeypatch.setattr(translate, "translate_span", fail)
    before = part(foreign_span(CHAT))
    assert translate.translate_part(before) is before
    assert "was not translated" in caplog.text
