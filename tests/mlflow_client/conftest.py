"""A server of ours in a process of its own, and MLflow's client pointed at it."""

from __future__ import annotations

import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a guarded server over a file of its own, and give its address and a token to every client."""
    store = tmp_path_factory.mktemp("store") / "client.db"
    program = os.environ["TRACEHOUND_SERVER"]
    making = [program, "token", "create", "--role", "admin", "--store", str(store)]
    made = subprocess.run(making, check=True, capture_output=True, text=True)
    os.environ["MLFLOW_TRACKING_TOKEN"] = made.stdout.strip()
    command = [program, "server", "--port", "0", "--store", str(store)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        found = re.search(r"http://\S+", said)
        assert found is not None, said + process.stdout.read()
        os.environ["MLFLOW_TRACKING_URI"] = found[0]
        # One request that is refused ends a test; MLflow's own seven attempts would hide it for minutes.
        os.environ["MLFLOW_HTTP_REQUEST_MAX_RETRIES"] = "1"
        # In the background the client takes a second to send what it has, for each check; those that are about it ask.
        os.environ["MLFLOW_ENABLE_ASYNC_TRACE_LOGGING"] = "false"
        yield found[0]
        process.terminate()


@pytest.fixture
def in_background(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the client send traces in the background, as it does unless it is told not to; to be asked for first."""
    monkeypatch.setenv("MLFLOW_ENABLE_ASYNC_TRACE_LOGGING", "true")


@pytest.fixture
def experiment(url: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """Make an experiment for one test the active one; return its id."""
    active = mlflow.set_experiment(f"{request.node.name} {uuid.uuid4().hex}")
    yield str(active.experiment_id)
    mlflow.flush_trace_async_logging()
    mlflow.clear_active_model()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path
