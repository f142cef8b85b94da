"""The documents' page on versions and environments: what fills itself in, what goes before it, and the web application.

Programs are written as for MLflow and run with `tracehound run`, as their users would run them.
"""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tracehound
from tests.capture.test_origin import make_repository
from tracehound.entities import TraceInfo

OVERRIDING = """
import os
import mlflow

# The documents have an assignment in this mapping, which is no Python; what is meant is its value.
@mlflow.trace
def ask(question: str) -> dict:
    mlflow.update_current_trace(
        metadata={"mlflow.source.type": os.getenv("APP_ENVIRONMENT", "development")}
    )
    return {"response": question + "!!"}

ask("test")
"""

CUSTOM = """
import os
import mlflow

@mlflow.trace
def ask(question: str) -> dict:
    mlflow.update_current_trace(metadata={"app_version": os.getenv("APP_VERSION", "development")})
    return {"response": question + "!!"}

ask("test")
"""

NAMING = """
import mlflow

@mlflow.trace
def ask() -> None:
    mlflow.update_current_trace(metadata={"mlflow.source.name": "custom_name"})

ask()
"""

WEB = """
import os
import mlflow
from fastapi import FastAPI, Request
from pydantic import BaseModel

app = FastAPI()

class ChatRequest(BaseModel):
    message: str

@mlflow.trace
@app.post("/chat")
def handle_chat(request: Request, chat_request: ChatRequest):
    mlflow.update_current_trace(
        client_request_id=request.headers.get("X-Request-ID"),
        metadata={
            "mlflow.trace.session": request.headers.get("X-Session-ID"),
            "mlflow.trace.user": request.headers.get("X-User-ID"),
            "mlflow.source.type": os.getenv("APP_ENVIRONMENT", "development"),
            "environment": "production",
            "app_version": os.getenv("APP_VERSION", "1.0.0"),
            "deployment_id": os.getenv("DEPLOYMENT_ID", "unknown"),
            "region": os.getenv("REGION", "us-east-1"),
        },
    )
    return {"response": f"Processed message: '{chat_request.message}'"}
"""

# What sends the request of the page, in place of curl.
ASKING = """
import sys
from fastapi.testclient import TestClient
from web import app

headers = dict(zip(sys.argv[1::2], sys.argv[2::2]))
answer = TestClient(app).post("/chat", headers=headers, json={"message": "What is my account balance?"})
print(answer.status_code, answer.json()["response"])
"""


@pytest.fixture
def commit(tmp_path: Path) -> str:
    """The state of the repository that the programs lie in."""
    return make_repository(tmp_path / "app")


def run(folder: Path, program: str, *arguments: str, **environment: str) -> str:
    """Run a program for MLflow from the folder above its own; return what it printed."""
    path = folder / "app" / "my_app.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text(program)
    command = [sys.executable, "-m", "tracehound", "run", str(path.relative_to(folder)), *arguments]
    environment = {**os.environ, **environment}
    return subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def only_info() -> TraceInfo:
    (trace,) = tracehound.search_traces(return_type="list")
    return trace.info


def test_what_the_environment_tells_fills_itself_in(tmp_path: Path, commit: str) -> None:
    subprocess.run(
        ["git", "remote", "add", "origin", "https://ann:secret@git.test/app.git"], cwd=tmp_path / "app", check=True
    )
    run(tmp_path, CUSTOM, MLFLOW_ACTIVE_MODEL_ID="m-1")
    filled = only_info().trace_metadata
    assert {
        key: filled[key] for key in sorted(filled) if key.startswith(("mlflow.source", "mlflow.user", "mlflow.m"))
    } == {
        "mlflow.modelId": "m-1",
        "mlflow.source.git.branch": "main",
        "mlflow.source.git.commit": commit,
        "mlflow.source.git.repoURL": "https://git.test/app.git",
        "mlflow.source.name": "my_app.py",
        "mlflow.source.type": "LOCAL",
        "mlflow.user": getpass.getuser(),
    }


def test_outside_of_a_repository_and_without_a_model_these_are_not_there(tmp_path: Path) -> None:
    run(tmp_path, CUSTOM)
    filled = only_info().trace_metadata
    assert not {key for key in filled if key.startswith("mlflow.source.git")} | (filled.keys() & {"mlflow.modelId"})


@pytest.mark.parametrize(("environment", "kind"), [({}, "development"), ({"APP_ENVIRONMENT": "staging"}, "staging")])
def test_the_program_overrides_the_type_of_its_source(
    tmp_path: Path, commit: str, environment: dict[str, str], kind: str
) -> None:
    run(tmp_path, OVERRIDING, **environment)
    metadata = only_info().trace_metadata
    assert (metadata["mlflow.source.type"], metadata["mlflow.source.git.commit"]) == (kind, commit)
    assert len(tracehound.search_traces(filter_string=f"metadata.`mlflow.source.type` = '{kind}'")) == 1
    assert len(tracehound.search_traces(filter_string="metadata.`mlflow.source.type` = 'LOCAL'")) == 0


def test_the_program_overrides_the_name_of_its_source(tmp_path: Path) -> None:
    run(tmp_path, NAMING)
    assert only_info().trace_metadata["mlflow.source.name"] == "custom_name"


def test_a_program_adds_what_it_likes(tmp_path: Path) -> None:
    run(tmp_path, CUSTOM, APP_VERSION="2.1.0")
    assert only_info().trace_metadata["app_version"] == "2.1.0"
    (trace,) = tracehound.search_traces("metadata.app_version = '2.1.0'", return_type="list")
    assert trace.data.spans[0].outputs == {"response": "test!!"}


def test_a_request_to_the_web_application_tells_all_of_its_context(tmp_path: Path, commit: str) -> None:
    (tmp_path / "app" / "web.py").write_text(WEB)
    headers = ("X-Request-ID", "req-abc-123", "X-Session-ID", "session-def-456", "X-User-ID", "user-jane-doe-12345")
    printed = run(tmp_path, ASKING, *headers, APP_ENVIRONMENT="production", APP_VERSION="1.1.0", REGION="eu-west-1")
    assert printed == "200 Processed message: 'What is my account balance?'\n"

    info = only_info()
    assert (info.client_request_id, info.tags["mlflow.traceName"], info.state) == ("req-abc-123", "handle_chat", "OK")
    said = {
        "mlflow.trace.session": "session-def-456",
        "mlflow.trace.user": "user-jane-doe-12345",
        "mlflow.source.type": "production",
        "environment": "production",
        "app_version": "1.1.0",
        "deployment_id": "unknown",
        "region": "eu-west-1",
        "mlflow.source.git.commit": commit,
    }
    assert {key: info.trace_metadata.get(key) for key in said} == said
    for condition in (
        "attributes.client_request_id = 'req-abc-123'",
        "attributes.session = 'session-def-456'",
        "attributes.user = 'user-jane-doe-12345'",
        "metadata.`mlflow.source.type` = 'production' AND metadata.app_version = '1.1.0'",
    ):
        (trace,) = tracehound.search_traces(condition, return_type="list")
        assert trace.data.spans[0].inputs["chat_request"] == {"message": "What is my account balance?"}


def test_a_request_that_tells_nothing_is_a_trace_without_user_and_session(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "web.py").write_text(WEB)
    assert run(tmp_path, ASKING).startswith("200 ")
    info = only_info()
    assert info.client_request_id is None
    assert not info.trace_metadata.keys() & {"mlflow.trace.session", "mlflow.trace.user"}
    assert (info.trace_metadata["app_version"], info.trace_metadata["mlflow.source.type"]) == ("1.0.0", "development")
