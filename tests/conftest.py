"""Every test has a folder and a store file of its own, and faults of capture are raised instead of logged."""

from __future__ import annotations

import dataclasses
import gc
import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from tracehound import runtime
from tracehound.runtime import Runtime
from tracehound.settings import CONFIGURATION, RAISE_FAULTS, STATE, Settings

# What runs in an environment of its own: ./dev instrumentations, ./dev mlflow-client.
collect_ignore = ["mlflow_client", *([] if find_spec("litellm") else ["instrumentations"])]

# Properties are checked with the same cases in each run, whatever machine it is on: what a change is judged by is not
# drawn. `./dev prove` draws others for those that are marked so and says how many random searches a process is to
# compare, all others have a fifth of that; `./dev test -m hypothesis --hypothesis-profile=drawn` draws for all.
PROVE = "TRACEHOUND_PROVE"
SEARCHES = int(os.environ.get(PROVE, "200"))
SEARCHES_OF_TRACES = 4  # of the same traces
_BUSY = [HealthCheck.too_slow]  # which looks at the clock: it says how busy the machine is
hypothesis_settings.register_profile("drawn", deadline=None, max_examples=25, suppress_health_check=_BUSY)
hypothesis_settings.register_profile(
    "default", hypothesis_settings.get_profile("drawn"), derandomize=True, database=None
)
hypothesis_settings.register_profile(
    "prove", deadline=None, max_examples=max(25, SEARCHES // 5), suppress_health_check=list(HealthCheck)
)
hypothesis_settings.load_profile("prove" if PROVE in os.environ else "default")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write the golden files anew; read the difference")


def pytest_collection_finish() -> None:
    """Take what the suite has imported from what the collector looks at, in the tests that ask it or call it."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def imports_as_before() -> Iterator[None]:
    """Take Tracehound out of the place of MLflow again, where a test puts it there."""
    yield
    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "tracehound.compat.mlflow"]
    if "mlflow" not in sys.modules:  # without it none of its modules is there, of thousands to look through
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "mlflow"]:
        del sys.modules[name]


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    return bool(request.config.getoption("--update-golden"))


@pytest.fixture(autouse=True)
def store_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Keep this test's traces in a SQLite file of its own, and programs that it starts in its folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(RAISE_FAULTS, "1")
    monkeypatch.setenv(CONFIGURATION, str(tmp_path / "config.json"))
    monkeypatch.setenv(STATE, str(tmp_path / "state"))
    path = tmp_path / "tracehound.db"
    own = Runtime(dataclasses.replace(Settings(), tracking_uri=str(path), raise_faults=True))
    before = runtime.replace(own)
    yield path
    last = runtime.replace(before)
    assert last is not None
    for used in {own, last}:
        used.close()
