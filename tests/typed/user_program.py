"""A program as a user writes it. mypy checks it by `./dev lint`, pyright by `./dev pyright`, both strictly."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd
import polars as pl
from typing_extensions import assert_type

import tracehound
from tracehound import entities
from tracehound.model.trace import Trace


@tracehound.trace
def bare(question: str, top: int = 3) -> list[str]:
    return [question] * top


@tracehound.trace(name="named", span_type="TOOL", attributes={"k": 1})
def with_arguments(question: str) -> bytes:
    return question.encode()


@tracehound.trace
async def coroutine(question: str) -> str:
    return question


class Shop:
    @tracehound.trace
    def sell(self, item: str) -> float:
        return float(len(item))


def takes_a_frame(frame: pd.DataFrame) -> int:
    return len(frame)


async def use() -> None:
    assert_type(bare("why?", top=2), list[str])
    assert_type(with_arguments("why?"), bytes)
    assert_type(await coroutine("why?"), str)
    assert_type(Shop().sell("bone"), float)
    assert_type(tracehound.trace(len)("abc"), int)
    bare(5)  # type: ignore[arg-type] # the decorator keeps the parameters' types

    with tracehound.start_span("rank", span_type="RERANKER") as span:
        span.set_inputs({"n": 1})
        assert_type(span.trace_id, str)

    takes_a_frame(tracehound.search_traces("tags.env = 'prod'"))
    assert_type(tracehound.search_traces(max_results=5).wide(), pd.DataFrame)
    assert_type(tracehound.search_traces(return_type="iterator"), Iterator[Trace])
    assert_type(tracehound.search_traces(return_type="polars"), pl.DataFrame)
    assert_type(tracehound.search_traces(return_type="list", max_results=5), list[Trace])
    assert_type(tracehound.get_trace("tr-1"), Trace | None)
    assert_type(tracehound.set_experiment("shop").experiment_id, str)

    with tracehound.tracing.context(session_id="s-1", user="ana", tags={"env": "prod"}):
        await coroutine("why?")
    tracehound.update_current_trace(metadata={"version": "2"}, state="OK")
    trace = tracehound.search_traces(return_type="list")[0]
    assert_type(trace.info.tags, dict[str, str])
    assert_type(trace.info.state, entities.TraceState)
    assert_type([span.name for span in trace.data.spans], list[str])
    said = tracehound.log_feedback(trace_id=trace.info.trace_id, name="quality", value=0.9)
    assert_type(said, entities.Assessment)
    assert_type([session.id for session in tracehound.search_sessions()], list[str])

    tracehound.autolog(exclude_flavors=["bedrock"])
    tracehound.openai.autolog(disable_openai_agent_tracer=False)
    tracehound.langchain.autolog(disable=True)
    headers = tracehound.tracing.get_tracing_context_headers_for_http_request()
    assert_type(headers, dict[str, str])
    with tracehound.tracing.set_tracing_context_from_http_request_headers(headers):
        pass

    with tracehound.start_run(run_name="nightly") as run:
        assert_type(run.info.run_id, str)
        tracehound.log_metric("score", 0.5)
    client = tracehound.MlflowClient()
    page = client.search_traces(filter_string="feedback.quality > 0.5")
    assert_type(page.token, str | None)
    assert_type([each.info.trace_id for each in page], list[str])
    try:
        tracehound.search_traces("status = 'OK'")
    except tracehound.FilterError as error:
        assert_type(error.corrected, str | None)
