"""Words of the text index, kept in memory: a part of a table never changes, so the words of each are read once.

To go through all words of a million traces takes the engine 75 ms of the processor for every text that is looked for;
here it takes 2 to 6. What is kept leaves nothing out: a search asks the engine for the words of all other parts in one
statement, and that sees all parts of one moment, whatever is inserted or merged meanwhile. Words of parts that are gone
lead to nothing.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tracehound.errors import StoreError
from tracehound.query.clickhouse import as_list
from tracehound.query.limit import SearchLimit
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.engine import Engine

_MOST_BYTES: Final = 64_000_000  # of a store: some four million traces
_ROWS_AT_ONCE: Final = 250_000  # whose words a search reads: it takes 10 ms longer by that, the next ones less
_PART_ROWS: Final = 20_000  # as long as it takes to read a part with a single row more: the usual words are in each
_ROW_BYTES: Final = 16  # as long as nothing is known
_BETWEEN: Final = b" "  # in no word
_WINDOW_BYTES: Final = 1_000_000  # looked through in half a millisecond, in which no other thread runs
# The engine compiles what it is asked for the fourth time: 30 to 40 ms, once in a program, for less than one.
_NOT_COMPILED: Final = "compile_expressions = 0, compile_aggregate_expressions = 0"
# What tells a part from another one of the same name, where a table was made anew, or emptied before its server
# started again: the key of a row in 256, which the engine has in memory.
_PARTS: Final = (
    "SELECT part_name, sum(rows_in_granule), sum(cityHash64(experiment, start_ms, trace_id))"  # noqa: S608 - our own words
    " FROM mergeTreeIndex('{database}', 'trace') GROUP BY part_name"
    f" SETTINGS max_threads = 1, {_NOT_COMPILED}"
)
# A word has one form (`words_by_place`), or no letters of ASCII: in which words a text is looked for depends on it.
_SMALL: Final = 1
_LARGE: Final = 2
_WORDS: Final = (
    "SELECT part_name, (token != upper(token)) + 2 * (token != lower(token)) AS letters,"  # noqa: S608 - as above
    " sum(length(token) + 1) AS bytes, if(bytes <= ?, arrayStringConcat(groupArray(token), ' '), '')"
    " FROM mergeTreeTextIndex('{database}', 'trace', 'words_index') WHERE part_name IN ?"
    " GROUP BY part_name, letters"
    f" SETTINGS max_threads = 2, {_NOT_COMPILED}"
)


@dataclass(frozen=True)
class Part:
    """A part of the table, and its words by which letters they have, with spaces around; None if they are not kept."""

    rows: int
    identity: int
    size: int = 0  # bytes of its words
    texts: Mapping[int, bytes] | None = None


@dataclass
class KeptWords:
    """The words of the parts of one store's table, as many as there is room for."""

    most_bytes: int = _MOST_BYTES
    rows_at_once: int = _ROWS_AT_ONCE
    _parts: Mapping[str, Part] = field(default_factory=dict)
    _silent: Mapping[str, Part] = field(default_factory=dict)  # of which no words came
    _bringing_up: threading.Lock = field(default_factory=threading.Lock)

    def parts(self, engine: Engine, limit: SearchLimit | None = None) -> dict[str, Part]:
        """Return the parts whose words are kept, by name, when those of some that are new have been read.

        Of a cluster none are: its servers have parts of the same names.
        """
        if engine.address.cluster:
            return {}
        try:
            listed = _list_parts(engine, limit)
        except StoreError:  # nobody knows which there are: all words are asked for
            return {}
        if not self._bringing_up.acquire(blocking=False):  # by what another thread reads it would only be held up
            return _kept(_standing(self._parts, listed))
        try:
            # One that was there before and behind the statement that told no words of it has none.
            silent = {name: _with_texts(part, {}) for name, part in _standing(self._silent, listed).items()}
            self._parts = {**_standing(self._parts, listed), **silent}
            self._silent = {}
            self._read(engine, listed, limit)
            return _kept(self._parts)
        finally:
            self._bringing_up.release()

    def forget(self) -> None:
        """Give the memory back."""
        self._parts = {}
        self._silent = {}

    def _read(self, engine: Engine, listed: Mapping[str, Part], limit: SearchLimit | None) -> None:
        """Read the words of some parts, the largest first, for which there should be room."""
        room = self.most_bytes - _bytes_of(self._parts.values())
        wanted = self._wanted(listed, room)
        if not wanted:
            return
        told: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        sizes: defaultdict[str, int] = defaultdict(int)
        sql = Sql(_WORDS.format(database=engine.address.database), (room, as_list(list(wanted))))
        try:
            rows = engine.select_bytes(sql, limit)
        except StoreError:  # too much at a time, for one: who only looks for a word needs little memory
            refused = {name: Part(part.rows, part.identity, self.most_bytes + 1) for name, part in wanted.items()}
            self._parts = {**self._parts, **refused}
            return
        for name, letters, size, text in rows:
            told[name.decode()][letters] = b" %b " % text
            sizes[name.decode()] += size
        parts = dict(self._parts)
        for name, part in wanted.items():
            fits = sizes[name] <= room
            if name in told:
                room -= sizes[name] if fits else 0
                parts[name] = Part(part.rows, part.identity, sizes[name], told[name] if fits else None)
        self._parts = parts
        self._silent = {name: part for name, part in wanted.items() if name not in told}

    def _wanted(self, listed: Mapping[str, Part], room: int) -> dict[str, Part]:
        kept = _kept(self._parts)
        rows = sum(part.rows for part in kept.values())
        row_bytes = _bytes_of(kept.values()) / rows if rows else _ROW_BYTES
        wanted: dict[str, Part] = {}
        count = 0
        for name, part in sorted(listed.items(), key=lambda each: -each[1].rows):
            size = self._parts[name].size if name in self._parts else part.rows * row_bytes
            count_with = count + part.rows + _PART_ROWS
            if name in kept or size > room or (wanted and count_with > self.rows_at_once):
                continue
            room, count = room - int(size), count_with
            wanted[name] = part
        return wanted


def words_with(parts: Iterable[Part], texts: Sequence[bytes], most: int) -> set[bytes]:
    """Return the words that have one of some texts in them, more than `most` if these are not all.

    A space in a text is where a word begins or ends.
    """
    found: set[bytes] = set()
    for part in parts:
        for text in texts:
            for letters, words in (part.texts or {}).items():
                if _may_have(letters, text):
                    _add_words(found, words, text, most)
                if len(found) > most:
                    return found
    return found


def _may_have(letters: int, text: bytes) -> bool:
    has_small, has_large = text != text.upper(), text != text.lower()
    return (not has_small or letters & _SMALL > 0) and (not has_large or letters & _LARGE > 0)


def _add_words(found: set[bytes], words: bytes, text: bytes, most: int) -> None:
    """Add those of the words that have a text in them, or more than `most`; other threads run in between."""
    for begin in range(0, len(words), _WINDOW_BYTES):
        at, end = begin, begin + _WINDOW_BYTES + len(text) - 1
        while len(found) <= most and (at := words.find(text, at, end)) >= 0:
            word_end = words.index(_BETWEEN, at + 1)
            found.add(words[words.rindex(_BETWEEN, 0, at + 1) + 1 : word_end])
            at = word_end


def _list_parts(engine: Engine, limit: SearchLimit | None) -> dict[str, Part]:
    rows = engine.select(Sql(_PARTS.format(database=engine.address.database)), limit)
    return {str(name): Part(int(count), int(identity)) for name, count, identity in rows}


def _standing(parts: Mapping[str, Part], listed: Mapping[str, Part]) -> dict[str, Part]:
    """Return those of the parts that are there, and are the same."""
    return {
        name: part
        for name, part in parts.items()
        if name in listed and (listed[name].rows, listed[name].identity) == (part.rows, part.identity)
    }


def _kept(parts: Mapping[str, Part]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if part.texts is not None}


def _with_texts(part: Part, texts: Mapping[int, bytes]) -> Part:
    return Part(part.rows, part.identity, 0, texts)


def _bytes_of(parts: Iterable[Part]) -> int:
    return sum(part.size for part in parts if part.texts is not None)
