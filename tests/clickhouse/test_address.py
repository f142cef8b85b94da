"""Where a ClickHouse is, as a URI says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tracehound.errors import ArgumentError
from tracehound.store.clickhouse.address import parse_address
from tracehound.store.targets import parse_target


def test_a_uri_names_server_database_user_and_options() -> None:
    found = parse_address("clickhouses://ann:s%40cret@db.example:9440/traces?cluster=main&retention_days=30")
    assert (found.host, found.port, found.database, found.user) == ("db.example", 9440, "traces", "ann")
    assert (found.is_secure, found.cluster, found.retention_days) == (True, "main", 30)
    assert found.password == "s@cret"


def test_the_rest_is_as_everyone_has_it() -> None:
    found = parse_address("clickhouse://db")
    assert (found.port, found.database, found.user, found.password) == (8123, "tracehound", "default", "")


def test_a_password_is_shown_nowhere(tmp_path: Path) -> None:
    target = parse_target("clickhouse://ann:hidden@db/traces")
    assert "hidden" not in repr(target) + str(target.url) + str(target.spool_directory)
    assert target == parse_target("clickhouse://ann:hidden@db:8123/traces")


def test_an_engine_in_the_process_has_its_spool_beside_its_folder(tmp_path: Path) -> None:
    target = parse_target(f"chdb://{tmp_path.as_posix()}/store" if tmp_path.as_posix().startswith("/") else "chdb:///s")
    assert target.spool_directory is not None
    assert target.spool_directory.name.endswith("-spool")


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("clickhouse://", "names no host"),
        ("clickhouse://db:x", "no address of a ClickHouse"),
        ("clickhouse://db/a-b", "no name of a database"),
        ("clickhouse://db/a?cluster=x;y", "no name of a database or a cluster"),
        ("clickhouse://db/a?shards=2", "has cluster= and retention_days=, not shards"),
        ("clickhouse://db/a?retention_days=0", "a number of days from 1 up"),
        ("chdb://memory", "names no folder"),
    ],
)
def test_what_is_no_address_is_refused(uri: str, told: str) -> None:
    with pytest.raises(ArgumentError, match=told):
        parse_target(uri)
