"""Tracehound: see what a GenAI application did.

Capture every call with `trace` and `start_span`, say more about it with `update_current_trace`, and find it again with
`search_traces`. Names and behaviour are MLflow's; see the README for where Tracehound goes further.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracehound import entities as entities
    from tracehound import tracing as tracing
    from tracehound.analysis.comparison import compare_traces as compare_traces
    from tracehound.analysis.statistics import trace_stats as trace_stats
    from tracehound.autologging.libraries import ag2 as ag2
    from tracehound.autologging.libraries import agno as agno
    from tracehound.autologging.libraries import aiohttp as aiohttp
    from tracehound.autologging.libraries import aleph_alpha as aleph_alpha
    from tracehound.autologging.libraries import anthropic as anthropic
    from tracehound.autologging.libraries import autogen as autogen
    from tracehound.autologging.libraries import bedrock as bedrock
    from tracehound.autologging.libraries import beeai as beeai
    from tracehound.autologging.libraries import celery as celery
    from tracehound.autologging.libraries import chromadb as chromadb
    from tracehound.autologging.libraries import claude_agent_sdk as claude_agent_sdk
    from tracehound.autologging.libraries import cohere as cohere
    from tracehound.autologging.libraries import crewai as crewai
    from tracehound.autologging.libraries import django as django
    from tracehound.autologging.libraries import dspy as dspy
    from tracehound.autologging.libraries import fastapi as fastapi
    from tracehound.autologging.libraries import flask as flask
    from tracehound.autologging.libraries import gemini as gemini
    from tracehound.autologging.libraries import google_adk as google_adk
    from tracehound.autologging.libraries import groq as groq
    from tracehound.autologging.libraries import haystack as haystack
    from tracehound.autologging.libraries import httpx as httpx
    from tracehound.autologging.libraries import httpx2 as httpx2
    from tracehound.autologging.libraries import instructor as instructor
    from tracehound.autologging.libraries import lancedb as lancedb
    from tracehound.autologging.libraries import langchain as langchain
    from tracehound.autologging.libraries import litellm as litellm
    from tracehound.autologging.libraries import llama_index as llama_index
    from tracehound.autologging.libraries import marqo as marqo
    from tracehound.autologging.libraries import mcp as mcp
    from tracehound.autologging.libraries import milvus as milvus
    from tracehound.autologging.libraries import mistral as mistral
    from tracehound.autologging.libraries import ollama as ollama
    from tracehound.autologging.libraries import openai as openai
    from tracehound.autologging.libraries import openai_agents as openai_agents
    from tracehound.autologging.libraries import pinecone as pinecone
    from tracehound.autologging.libraries import pipecat as pipecat
    from tracehound.autologging.libraries import portkey as portkey
    from tracehound.autologging.libraries import pydantic_ai as pydantic_ai
    from tracehound.autologging.libraries import qdrant as qdrant
    from tracehound.autologging.libraries import replicate as replicate
    from tracehound.autologging.libraries import requests as requests
    from tracehound.autologging.libraries import sagemaker as sagemaker
    from tracehound.autologging.libraries import smolagents as smolagents
    from tracehound.autologging.libraries import starlette as starlette
    from tracehound.autologging.libraries import strands as strands
    from tracehound.autologging.libraries import together as together
    from tracehound.autologging.libraries import transformers as transformers
    from tracehound.autologging.libraries import typesafe as typesafe
    from tracehound.autologging.libraries import vertexai as vertexai
    from tracehound.autologging.libraries import voyageai as voyageai
    from tracehound.autologging.libraries import watsonx as watsonx
    from tracehound.autologging.libraries import weaviate as weaviate
    from tracehound.autologging.libraries import writer as writer
    from tracehound.autologging.public import autolog as autolog
    from tracehound.capture.current import get_active_trace_id as get_active_trace_id
    from tracehound.capture.current import get_current_active_span as get_current_active_span
    from tracehound.capture.current import get_last_active_trace_id as get_last_active_trace_id
    from tracehound.capture.current import update_current_trace as update_current_trace
    from tracehound.capture.decorator import trace as trace
    from tracehound.capture.manual import start_span as start_span
    from tracehound.capture.manual import start_span_no_context as start_span_no_context
    from tracehound.capture.ready_made import add_trace as add_trace
    from tracehound.capture.ready_made import log_trace as log_trace
    from tracehound.client.active_run import ActiveRun as ActiveRun
    from tracehound.client.active_run import active_run as active_run
    from tracehound.client.active_run import end_run as end_run
    from tracehound.client.active_run import last_active_run as last_active_run
    from tracehound.client.active_run import log_metric as log_metric
    from tracehound.client.active_run import log_metrics as log_metrics
    from tracehound.client.active_run import log_param as log_param
    from tracehound.client.active_run import log_params as log_params
    from tracehound.client.active_run import set_tag as set_tag
    from tracehound.client.active_run import set_tags as set_tags
    from tracehound.client.active_run import start_run as start_run
    from tracehound.client.deletion import delete_traces as delete_traces
    from tracehound.client.experiments import create_experiment as create_experiment
    from tracehound.client.experiments import get_experiment as get_experiment
    from tracehound.client.experiments import get_experiment_by_name as get_experiment_by_name
    from tracehound.client.experiments import search_experiments as search_experiments
    from tracehound.client.experiments import set_experiment_tag as set_experiment_tag
    from tracehound.client.experiments import set_experiment_tags as set_experiment_tags
    from tracehound.client.feedback import delete_assessment as delete_assessment
    from tracehound.client.feedback import get_assessment as get_assessment
    from tracehound.client.feedback import log_assessment as log_assessment
    from tracehound.client.feedback import log_expectation as log_expectation
    from tracehound.client.feedback import log_feedback as log_feedback
    from tracehound.client.feedback import override_feedback as override_feedback
    from tracehound.client.feedback import update_assessment as update_assessment
    from tracehound.client.models import ActiveModel as ActiveModel
    from tracehound.client.models import clear_active_model as clear_active_model
    from tracehound.client.models import create_external_model as create_external_model
    from tracehound.client.models import get_active_model_id as get_active_model_id
    from tracehound.client.models import get_logged_model as get_logged_model
    from tracehound.client.models import log_model_params as log_model_params
    from tracehound.client.models import search_logged_models as search_logged_models
    from tracehound.client.models import set_active_model as set_active_model
    from tracehound.client.registry import register_model as register_model
    from tracehound.client.runs import get_run as get_run
    from tracehound.client.runs import search_runs as search_runs
    from tracehound.client.saved_searches import delete_saved_search as delete_saved_search
    from tracehound.client.saved_searches import save_search as save_search
    from tracehound.client.saved_searches import saved_searches as saved_searches
    from tracehound.client.search import explain_search as explain_search
    from tracehound.client.search import get_trace as get_trace
    from tracehound.client.search import search_traces as search_traces
    from tracehound.client.sessions import search_sessions as search_sessions
    from tracehound.client.sql import sql as sql
    from tracehound.client.tags import delete_trace_tag as delete_trace_tag
    from tracehound.client.tags import set_trace_tag as set_trace_tag
    from tracehound.compat.mlflow import install_as_mlflow as install_as_mlflow
    from tracehound.errors import AlreadyExistsError as AlreadyExistsError
    from tracehound.errors import ArgumentError as ArgumentError
    from tracehound.errors import FilterError as FilterError
    from tracehound.errors import MissingExtraError as MissingExtraError
    from tracehound.errors import NotFoundError as NotFoundError
    from tracehound.errors import SearchCancelledError as SearchCancelledError
    from tracehound.errors import SearchTimeoutError as SearchTimeoutError
    from tracehound.errors import StoreBusyError as StoreBusyError
    from tracehound.errors import StoreDeniedError as StoreDeniedError
    from tracehound.errors import StoreError as StoreError
    from tracehound.errors import StoreFullError as StoreFullError
    from tracehound.errors import StoreReadOnlyError as StoreReadOnlyError
    from tracehound.errors import TracehoundError as TracehoundError
    from tracehound.mlflow_client import MlflowClient as MlflowClient
    from tracehound.query.limit import SearchLimit as SearchLimit
    from tracehound.runtime import flush as flush
    from tracehound.runtime import set_experiment as set_experiment
    from tracehound.runtime import set_tracking_uri as set_tracking_uri

__version__ = "0.1.0"

# Each public name and the module it is loaded from when it is first used: `import tracehound` alone costs nothing.
_PUBLIC = {
    "ActiveModel": "tracehound.client.models",
    "ActiveRun": "tracehound.client.active_run",
    "AlreadyExistsError": "tracehound.errors",
    "ArgumentError": "tracehound.errors",
    "FilterError": "tracehound.errors",
    "MissingExtraError": "tracehound.errors",
    "MlflowClient": "tracehound.mlflow_client",
    "NotFoundError": "tracehound.errors",
    "SearchCancelledError": "tracehound.errors",
    "SearchLimit": "tracehound.query.limit",
    "SearchTimeoutError": "tracehound.errors",
    "StoreBusyError": "tracehound.errors",
    "StoreDeniedError": "tracehound.errors",
    "StoreError": "tracehound.errors",
    "StoreFullError": "tracehound.errors",
    "StoreReadOnlyError": "tracehound.errors",
    "TracehoundError": "tracehound.errors",
    "active_run": "tracehound.client.active_run",
    "add_trace": "tracehound.capture.ready_made",
    "autolog": "tracehound.autologging.public",
    "clear_active_model": "tracehound.client.models",
    "compare_traces": "tracehound.analysis.comparison",
    "create_experiment": "tracehound.client.experiments",
    "create_external_model": "tracehound.client.models",
    "delete_assessment": "tracehound.client.feedback",
    "delete_saved_search": "tracehound.client.saved_searches",
    "delete_trace_tag": "tracehound.client.tags",
    "delete_traces": "tracehound.client.deletion",
    "end_run": "tracehound.client.active_run",
    "explain_search": "tracehound.client.search",
    "flush": "tracehound.runtime",
    "get_active_model_id": "tracehound.client.models",
    "get_active_trace_id": "tracehound.capture.current",
    "get_assessment": "tracehound.client.feedback",
    "get_current_active_span": "tracehound.capture.current",
    "get_experiment": "tracehound.client.experiments",
    "get_experiment_by_name": "tracehound.client.experiments",
    "get_last_active_trace_id": "tracehound.capture.current",
    "get_logged_model": "tracehound.client.models",
    "get_run": "tracehound.client.runs",
    "get_trace": "tracehound.client.search",
    "install_as_mlflow": "tracehound.compat.mlflow",
    "last_active_run": "tracehound.client.active_run",
    "log_assessment": "tracehound.client.feedback",
    "log_expectation": "tracehound.client.feedback",
    "log_feedback": "tracehound.client.feedback",
    "log_metric": "tracehound.client.active_run",
    "log_metrics": "tracehound.client.active_run",
    "log_model_params": "tracehound.client.models",
    "log_param": "tracehound.client.active_run",
    "log_params": "tracehound.client.active_run",
    "log_trace": "tracehound.capture.ready_made",
    "override_feedback": "tracehound.client.feedback",
    "register_model": "tracehound.client.registry",
    "save_search": "tracehound.client.saved_searches",
    "saved_searches": "tracehound.client.saved_searches",
    "search_experiments": "tracehound.client.experiments",
    "search_logged_models": "tracehound.client.models",
    "search_runs": "tracehound.client.runs",
    "search_sessions": "tracehound.client.sessions",
    "search_traces": "tracehound.client.search",
    "set_active_model": "tracehound.client.models",
    "set_experiment": "tracehound.runtime",
    "set_experiment_tag": "tracehound.client.experiments",
    "set_experiment_tags": "tracehound.client.experiments",
    "set_tag": "tracehound.client.active_run",
    "set_tags": "tracehound.client.active_run",
    "set_trace_tag": "tracehound.client.tags",
    "set_tracking_uri": "tracehound.runtime",
    "sql": "tracehound.client.sql",
    "start_run": "tracehound.client.active_run",
    "start_span": "tracehound.capture.manual",
    "start_span_no_context": "tracehound.capture.manual",
    "trace": "tracehound.capture.decorator",
    "trace_stats": "tracehound.analysis.statistics",
    "update_assessment": "tracehound.client.feedback",
    "update_current_trace": "tracehound.capture.current",
}

# Integrations, as in `tracehound.openai.autolog()`: what `autologging.table` has.
_INTEGRATIONS = (
    "ag2 agno aiohttp aleph_alpha anthropic autogen bedrock beeai celery chromadb claude_agent_sdk cohere crewai"
    " django dspy fastapi flask gemini google_adk groq haystack httpx httpx2 instructor lancedb langchain litellm"
    " llama_index marqo mcp milvus mistral ollama openai openai_agents pinecone pipecat portkey pydantic_ai qdrant"
    " replicate requests sagemaker smolagents starlette strands together transformers typesafe vertexai voyageai"
    " watsonx weaviate writer"
)
_PUBLIC |= dict.fromkeys(_INTEGRATIONS.split(), "tracehound.autologging.libraries")

# Public modules that can be reached as attributes, as in `tracehound.tracing.disable()`.
_MODULES = ("entities", "tracing")


def __getattr__(name: str) -> object:
    """Load a public name."""
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"tracehound.{name}")
    module = _PUBLIC.get(name)
    if module is None:
        raise AttributeError(f"module 'tracehound' has no attribute {name!r}")
    value = getattr(importlib.import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC, *_MODULES})
