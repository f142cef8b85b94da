"""`tracehound copy`: what it says, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from pathlib import Path

from tests.cli.terminal import piped, traces_of_many_kinds, write
from tests.server.process import ServerProcess


def exported(store: str) -> bytes:
    return piped("export", "--all-experiments", "--store", store).stdout


def test_a_copy_into_a_file_and_on_into_a_server_holds_the_same(store_path: Path, tmp_path: Path) -> None:
    write(*traces_of_many_kinds())
    assert piped("retention", "Default", "30d").returncode == 0
    copy = str(tmp_path / "copy.db")
    for _ in range(2):
        done = piped("copy", str(store_path), copy)
        assert (done.returncode, done.stderr) == (0, b"")
        assert done.stdout == f"7 traces copied into {copy}\n".encode()
    assert exported(copy) == exported(str(store_path))
    assert json.loads(piped("retention", "Default", "--store", copy).stdout) == {"Default": "30d"}
    server = ServerProcess(tmp_path / "served.db")
    try:
        assert piped("copy", copy, server.url).returncode == 0
        assert exported(server.url) == exported(copy)
        back = str(tmp_path / "back.db")
        assert piped("copy", server.url, back).returncode == 0
        assert exported(back) == exported(copy)
    finally:
        server.kill()


def test_a_store_is_not_copied_into_itself_nor_one_that_is_not_there(store_path: Path, tmp_path: Path) -> None:
    write(*traces_of_many_kinds())
    same = piped("copy", str(store_path), f"sqlite:///{store_path}")
    assert same.returncode == 2
    assert b"are one store" in same.stderr
    missing = piped("copy", str(tmp_path / "nothing.db"), str(tmp_path / "to.db"))
    assert missing.returncode == 1
    assert b"there are no traces in" in missing.stderr
    assert not (tmp_path / "to.db").exists()


def test_what_is_damaged_is_named_and_the_rest_is_copied(store_path: Path, tmp_path: Path) -> None:
    write(*traces_of_many_kinds())
    with contextlib.closing(sqlite3.connect(store_path)) as connection, connection:
        connection.execute("UPDATE part SET payload = x'00' WHERE trace = 1")
    done = piped("copy", str(store_path), str(tmp_path / "to.db"))
    assert done.returncode == 1
    assert done.stdout == f"6 traces copied into {tmp_path / 'to.db'}\n".encode()
    assert re.fullmatch(rb"tr-[0-9a-f]{32} is damaged: its spans cannot be read\n", done.stderr)
