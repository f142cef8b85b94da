"""The text index in the store: blocks of words are written with each batch, and asked which traces may have a text."""

from __future__ import annotations

import bisect
import itertools
import sqlite3
from array import array
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

from tracehound.query.needles import Needles
from tracehound.store.sqlite.faults import damaged_structures
from tracehound.store.sqlite.words import NOBODY, Block, lines_with, make_block, merge_blocks, without

# A block is of the first tier whose traces are not fewer; those of the last are left as they are. Of the others there
# are never `_FEW`, nor do those of a tier together have as many traces as one of the last.
_TIERS: Final = (0, 16, 128, 700)
_LAST: Final = len(_TIERS) - 1
_FEW: Final = 16
_MAX_TRACES: Final = 10_000  # of one block, all in all: rows take two bytes each

_AS_LONG_AS_A_BLOCK: Final = 16  # traces
_MANY_OF: Final = 50  # if at least one of so many has a text, many have it
# So many blocks say how many traces have a text, if it is so many times as many as are of use.
_SAMPLED: Final = 8
_FAR_MORE: Final = 4

_COLUMNS: Final = "unknown, words, ends, rows, seqs"


def add_words(connection: sqlite3.Connection, traces: Sequence[tuple[int, bytes | None]]) -> None:
    """Add the words of traces to the index, beside those that it has of them."""
    for at in range(0, len(traces), _MAX_TRACES):
        _insert(connection, make_block(traces[at : at + _MAX_TRACES]))
    for tier in range(_LAST):
        _merge_tier(connection, tier)


def remove_words(connection: sqlite3.Connection, seqs: AbstractSet[int]) -> None:
    """Take traces out of the index, and the words that no other trace has."""
    overlapping = "SELECT number FROM block WHERE least <= ? AND greatest >= ?"
    for (number,) in connection.execute(overlapping, (max(seqs), min(seqs))).fetchall():
        one = f"SELECT {_COLUMNS} FROM block WHERE number = ?"  # noqa: S608 - our own words
        block = _to_block(connection.execute(one, (number,)).fetchone())
        if seqs.isdisjoint(block.seqs) and seqs.isdisjoint(block.unknown):
            continue
        with damaged_structures():
            left = without(block, seqs)
        connection.execute("DELETE FROM block WHERE number = ?", (number,))
        if left is not None:
            _insert(connection, left, number)


def without_words(connection: sqlite3.Connection) -> int:
    """Return how many traces no block has."""
    known: set[int] = set()
    for unknown, seqs in connection.execute("SELECT unknown, seqs FROM block"):
        known.update(_numbers(unknown), _numbers(seqs))
    return sum(seq not in known for (seq,) in connection.execute("SELECT seq FROM trace"))


class Words:
    """What the index has of texts, in the moment that a connection sees."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._candidates: dict[Needles, Candidates] = {}

    def candidates(self, needles: Needles) -> Candidates:
        """Return the traces that may have a text: those that were looked for before."""
        found = self._candidates.get(needles)
        if found is None:
            found = self._candidates[needles] = Candidates(self._connection, needles)
        return found


class Candidates:
    """The traces that may have a text, found block by block as they are asked for, from those that arrived last."""

    def __init__(self, connection: sqlite3.Connection, needles: Needles) -> None:
        self._connection = connection
        self._needles = needles
        blocks = connection.execute("SELECT greatest, least, number FROM block ORDER BY greatest").fetchall()
        self._greatest = [greatest for greatest, _, _ in blocks]
        self._least = [least for _, least, _ in blocks]
        # Of each block and all behind it: mostly one block has a trace, and nothing behind it has to be looked at.
        self._least_behind = [*itertools.accumulate(reversed(self._least), min)][::-1]
        self._numbers: list[int | None] = [number for _, _, number in blocks]  # None for one that was looked into
        self._asked = [0] * len(blocks)  # of which traces, without a look into the block
        self._looked_into = self._looked_at = 0
        self._found: set[int] = set()

    @property
    def count(self) -> int:
        """How many were found so far."""
        return len(self._found)

    def may_have(self, seq: int) -> bool:
        """Whether a trace may have the text.

        In an order that is not that of arrival nearly every trace is of another block. To look into that takes as long
        as to look into the spans of `_AS_LONG_AS_A_BLOCK` traces: where many have the text, so many of a block come
        first.
        """
        at = bisect.bisect_left(self._greatest, seq)
        while at < len(self._numbers) and self._least_behind[at] <= seq:
            if self._least[at] <= seq and self._numbers[at] is not None:
                if self._is_with_many() and self._asked[at] < _AS_LONG_AS_A_BLOCK:
                    self._asked[at] += 1
                    return True
                self._look_into(at)
            at += 1
        return seq in self._found

    def first(self, limit: int) -> list[int] | None:
        """Return all traces that may have the text; None where they are more than the limit, or seem to be far more."""
        for at in range(len(self._numbers) - 1, -1, -1):
            if len(self._found) > limit or self._seem_more_than(_FAR_MORE * limit):
                return None
            self._look_into(at)
        return list(self._found) if len(self._found) <= limit else None

    def _seem_more_than(self, limit: int) -> bool:
        return self._looked_into >= _SAMPLED and len(self._found) * len(self._numbers) > limit * self._looked_into

    def _is_with_many(self) -> bool:
        """Whether many traces have the text, as far as was looked."""
        return self._looked_into > 0 and len(self._found) * _MANY_OF >= self._looked_at

    def _look_into(self, at: int) -> None:
        number, self._numbers[at] = self._numbers[at], None
        if number is None:
            return
        self._looked_into += 1
        self._looked_at += self._greatest[at] - self._least[at] + 1
        execute = self._connection.execute
        unknown, words = execute("SELECT unknown, words FROM block WHERE number = ?", (number,)).fetchone()
        with damaged_structures():
            self._found.update(_numbers(unknown))
            lines = lines_with(words, self._needles)
            if lines is not None:
                row = execute("SELECT ends, rows, seqs FROM block WHERE number = ?", (number,)).fetchone()
                self._found.update(_to_block((unknown, words, *row)).find(self._needles, lines))


def _insert(connection: sqlite3.Connection, block: Block, number: int | None = None) -> None:
    """Write a block, behind all others unless it has had a number."""
    seqs = [seq for seq in (*block.seqs, *block.unknown) if seq != NOBODY]
    tier = max(tier for tier, least in enumerate(_TIERS) if len(seqs) >= least)
    connection.execute(
        "INSERT INTO block VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            number, tier, min(seqs), max(seqs), array("q", block.unknown).tobytes(), block.words,
            memoryview(block.ends).tobytes(), memoryview(block.rows).tobytes(), array("q", block.seqs).tobytes(),
        ),
    )  # fmt: skip


def _merge_tier(connection: sqlite3.Connection, tier: int) -> None:
    """Put the blocks of a tier together where they are many."""
    text = f"SELECT number, {_COLUMNS} FROM block WHERE tier = ? ORDER BY number"  # noqa: S608 - our own words
    sizes = connection.execute("SELECT count(*), sum(length(seqs)) FROM block WHERE tier = ?", (tier,)).fetchone()
    if sizes[0] < _FEW and (sizes[1] or 0) < 8 * _TIERS[_LAST]:
        return
    rows = connection.execute(text, (tier,)).fetchall()
    connection.executemany("DELETE FROM block WHERE number = ?", [(row[0],) for row in rows])
    with damaged_structures():
        merged = merge_blocks([_to_block(row[1:]) for row in rows])
    _insert(connection, merged)


def _to_block(row: Sequence[bytes]) -> Block:
    with damaged_structures():
        unknown, words, ends, rows, seqs = row
        return Block(words, memoryview(ends).cast("I"), memoryview(rows).cast("H"), _numbers(seqs), _numbers(unknown))


def _numbers(data: bytes) -> memoryview[int]:
    return memoryview(data).cast("q")
