"""The table of integrations: which library, whose instrumentation of it, and what that is called.

One row is all that an integration needs: the public name, the extra, the error about what is missing, MLflow's name of
it and the line in the documentation follow. The instrumentations are those that are well kept: OpenInference's, else
OpenTelemetry's, else Traceloop's; where a library instruments itself, `native` says how it is told where to.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_NATIVE: Final = "tracehound.autologging.native"
_NESTING: Final = "tracehound.autologging.langchain:NestingLangChain"


@dataclass(frozen=True)
class Integration:
    """One library that can be traced.

    `library` is the module that programs import, of the distribution `package`. `instrumentor` is where the class of
    its instrumentation is, as `module:class`, in the distribution `distribution` (None: the library's own). `passed`
    are the keyword arguments that the instrumentation takes besides, and `accepted` those of MLflow's function of this
    name with the values that mean what happens anyway. `included` are integrations that this one turns on as well, if
    they are there, each with what it is told of this one's arguments: their names here and there. `around` is a class
    of ours that is given the instrumentation and used in its place.

    Requests by HTTP, databases, and libraries that take seconds to import are traced by their names only, and not by
    `autolog()` (`is_by_name`): requests go to providers of models too, and would tell them the trace's id.
    """

    name: str
    title: str
    library: str
    package: str
    instrumentor: str
    distribution: str | None
    passed: tuple[str, ...] = ()
    accepted: Mapping[str, tuple[object, ...]] = field(default_factory=dict)
    included: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    around: str | None = None
    is_by_name: bool = False
    is_of_mlflow: bool = False

    @property
    def extra(self) -> str:
        """The extra of ours that brings the instrumentation."""
        return f"autolog-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """The module that the instrumentation is in."""
        return self.instrumentor.partition(":")[0]


def _openinference(
    name: str, title: str, library: str, package: str, class_name: str, ending: str | None = None, *,
    passed: tuple[str, ...] = (), accepted: Mapping[str, tuple[object, ...]] | None = None,
    included: Mapping[str, Mapping[str, str]] | None = None, around: str | None = None,
    mlflow: bool = False,
) -> Integration:  # fmt: skip
    """Return a row of OpenInference, whose modules and distributions end in one name."""
    ending = ending or name
    return Integration(
        name, title, library, package, f"openinference.instrumentation.{ending}:{class_name}",
        f"openinference-instrumentation-{ending.replace('_', '-')}",
        passed=("config", *passed), accepted=accepted or {}, included=included or {}, around=around,
        is_of_mlflow=mlflow,
    )  # fmt: skip


def _opentelemetry(
    name: str, title: str, library: str, package: str, class_name: str, ending: str | None = None, *,
    passed: tuple[str, ...] = (), by_name: bool = True, mlflow: bool = False,
) -> Integration:  # fmt: skip
    """Return a row of OpenTelemetry or Traceloop, whose modules and distributions end in one name."""
    ending = ending or name
    return Integration(
        name, title, library, package, f"opentelemetry.instrumentation.{ending}:{class_name}",
        f"opentelemetry-instrumentation-{ending.replace('_', '-')}",
        passed=passed, is_by_name=by_name, is_of_mlflow=mlflow,
    )  # fmt: skip


_HOOKS: Final = ("request_hook", "response_hook")
_ASYNC_HOOKS: Final = (*_HOOKS, "async_request_hook", "async_response_hook")
_ASGI_HOOKS: Final = ("server_request_hook", "client_request_hook", "client_response_hook")
_OF_DSPY: Final[Mapping[str, tuple[object, ...]]] = {
    "log_traces_from_compile": (True,),
    "log_traces_from_eval": (True,),
    "log_compiles": (False,),
    "log_evals": (False,),
}

_ROWS: Final = (
    # clients of models
    _openinference(
        "openai", "OpenAI", "openai", "openai", "OpenAIInstrumentor",
        included={"openai_agents": {"disable_openai_agent_tracer": "exclusive_processor"}}, mlflow=True,
    ),
    _openinference("anthropic", "Anthropic", "anthropic", "anthropic", "AnthropicInstrumentor", mlflow=True),
    _openinference(
        "gemini", "Google GenAI", "google.genai", "google-genai", "GoogleGenAIInstrumentor", "google_genai", mlflow=True
    ),
    _openinference("vertexai", "Vertex AI", "vertexai", "google-cloud-aiplatform", "VertexAIInstrumentor"),
    _openinference(
        "mistral", "Mistral AI", "mistralai", "mistralai", "MistralAIInstrumentor", "mistralai", mlflow=True
    ),
    _openinference("groq", "Groq", "groq", "groq", "GroqInstrumentor", mlflow=True),
    _openinference("bedrock", "Amazon Bedrock", "boto3", "boto3", "BedrockInstrumentor", mlflow=True),
    _openinference("litellm", "LiteLLM", "litellm", "litellm", "LiteLLMInstrumentor", mlflow=True),
    _openinference("ollama", "Ollama", "ollama", "ollama", "OllamaInstrumentor"),
    _openinference("cohere", "Cohere", "cohere", "cohere", "CohereInstrumentor"),
    _openinference("together", "Together AI", "together", "together", "TogetherInstrumentor"),
    _openinference("portkey", "Portkey", "portkey_ai", "portkey-ai", "PortkeyInstrumentor"),
    _openinference("typesafe", "TypeSafe AI", "typesafe", "typesafe-sdk", "TypeSafeAIInstrumentor", mlflow=True),
    _opentelemetry("replicate", "Replicate", "replicate", "replicate", "ReplicateInstrumentor", by_name=False),
    _opentelemetry("voyageai", "Voyage AI", "voyageai", "voyageai", "VoyageAIInstrumentor", by_name=False),
    _opentelemetry("writer", "Writer", "writerai", "writer-sdk", "WriterInstrumentor", by_name=False),
    _opentelemetry(
        "watsonx", "IBM watsonx.ai", "ibm_watsonx_ai", "ibm-watsonx-ai", "WatsonxInstrumentor", by_name=False
    ),
    _opentelemetry(
        "aleph_alpha", "Aleph Alpha", "aleph_alpha_client", "aleph-alpha-client", "AlephAlphaInstrumentor",
        "alephalpha", by_name=False,
    ),
    _opentelemetry(
        "transformers", "Transformers", "transformers", "transformers", "TransformersInstrumentor", mlflow=True
    ),
    _opentelemetry("sagemaker", "Amazon SageMaker", "boto3", "boto3", "SageMakerInstrumentor"),
    # frameworks
    _openinference(
        "langchain", "LangChain, LangGraph", "langchain_core", "langchain-core", "LangChainInstrumentor",
        passed=("separate_trace_from_runtime_context",), accepted={"run_tracer_inline": (True, False)},
        around=_NESTING, mlflow=True,
    ),
    _openinference(
        "llama_index", "LlamaIndex", "llama_index.core", "llama-index-core", "LlamaIndexInstrumentor",
        passed=("use_legacy_callback_handler", "separate_trace_from_runtime_context"), mlflow=True,
    ),
    _openinference("dspy", "DSPy", "dspy", "dspy", "DSPyInstrumentor", accepted=_OF_DSPY, mlflow=True),
    _openinference("haystack", "Haystack", "haystack", "haystack-ai", "HaystackInstrumentor", mlflow=True),
    _openinference("instructor", "Instructor", "instructor", "instructor", "InstructorInstrumentor"),
    # agents
    _openinference(
        "openai_agents", "OpenAI Agents SDK", "agents", "openai-agents", "OpenAIAgentsInstrumentor",
        passed=("exclusive_processor", "tool_span_kinds"),
    ),
    _openinference(
        "crewai", "CrewAI", "crewai", "crewai", "CrewAIInstrumentor",
        passed=("use_event_listener", "create_llm_spans"), mlflow=True,
    ),
    _openinference(
        "autogen", "AutoGen", "autogen_agentchat", "autogen-agentchat", "AutogenAgentChatInstrumentor",
        "autogen_agentchat", mlflow=True,
    ),
    _openinference("ag2", "AG2", "autogen", "ag2", "AG2Instrumentor", mlflow=True),
    Integration(
        "pydantic_ai", "Pydantic AI", "pydantic_ai", "pydantic-ai-slim", f"{_NATIVE}:PydanticAI", None,
        passed=("include_content", "include_binary_content", "version"), is_of_mlflow=True,
    ),
    _openinference("smolagents", "smolagents", "smolagents", "smolagents", "SmolagentsInstrumentor", mlflow=True),
    _openinference("agno", "Agno", "agno", "agno", "AgnoInstrumentor", mlflow=True),
    Integration(
        "strands", "Strands Agents", "strands", "strands-agents", f"{_NATIVE}:Strands", None, is_of_mlflow=True
    ),
    _openinference("google_adk", "Google ADK", "google.adk", "google-adk", "GoogleADKInstrumentor"),
    _openinference("beeai", "BeeAI", "beeai_framework", "beeai-framework", "BeeAIInstrumentor"),
    _openinference(
        "claude_agent_sdk", "Claude Agent SDK", "claude_agent_sdk", "claude-agent-sdk", "ClaudeAgentSDKInstrumentor"
    ),
    _openinference(
        "pipecat", "Pipecat", "pipecat", "pipecat-ai", "PipecatInstrumentor", passed=("debug_log_filename",)
    ),
    _openinference(
        "mcp", "Model Context Protocol", "mcp", "mcp", "MCPInstrumentor", around=f"{_NATIVE}:ModelContextProtocol"
    ),
    # stores of vectors
    _opentelemetry("chromadb", "Chroma", "chromadb", "chromadb", "ChromaInstrumentor"),
    _opentelemetry("qdrant", "Qdrant", "qdrant_client", "qdrant-client", "QdrantInstrumentor"),
    _opentelemetry("pinecone", "Pinecone", "pinecone", "pinecone", "PineconeInstrumentor"),
    _opentelemetry("weaviate", "Weaviate", "weaviate", "weaviate-client", "WeaviateInstrumentor"),
    _opentelemetry("milvus", "Milvus", "pymilvus", "pymilvus", "MilvusInstrumentor"),
    _opentelemetry("lancedb", "LanceDB", "lancedb", "lancedb", "LanceInstrumentor"),
    _opentelemetry("marqo", "Marqo", "marqo", "marqo", "MarqoInstrumentor"),
    # requests that come in and go out
    _opentelemetry("httpx", "HTTPX", "httpx", "httpx", "HTTPXClientInstrumentor", passed=_ASYNC_HOOKS),
    _opentelemetry(
        "httpx2", "HTTPX 2", "httpx2", "httpx2", "HTTPX2ClientInstrumentor", "httpx", passed=_ASYNC_HOOKS
    ),
    _opentelemetry(
        "requests", "Requests", "requests", "requests", "RequestsInstrumentor", passed=(*_HOOKS, "excluded_urls")
    ),
    _opentelemetry(
        "aiohttp", "aiohttp", "aiohttp", "aiohttp", "AioHttpClientInstrumentor", "aiohttp_client",
        passed=(*_HOOKS, "url_filter", "trace_configs"),
    ),
    _opentelemetry(
        "fastapi", "FastAPI", "fastapi", "fastapi", "FastAPIInstrumentor",
        passed=(*_ASGI_HOOKS, "excluded_urls", "exclude_spans"),
    ),
    _opentelemetry("starlette", "Starlette", "starlette", "starlette", "StarletteInstrumentor", passed=_ASGI_HOOKS),
    _opentelemetry("flask", "Flask", "flask", "flask", "FlaskInstrumentor", passed=(*_HOOKS, "excluded_urls")),
    _opentelemetry("django", "Django", "django", "django", "DjangoInstrumentor", passed=(*_HOOKS, "excluded_urls")),
    _opentelemetry("celery", "Celery", "celery", "celery", "CeleryInstrumentor", passed=("use_span_links",)),
)  # fmt: skip

INTEGRATIONS: Final[Mapping[str, Integration]] = {row.name: row for row in _ROWS}
