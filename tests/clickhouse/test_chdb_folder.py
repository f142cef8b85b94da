"""The folder of the engine in a process: one program at a time, what it is not, and what a program leaves in it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address
from tests.forked import Program
from tracehound.errors import StoreBusyError, StoreError
from tracehound.store.clickhouse.address import ClickHouseAddress

if HAS_ENGINE:
    from tracehound.query.sql import Sql
    from tracehound.store.clickhouse.engine import OPTIONS_OF_PROCESS, Engine
    from tracehound.store.clickhouse.folder import why_not
    from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
TRACING = """
import sys, tracehound
tracehound.set_tracking_uri({uri!r})
with tracehound.start_span("kept"): pass
"""
LOOKING = """
print(len(tracehound.search_traces(return_type="list")), flush=True)
sys.stdin.read()
"""


def test_a_program_that_ends_leaves_nothing_behind_and_says_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    source = TRACING.format(uri=f"chdb://{folder}") + LOOKING  # the engine is open when it ends
    for _ in range(2):  # in a process from nothing: what it has imported is registered for its end in that order
        done = subprocess.run(
            [sys.executable, "-c", source],
            env=os.environ,
            cwd=tmp_path,
            input="",
            capture_output=True,
            check=False,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert list(folder.with_name("engine-spool").iterdir()) == []
    assert done.stdout == "2\n"


def test_a_folder_that_another_program_has_open_is_named_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "engine"
    other = Program(TRACING.format(uri=f"chdb://{folder}") + LOOKING, os.environ)
    assert other.stdout.readline() == "1\n"
    store = ClickHouseStore(ClickHouseAddress(directory=folder))
    with pytest.raises(
        StoreBusyError, match=rf"is open in another program, process {other.pid}, and one at a time may"
    ):
        store.version()
    other.communicate()


@pytest.mark.parametrize("name", ["a file", "a file/below it", "/proc/tracehound"])
def test_what_cannot_be_a_folder_of_the_engine_is_told_with_its_reason(tmp_path: Path, name: str) -> None:
    (tmp_path / "a file").touch()
    reason = why_not("chdb:///here", tmp_path / name)
    assert isinstance(reason, StoreError)
    assert "chdb:///here cannot be written to, and is not read without that: " in str(reason)


def test_two_folders_in_one_program_are_one_too_many(tmp_path: Path) -> None:
    with new_address():  # the other one
        store = ClickHouseStore(ClickHouseAddress(directory=tmp_path / "engine"))
        with pytest.raises(StoreError, match="beside another folder: a program has one chdb:// at a time"):
            store.version()


def test_the_engine_has_taken_the_options_that_it_was_opened_with() -> None:
    with new_address() as address, contextlib.closing(Engine(address)) as engine:
        for name, value in OPTIONS_OF_PROCESS.items():
            found = engine.select(Sql("SELECT value FROM system.server_settings WHERE name = ?", (name,)))
            assert found == [(str(value),)]
