"""Each test has a server that speaks as the providers do, and leaves nothing switched on."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.golden import check_golden
from tests.instrumentations.golden_trace import as_golden
from tests.instrumentations.stub import Seen, make_app, serving
from tracehound.autologging.switch import turn_off, turned_on
from tracehound.autologging.table import INTEGRATIONS
from tracehound.testing import RecordedTraces

GOLDEN = Path(__file__).with_name("golden")
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # or it asks the network when it is imported


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Libraries may warn of each other; what is ours may not."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore"))
        item.add_marker(pytest.mark.filterwarnings("error:::tracehound"))


@pytest.fixture
def seen() -> Seen:
    """What the server was asked."""
    return Seen()


@pytest.fixture
def server(seen: Seen) -> Iterator[str]:
    """The URL of the server."""
    with serving(make_app(seen)) as url:
        yield url


@pytest.fixture(autouse=True)
def nothing_stays_on() -> Iterator[None]:
    yield
    for name in turned_on():
        turn_off(INTEGRATIONS[name])


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Instrumentations catch their own faults, and log them: so a test looks for these."""
    yield
    told = [record for record in caplog.get_records("call") if record.levelno >= logging.WARNING]
    ours = ("opentelemetry", "openinference", "tracehound")
    assert [record.getMessage() for record in told if record.name.startswith(ours)] == []


@pytest.fixture
def check(request: pytest.FixtureRequest, update_golden: bool) -> Callable[[RecordedTraces], None]:
    """Compare what was recorded with the file of the test's name."""

    def compare(recorded: RecordedTraces) -> None:
        name = request.node.name.removeprefix("test_").replace("[", "_").rstrip("]")
        path = GOLDEN / request.path.stem.removeprefix("test_") / f"{name}.json"
        path.parent.parent.mkdir(exist_ok=True)
        check_golden(path, as_golden(recorded.traces()), update=update_golden)

    return compare
