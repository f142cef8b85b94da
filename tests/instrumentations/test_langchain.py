"""LangChain and LangGraph, as `tracehound.langchain.autolog()` traces them, against a server on loopback."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest
from langchain_core.output_parsers import StrOutputParser
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

import tracehound
from tracehound.testing import RecordedTraces, recorded_traces

Check: TypeAlias = Callable[[RecordedTraces], None]


@pytest.fixture
def model(server: str) -> Any:
    tracehound.langchain.autolog()
    return ChatOpenAI(model="gpt-4o-mini", base_url=f"{server}/v1", api_key="none", max_retries=0, temperature=0.2)


def chain_of(model: Any) -> Any:
    return (
        ChatPromptTemplate([("system", "Be brief."), ("user", "Why is the {thing} blue?")]) | model | StrOutputParser()
    )


@tool  # type: ignore[untyped-decorator,unused-ignore] # its library is not there when types are checked
def weather(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_chain(model: Any, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        assert chain_of(model).invoke({"thing": "sky"}) == "because"
    check(recorded)


def test_chain_from_a_coroutine(model: Any, check: Check) -> None:
    @tracehound.trace
    async def ask() -> str:
        return str(await chain_of(model).ainvoke({"thing": "sky"}))

    with recorded_traces() as recorded:
        assert asyncio.run(ask()) == "because"
    check(recorded)


def test_stream(model: Any, check: Check) -> None:
    with recorded_traces() as recorded:
        assert "".join(chunk.content for chunk in model.stream("Why is the sky blue?")) == "because"
    check(recorded)


def test_stream_that_is_left(model: Any, check: Check) -> None:
    with recorded_traces() as recorded, tracehound.start_span("agent"):
        chunks = model.stream("Why is the sky blue?")
        next(chunks)
        chunks.close()
    check(recorded)


def test_agent_with_a_tool(model: Any, check: Check) -> None:
    from langchain.agents import create_agent

    agent = create_agent(model, [weather], system_prompt="Be brief.")
    with recorded_traces() as recorded:
        asked = {"messages": [{"role": "user", "content": "What is the weather in Rome?"}]}
        done = agent.invoke(asked, config={"configurable": {"thread_id": "thread-1"}})
    assert done["messages"][-1].content == "because"
    check(recorded)


@tracehound.trace
def look_up(city: str) -> str:
    return f"sunny in {city}"


@tool  # type: ignore[untyped-decorator,unused-ignore] # as above
def forecast(city: str) -> str:
    """The weather of a city."""
    return look_up(city)


def place_of(name: str, recorded: RecordedTraces) -> list[str]:
    """Return the types of the spans above one, from the root of its only trace on."""
    (trace,) = recorded.traces()
    spans = {span.span_id: span for span in trace.data.spans}
    span = next(span for span in spans.values() if span.name == name)
    above: list[str] = []
    while span.parent_id is not None:
        span = spans[span.parent_id]
        above.insert(0, str(span.span_type))
    return above


@pytest.mark.parametrize("invoke", [lambda chain: chain.invoke, lambda chain: lambda x: asyncio.run(chain.ainvoke(x))])
def test_a_function_of_ours_inside_of_a_chain_stands_below_its_step(model: Any, invoke: Any) -> None:
    from langchain_core.runnables import RunnableLambda

    with recorded_traces() as recorded:
        assert invoke(chain_of(model) | RunnableLambda(look_up))({"thing": "sky"}) == "sunny in because"
    (trace,) = recorded.traces()
    (step,) = (span for span in trace.data.spans if span.name == "look_up" and span.span_type == "CHAIN")
    (function,) = (span for span in trace.data.spans if span.name == "look_up" and span is not step)
    assert function.parent_id == step.span_id


# Before Python 3.11 tasks cannot be given a context, and LangGraph runs a tool without that of its step.
WITH_CONTEXTS = pytest.mark.skipif(sys.version_info < (3, 11), reason="tasks cannot be given a context")


@pytest.mark.parametrize(
    "invoke",
    [
        lambda agent: agent.invoke,
        pytest.param(lambda agent: lambda asked: asyncio.run(agent.ainvoke(asked)), marks=WITH_CONTEXTS),
    ],
)
def test_a_function_of_ours_inside_of_a_tool_of_an_agent_stands_below_it(model: Any, invoke: Any) -> None:
    from langchain.agents import create_agent

    asked = {"messages": [{"role": "user", "content": "What is the weather in Rome?"}]}
    with recorded_traces() as recorded:
        invoke(create_agent(model, [forecast]))(asked)
    assert place_of("look_up", recorded)[-1] == "TOOL"


def test_error(model: Any, check: Check) -> None:
    model.model_name = "refused"
    with recorded_traces() as recorded, pytest.raises(Exception, match="there is no such model"):
        chain_of(model).invoke({"thing": "sky"})
    check(recorded)


def test_one_call_told_by_two_instrumentations_is_counted_once(model: Any, check: Check) -> None:
    tracehound.openai.autolog()
    with recorded_traces() as recorded:
        model.invoke("Why is the sky blue?")
    (trace,) = recorded.traces()
    assert [span.name for span in trace.data.spans] == ["ChatOpenAI", "ChatCompletion"]
    assert (trace.info.token_usage or {})["total_tokens"] == 26
    check(recorded)


def run_all_ways(chain: Any) -> None:
    """Run a chain in each way that LangChain has, and leave some of its streams."""
    asked = {"thing": "sky"}

    async def from_coroutines() -> None:
        await chain.ainvoke(asked)
        await chain.abatch([asked, asked])
        async for _ in chain.astream(asked):
            pass
        left = chain.astream(asked)
        await anext(left)
        await left.aclose()
        forgotten = chain.astream(asked)
        await anext(forgotten)

    chain.invoke(asked)
    chain.batch([asked, asked])
    list(chain.stream(asked))
    next(chain.stream(asked))
    asyncio.run(from_coroutines())


def test_no_way_of_running_a_chain_leaves_a_span_behind_that_others_would_be_put_below(model: Any) -> None:
    with recorded_traces() as recorded:
        with tracehound.start_span("agent") as agent:
            run_all_ways(chain_of(model))
            with tracehound.start_span("after") as after:
                pass
        with tracehound.start_span("next") as following:
            pass
    assert (after.parent_id, following.parent_id) == (agent.span_id, None)
    first, second = recorded.traces()
    assert (first.info.name, second.info.name) == ("agent", "next")
    names = {span.span_id: span.name for span in first.data.spans}
    parents = {(span.name, names.get(span.parent_id or "")) for span in first.data.spans}
    assert {above for name, above in parents if name == "RunnableSequence"} == {"agent"}
    assert {above for name, above in parents if name == "ChatOpenAI"} == {"RunnableSequence"}
    assert len([name for name in names.values() if name == "RunnableSequence"]) == 11
    assert {span.end_time_ns is None for span in first.data.spans} == {False}


def test_embeddings(server: str) -> None:
    tracehound.openai.autolog()
    embeddings = OpenAIEmbeddings(base_url=f"{server}/v1", api_key="none", check_embedding_ctx_length=False)
    with recorded_traces() as recorded:
        assert embeddings.embed_query("sky") == [1.0, 2.0]
    assert [trace["name"] for trace in recorded.as_dicts()] == ["CreateEmbeddings"]
