"""Record what an instrumentation says of a call, for the libraries that do not go into one environment with the others.

    python -m tests.instrumentations.record mistral groq …

in an environment that has Tracehound, the libraries, their instrumentations, and starlette and uvicorn for the server
on loopback. The spans are written as they arrive, before their translation, to tests/data/instrumentors; `./dev test`
reads them there.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import tracehound
from tests.instrumentations.golden_trace import without_changing
from tests.instrumentations.stub import make_app, serving
from tracehound.autologging.table import INTEGRATIONS
from tracehound.model.span import Span
from tracehound.testing import recorded_traces
from tracehound.wire.dialects import translate

FOLDER: Final = Path(__file__).parents[1] / "data" / "instrumentors"
ASKED: Final = "Why is the sky blue?"
MESSAGES: Final = [{"role": "user", "content": ASKED}]


def weather(city: str) -> str:
    """Tell the weather of a city.

    Args:
        city: the name of the city
    """
    return f"sunny in {city}"


def gemini(server: str) -> None:
    """Ask a model with Google's client."""
    from google import genai

    client = genai.Client(api_key="none", http_options=genai.types.HttpOptions(base_url=server))
    config = genai.types.GenerateContentConfig(system_instruction="Be brief.", temperature=0.2)
    client.models.generate_content(model="gemini-2.5-flash", contents=ASKED, config=config)


def mistral(server: str) -> None:
    """Ask a model with Mistral's client."""
    from mistralai.client import Mistral

    Mistral(api_key="none", server_url=server).chat.complete(model="mistral-small", messages=MESSAGES)


def groq(server: str) -> None:
    """Ask a model with Groq's client."""
    from groq import Groq

    Groq(api_key="none", base_url=server).chat.completions.create(model="llama-3", messages=MESSAGES)


def ollama(server: str) -> None:
    """Ask a model with Ollama's client."""
    from ollama import Client

    Client(host=server).chat(model="llama3", messages=MESSAGES)


def cohere(server: str) -> None:
    """Ask a model with Cohere's client."""
    from cohere import ClientV2

    ClientV2(api_key="none", base_url=server).chat(model="command-a", messages=MESSAGES)


def together(server: str) -> None:
    """Ask a model with Together's client."""
    from together import Together

    Together(api_key="none", base_url=server).chat.completions.create(model="llama-3", messages=MESSAGES)


def bedrock(server: str) -> None:
    """Ask a model with Amazon's client."""
    import boto3

    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none", "region_name": "us-east-1"}
    client = boto3.client("bedrock-runtime", endpoint_url=server, **keys)
    client.converse(
        modelId="claude", messages=[{"role": "user", "content": [{"text": ASKED}]}], system=[{"text": "Be brief."}]
    )


def llama_index(server: str) -> None:
    """Ask a model and an index with LlamaIndex."""
    from llama_index.core import Document, VectorStoreIndex
    from llama_index.core.embeddings import MockEmbedding
    from llama_index.llms.openai import OpenAI

    model = OpenAI(model="gpt-4o-mini", api_base=f"{server}/v1", api_key="none", max_retries=0)
    index = VectorStoreIndex.from_documents([Document(text="The sky scatters light.")], embed_model=MockEmbedding(2))
    index.as_query_engine(llm=model).query(ASKED)


def dspy(server: str) -> None:
    """Ask a model with DSPy."""
    import dspy

    model = dspy.LM("openai/gpt-4o-mini", api_base=f"{server}/v1", api_key="none", cache=False, num_retries=0)
    with dspy.context(lm=model, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False)):
        dspy.Predict("question -> answer")(question=ASKED)


def haystack(server: str) -> None:
    """Run a pipeline of Haystack."""
    from haystack import Pipeline
    from haystack.components.builders import ChatPromptBuilder
    from haystack.components.generators.chat import OpenAIChatGenerator
    from haystack.dataclasses import ChatMessage

    pipeline = Pipeline()
    pipeline.add_component("prompt", ChatPromptBuilder([ChatMessage.from_user("Why is the {{thing}} blue?")]))
    pipeline.add_component("model", OpenAIChatGenerator(model="gpt-4o-mini", api_base_url=f"{server}/v1"))
    pipeline.connect("prompt.prompt", "model.messages")
    pipeline.run({"prompt": {"thing": "sky"}})


def instructor(server: str) -> None:
    """Ask for an object with Instructor."""
    import instructor
    import openai
    from pydantic import BaseModel

    class Weather(BaseModel):
        city: str

    client = instructor.from_openai(openai.OpenAI(base_url=f"{server}/v1"))
    client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, response_model=Weather)


def openai_agents(server: str) -> None:
    """Run an agent of OpenAI's with a tool."""
    from agents import Agent, OpenAIChatCompletionsModel, Runner, function_tool
    from openai import AsyncOpenAI

    model = OpenAIChatCompletionsModel("gpt-4o-mini", AsyncOpenAI(base_url=f"{server}/v1"))
    agent = Agent(name="forecaster", instructions="Be brief.", model=model, tools=[function_tool(weather)])
    Runner.run_sync(agent, "What is the weather in Rome?")


def crewai(server: str) -> None:
    """Let a crew of CrewAI do a task."""
    from crewai import LLM, Agent, Crew, Task

    model = LLM(model="openai/gpt-4o-mini", base_url=f"{server}/v1", api_key="none")
    agent = Agent(role="physicist", goal="explain", backstory="Knows the sky.", llm=model)
    Crew(agents=[agent], tasks=[Task(description=ASKED, expected_output="a word", agent=agent)]).kickoff()


def autogen(server: str) -> None:
    """Run an agent of AutoGen with a tool."""
    from autogen_agentchat.agents import AssistantAgent
    from autogen_ext.models.openai import OpenAIChatCompletionClient

    model = OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=f"{server}/v1", api_key="none")
    asyncio.run(AssistantAgent("forecaster", model, tools=[weather]).run(task="What is the weather in Rome?"))


def ag2(server: str) -> None:
    """Run an agent of AG2."""
    from autogen import ConversableAgent, LLMConfig

    config = LLMConfig({"model": "gpt-4o-mini", "base_url": f"{server}/v1", "api_key": "none"})
    agent = ConversableAgent("forecaster", system_message="Be brief.", llm_config=config, human_input_mode="NEVER")
    agent.run(message=ASKED, max_turns=1).process()


def pydantic_ai(server: str) -> None:
    """Run an agent of Pydantic AI with a tool."""
    from pydantic_ai import Agent
    from pydantic_ai.models.openai import OpenAIChatModel
    from pydantic_ai.providers.openai import OpenAIProvider

    model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(base_url=f"{server}/v1", api_key="none"))
    agent = Agent(model, name="forecaster", instructions="Be brief.", tools=[weather])
    agent.run_sync("What is the weather in Rome?")


def smolagents(server: str) -> None:
    """Run an agent of smolagents with a tool."""
    from smolagents import OpenAIServerModel, ToolCallingAgent, tool

    model = OpenAIServerModel("gpt-4o-mini", api_base=f"{server}/v1", api_key="none")
    ToolCallingAgent(tools=[tool(weather)], model=model, max_steps=1).run("What is the weather in Rome?")


def agno(server: str) -> None:
    """Run an agent of Agno with a tool."""
    from agno.agent import Agent
    from agno.models.openai import OpenAIChat

    model = OpenAIChat(id="gpt-4o-mini", base_url=f"{server}/v1", api_key="none")
    Agent(name="forecaster", model=model, tools=[weather], telemetry=False).run("What is the weather in Rome?")


def strands(server: str) -> None:
    """Run an agent of Strands."""
    from strands import Agent, tool
    from strands.models.openai import OpenAIModel

    model = OpenAIModel(client_args={"base_url": f"{server}/v1", "api_key": "none"}, model_id="gpt-4o-mini")
    Agent(model=model, tools=[tool(weather)], callback_handler=None)(
        "What is the weather in Rome?", limits={"turns": 1}
    )


def portkey(server: str) -> None:
    """Ask a model with Portkey's client."""
    from portkey_ai import Portkey

    Portkey(api_key="none", base_url=f"{server}/v1", provider="openai").chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES
    )


def google_adk(server: str) -> None:
    """Run an agent of Google's Agent Development Kit."""
    from google.adk.agents import Agent
    from google.adk.runners import InMemoryRunner
    from google.genai import types

    os.environ["GOOGLE_GEMINI_BASE_URL"] = server
    agent = Agent(name="forecaster", model="gemini-2.5-flash", instruction="Be brief.")
    runner = InMemoryRunner(agent, app_name="app")

    async def run() -> None:
        session = await runner.session_service.create_session(app_name="app", user_id="ann")
        message = types.Content(role="user", parts=[types.Part(text=ASKED)])
        async for _ in runner.run_async(user_id="ann", session_id=session.id, new_message=message):
            pass

    asyncio.run(run())


CASES: Final[dict[str, Callable[[str], None]]] = {
    case.__name__: case
    for case in (
        gemini, mistral, groq, ollama, cohere, together, bedrock, portkey, llama_index, dspy, haystack, instructor,
        openai_agents, crewai, autogen, ag2, pydantic_ai, smolagents, agno, strands, google_adk,
    )
}  # fmt: skip


def record(name: str) -> None:
    """Run a case, and write what was recorded."""
    row = INTEGRATIONS[name]
    getattr(tracehound, name).autolog()
    with serving(make_app()) as server, recorded_traces() as recorded:
        CASES[name](server)
        spans = [span for trace in recorded.traces() for span in trace.data.spans]
    versions = {each: metadata.version(each) for each in (row.package, row.distribution) if each is not None}
    lines = [json.dumps(versions), *(json.dumps(line, ensure_ascii=False) for line in as_lines(spans))]
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{name}.jsonl").write_text(without_changing("\n".join(lines) + "\n"), encoding="utf-8")
    print(f"{name}: {[span.name for span in spans]}")


def as_lines(spans: list[Span]) -> Iterator[dict[str, Any]]:
    """Yield spans as they are written: each with the number of the one above it."""
    numbers = {span.span_id: number for number, span in enumerate(spans)}
    for span in spans:
        attributes = {key: value for key, value in span.attributes.items() if not key.startswith(("mlflow.", "otel."))}
        yield {
            "name": span.name,
            "parent": numbers.get(span.parent_id or ""),
            "kind": span.kind,
            "scope": span.get_attribute("otel.scope.name"),
            "status": [str(span.status.status_code), span.status.description or None],
            "attributes": attributes,
            "events": [{"name": event.name, "attributes": without_stack(event.attributes)} for event in span.events],
        }


def without_stack(attributes: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of an event without its stack, which has the paths of this machine."""
    return {key: value for key, value in attributes.items() if key != "exception.stacktrace"}


def main(names: list[str]) -> None:
    """Record each in turn."""
    translate.translate_part = lambda part: part  # what is wanted is what comes
    os.environ |= {"OPENAI_API_KEY": "none", "GOOGLE_API_KEY": "none", "LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    for name in names or CASES:
        record(name)


if __name__ == "__main__":
    main(sys.argv[1:])
