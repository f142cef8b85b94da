"""What can still be read of a file with damaged pages, piece by piece: one statement over many ends at the first.

A trace is in two tables and some indexes. Each is asked for one number at a time, so what is lost is what stood on a
damaged page and nothing else: a trace whose row is lost is copied from its parts, which say everything themselves, and
parts that the index does not lead to any more are looked for in the table. Indexes have the numbers and ids as well,
and so tell what is lost.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tracehound.model.edit import Change, Edit
from tracehound.model.record import DecodeError
from tracehound.model.trace import TracePart
from tracehound.store.sqlite.batch import to_part
from tracehound.store.sqlite.changes import read_edits
from tracehound.wire.payload import DamagedPayloadError

# What a page that was overwritten may give instead of an error.
NONSENSE: Final = (DamagedPayloadError, DecodeError, LookupError, TypeError, ValueError, AttributeError)
# What SQLite and Python say of damage: a row that is said to be long is given room before it is read.
FAULTS: Final = (sqlite3.DatabaseError, MemoryError)
_DAMAGE: Final = ("malformed", "disk I/O error", "Could not decode", "too big")

_WITH_IDS: Final = ("sqlite_autoindex_trace_1", "trace_by_start", "trace_by_duration")
_LAST: Final = (
    "SELECT max(seq) FROM trace",
    *(f"SELECT max(seq) FROM trace INDEXED BY {name}" for name in _WITH_IDS),  # noqa: S608 - our own names
    "SELECT max(trace) FROM part",
)
_LAST_ROW: Final = ("SELECT max(rowid) FROM part", "SELECT max(rowid) FROM part INDEXED BY sqlite_autoindex_part_1")
_PARTS: Final = "SELECT payload, has_ended FROM part WHERE trace = ? ORDER BY written_ns, checksum"
_ROWS: Final = "SELECT rowid, trace FROM part NOT INDEXED WHERE rowid > ? ORDER BY rowid"
_PART: Final = "SELECT payload, has_ended FROM part NOT INDEXED WHERE rowid = ?"

GONE: Final = "its spans cannot be read"
INCOMPLETE: Final = "some of its spans may be missing, what can be read was copied"
UNKNOWN: Final = "traces among these may be lost that are not named here"
WITHOUT_EDITS: Final = "its tags and feedback cannot be read, its spans were copied"


@dataclass
class Salvaged:
    """Some numbers of traces: what can be read of them, up to which number, and what cannot be, with the reason."""

    end: int
    has_more: bool
    changes: list[Change] = field(default_factory=list)
    reasons: dict[str, str] = field(default_factory=dict)


def is_damage(error: Exception) -> bool:
    """Whether an error tells that something cannot be read, and other things may be."""
    return isinstance(error, MemoryError) or any(text in str(error) for text in _DAMAGE)


@dataclass
class _Pieces:
    """What the tables and indexes have of some numbers of traces, and where reading has met damage."""

    ids: dict[int, str]
    are_all_known: bool
    parts: dict[int, list[TracePart]] = field(default_factory=dict)
    met_damage: set[int] = field(default_factory=set)
    doubtful: set[int] = field(default_factory=set)  # whose parts were looked for in a table that is damaged itself

    def name(self, number: int) -> str:
        """Return the id of a trace; what else there is to call it by, where that is lost."""
        some = self.parts.get(number)
        return self.ids.get(number) or (some[0].trace_id if some else f"number {number}")


def salvage_traces(connection: sqlite3.Connection, behind: int, limit: int) -> Salvaged:
    """Return what can be read of so many numbers of traces behind one; raise SQLite's error where that is nothing."""
    last = _last(connection, _LAST)
    found = Salvaged(min(behind + limit, last), behind + limit < last)
    numbers = range(behind + 1, found.end + 1)
    pieces = _find_pieces(connection, numbers)
    if not pieces.are_all_known:
        found.reasons[f"numbers {numbers.start} to {found.end}"] = UNKNOWN
    for number in numbers:
        name, some = pieces.name(number), pieces.parts.get(number, [])
        if not some:
            if number in pieces.ids or number in pieces.met_damage:
                found.reasons[name] = GONE
            continue
        edits = _edits(connection, name)
        found.changes += [*some, *(edits or [])]
        if number in pieces.doubtful:
            found.reasons[name] = INCOMPLETE
        elif edits is None:
            found.reasons[name] = WITHOUT_EDITS
    return found


def _find_pieces(connection: sqlite3.Connection, numbers: range) -> _Pieces:
    found = _Pieces(*_ids(connection, numbers))
    for number in numbers:
        try:
            row = connection.execute("SELECT trace_id FROM trace WHERE seq = ?", (number,)).fetchone()
            if row is not None:
                found.ids.setdefault(number, str(row[0]))
        except FAULTS as error:  # noqa: PERF203 - each alone, which is what it is for
            _expect_damage(error)
            if not found.are_all_known:
                found.met_damage.add(number)
    # Where no index tells which numbers there are, an empty answer for one does not tell either.
    wanted = sorted(found.ids) if found.are_all_known else numbers
    for number in wanted:
        try:
            found.parts[number] = _read(connection.execute(_PARTS, (number,)).fetchall())
        except (*FAULTS, *NONSENSE) as error:  # noqa: PERF203 - each alone, which is what it is for
            _expect_damage(error)
            found.met_damage.add(number)
    lost = [number for number in wanted if not found.parts.get(number)]
    if lost:
        rescued, is_whole = _look_for(connection, lost)
        found.parts |= rescued
        found.doubtful = set() if is_whole else set(rescued)
    return found


def salvage_rows(
    connection: sqlite3.Connection, table: str, columns: str, key: str
) -> tuple[list[tuple[Any, ...]], bool]:
    """Return the rows of a table that can be read from its two ends; and whether that is all of them."""
    rows: dict[tuple[Any, ...], None] = {}
    for direction in ("ASC", "DESC"):
        order = ", ".join(f"{each} {direction}" for each in key.split(", "))
        try:
            for row in connection.execute(f"SELECT {columns} FROM {table} ORDER BY {order}"):  # noqa: S608
                rows[row] = None
        except FAULTS as error:
            _expect_damage(error)
        else:
            return list(rows), True
    return list(rows), False


def _look_for(connection: sqlite3.Connection, numbers: Sequence[int]) -> tuple[dict[int, list[TracePart]], bool]:
    """Return the parts of some traces that the table has, whatever its index says; and whether all of it was read."""
    found: dict[int, list[TracePart]] = {}
    wanted = set(numbers)
    is_whole = True
    for row in _walk(connection):
        if row is None:
            is_whole = False
        elif row[1] in wanted:
            try:
                some = _read(connection.execute(_PART, (row[0],)).fetchall())
            except (*FAULTS, *NONSENSE) as error:
                _expect_damage(error)
                is_whole = False
            else:
                found.setdefault(row[1], []).extend(some)
    return found, is_whole


def _walk(connection: sqlite3.Connection) -> Iterator[tuple[int, int] | None]:
    """Yield the rows of the table of parts, and None for each number behind which nothing can be read."""
    last = _last(connection, _LAST_ROW)
    at = 0
    while at < last:
        try:
            for row in connection.execute(_ROWS, (at,)):
                if row[0] <= at:  # a page leads back to where this has been
                    break
                at = row[0]
                yield row
            else:
                return
        except FAULTS as error:
            _expect_damage(error)
        yield None
        at += 1


def is_missing_some(connection: sqlite3.Connection, behind: int, last: int, numbers: Collection[int]) -> bool:
    """Whether there are parts of a trace between two numbers that is not among those that were found.

    A page of which only some was overwritten may lead past its rows without an error.
    """
    text = "SELECT DISTINCT trace FROM part WHERE trace > ? AND trace <= ?"
    return any(number not in numbers for (number,) in connection.execute(text, (behind, last)))


def _ids(connection: sqlite3.Connection, numbers: range) -> tuple[dict[int, str], bool]:
    """Return the ids of traces that indexes have, and whether one of them could be read from end to end."""
    found: dict[int, str] = {}
    is_all = False
    for index in _WITH_IDS:
        text = f"SELECT seq, trace_id FROM trace INDEXED BY {index} WHERE seq BETWEEN ? AND ?"  # noqa: S608 - our own
        try:
            for seq, trace_id in connection.execute(text, (numbers.start, numbers.stop - 1)):
                found.setdefault(seq, str(trace_id))
            is_all = True
        except FAULTS as error:
            _expect_damage(error)
    return found, is_all


def _last(connection: sqlite3.Connection, statements: Sequence[str]) -> int:
    """Return the last number, from whatever can be read of it; raise SQLite's error where nothing can."""
    fault: Exception | None = None
    found: list[int] = []
    for text in statements:
        try:
            found += [row[0] for row in connection.execute(text) if isinstance(row[0], int)]
        except FAULTS as error:  # noqa: PERF203 - there are five
            _expect_damage(error)
            fault = error
    if fault is not None and not found:
        raise fault
    return max(found, default=0)


def _edits(connection: sqlite3.Connection, trace_id: str) -> Sequence[Edit] | None:
    """Return the edits of a trace; None where they cannot be read."""
    try:
        found: Mapping[str, list[Edit]] = read_edits(connection, [trace_id])
    except FAULTS as error:
        _expect_damage(error)
        return None
    return found.get(trace_id, [])


def _read(rows: Sequence[tuple[bytes, int]]) -> list[TracePart]:
    return [to_part(payload, has_ended) for payload, has_ended in rows]


def _expect_damage(error: Exception) -> None:
    """Raise the error again where it tells of something else than damage."""
    if isinstance(error, FAULTS) and not is_damage(error):
        raise error
