"""The tables, as numbered migrations. ADR 0043 says why each is as it is.

`part` holds what arrived, `said` that it arrived and what was said from outside, both as it came and for good. `trace`
holds what follows from them: one wide row a version of a trace, of which the greatest counts; `head` is kept up by the
engine and finds the versions of a trace. Everything else that is here is small.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tracehound.query.clickhouse import PAIRS
from tracehound.query.fields import NUMBERS_IN_SPAN
from tracehound.query.span_keys import EDGES, HASHES, LONGEST_NAME
from tracehound.query.sql import Sql
from tracehound.query.wide import NUMBER_COLUMNS
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.store.clickhouse.engine import Engine

_SAID_OF_TYPE: Final = re.compile(" DEFAULT| CODEC| SETTINGS")  # how a column is kept
_SMALL: Final = "LowCardinality(String)"
_MAP: Final = f"Map({_SMALL}, String) CODEC(ZSTD(3))"
_NUMBERS: Final = f"Map({_SMALL}, Float64) CODEC(ZSTD(1))"
# Of tables whose rows are large: they are written again, to be in one part with others, when there are so many parts
# of a size, or somewhat fewer where there are larger ones too. By a million traces each was written again 1.6 times
# with 16 (3 times with 5, as the engine has it), and is once with this.
_RARELY_MERGED: Final = "merge_selector_base = 32"
# A column after the other: all at once of thirty parts, and twice the columns' memory is held.
_MERGED_BY_COLUMN: Final = "vertical_merge_algorithm_min_rows_to_activate = 1"
# Of a column that only merges read: what is in one block is compressed together, a sixth smaller than by 64 KB.
_LARGE_BLOCKS: Final = "min_compress_block_size = 4194304, max_compress_block_size = 4194304"
# What is the same is found in all of such a block (2 ** 22): a tenth smaller, in less time than ZSTD(3) without it.
_FAR: Final = "ZSTD(2, 22)"
# The engine makes it of the maps, and answers from its index alone which rows have a pair.
_PAIRS: Final = ("pairs", f"Array(String) MATERIALIZED {PAIRS} CODEC(ZSTD(3))")
_PAIRS_INDEX: Final = "pairs_index pairs TYPE text(tokenizer = 'array')"
# Of rows that come without: how long spans took their arrays say, and which attributes there are the terms. Of which
# span these are nobody knows, so that these keys have no name. Where the index is, nothing but merges reads the column.
_LASTED: Final = f"concat(toString(roundDown(d - 1, {list(EDGES)})), ' ', substringUTF8(n, 1, {LONGEST_NAME}))"
_KEYS_OF_DURATIONS: Final = (
    f"arrayMap((n, d) -> {_LASTED}, arrayFilter((n, d) -> isNotNull(d), span_name, span_duration_ms),"
    " arrayMap(d -> assumeNotNull(d), arrayFilter(d -> isNotNull(d), span_duration_ms)))"
)
_KEYS_OF_TERMS: Final = f"arrayMap(t -> concat('=', toString(t % {HASHES})), span_terms)"
_KEYS: Final = (
    "span_keys",
    f"Array(String) DEFAULT arrayDistinct(arrayConcat({_KEYS_OF_DURATIONS}, {_KEYS_OF_TERMS}))"
    f" CODEC(ZSTD(3)) SETTINGS ({_LARGE_BLOCKS})",
)
_KEYS_INDEX: Final = "keys_index span_keys TYPE text(tokenizer = 'array')"
# Statistics read them of every trace: to unpack them took a sixth of that time by ZSTD, at the same size.
_LENGTHS: Final = (
    ("duration_ms", "Nullable(Int64) CODEC(T64, LZ4)"),
    ("duration_bucket", "Nullable(Int16) CODEC(T64, LZ4)"),
)
# Of tables that are asked for traces by their ids, which are anywhere, and of the narrow columns that say where the
# traces of a page lie: each of them has a block decompressed. (`start_ms` is read for statistics, from end to end.)
_SMALL_BLOCKS: Final = "min_compress_block_size = 2048, max_compress_block_size = 4096"
_PAYLOADS: Final = "min_compress_block_size = 32768, max_compress_block_size = 1048576"  # of a page most lie alone


@dataclass(frozen=True)
class Table:
    """A table: its columns and indexes, its order, what decides between rows of the same place, and its shard key."""

    name: str
    columns: tuple[tuple[str, str], ...]
    order: str
    replacing: str
    shard_key: str
    indexes: tuple[str, ...] = ()
    settings: str = ""
    time_ms: str | None = None  # what of a row says how old it is, where it may become too old

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The columns that rows have when they are inserted, with their types."""
        told = {name: kind for name, kind in self.columns if " MATERIALIZED " not in kind}
        return {name: _SAID_OF_TYPE.split(kind)[0] for name, kind in told.items()}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns that rows have when they are inserted."""
        return tuple(self.kinds)


TRACE: Final = Table(
    "trace",
    (
        ("experiment", f"Int64 CODEC(Delta, ZSTD(1)) SETTINGS ({_SMALL_BLOCKS})"),
        ("start_ms", "Int64 CODEC(Delta, ZSTD(1))"),
        ("trace_id", f"String CODEC(ZSTD(1)) SETTINGS ({_SMALL_BLOCKS})"),
        ("version", f"UInt32 CODEC(ZSTD(1)) SETTINGS ({_SMALL_BLOCKS})"),
        ("is_gone", f"UInt8 CODEC(ZSTD(1)) SETTINGS ({_SMALL_BLOCKS})"),
        ("arrived", "Int64 CODEC(Delta, ZSTD(1))"),
        *_LENGTHS,
        ("state", _SMALL),
        ("name", _SMALL),
        ("request_preview", "Nullable(String) CODEC(ZSTD(3))"),
        ("response_preview", "Nullable(String) CODEC(ZSTD(3))"),
        ("client_request_id", "Nullable(String) CODEC(ZSTD(1))"),
        ("tags", _MAP),
        ("tags_numbers", _NUMBERS),
        ("metadata", _MAP),
        ("metadata_numbers", _NUMBERS),
        ("apart", _MAP),
        *((name, "Nullable(Float64) CODEC(ZSTD(1))") for name in NUMBER_COLUMNS),
        ("assessments", "String CODEC(ZSTD(3))"),
        ("said_group", f"Array({_SMALL})"),
        ("said_name", f"Array({_SMALL})"),
        ("said_text", "Array(String) CODEC(ZSTD(1))"),
        ("said_number", "Array(Nullable(Float64)) CODEC(ZSTD(1))"),
        ("said_boolean", "Array(Nullable(UInt8)) CODEC(ZSTD(1))"),
        ("span_name", f"Array({_SMALL})"),
        ("span_type", "Array(LowCardinality(Nullable(String)))"),
        ("span_status", f"Array({_SMALL})"),
        ("span_status_message", "Array(Nullable(String)) CODEC(ZSTD(1))"),
        ("span_duration_ms", "Array(Nullable(Int64)) CODEC(ZSTD(1))"),
        ("span_model", "Array(LowCardinality(Nullable(String)))"),
        *((f"span_{name}", "Array(Nullable(Float64)) CODEC(ZSTD(1))") for name in NUMBERS_IN_SPAN),
        ("span_terms", "Array(Int64) CODEC(ZSTD(1))"),
        _KEYS,
        ("words", f"String CODEC({_FAR}) SETTINGS ({_LARGE_BLOCKS})"),
        ("part_ns", f"Array(Int64) CODEC(ZSTD(1)) SETTINGS ({_SMALL_BLOCKS})"),
        ("part_digests", "Array(UInt32) CODEC(ZSTD(1))"),
        ("part_ended", "Array(UInt8) CODEC(ZSTD(1))"),
        ("running", f"Array({_SMALL})"),
        _PAIRS,
    ),
    order="experiment, start_ms, trace_id",
    replacing="version, is_gone",
    shard_key="cityHash64(trace_id)",
    indexes=(
        _PAIRS_INDEX,
        _KEYS_INDEX,
        "metadata_keys mapKeys(metadata) TYPE bloom_filter(0.01)",
        "id_index trace_id TYPE bloom_filter(0.01)",
        "client_index client_request_id TYPE bloom_filter(0.01)",
        "terms_index span_terms TYPE bloom_filter(0.01)",
        "state_index state TYPE set(4)",
        "name_index name TYPE set(100)",
        "duration_index duration_ms TYPE minmax",
        "arrived_index arrived TYPE minmax",
        "words_index words TYPE text(tokenizer = splitByString([' ']), posting_list_codec = 'bitpacking')",
    ),
    settings=f"index_granularity = 256, {_RARELY_MERGED}, {_MERGED_BY_COLUMN}",
    time_ms="start_ms",
)
PART: Final = Table(
    "part",
    (
        ("written_ns", "Int64 CODEC(Delta, ZSTD(1))"),
        ("trace_id", "String CODEC(ZSTD(1))"),
        ("digest", "UInt32"),
        ("payload", f"String CODEC(ZSTD(3)) SETTINGS ({_PAYLOADS})"),
    ),
    order="written_ns, trace_id, digest",
    replacing="",
    shard_key="cityHash64(trace_id)",
    settings=f"index_granularity = 8, {_RARELY_MERGED}, {_SMALL_BLOCKS}",
    time_ms="intDiv(written_ns, 1000000)",
)
SAID: Final = Table(
    "said",
    (
        ("trace_id", "String CODEC(ZSTD(1))"),
        ("kind", _SMALL),  # part, ended, edit, deletion
        ("what", _SMALL),  # of an edit: its kind
        ("key", "String CODEC(ZSTD(1))"),
        ("written_ns", "Int64 CODEC(Delta, ZSTD(1))"),
        ("digest", "UInt32"),
        ("owner", _SMALL),  # of a snapshot: the process
        ("value", "Nullable(String) CODEC(ZSTD(1))"),
    ),
    order="trace_id, kind, what, key, written_ns, digest",
    replacing="",
    shard_key="cityHash64(trace_id)",
    indexes=("kind_index kind TYPE set(4)", "owner_index owner TYPE set(100)"),
    settings=f"index_granularity = 64, {_SMALL_BLOCKS}",
    time_ms="intDiv(written_ns, 1000000)",
)
HEAD: Final = Table(
    "head",
    (
        ("trace_id", "String CODEC(ZSTD(1))"),
        ("experiment", "Int64 CODEC(ZSTD(1))"),
        ("start_ms", "Int64 CODEC(ZSTD(1))"),
        ("version", "UInt32 CODEC(ZSTD(1))"),
        ("is_gone", "UInt8 CODEC(ZSTD(1))"),
        ("arrived", "Int64 CODEC(ZSTD(1))"),
    ),
    order="trace_id, experiment, start_ms",
    replacing="version",
    shard_key="cityHash64(trace_id)",
    settings=f"index_granularity = 64, {_SMALL_BLOCKS}",
    time_ms="start_ms",
)
# What is not here has no version but the first. No row becomes too old: one that is forgotten here would have another
# one count again that it has replaced.
REVISED: Final = Table(
    "revised",
    (
        ("trace_id", "String CODEC(ZSTD(1))"),
        ("experiment", "Int64 CODEC(ZSTD(1))"),
        ("start_ms", "Int64 CODEC(ZSTD(1))"),
        ("version", "UInt32 CODEC(ZSTD(1))"),
    ),
    order="trace_id, experiment, start_ms",
    replacing="version",
    shard_key="cityHash64(trace_id)",
    settings=f"index_granularity = 64, {_SMALL_BLOCKS}",
)
FACT: Final = Table(
    "fact",
    (
        ("kind", _SMALL),
        ("subject", "String"),
        ("key", "String"),
        ("written_ns", "Int64"),
        ("digest", "UInt32"),
        ("value", "Nullable(String) CODEC(ZSTD(1))"),
    ),
    order="kind, subject, key, written_ns, digest",
    replacing="",
    shard_key="cityHash64(subject)",
)
EXPERIMENT: Final = Table(
    "experiment",
    (("id", "Int64"), ("name", "String")),
    order="id",
    replacing="",
    shard_key="id",
)
SEGMENT: Final = Table(
    "segment",
    (("name", "String"), ("position", "Int64"), ("moment", "Int64"), ("is_gone", "UInt8")),
    order="name",
    replacing="moment, is_gone",
    shard_key="cityHash64(name)",
)
TABLES: Final = (TRACE, PART, SAID, HEAD, REVISED, FACT, EXPERIMENT, SEGMENT)
# What is said of each trace, by table and the column with its id: all that goes when it is erased.
OF_TRACES: Final = (TRACE, PART, SAID, HEAD, REVISED)

_HEADS: Final = (
    "CREATE MATERIALIZED VIEW IF NOT EXISTS head_of_trace{on} TO head{local} AS"
    " SELECT trace_id, experiment, start_ms, version, is_gone, arrived FROM trace{local}"
)
_REVISED_ROWS: Final = "SELECT trace_id, experiment, start_ms, version FROM trace{local} WHERE version > 1"
_REVISIONS: Final = f"CREATE MATERIALIZED VIEW IF NOT EXISTS revised_trace{{on}} TO revised{{local}} AS {_REVISED_ROWS}"
_SPAN_KEYS_ADDED: Final = (
    f"ALTER TABLE trace{{local}}{{on}} ADD COLUMN IF NOT EXISTS {' '.join(_KEYS)}",
    f"ALTER TABLE trace{{local}}{{on}} ADD INDEX IF NOT EXISTS {_KEYS_INDEX}",
    "ALTER TABLE trace{local}{on} MATERIALIZE COLUMN span_keys",
    "ALTER TABLE trace{local}{on} MATERIALIZE INDEX keys_index",
)
_SPAN_KEYS_OVER_ALL: Final = (f"ALTER TABLE trace{{on}} ADD COLUMN IF NOT EXISTS {' '.join(_KEYS)}",)
# By number, what became of tables that were made before. What cannot be changed afterwards stays as it is there: marks
# of `part` were at 64 rows before 2, which reads more of it for a page of traces.
_CHANGES: Final[dict[int, tuple[str, ...]]] = {
    1: (),
    2: tuple(f"ALTER TABLE {table}{{local}}{{on}} MODIFY SETTING {_SMALL_BLOCKS}" for table in ("said", "head")),
    3: tuple(
        f"ALTER TABLE {table}{{local}}{{on}} MODIFY SETTING merge_selector_base = 16" for table in ("trace", "part")
    ),
    4: (
        f"ALTER TABLE trace{{local}}{{on}} ADD COLUMN IF NOT EXISTS {' '.join(_PAIRS)}",
        f"ALTER TABLE trace{{local}}{{on}} ADD INDEX IF NOT EXISTS {_PAIRS_INDEX}",
        # Until both have been made of a part its pairs are worked out from the maps: right, and slow.
        "ALTER TABLE trace{local}{on} MATERIALIZE COLUMN pairs",
        "ALTER TABLE trace{local}{on} MATERIALIZE INDEX pairs_index",
    ),
    5: (
        f"ALTER TABLE trace{{local}}{{on}} MODIFY SETTING {_RARELY_MERGED}, {_MERGED_BY_COLUMN}",
        f"ALTER TABLE part{{local}}{{on}} MODIFY SETTING {_RARELY_MERGED}",
        f"ALTER TABLE trace{{local}}{{on}} MODIFY COLUMN words MODIFY SETTING {_LARGE_BLOCKS}",
    ),
    6: (
        *(f"ALTER TABLE trace{{local}}{{on}} MODIFY COLUMN {name} {kind}" for name, kind in _LENGTHS),
        # What the view has not seen. Over all servers at once: each row goes where those of its trace are.
        f"INSERT INTO revised {_REVISED_ROWS.format(local='')}",
        f"ALTER TABLE part{{local}}{{on}} MODIFY COLUMN payload MODIFY SETTING {_PAYLOADS}",
        f"ALTER TABLE part{{local}}{{on}} MODIFY SETTING {_SMALL_BLOCKS}",
        # Columns of the order, and those that say which row counts, stay as they are.
        f"ALTER TABLE trace{{local}}{{on}} MODIFY COLUMN part_ns MODIFY SETTING {_SMALL_BLOCKS}",
    ),
    7: _SPAN_KEYS_ADDED,
    8: (
        f"ALTER TABLE trace{{local}}{{on}} MODIFY COLUMN words CODEC({_FAR})",
        f"ALTER TABLE part{{local}}{{on}} MODIFY COLUMN payload MODIFY SETTING {_PAYLOADS}",
    ),
}
# What becomes of the tables over all servers of a cluster.
_CHANGES_OVER_ALL: Final[dict[int, tuple[str, ...]]] = {
    4: (f"ALTER TABLE trace{{on}} ADD COLUMN IF NOT EXISTS {' '.join(_PAIRS)}",),
    7: _SPAN_KEYS_OVER_ALL,
}
_DAY_S: Final = 86_400
_LAST_S: Final = 2**32 - 1  # in 2106: what is later would count from 1970 again, and be removed at once; 0 is never
# Where keepers have a replicated table: one of each shard, or the same one of all servers.
_OF_SHARD: Final = "'/clickhouse/tables/{uuid}/{shard}', '{replica}'"
_ON_ALL: Final = "'/clickhouse/tables/{uuid}/all', '{shard}-{replica}'"
_OURS: Final = frozenset([*(table.name for table in TABLES), "head_of_trace", "revised_trace", "migration"])
_MIGRATION: Final = "CREATE TABLE IF NOT EXISTS migration{on} (number UInt32, made DateTime DEFAULT now())"


def make_tables(engine: Engine) -> None:
    """Make what is missing, and bring up what is older; whoever else does so at the same time does the same."""
    there = _tables_of(engine)
    first, *others = statements(engine.address)
    if not there & (_OURS - {"migration"}):
        # They are made as the last migration leaves them, and that is said first: whoever else opens them meanwhile, or
        # after this program has ended in the midst, may perhaps make tables and not change them.
        engine.run(first)
        engine.insert("migration", {"number": "UInt32"}, [[number] for number in sorted(_CHANGES)])
    if not there >= _OURS or (engine.address.cluster and _may_make(engine)):  # servers may have come to it since
        for statement in (first, *others):
            engine.run(statement)
    done = {number for (number,) in engine.select(Sql("SELECT DISTINCT number FROM migration"))}
    for number in sorted(_CHANGES.keys() - done):
        for statement in changes(number, engine.address):
            engine.run(statement)
        engine.insert("migration", {"number": "UInt32"}, [[number]])


def _may_make(engine: Engine) -> bool:
    (is_granted,) = engine.select(Sql(f"CHECK GRANT CREATE TABLE ON {engine.address.database}.*"))[0]
    return bool(int(is_granted)) and engine.select(Sql("SELECT getSetting('readonly')")) == [(0,)]


def _tables_of(engine: Engine) -> set[str]:
    rows = engine.select(Sql("SELECT name FROM system.tables WHERE database = ?", (engine.address.database,)))
    return {name for (name,) in rows}


def changes(number: int, address: ClickHouseAddress) -> list[str]:
    """Return what a migration does to tables that were made before it."""
    on, local = _on(address), _local(address)
    over_all = _CHANGES_OVER_ALL.get(number, ()) if address.cluster else ()
    return [each.format(on=on, local=local) for each in (*_CHANGES[number], *over_all)]


def statements(address: ClickHouseAddress) -> list[str]:
    """Return what makes the tables, that of migrations first.

    With a cluster each is made on all of its servers, and one over all of them.
    """
    on, local = _on(address), _local(address)
    found = [_engine_of(_MIGRATION.format(on=on), "", "number", address, _ON_ALL)]
    found += [_create(table, address, on, local) for table in TABLES]
    if address.cluster:
        found += [_over_all(table, address, on) for table in TABLES]
    return [*found, *(each.format(on=on, local=local) for each in (_HEADS, _REVISIONS))]


def _on(address: ClickHouseAddress) -> str:
    return f" ON CLUSTER {address.cluster}" if address.cluster else ""


def _local(address: ClickHouseAddress) -> str:
    return "_local" if address.cluster else ""


def _create(table: Table, address: ClickHouseAddress, on: str, local: str) -> str:
    columns = [f"    {name} {kind}" for name, kind in table.columns]
    columns += [f"    INDEX {index}" for index in table.indexes]
    joined = ",\n".join(columns)
    head = f"CREATE TABLE IF NOT EXISTS {table.name}{local}{on} (\n{joined}\n)"
    made = _engine_of(head, table.replacing, table.order, address)
    if address.retention_days is not None and table.time_ms is not None:
        end_s = f"intDiv({table.time_ms}, 1000) + {address.retention_days * _DAY_S}"
        made += f"\nTTL toDateTime(least(greatest({end_s}, 1), {_LAST_S}))"
    return f"{made}\nSETTINGS {table.settings}" if table.settings else made


def _engine_of(head: str, replacing: str, order: str, address: ClickHouseAddress, path: str = _OF_SHARD) -> str:
    engine = "ReplacingMergeTree"
    place = [replacing] if replacing else []
    if address.cluster:
        engine, place = "ReplicatedReplacingMergeTree", [path, *place]
    return f"{head}\nENGINE = {engine}({', '.join(place)})\nORDER BY ({order})"


def _over_all(table: Table, address: ClickHouseAddress, on: str) -> str:
    return (
        f"CREATE TABLE IF NOT EXISTS {table.name}{on} AS {table.name}_local\n"
        f"ENGINE = Distributed({address.cluster}, {address.database}, {table.name}_local, {table.shard_key})"
    )
