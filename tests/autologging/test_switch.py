"""Integrations are switched on with one line, and off again; what is not there is told."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openinference.instrumentation import TraceConfig
from openinference.instrumentation.openai import OpenAIInstrumentor

import tracehound
from tests.autologging.instrumentors import Failing, Outdated, Staying, integration_of
from tracehound.autologging.switch import Manner, turn_off, turn_on, turned_on
from tracehound.autologging.table import INTEGRATIONS
from tracehound.errors import ArgumentError, MissingExtraError
from tracehound.testing import recorded_traces

LOGGER = "tracehound.autolog"
PROVIDER = tracehound.tracing.get_tracer_provider()
ANSWER = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1735689600,
    "model": "m-1",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "because"}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4},
}


@pytest.fixture(autouse=True)
def nothing_stays_on() -> Iterator[None]:
    yield
    for name in turned_on():
        turn_off(INTEGRATIONS[name])
    assert turned_on() == []


@pytest.fixture
def model() -> Iterator[openai.OpenAI]:
    reply = httpx2.MockTransport(lambda request: httpx2.Response(200, json=ANSWER))
    with httpx2.Client(transport=reply) as client:
        yield openai.OpenAI(api_key="none", base_url="http://model.test", http_client=client)


@tracehound.trace
def ask(model: openai.OpenAI) -> Any:
    return model.chat.completions.create(model="m-1", messages=[{"role": "user", "content": "why?"}])


def names_of_spans(model: openai.OpenAI) -> list[str]:
    """Return the names of the spans of a call."""
    with recorded_traces() as recorded:
        ask(model)
    (trace,) = recorded.traces()
    return [span.name for span in trace.data.spans]


UNTRACED, TRACED = ["ask"], ["ask", "ChatCompletion"]


# On and off


def test_a_library_is_traced_from_then_on_until_that_is_ended(model: openai.OpenAI) -> None:
    assert names_of_spans(model) == UNTRACED
    tracehound.openai.autolog()
    assert names_of_spans(model) == TRACED
    tracehound.openai.autolog(disable=True)
    assert names_of_spans(model) == UNTRACED
    tracehound.openai.autolog()
    assert names_of_spans(model) == TRACED


def test_switching_on_twice_is_one_instrumentation(model: openai.OpenAI, caplog: pytest.LogCaptureFixture) -> None:
    tracehound.openai.autolog()
    tracehound.openai.autolog()
    tracehound.autolog()
    assert names_of_spans(model) == TRACED
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_no_traces_to_be_logged_is_off(model: openai.OpenAI) -> None:
    tracehound.openai.autolog()
    tracehound.openai.autolog(log_traces=False)
    assert names_of_spans(model) == UNTRACED


def test_what_is_off_can_be_switched_off_again_even_where_nothing_is_installed() -> None:
    tracehound.openai.autolog(disable=True)
    tracehound.marqo.autolog(disable=True)


def test_a_call_without_a_current_span_is_a_trace_of_its_own(model: openai.OpenAI) -> None:
    tracehound.openai.autolog()
    with recorded_traces() as recorded:
        ask.__wrapped__(model)  # type: ignore[attr-defined]
    assert recorded.as_dicts() == [
        {"name": "ChatCompletion", "state": "OK", "spans": [{"name": "ChatCompletion", "status": "OK"}]}
    ]


def test_exclusive_traces_nothing_while_a_run_of_the_program_is_under_way(model: openai.OpenAI) -> None:
    tracehound.openai.autolog(exclusive=True)
    with recorded_traces() as recorded:
        with tracehound.start_run():
            ask(model)
        ask(model)
    assert sorted(len(trace.data.spans) for trace in recorded.traces()) == [1, 2]
    tracehound.openai.autolog()
    with recorded_traces() as recorded, tracehound.start_run():
        ask(model)
    assert [len(trace.data.spans) for trace in recorded.traces()] == [2]


def test_what_a_gated_library_calls_stands_below_the_span_above_it() -> None:
    staying = integration_of(Staying)
    turn_on(staying, {}, Manner())
    turn_off(staying)
    call = Staying.tracer.start_as_current_span("call")
    with recorded_traces() as recorded, tracehound.start_span("agent"), call, tracehound.start_span("tool"):
        pass
    below = [{"name": "tool", "status": "OK"}]
    assert recorded.as_dicts()[0]["spans"] == [{"name": "agent", "status": "OK", "spans": below}]


# Options


def test_options_reach_the_instrumentation_and_change_when_they_are_told_anew(model: openai.OpenAI) -> None:
    tracehound.openai.autolog(config=TraceConfig(hide_inputs=True))
    with recorded_traces() as recorded:
        ask(model)
    assert recorded.traces()[0].data.spans[1].get_attribute("input.value") == "__REDACTED__"
    tracehound.openai.autolog()
    with recorded_traces() as recorded:
        ask(model)
    assert "why?" in str(recorded.traces()[0].data.spans[1].get_attribute("input.value"))


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        (
            "openai",
            {"log_modles": True},
            r"has no argument 'log_modles'; it has disable, .*disable_openai_agent_tracer",
        ),
        ("dspy", {"log_compiles": True}, r"log_compiles=True is not possible .* log_compiles is False here"),
    ],
)
def test_an_option_that_means_nothing_is_refused(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(ArgumentError, match=message):
        getattr(tracehound, name).autolog(**options)


def test_what_mlflow_takes_and_what_happens_anyway_is_accepted() -> None:
    tracehound.dspy.autolog(log_compiles=False, disable=True)
    tracehound.langchain.autolog(run_tracer_inline=True, disable=True)
    tracehound.openai.autolog(disable_openai_agent_tracer=False)
    assert turned_on() == ["openai"]


# What is missing, or in the way


def test_a_library_that_is_not_there_is_an_error_with_the_command_that_installs_it() -> None:
    with pytest.raises(MissingExtraError, match=r"^tracehound\.marqo\.autolog\(\) .*: pip install marqo$"):
        tracehound.marqo.autolog()
    assert issubclass(MissingExtraError, ImportError)


def test_a_missing_extra_is_an_error_with_the_command_that_installs_it() -> None:
    with pytest.raises(
        MissingExtraError, match=r"opentelemetry-instrumentation-starlette.*: pip install 'tracehound\[a"
    ):
        tracehound.starlette.autolog()


def test_a_version_that_is_not_supported_is_warned_of_and_traced_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    outdated = integration_of(Outdated)
    assert turn_on(outdated, {}, Manner())
    turn_off(outdated)
    assert "was not made for this version of it" in caplog.text
    assert "openai < 0.1" in caplog.text
    caplog.clear()
    assert turn_on(outdated, {}, Manner(is_silent=True))
    turn_off(outdated)
    assert caplog.text == ""


def test_a_version_that_is_not_supported_is_left_alone_where_that_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert not turn_on(integration_of(Outdated), {}, Manner(needs_supported_version=True))
    assert "is not traced" in caplog.text


def test_an_instrumentation_that_fails_is_logged_and_records_nothing(caplog: pytest.LogCaptureFixture) -> None:
    assert not turn_on(integration_of(Failing), {}, Manner())
    assert "the instrumentation of OpenAI failed" in caplog.text
    with recorded_traces() as recorded:
        Failing.tracer.start_span("half").end()
    assert recorded.as_dicts() == []


def test_an_instrumentation_that_cannot_be_taken_out_records_nothing_any_more(
    caplog: pytest.LogCaptureFixture,
) -> None:
    staying = integration_of(Staying)
    with recorded_traces() as recorded:
        turn_on(staying, {}, Manner())
        Staying.tracer.start_span("on").end()
        turn_off(staying)
        Staying.tracer.start_span("off").end()
    assert [trace["name"] for trace in recorded.as_dicts()] == ["on"]
    assert "could not be taken out" in caplog.text


def test_what_the_program_has_instrumented_itself_is_left_as_it_is(
    model: openai.OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    OpenAIInstrumentor().instrument(tracer_provider=PROVIDER)
    try:
        tracehound.openai.autolog()
        assert "instrumented already, by the program itself" in caplog.text
        assert turned_on() == []
        tracehound.openai.autolog(disable=True)
        assert names_of_spans(model) == TRACED
    finally:
        OpenAIInstrumentor().uninstrument()


# All at once


def test_all_at_once_is_what_is_installed_and_is_about_models(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    tracehound.autolog()
    assert turned_on() == ["openai"]  # httpx and FastAPI, which are there as well, only by name
    assert [record.getMessage() for record in caplog.records] == ["traced as soon as they are imported: OpenAI"]
    tracehound.autolog(disable=True)
    assert turned_on() == []


def test_all_at_once_leaves_out_what_it_is_told_to(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, LOGGER)
    tracehound.autolog(exclude_flavors=["openai", "sklearn"], silent=True, log_models=False)
    assert turned_on() == []
    assert caplog.text == ""
    with pytest.raises(ArgumentError, match="there is no integration 'opnai'; there are openai, anthropic"):
        tracehound.autolog(exclude_flavors=["opnai"])
    with pytest.raises(ArgumentError, match=r"is a list of names, such as \['openai'\]"):
        tracehound.autolog(exclude_flavors="openai")
    with pytest.raises(ArgumentError, match="extra_tags is for runs"):
        tracehound.autolog(extra_tags={"team": "a"})


def test_what_was_switched_on_by_name_stays_on_when_all_are_switched_off() -> None:
    tracehound.httpx2.autolog()
    tracehound.autolog()
    tracehound.autolog(disable=True)
    assert turned_on() == ["httpx2"]


LATE = """
import sys, threading
import tracehound
tracehound.autolog()
assert "openai" not in sys.modules
{between}
importing = [threading.Thread(target=__import__, args=("openai",)) for _ in range(4)]
for thread in importing: thread.start()
for thread in importing: thread.join()
from tracehound.autologging.switch import turned_on
print(turned_on())
"""


@pytest.mark.parametrize(
    ("between", "traced"),
    [
        ("", ["openai"]),
        ("tracehound.autolog(disable=True)", []),
        ("tracehound.openai.autolog(); tracehound.openai.autolog(disable=True)", []),
        ("tracehound.openai.autolog()", ["openai"]),
    ],
)
def test_what_is_imported_later_is_traced_from_then_on(between: str, traced: list[str]) -> None:
    program = LATE.format(between=between)
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{traced}\n", "")


# What goes to whom


def test_a_provider_of_models_is_not_told_the_trace_unless_the_program_asks_for_that() -> None:
    seen: list[httpx2.Headers] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.headers)
        return httpx2.Response(200, json=ANSWER)

    with httpx2.Client(transport=httpx2.MockTransport(reply)) as client:
        model = openai.OpenAI(api_key="none", base_url="http://model.test", http_client=client)
        tracehound.autolog()
        with recorded_traces():
            ask(model)
    assert "traceparent" not in seen[0]
