"""Inserts behind their writer: in their order, none behind one that has failed, and to the end of the interpreter."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tracehound.errors import StoreError
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.schema import EXPERIMENT, SEGMENT

if HAS_ENGINE:
    from tracehound.store.clickhouse.behind import inserting_behind
    from tracehound.store.clickhouse.engine import Engine

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

ENDING = """
import atexit, tracehound
tracehound.set_tracking_uri("chdb://{folder}/store")
atexit.register(lambda: print(tracehound.flush().stored))
with tracehound.start_span("last"):
    pass
"""


def test_behind_an_insert_that_failed_nothing_is_inserted() -> None:
    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        with pytest.raises(StoreError, match="has lost a table"), inserting_behind(engine) as behind:
            behind.insert(EXPERIMENT, [(1, "before")])
            behind.insert(replace(EXPERIMENT, name="nowhere"), [(2, "it")])
            behind.insert(SEGMENT, [("a.seg", 5, 1, 0)])
        assert engine.select(Sql("SELECT name FROM experiment")) == [("before",)]
        assert engine.select(Sql("SELECT count() FROM segment")) == [(0,)]


def test_a_batch_that_fails_ends_when_nothing_is_inserted_any_more() -> None:
    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        with pytest.raises(KeyError), inserting_behind(engine) as behind:
            behind.insert(EXPERIMENT, [(1, "before")])
            raise KeyError
        assert engine.select(Sql("SELECT name FROM experiment")) == [("before",)]


def test_what_is_written_when_the_interpreter_ends_is_there(tmp_path: Path) -> None:
    program = ENDING.format(folder=tmp_path.as_posix())
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=300)
    assert (ended.stdout, ended.stderr) == ("1\n", "")
