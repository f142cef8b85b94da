"""LangChain and LangGraph, as `tracehound.langchain.autolog()` traces them, against a server on loopback."""

from __future__ import annotations

import asyncio
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


def test_a_function_of_ours_inside_of_a_chain_stands_below_its_step(model: Any) -> None:
    from langchain_core.runnables import RunnableLambda

    @tracehound.trace
    def shout(text: str) -> str:
        return text.upper()

    with recorded_traces() as recorded:
        assert (chain_of(model) | RunnableLambda(shout)).invoke({"thing": "sky"}) == "BECAUSE"
    (trace,) = recorded.traces()
    names = {span.span_id: span.name for span in trace.data.spans}
    parents = {span.name: names.get(span.parent_id or "") for span in trace.data.spans}
    assert parents["ChatOpenAI"] == "RunnableSequence"
    assert parents["shout"] is not None


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


def test_embeddings(server: str) -> None:
    tracehound.openai.autolog()
    embeddings = OpenAIEmbeddings(base_url=f"{server}/v1", api_key="none", check_embedding_ctx_length=False)
    with recorded_traces() as recorded:
        assert embeddings.embed_query("sky") == [1.0, 2.0]
    assert [trace["name"] for trace in recorded.as_dicts()] == ["CreateEmbeddings"]
