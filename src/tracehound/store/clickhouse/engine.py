"""The one place that talks to ClickHouse: statements with bound parameters, and rows to be inserted.

`clickhouse-connect` is the client of a server and of the engine in this process alike. Parameters are question marks
in our SQL; they become names with types here, and the engine puts the values in.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tracehound.errors import MissingExtraError
from tracehound.query.limit import SearchLimit
from tracehound.query.sql import Sql
from tracehound.settings import clickhouse_password
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.folder import check_alone, why_not
from tracehound.store.clickhouse.native import to_block
from tracehound.store.clickhouse.oldest import check_version, read_version
from tracehound.wire.compression import compress

try:
    import clickhouse_connect
    import clickhouse_connect.driver.exceptions as engine_errors
    from clickhouse_connect import common

    from tracehound.store.clickhouse.faults import store_errors
except ImportError as error:
    raise MissingExtraError(
        "a ClickHouse is reached with clickhouse-connect, which is not installed: pip install 'tracehound[clickhouse]'"
    ) from error

_IS_THERE: Final = "SELECT name FROM system.databases WHERE name = {name:String}"
_MANY: Final = 20
# Of the texts in a parameter: over HTTP it has 128 KB, as servers are set up, and what is escaped takes twice as much.
_PARAMETER_BYTES: Final = 60_000
_AROUND: Final = 4  # bytes of quotes and a comma
_PLAIN: Final = re.compile(r"[\w-]+", re.ASCII)
_TYPES: Final = {bool: "UInt8", int: "Int64", float: "Float64", str: "String"}
_INT64: Final = 2**63
_CONNECT_S: Final = 5
_ANSWER_S: Final = 60
_FIRST_ANSWER_S: Final = 10  # to who asks which version it is
_SETTINGS: Final[Mapping[str, str | int]] = {
    "max_query_size": 64_000_000,  # the parser's: a filter may have 10,000 comparisons
    "max_ast_elements": 4_000_000,
    "max_expanded_ast_elements": 8_000_000,
    "max_ast_depth": 20_000,
    "max_parser_depth": 20_000,
    "do_not_merge_across_partitions_select_final": 1,
    "insert_deduplicate": 0,  # writing the same rows again changes nothing; see docs/adr/0043
    "max_partitions_per_insert_block": 0,  # spans may say that they began whenever they like
    "transform_null_in": 0,
    "materialize_skip_indexes_on_insert": 1,  # which words and values there are is asked of indexes
    "optimize_on_insert": 0,  # rows of one place in one insert say the same: nothing is to be chosen from them
    "use_skip_indexes_for_disjunctions": 0,  # an OR of two indexes asks them of every mark, also of a page that stops
    "read_in_order_use_buffering": 0,  # a search stops when it has found enough: to read ahead is to read everything
    # What was asked three times the engine compiles: 23 seconds for a filter of 1,000 scopes, and nothing gained by it.
    "compile_expressions": 0,
}
# Of the engine in this process: without it four files of all tables are in the queue to be changed or merged, and where
# one more would have to be, the engine looks again after up to a second. To erase from 20 files took it three seconds.
# Blocks that pages were made of are kept as they were unpacked, in so many bytes: most of the next page is in them.
OPTIONS_OF_PROCESS: Final[Mapping[str, int]] = {
    "background_merges_mutations_concurrency_ratio": 32,
    "uncompressed_cache_size": 128 * 2**20,
}
# And of its statements: what lies anywhere on a disk many threads wait for at a time. The engine's own pool for that
# takes half as much of the processor again.
_OF_PROCESS: Final[Mapping[str, str | int]] = {
    "local_filesystem_read_method": "pread",
    "max_threads": max(8, os.cpu_count() or 1),
    "use_uncompressed_cache": 1,
}
# Of a cluster: what was inserted is on a majority of the replicas, and what is read next has it.
_OF_CLUSTER: Final[Mapping[str, str | int]] = {
    "insert_quorum": "auto",
    "insert_quorum_parallel": 0,
    "select_sequential_consistency": 1,
    "distributed_foreground_insert": 1,
    "distributed_product_mode": "local",
}

Rows = list[Sequence[Any]]


class Engine:
    """A connection to one database, which threads may share."""

    def __init__(self, address: ClickHouseAddress) -> None:
        self.address = address
        self.where = address.shown()
        with store_errors(self.where):
            self._clients = _Clients(address)

    def select(self, sql: Sql, limit: SearchLimit | None = None) -> Rows:
        """Return the rows of a statement; raise as the limit does when it is over."""
        return self._select(sql, limit)

    def select_bytes(self, sql: Sql, limit: SearchLimit | None = None) -> Rows:
        """Return the rows of a statement, as `select` does, with texts as they are encoded."""
        return self._select(sql, limit, {"String": "bytes"})

    def _select(self, sql: Sql, limit: SearchLimit | None, formats: dict[str, str] | None = None) -> Rows:
        text, values = bind(sql)
        settings: dict[str, Any] = {}
        with ExitStack() as stack:
            stack.enter_context(store_errors(self.where, limit))
            if limit is not None:
                stack.enter_context(limit.running())
                if limit.seconds is not None:
                    settings["max_execution_time"] = max(0.001, limit.seconds - limit.spent_s())
            client = stack.enter_context(self._clients.lent())
            found = client.query(text, parameters=values, settings=settings, query_formats=formats)
            rows: Rows = list(found.result_rows)
            if limit is not None:
                limit.check()
        return rows

    def insert(self, table: str, columns: Mapping[str, str], rows: Sequence[Sequence[Any]]) -> None:
        """Insert rows, all of them or none; `columns` are the names of what they have, with types."""
        if rows:
            self.insert_block(table, list(columns), to_block(columns, rows))

    def insert_block(self, table: str, names: Sequence[str], block: bytes) -> None:
        """Insert the rows of a block (`native.to_block`), all of them or none."""
        compression = None
        if self.address.directory is None:
            block, compression = compress(block), "zstd"
        with store_errors(self.where), self._clients.lent() as client:
            client.raw_insert(table, names, block, fmt="Native", compression=compression)

    def run(self, text: str, values: Mapping[str, Any] | None = None) -> None:
        """Run a statement that returns nothing."""
        with store_errors(self.where), self._clients.lent() as client:
            client.command(text, parameters=dict(values) if values else None)

    def close(self) -> None:
        """Give the connection up."""
        self._clients.close()


class _Clients:
    """Clients of one database, each lent to one thread at a time where it admits one statement at a time.

    One of a server does what many threads ask, side by side. Of the engine in this process there are as many as ever
    were busy at the same time.
    """

    def __init__(self, address: ClickHouseAddress) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._all: list[Any] = [_connect(address)]
        self._idle = list(self._all)

    @contextmanager
    def lent(self) -> Iterator[Any]:
        """Lend a client."""
        if self._address.directory is None:
            yield self._all[0]
            return
        client = self._take() or self._another()
        try:
            yield client
        finally:
            with self._lock:
                self._idle.append(client)

    def close(self) -> None:
        """Close all of them, each when what it does is done."""
        with self._lock:
            clients = list(self._all)
        for client in clients:
            client.close()

    def _take(self) -> Any | None:
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _another(self) -> Any:
        client = _connect(self._address)
        with self._lock:
            self._all.append(client)
        return client


def bind(sql: Sql) -> tuple[str, dict[str, Any]]:
    """Return the statement with named and typed parameters, and their values.

    >>> bind(Sql("a = ? AND b IN ?", ("x", (1, 2))))
    ('a = {p0:String} AND b IN {p1:Array(Int64)}', {'p0': 'x', 'p1': [1, 2]})
    """
    first, *rest = sql.text.split("?")
    values: dict[str, Any] = {}
    pieces = [first]
    for at, (value, text) in enumerate(zip(sql.parameters, rest, strict=True)):
        if isinstance(value, tuple) and pieces[-1].endswith(" IN ") and _are_many_texts(value):
            lists: list[str] = []
            for number, some in enumerate(_in_parameters(value)):
                name, is_plain = f"p{at}_{number}", all(map(_PLAIN.fullmatch, some))
                values[name] = _AsItIs(" ".join(some)) if is_plain else some
                lists.append(f"splitByChar(' ', {{{name}:String}})" if is_plain else f"{{{name}:Array(String)}}")
            pieces.append((f"arrayConcat({', '.join(lists)})" if len(lists) > 1 else lists[0]) + text)
            continue
        bound, its_type = _typed(value)
        values[f"p{at}"] = bound
        pieces.append(f"{{p{at}:{its_type}}}{text}")
    return "".join(pieces), values


@dataclass(frozen=True)
class _AsItIs:
    """A text in which nothing has to be escaped: the client looks at each character of one, and not into this."""

    text: str

    def __str__(self) -> str:
        return self.text


def _are_many_texts(values: tuple[Any, ...]) -> bool:
    """Whether values are the ids of many traces, or like them: plain ones are read in half of the time as one text."""
    return len(values) >= _MANY and all(type(each) is str for each in values)


def _in_parameters(texts: Sequence[str]) -> Iterator[list[str]]:
    """Yield texts as many at a time as a parameter holds."""
    some: list[str] = []
    size = 0
    for each in texts:
        length = len(each.encode()) + _AROUND
        if some and size + length > _PARAMETER_BYTES:
            yield some
            some, size = [], 0
        some.append(each)
        size += length
    yield some


def _typed(value: Any) -> tuple[Any, str]:
    if isinstance(value, tuple):
        typed = [_typed(each) for each in value]
        kinds = {kind for _, kind in typed}
        kind = kinds.pop() if len(kinds) == 1 else "Float64"
        return [each for each, _ in typed], f"Array({kind})"
    if type(value) is int and not -_INT64 <= value < _INT64:
        return (value, "UInt64") if 0 <= value < 2 * _INT64 else (float(value), "Float64")
    if type(value) is float and not math.isfinite(value):
        return repr(value), "Float64"
    return (int(value) if isinstance(value, bool) else value), _TYPES[type(value)]


def _connect(address: ClickHouseAddress) -> Any:
    common.set_setting("autogenerate_session_id", False)  # noqa: FBT003 - sessions admit one statement at a time
    settings = {**_SETTINGS, **(_OF_CLUSTER if address.cluster else {})}
    if address.directory is not None:
        return _open_chdb(address, address.directory, {**settings, **_OF_PROCESS})
    options: dict[str, Any] = {
        "host": address.host, "port": address.port, "secure": address.is_secure,
        "username": address.user, "password": address.password or clickhouse_password(),
        "connect_timeout": _CONNECT_S,
        "form_encode_query_params": True, "compress": "lz4", "query_retries": 1,
    }  # fmt: skip
    try:
        client = clickhouse_connect.get_client(database="default", **options, send_receive_timeout=_FIRST_ANSWER_S)
    except engine_errors.DatabaseError as error:
        is_away = isinstance(error, engine_errors.OperationalError)
        if not is_away and (version := read_version(address)) is not None:
            check_version(address.shown(), version)
        raise
    with contextlib.closing(client):
        check_version(address.shown(), str(client.server_version))
        _make_database(client, address)
    return clickhouse_connect.get_client(
        database=address.database, settings=settings, **options, send_receive_timeout=_ANSWER_S
    )


def _open_chdb(address: ClickHouseAddress, directory: Path, settings: dict[str, Any]) -> Any:
    check_alone(address.shown(), directory)
    options = {} if "?" in str(directory) else dict(OPTIONS_OF_PROCESS)  # a path may say options: then all of them
    try:
        client: Any = clickhouse_connect.get_client(
            interface="chdb", path=str(directory), chdb_options=options, settings=settings
        )
    except ImportError as error:
        raise MissingExtraError(
            "chdb:// needs the engine itself, which is not installed: pip install 'tracehound[chdb]'"
        ) from error
    except engine_errors.Error as error:
        if (reason := why_not(address.shown(), directory)) is not None:
            raise reason from error
        raise
    try:
        check_version(address.shown(), str(client.server_version))
        _make_database(client, address)
    except BaseException:
        client.close()
        raise
    client.database = address.database
    return client


def _make_database(client: Any, address: ClickHouseAddress) -> None:
    """Make the database if it is not there: who may only read need not be let do so."""
    if not client.query(_IS_THERE, parameters={"name": address.database}).result_rows:
        on_cluster = f" ON CLUSTER {address.cluster}" if address.cluster else ""
        client.command(f"CREATE DATABASE IF NOT EXISTS {address.database}{on_cluster}")
