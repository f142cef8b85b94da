"""The documents' tutorial on searching: the application that makes its traces, and the searches that find them.

It calls a model that Databricks serves; here the server on loopback stands in its place.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import tracehound
from tests.instrumentations.stub import Seen

PAGE = """
import mlflow
from databricks.sdk import WorkspaceClient

mlflow.openai.autolog()

@mlflow.trace
def my_app(message: str) -> str:
    # Create an OpenAI client that is connected to Databricks-hosted LLMs
    w = WorkspaceClient()
    client = w.serving_endpoints.get_open_ai_client()

    response = client.chat.completions.create(
        model="databricks-claude-sonnet-4",
        messages=[
            {
                "role": "system",
                "content": "You are a helpful assistant. Give brief, 1-2 sentence responses.",
            },
            {
                "role": "user",
                "content": message,
            },
        ]
    )

    # Add examples of custom metadata and tags
    mlflow.update_current_trace(
        metadata={
            "mlflow.trace.user": 'name@my_company.com',
        },
        tags={
            "environment": "production",
        },
    )

    return response.choices[0].message.content

my_app("What is MLflow and how does it help with GenAI?")
my_app("What is ML vs. AI?")
my_app("What is MLflow and how does it help with machine learning?")
"""


def test_the_page_s_application_runs_and_its_searches_find_the_calls(server: str, seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "my_app.py").write_text(PAGE, "utf-8")
    databricks = {"DATABRICKS_HOST": server, "DATABRICKS_TOKEN": "none", "NO_PROXY": "127.0.0.1"}
    subprocess.run(
        [sys.executable, "-m", "tracehound", "run", "my_app.py"],
        cwd=tmp_path,
        env={**os.environ, **databricks},
        check=True,
        timeout=300,
    )
    assert len(tracehound.search_traces(filter_string="attributes.status = 'OK'")) == 3
    assert len(tracehound.search_traces(filter_string="attributes.status = 'ERROR'")) == 0
    for condition in (
        "metadata.`mlflow.trace.user` = 'name@my_company.com'",
        "tags.environment = 'production'",
        "tags.`mlflow.traceName` = 'my_app'",
        "attributes.status = 'OK' AND tags.environment = 'production'",
    ):
        traces = tracehound.search_traces(filter_string=condition, return_type="list")
        assert [[span.name for span in trace.data.spans] for trace in traces] == [["my_app", "ChatCompletion"]] * 3
    newest = traces[0]
    assert newest.info.token_usage is not None
    assert newest.data.spans[1].inputs["messages"][1]["content"].startswith("What is MLflow")
    assert newest.data.spans[0].outputs == "because"
    assert seen.traceparents() == [None] * 3
