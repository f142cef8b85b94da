"""What docs/clickhouse.md says that a user has to be granted is enough, and what is missing is named.

The engine in the process has one user. It is given the rights of another one in a file, by a process for each.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

import pytest

from tests.clickhouse.opened import HAS_ENGINE
from tests.forked import Program

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "clickhouse.md"
USERS: Final = """<clickhouse>
    <profiles><default><readonly>{readonly}</readonly></default></profiles><quotas><default/></quotas>
    <users><default>
        <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
        <grants><query>{grant}</query></grants>
    </default></users>
</clickhouse>
"""
# As servers are set up, tables of the system are not for everyone.
CONFIGURATION: Final = """<clickhouse>
    <user_directories><users_xml><path>{}</path></users_xml></user_directories>
    <access_control_improvements>
        <select_from_system_db_requires_grant>true</select_from_system_db_requires_grant>
    </access_control_improvements>
</clickhouse>
"""
# Does with a store what is asked, step by step, and prints what comes of each.
STEPS: Final = """
from pathlib import Path
from tests.traces import part, span
from tracehound.errors import TracehoundError
from tracehound.model.edit import Deletion, Edit
from tracehound.query.search import parse_search
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.store import ClickHouseStore

store = ClickHouseStore(ClickHouseAddress(directory=Path({place!r}), database="traces", cluster={cluster!r}))
gone = span(1, trace=2)
steps = dict(
    position=lambda: store.position("1-a.seg"),
    write=lambda: store.write([part(span(1), written_ns=1, tags=dict(env="prod")), part(gone, written_ns=1)]),
    delete=lambda: store.write([Deletion(gone.trace_id, 2)]),
    settle=lambda: store.settle(2**62),
    search=lambda: len(store.search_whole(parse_search(["0"], "trace.text ILIKE '%because%'")).traces),
    words=lambda: len(store._words.parts(store._engine())) > 0,
    pattern=lambda: len(store.search(parse_search(["0"], "tags.env LIKE 'pr%'")).traces),
)
for name in {steps!r}:
    try:
        print(steps[name]())
    except TracehoundError as error:
        print(type(error).__name__, str(error).split(" ", 1)[1])
store.close()
"""


def granted(user: str) -> str:
    """Return what the document grants a user, for the only one that there is here."""
    found = re.search(rf"^GRANT (.+) ON traces\.\* TO {user};$", DOCUMENT.read_text(), re.MULTILINE)
    assert found is not None
    return f"GRANT {found[1]} ON traces.*"


def done_by(folder: Path, grant: str, *steps: str, readonly: int = 0, cluster: str | None = None) -> list[str]:
    """Return what comes of steps that a user takes who has been granted that."""
    users, configuration = folder / "users.xml", folder / "config.xml"
    users.write_text(USERS.format(grant=grant, readonly=readonly))
    configuration.write_text(CONFIGURATION.format(users))
    place = f"{folder / 'engine'}?config-file={configuration}"
    program = Program(STEPS.format(place=place, steps=steps, cluster=cluster), os.environ)
    printed = program.communicate()
    assert program.returncode == 0
    return printed.splitlines()


def test_the_rights_of_the_document_are_enough_and_what_is_missing_is_named(tmp_path: Path) -> None:
    lacking = "StoreError does not let this user do that: GRANT {} ON traces.*; what was traced waits in the spool"
    assert done_by(tmp_path, "GRANT SELECT ON others.*", "search") == [lacking.format("CREATE DATABASE")]
    writer, reader = granted("writer"), granted("reader")
    done = done_by(tmp_path, writer, "write", "search", "delete", "settle", "search", "pattern")
    assert done == ["True", "2", "True", "None", "1", "1"]
    for readonly in (0, 2):
        done = done_by(tmp_path, reader, "search", "words", "pattern", "write", readonly=readonly)
        assert done == ["1", "True", "1", lacking.format("INSERT")]
    assert done_by(tmp_path, reader, "search", readonly=1) == [
        "StoreError does not let this user change the settings that are needed: readonly=2 or 0 is"
    ]


@pytest.mark.parametrize("readonly", [0, 2])
def test_who_may_only_read_makes_nothing_on_the_servers_of_a_cluster(tmp_path: Path, readonly: int) -> None:
    done_by(tmp_path, granted("writer"), "write")
    assert done_by(tmp_path, granted("reader"), "position", readonly=readonly, cluster="main") == ["0"]
