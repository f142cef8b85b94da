"""What is old is deleted: by an age that is said, or by what experiments say of themselves, in small steps."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import tracehound
from tests.cli.terminal import piped
from tests.traces import part, span
from tests.waiting import wait_until
from tracehound import runtime
from tracehound.client.deletion import STEP
from tracehound.client.retention import (
    Old,
    count_old,
    delete_old,
    find_old,
    measure_old,
    old_of,
    read_retention,
    set_retention,
)
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.edit import Facts
from tracehound.model.ids import experiment_id
from tracehound.model.record import to_json
from tracehound.query.search import parse_search
from tracehound.server.app import create_app
from tracehound.server.limits import ServerLimits
from tracehound.server.retention import sweep
from tracehound.settings import Settings
from tracehound.store.api import Store
from tracehound.store.experiments import KIND, read_experiments
from tracehound.store.memory import MemoryStore
from tracehound.store.sqlite.store import SqliteStore

SHOP = experiment_id("shop")
DAY_MS = 86_400_000
OLD = [Old("0", 2**50), Old(SHOP, 2**50)]


@pytest.fixture(params=["memory", "file"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    found: Store = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "old.db")
    for number, experiment in enumerate(("Default", "shop"), 1):
        found.write(
            [part(span(1, 1000 * number + each, start_ms=each), experiment=experiment) for each in range(STEP + 5)]
        )
    yield found
    found.close()


def count(store: Store, experiment: str) -> int:
    return len(store.search(parse_search([experiment_id(experiment)], limit=1000)).traces)


def test_old_traces_are_counted_measured_and_deleted_step_by_step(store: Store) -> None:
    cut = parse_search([SHOP], None, ["timestamp_ms ASC"], 1)
    first_ms = store.search(cut).traces[0].request_time
    old = [Old("0", first_ms + 3), Old(SHOP, 2**50)]
    assert count_old(store, old) == 3 + STEP + 5
    counted, size_bytes = measure_old(store, old, lambda _: None)
    assert counted == 3 + STEP + 5
    assert size_bytes > 100 * counted
    steps: list[int] = []
    assert delete_old(store, old, steps.append) == 3 + STEP + 5
    assert steps == [3, STEP, 5]
    assert (count(store, "Default"), count(store, "shop")) == (STEP + 2, 0)


def test_no_more_are_deleted_at_a_time_than_was_said(store: Store) -> None:
    assert delete_old(store, OLD, lambda _: None, most=STEP + 10) == STEP + 10
    assert (count(store, "Default"), count(store, "shop")) == (0, STEP)


def test_a_deletion_that_is_interrupted_keeps_what_is_done(store: Store) -> None:
    def interrupt(_count: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delete_old(store, OLD, interrupt)
    assert (count(store, "Default"), count(store, "shop")) == (5, STEP + 5)


def test_an_experiment_says_for_how_long_its_traces_are_kept() -> None:
    tracehound.create_experiment("shop", tags={"team": "a"})
    set_retention(runtime.current(), "shop", "30d")
    opened = runtime.current().drained_store()
    assert read_retention(opened) == {SHOP: "30d"}
    assert find_old(opened, 40 * DAY_MS) == [Old(SHOP, 10 * DAY_MS)]
    assert read_experiments(opened)[SHOP].tags == {"team": "a"}
    set_retention(runtime.current(), "shop", None)
    assert read_retention(runtime.current().drained_store()) == {}


def test_an_age_that_is_none_and_an_experiment_that_is_not_there_are_refused() -> None:
    for age in ("soon", "0d", "-1d"):
        with pytest.raises(ArgumentError, match="is a length of time such as 12h, 30d or 8w"):
            set_retention(runtime.current(), "Default", age)
    with pytest.raises(NotFoundError, match="no experiment 'nowhere'; there are 'Default'"):
        set_retention(runtime.current(), "nowhere", "1d")


def test_a_server_sweeps_what_experiments_do_not_keep(store: Store) -> None:
    keep_in(store, "shop", "1d")
    assert sweep(store, time.time_ns() // 10**6, threading.Event(), rest_s=0) == STEP + 5
    assert (count(store, "Default"), count(store, "shop")) == (STEP + 5, 0)
    stopped = threading.Event()
    stopped.set()
    keep_in(store, "Default", "1d")
    assert sweep(store, time.time_ns() // 10**6, stopped) == 0


def test_a_running_server_sweeps_and_goes_on_where_a_setting_cannot_be_read(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    store.write([part(span(1), experiment="shop")])
    keep_in(store, "shop", "long")
    app = create_app(store, Settings("memory://"), ServerLimits(sweep_every_s=0.001))
    with TestClient(app, base_url="http://127.0.0.1"):
        wait_until(lambda: "could not be deleted" in caplog.text)
        keep_in(store, "shop", "1d")
        wait_until(lambda: count(store, "shop") == 0)
    assert not any(thread.name == "tracehound-retention" for thread in threading.enumerate())


def test_the_command_sets_shows_and_applies_what_experiments_keep() -> None:
    tracehound.set_experiment("shop")
    tracehound.start_span_no_context("old", start_time_ns=10**18).end()
    tracehound.start_span_no_context("new").end()
    tracehound.flush()
    refused = piped("gc")
    assert refused.returncode == 1
    assert b"no experiment keeps its traces for a limited time: name an age by --older-than" in refused.stderr
    assert piped("retention", "shop", "30d").returncode == 0
    assert json.loads(piped("retention").stdout) == {"Default": "forever", "shop": "30d"}
    assert piped("retention", "shop").stdout == to_json({"shop": "30d"}) + b"\n"
    dry = piped("gc", "--dry-run")
    assert re.fullmatch(rb"1 trace would be deleted, whose spans are \d+ bytes of JSON\s", dry.stdout)
    assert piped("gc", "--experiment", "Default").returncode == 1
    assert piped("gc").stdout.startswith(b"1 trace deleted, ")
    assert [trace.info.name for trace in tracehound.search_traces(return_type="list")] == ["new"]
    assert piped("retention", "shop", "forever").returncode == 0
    assert json.loads(piped("retention", "shop").stdout) == {"shop": "forever"}


def test_ages_are_told_apart_by_experiment() -> None:
    assert old_of({"0": "1d", SHOP: "2d"}, 10 * DAY_MS) == [Old("0", 9 * DAY_MS), Old(SHOP, 8 * DAY_MS)]


def keep_in(store: Store, experiment: str, age: str) -> None:
    store.write([Facts(KIND, experiment_id(experiment), {"name": experiment, "retention": age}, time.time_ns())])
