"""What is kept when masking is on: of nothing that holds a secret, by whatever way it comes, and in no file."""

from __future__ import annotations

import dataclasses
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

import tracehound
from tracehound import runtime
from tracehound.capture.live_span import LiveSpan
from tracehound.context.running import RunningTraces
from tracehound.errors import ArgumentError
from tracehound.model.trace import Trace
from tracehound.runtime import Runtime
from tracehound.screening.masking import FAILED
from tracehound.screening.pseudonyms import KEY_SUFFIX, key_beside
from tracehound.settings import SECRETS, Settings, child_environment
from tracehound.store.sqlite.connection import open_connection
from tracehound.testing import recorded_traces
from tracehound.wire.payload import from_payload

NAME = "zacharias.quibblethwaite"
EMAIL = f"{NAME}@example.org"
KEY = "sk-proj-Zx81kQ0vBn52mLw93TyU7"
CARD = "4111 1111 1111 1111"
TOKEN = "Bearer Qq7Zx81kQ0vBn52mLw93TyU7pPq"
SECRET = f"{EMAIL} {KEY} {CARD} {TOKEN}"
# What of them nobody may find anywhere.
TRACES_OF_IT = [NAME, KEY, KEY[8:], "1111 1111", TOKEN[7:]]


@pytest.fixture
def masked(store_path: Path) -> Iterator[Path]:
    """The store of the test with all secrets taken out; nothing is drained before it is asked for."""
    own = dataclasses.replace(
        Settings(), tracking_uri=str(store_path), redact=SECRETS, drain_interval_s=3600.0, raise_faults=True
    )
    before = runtime.replace(
        Runtime(own, origin=lambda: {"mlflow.source.git.repoURL": f"https://x:{KEY}@github.com/a"})
    )
    yield store_path
    last = runtime.replace(before)
    assert last is not None
    last.close()


# In a process of its own: who closes a file that SQLite has open in the same process drops its locks.
READER = """
import pathlib, sys
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.is_file() and "key" not in path.name and not path.name.endswith("-shm"):
        sys.stdout.buffer.write(path.read_bytes())
"""


def all_bytes(store: Path) -> bytes:
    """Return everything that lies on disk: the spool's segments, the database with its log, and what is compressed."""
    tracehound.flush()
    found = [
        subprocess.run([sys.executable, "-SE", "-c", READER, store.parent], check=True, capture_output=True).stdout
    ]
    connection = open_connection(store)
    for (payload,) in connection.execute("SELECT payload FROM part").fetchall():
        found.append(repr(from_payload(payload)).encode())
        found.append(str(from_payload(payload).spans[0].to_dict()).encode())
    for table in ("trace", "term", "edit", "fact", "block"):
        found += [repr(row).encode() for row in connection.execute(f"SELECT * FROM {table}")]
    connection.close()
    return b"\n".join(found)


def segments(store: Path) -> bytes:
    return b"".join(path.read_bytes() for path in store.with_name(f"{store.name}-spool").iterdir())


def assert_nothing_is_left(store: Path) -> None:
    before = segments(store)
    assert b"EMAIL_" in before
    everything = before + all_bytes(store)
    assert [piece for piece in TRACES_OF_IT if piece.encode() in everything] == []


def only() -> Trace:
    (trace,) = tracehound.search_traces(return_type="list")
    return trace


def test_without_masking_this_search_finds_all_of_them(masked: Path) -> None:
    with tracehound.tracing.configure(redact=[]):
        ask(SECRET, "plain")
        assert [piece for piece in TRACES_OF_IT if piece.encode() not in segments(masked)] == []
        assert [piece for piece in TRACES_OF_IT if piece.encode() not in all_bytes(masked)] == []


@tracehound.trace
def ask(question: str, api_key: str, *more: Any) -> Any:
    return {"echo": question, "more": more, "api_key": api_key}


def test_a_decorated_function(masked: Path) -> None:
    ask(SECRET, "zz81kQ0vBn52mLw9", {EMAIL: [SECRET]}, 4111111111111111)
    assert_nothing_is_left(masked)
    inputs = only().data.spans[0].inputs
    assert inputs["api_key"].startswith("[API_KEY_")
    assert inputs["more"][1].startswith("[CREDIT_CARD_")


def test_a_generator_and_its_items(masked: Path) -> None:
    @tracehound.trace
    def stream() -> Iterator[str]:
        yield from (SECRET, "plain")

    assert list(stream()) == [SECRET, "plain"]
    assert_nothing_is_left(masked)
    assert only().data.spans[0].outputs[1] == "plain"


def test_an_exception_its_stack_and_the_status(masked: Path) -> None:
    with pytest.raises(ValueError, match=NAME), tracehound.start_span(f"ask {EMAIL}", f"TYPE OF {EMAIL}"):
        raise ValueError(SECRET)
    assert_nothing_is_left(masked)
    span = only().data.spans[0]
    assert span.status.description.startswith("ValueError: [EMAIL_")
    assert "[API_KEY_" in span.events[0].attributes["exception.stacktrace"]


def test_attributes_events_links_and_what_is_said_of_a_trace(masked: Path) -> None:
    with tracehound.start_span("outer", attributes={"http.url": f"https://x.org?u={EMAIL}"}) as span:
        span.set_attributes({"password": "zz81kQ0vBn52mLw9", "note": SECRET, f"k.{EMAIL}": 1})
        span.add_event(f"mail to {EMAIL}", {"body": SECRET})
        span.add_link(tracehound.entities.Link(span.trace_id, span.span_id, {"why": SECRET}))
        span.set_status("ERROR", SECRET)
        tracehound.update_current_trace(
            tags={"to": EMAIL, EMAIL: "1", "token": "zz81kQ0vBn52mLw9"}, metadata={"from": SECRET},
            client_request_id=SECRET, request_preview=SECRET, response_preview=SECRET, user=EMAIL, session_id=EMAIL,
        )  # fmt: skip
    assert_nothing_is_left(masked)
    trace = only()
    assert trace.info.tags["to"] == trace.info.trace_metadata["mlflow.trace.user"]
    assert trace.info.tags["token"].startswith("[API_KEY_")
    assert trace.data.spans[0].attributes["password"].startswith("[API_KEY_")


def test_a_span_without_context_and_one_of_a_provider(masked: Path) -> None:
    tracehound.start_span_no_context("request", inputs=SECRET, tags={"who": EMAIL}).end(outputs=SECRET)
    tracer = tracehound.tracing.get_tracer_provider().get_tracer("lib")
    with tracer.start_as_current_span(f"call {EMAIL}", attributes={"prompt": SECRET}) as span:
        span.record_exception(KeyError(SECRET))
    assert_nothing_is_left(masked)


def test_a_span_of_the_sdk(masked: Path) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(tracehound.tracing.get_span_processor())
    with provider.get_tracer("sdk").start_as_current_span(EMAIL, attributes={"prompt": SECRET}) as span:
        span.add_event("said", {"text": SECRET})
    assert_nothing_is_left(masked)


def test_edits_and_assessments(masked: Path) -> None:
    with tracehound.start_span("answer") as span:
        pass
    tracehound.set_trace_tag(span.trace_id, "who", EMAIL)
    said = tracehound.log_feedback(
        trace_id=span.trace_id, name="good", value={"of": EMAIL}, rationale=SECRET, metadata={"m": SECRET},
        source=tracehound.entities.AssessmentSource("HUMAN", EMAIL),
    )  # fmt: skip
    tracehound.log_feedback(trace_id=span.trace_id, name="broken", error=ValueError(SECRET))
    tracehound.update_assessment(span.trace_id, said.assessment_id or "", tracehound.entities.Feedback("good", SECRET))
    assert_nothing_is_left(masked)
    good = only().search_assessments("good")[0]
    assert good.source.source_id == only().info.tags["who"]


def test_what_is_said_of_runs_and_models(masked: Path) -> None:
    with tracehound.start_run(run_name=f"of {EMAIL}", tags={"who": EMAIL, EMAIL: "1"}) as run:
        tracehound.log_params({"api_key": "zz81kQ0vBn52mLw9", "prompt": SECRET})
        tracehound.set_tag("note", SECRET)
        ask("plain", "plain")
    model = tracehound.create_external_model("m", tags={"who": EMAIL}, params={"k": SECRET})
    assert_nothing_is_left(masked)
    assert tracehound.get_run(run.info.run_id).data.params["api_key"].startswith("[API_KEY_")
    assert tracehound.get_logged_model(model.model_id).tags["who"].startswith("[EMAIL_")
    assert tracehound.get_run(run.info.run_id).info.run_name.startswith("of [EMAIL_")
    assert only().info.trace_metadata["mlflow.sourceRun"] == run.info.run_id


def test_a_trace_that_runs_is_shown_without_them(masked: Path) -> None:
    here = runtime.current()
    watching = RunningTraces(here.open_spans, here._keep_snapshot, here.clock_ns, 1.0)
    with tracehound.start_span("agent") as span:
        span.set_inputs(SECRET)
        ask(SECRET, "plain")
        watching.take_all()
        assert_nothing_is_left(masked)
        assert str(only().info.state) == "IN_PROGRESS"


def test_where_a_trace_comes_from(masked: Path) -> None:
    ask("mail to a@b.co", "plain")
    assert KEY.encode() not in segments(masked)
    assert only().info.trace_metadata["mlflow.source.git.repoURL"].startswith("https://x:[API_KEY_")


def test_a_value_that_is_cut_keeps_nothing_of_a_secret_that_was_cut_in_two(masked: Path) -> None:
    here = runtime.current()
    here.settings = dataclasses.replace(here.settings, max_value_bytes=1000)
    with tracehound.start_span("long") as span:
        span.set_inputs("x" * 970 + " " + KEY + EMAIL)
        span.set_outputs({"text": "y" * 960 + " " + EMAIL, "more": [EMAIL] * 100})
    assert not any(piece[:7].encode() in segments(masked) for piece in (NAME, KEY))


TEXTS = st.lists(st.text(max_size=8) | st.sampled_from([SECRET, EMAIL, KEY, CARD, TOKEN, '"', "\\"]), max_size=5)


@given(words=TEXTS, key=st.text(max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_no_secret_reaches_a_file(masked: Path, words: list[str], key: str) -> None:
    text = f" {SECRET} ".join(words)
    with tracehound.start_span(f"a {text}", attributes={key or "k": text}) as span:
        span.set_inputs({key: [text, json.dumps({key: text})]})
        span.set_outputs(json.dumps(json.dumps(text)))
        span.add_event("e", {"e": text})
        tracehound.update_current_trace(tags={"t": text}, metadata={"m": json.dumps([text])}, request_preview=text)
    tracehound.set_trace_tag(span.trace_id, "later", text)
    everything = segments(masked) + all_bytes(masked)
    assert [piece for piece in TRACES_OF_IT if piece.encode() in everything] == []


PROGRAM = """
import sys, tracehound
with tracehound.start_span("other") as span:
    tracehound.update_current_trace(user=sys.argv[1])
tracehound.flush()
"""


def test_two_processes_give_a_secret_the_same_name(masked: Path) -> None:
    environment = {
        **runtime_environment(masked), "TRACEHOUND_REDACT": "all", "TRACEHOUND_EXPERIMENT_NAME": "Default",
    }  # fmt: skip
    for _ in range(2):
        subprocess.run([sys.executable, "-c", PROGRAM, EMAIL], check=True, env=environment, cwd=masked.parent)
    with tracehound.start_span("here"):
        tracehound.update_current_trace(user=EMAIL)
    users = [trace.info.trace_metadata["mlflow.trace.user"] for trace in tracehound.search_traces(return_type="list")]
    assert len(users) == 3
    assert set(users) == {tracehound.tracing.redacted(EMAIL)}


def runtime_environment(store: Path) -> dict[str, str]:
    return child_environment(dataclasses.replace(runtime.current().settings, tracking_uri=str(store)))


def test_the_key_lies_beside_the_store_and_only_its_owner_can_read_it(masked: Path) -> None:
    ask(EMAIL, "plain")
    path = masked.with_name(f"{masked.name}{KEY_SUFFIX}")
    assert len(path.read_bytes()) == 32
    assert path.read_bytes() not in all_bytes(masked)
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o077 == 0
    assert key_beside(masked) == path.read_bytes()
    assert [each.name for each in masked.parent.glob(f"*{KEY_SUFFIX}*")] == [path.name]


def test_without_a_place_for_a_key_secrets_go_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    broken = tmp_path / "broken.db"
    broken.with_name(f"{broken.name}{KEY_SUFFIX}").write_bytes(b"too short")
    with caplog.at_level(logging.WARNING):
        assert len(key_beside(broken)) == 32
    assert "cannot be joined" in caplog.text


def test_a_key_of_ones_own_gives_the_same_names_in_every_store() -> None:
    names = []
    for _ in range(2):
        with recorded_traces(), tracehound.tracing.configure(redact="email", redaction_key="ours"):
            names.append(tracehound.tracing.redacted(EMAIL))
    assert names[0] == names[1]
    assert names[0] != EMAIL


def hide(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: "hidden" if key == "question" else each for key, each in value.items()}
    return f"<{value}>" if isinstance(value, str) else value


def test_a_mask_sees_values_and_says_what_is_kept_of_them() -> None:
    with recorded_traces() as recorded, tracehound.tracing.configure(mask=hide):
        ask("why?", "plain")
        tracehound.update_current_trace(tags={"unheard": "1"})
        with tracehound.start_span("said") as span:
            span.set_attribute("a", "b")
            span.set_status("ERROR", "no")
            tracehound.update_current_trace(tags={"env": "prod"}, user="ann")
        tracehound.log_feedback(trace_id=span.trace_id, name="good", value=True, rationale="since")
    first, second = recorded.traces()
    assert first.data.spans[0].inputs == {"question": "hidden", "api_key": "plain", "more": []}
    assert second.data.spans[0].attributes["a"] == "<b>"
    assert second.data.spans[0].status.description == "<no>"
    assert second.info.tags["env"] == "<prod>"
    assert second.info.trace_metadata["mlflow.trace.user"] == "<ann>"
    (feedback,) = second.search_assessments("good")
    assert isinstance(feedback, tracehound.entities.Feedback)
    assert (feedback.value, feedback.rationale) == (True, "<since>")


def fails(value: Any) -> Any:
    raise KeyError(value)


def test_a_mask_that_fails_lets_nothing_through(masked: Path, caplog: pytest.LogCaptureFixture) -> None:
    before = runtime.faults["mask"]
    with tracehound.tracing.configure(mask=fails):
        ask("Quibblethwaite", "plain")
        tracehound.start_span_no_context("said", tags={"to": "Quibblethwaite"}).end(status="ERROR")
    found = tracehound.search_traces("attributes.name = 'ask'", return_type="list")[0].data.spans[0]
    assert (found.inputs, found.outputs) == (FAILED, FAILED)
    assert b"Quibblethwaite" not in segments(masked) + all_bytes(masked)
    assert runtime.faults["mask"] > before
    assert caplog.text.count("a value was not kept") <= 1
    assert "Quibblethwaite" not in caplog.text


def test_what_failed_is_said_with_its_place_and_without_the_value(caplog: pytest.LogCaptureFixture) -> None:
    with recorded_traces(), tracehound.tracing.configure(mask=fails, span_processors=[fails]):
        runtime.faults.pop("mask", None)
        ask("Quibblethwaite", "plain")
    assert "masking it failed (said once): KeyError in fails, " in caplog.text
    assert "failed, and the span is kept without it: KeyError in fails, " in caplog.text
    assert "Quibblethwaite" not in caplog.text


def test_an_assessment_that_cannot_be_masked_says_nothing(masked: Path) -> None:
    with tracehound.start_span("answer") as span:
        pass
    with tracehound.tracing.configure(mask=fails):
        tracehound.log_feedback(trace_id=span.trace_id, name="good", value="Quibblethwaite", rationale="Quibblethwaite")
    (feedback,) = only().search_assessments("good")
    assert isinstance(feedback, tracehound.entities.Feedback)
    assert (feedback.value, feedback.rationale) == (FAILED, FAILED)
    assert b"Quibblethwaite" not in segments(masked)


def test_several_masks_are_asked_in_their_order_and_secrets_go_last() -> None:
    add_mail = lambda value: f"{value} {EMAIL}" if isinstance(value, str) else value  # noqa: E731 - as users write it
    with recorded_traces() as recorded, tracehound.tracing.configure(mask=[hide, add_mail], redact=True):
        tracehound.start_span_no_context("one", tags={"t": "x"}).end()
    (trace,) = recorded.traces()
    assert trace.info.tags["t"].startswith("<x> [EMAIL_")


def test_a_span_processor_changes_a_span_before_it_is_kept() -> None:
    def change(span: LiveSpan) -> None:
        span.set_inputs({"was": span.inputs})
        span.set_outputs("short")
        span.set_attribute("seconds", span.end_time_ns is not None)

    def fail(span: LiveSpan) -> None:
        raise RuntimeError(span.name)

    with recorded_traces() as recorded, tracehound.tracing.configure(span_processors=[fail, change]):
        ask("why?", "plain")
    span = recorded.traces()[0].data.spans[0]
    assert (span.inputs["was"]["question"], span.outputs, span.attributes["seconds"]) == ("why?", "short", True)


def test_what_is_configured_in_a_block_ends_with_it() -> None:
    with recorded_traces() as recorded:
        with tracehound.tracing.configure(redact=True):
            ask(EMAIL, "plain")
        ask(EMAIL, "plain")
        tracehound.tracing.configure(redact=["email"])
        ask(EMAIL, "plain")
        tracehound.tracing.configure(redact=[])
        ask(EMAIL, "plain")
    assert [EMAIL in str(trace.data.spans[0].inputs) for trace in recorded.traces()] == [False, True, False, True]


def test_without_it_a_part_goes_to_the_spool_as_it_is(store_path: Path) -> None:
    here = runtime.current()
    spool = here._spool
    assert spool is not None
    assert here.submit == spool.append
    with tracehound.tracing.configure(redact=True):
        assert here.submit != spool.append
    assert here.submit == spool.append
    assert store_path.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"redact": "emails"},
            "redact is all, none or some of api_key, bearer_token, credit_card, email, not 'emails'",
        ),
        ({"redact": 5}, "redact is all, none or some of api_key, .*, not 5"),
        ({"mask": 1}, "mask is a function that takes a value"),
        ({"mask": [1]}, "mask is a function that takes a value"),
        ({"span_processors": [lambda: None]}, "a span processor takes one argument, the span"),
        ({"span_processors": ["x"]}, "a span processor is a function"),
    ],
)
def test_what_cannot_be_configured_is_said(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        tracehound.tracing.configure(**arguments)
