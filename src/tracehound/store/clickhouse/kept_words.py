"""Words of the text index, kept in memory: a part of a table never changes, so the words of each are read once.

To go through all words of a million traces takes the engine 75 ms of the processor for every text that is looked for;
here it takes 2 to 6. What is kept leaves nothing out: a search asks the engine for the words of all other parts in one
statement, and that sees all parts of one moment, whatever is inserted or merged meanwhile. Words of parts that are gone
lead to nothing. All of that rests on what tells parts of one name apart (`_PARTS`).
"""

from __future__ import annotations

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Final

from tracehound.errors import SearchTimeoutError, StoreError
from tracehound.query.clickhouse import as_list
from tracehound.query.limit import SearchLimit
from tracehound.query.sql import Sql
from tracehound.store.clickhouse.engine import Engine

_MOST_BYTES: Final = 64_000_000  # of a store: some four million traces
_ROWS_AT_ONCE: Final = 250_000  # whose words a search reads: it takes 10 ms longer by that, and the next ones less
_PART_ROWS: Final = 20_000  # as long as it takes to read a part with a single row more: the usual words are in each
_ROW_BYTES: Final = 16  # as long as nothing is known
_AGAIN_S: Final = 600.0  # behind a read that failed
_OF_TIME_LEFT: Final = 0.25  # for a read, of a search that may take so long and no longer
_FLICKER_S: Final = 5  # when a server started is told to the second, and clocks are set
_BETWEEN: Final = b" "  # in no word
_WINDOW_BYTES: Final = 1_000_000  # looked through in half a millisecond, in which no other thread runs
# What tells a part from another one of the same name: the table, for one that is made anew begins with the same names;
# and the key of a row in 256, which the engine has in memory. Names also come again when a server starts with a table
# that was emptied.
_PARTS: Final = (
    "SELECT part_name, sum(rows_in_granule), sum(cityHash64(experiment, start_ms, trace_id)),"
    " (SELECT toString(uuid) FROM system.tables WHERE database = '{database}' AND name = 'trace'),"
    " hostName(), toUnixTimestamp(now()) - uptime()"
    " FROM mergeTreeIndex('{database}', 'trace') GROUP BY part_name"
    " SETTINGS max_threads = 1, compile_aggregate_expressions = 0"
)
# A word has one form (`words_by_place`), or no letters of ASCII: in which words a text is looked for depends on it. No
# text comes if all of them are more than there is room for.
_SMALL: Final = 1
_LARGE: Final = 2
_WORDS: Final = (
    "SELECT part_name, letters, bytes, if(sum(bytes) OVER () <= ?, arrayStringConcat(tokens, ' '), '')"
    " FROM (SELECT part_name, (token != upper(token)) + 2 * (token != lower(token)) AS letters,"
    " sum(length(token) + 1) AS bytes, groupArray(token) AS tokens"
    " FROM mergeTreeTextIndex('{database}', 'trace', 'words_index') WHERE part_name IN ?"
    " GROUP BY part_name, letters)"
    " SETTINGS max_threads = 2, compile_aggregate_expressions = 0"
)


@dataclass(frozen=True)
class Part:
    """A part of the table, and its words by which letters they have, with spaces around.

    Where there are no `texts` the engine is asked for its words. `size` is how many bytes they are, when that is known;
    of a part of which the engine told no words it is 0.
    """

    rows: int
    identity: Hashable
    size: int | None = None
    texts: Mapping[int, bytes] | None = None


@dataclass
class KeptWords:
    """The words of the parts of one store's table, as many as there is room for."""

    most_bytes: int = _MOST_BYTES
    rows_at_once: int = _ROWS_AT_ONCE
    again_s: float = _AGAIN_S
    _parts: Mapping[str, Part] = field(default_factory=dict)
    _servers: dict[str, int] = field(default_factory=dict)  # when each of them started
    _closed: int = 0  # how often the memory was given back
    _not_before_s: float = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _reading: threading.Lock = field(default_factory=threading.Lock)

    def parts(self, engine: Engine, limit: SearchLimit | None = None) -> dict[str, Part]:
        """Return the parts whose words are kept, by name, when those of some that are new have been read.

        Of a cluster none are: its servers have parts of the same names.
        """
        if engine.address.cluster:
            return {}
        closed = self._closed
        try:
            listed = self._list(engine, limit)
        except StoreError:  # nobody knows which there are: all words are asked for
            return {}
        known = _standing(self._parts, listed)
        if not self._reading.acquire(blocking=False):  # by what another thread reads it would only be held up
            return _kept(known)
        try:
            known |= self._read(engine, listed, known, limit)
        finally:
            self._reading.release()
        with self._lock:
            if self._closed == closed:
                self._parts = known
        return _kept(known)

    def forget(self) -> None:
        """Give the memory back."""
        with self._lock:
            self._closed += 1
            self._parts = {}

    def _list(self, engine: Engine, limit: SearchLimit | None) -> dict[str, Part]:
        """Return the parts that there are, by name; forget all that is known if a server has been started again."""
        rows = engine.select(Sql(_PARTS.format(database=engine.address.database)), limit)
        for host, started in {(str(row[4]), int(row[5])) for row in rows}:
            if abs(self._servers.setdefault(host, started) - started) > _FLICKER_S:
                self.forget()
                self._servers[host] = started
        return {str(name): Part(int(count), (keys, table)) for name, count, keys, table, *_ in rows}

    def _read(
        self, engine: Engine, listed: Mapping[str, Part], known: Mapping[str, Part], limit: SearchLimit | None
    ) -> dict[str, Part]:
        """Return some parts with their words, the largest first, for which there should be room.

        It is worth a part of the time that a search has, and no more: without it the engine is asked, as ever.
        """
        room = self.most_bytes - _bytes_of(known)
        wanted = self._wanted(listed, known, room)
        if not wanted or time.monotonic() < self._not_before_s:
            return {}
        sql = Sql(_WORDS.format(database=engine.address.database), (room, as_list(list(wanted))))
        try:
            with nullcontext() if limit is None else limit.running():
                rows = engine.select_bytes(sql, _part_of(limit))
        except (StoreError, SearchTimeoutError):
            self._not_before_s = time.monotonic() + self.again_s
            return {}
        texts: defaultdict[str, dict[int, bytes]] = defaultdict(dict)
        sizes: Counter[str] = Counter()
        for name, letters, size, text in rows:
            texts[name.decode()][letters] = b" %b " % text
            sizes[name.decode()] += size
        fits = sizes.total() <= room
        return {
            name: replace(part, size=sizes[name], texts=texts[name] if fits and name in texts else None)
            for name, part in wanted.items()
        }

    def _wanted(self, listed: Mapping[str, Part], known: Mapping[str, Part], room: int) -> dict[str, Part]:
        rows = sum(part.rows for part in _kept(known).values())
        row_bytes = _bytes_of(known) / rows if rows else _ROW_BYTES
        wanted: dict[str, Part] = {}
        count = 0
        for name, part in sorted(listed.items(), key=lambda each: -each[1].rows):
            there = known.get(name, part)
            size = int(part.rows * row_bytes) if there.size is None else there.size
            count_with = count + part.rows + _PART_ROWS
            if there.size == 0 or there.texts is not None or size > room or (wanted and count_with > self.rows_at_once):
                continue
            room, count = room - size, count_with
            wanted[name] = part
        return wanted


def words_with(parts: Iterable[Part], texts: Sequence[bytes], most: int, limit: SearchLimit | None = None) -> set[str]:
    """Return the words that have one of some texts in them, more than `most` if these are not all.

    A space in a text is where a word begins or ends.
    """
    found: set[bytes] = set()
    with nullcontext() if limit is None else limit.running():
        for part in parts:
            for text in texts:
                for letters, words in (part.texts or {}).items():
                    if _may_have(letters, text):
                        _add_words(found, words, text, most, limit)
                    if len(found) > most:
                        return _decoded(found)
    return _decoded(found)


def _decoded(words: Iterable[bytes]) -> set[str]:
    """Return words as texts. What is none, as half of a surrogate pair, is another one, which leads to no trace."""
    return {each.decode(errors="backslashreplace") for each in words}


def _may_have(letters: int, text: bytes) -> bool:
    has_small, has_large = text != text.upper(), text != text.lower()
    return (not has_small or letters & _SMALL > 0) and (not has_large or letters & _LARGE > 0)


def _add_words(found: set[bytes], words: bytes, text: bytes, most: int, limit: SearchLimit | None) -> None:
    """Add those of the words that have a text in them, or more than `most`; other threads run in between."""
    for begin in range(0, len(words), _WINDOW_BYTES):
        if limit is not None:
            limit.check()
        at, end = begin, begin + _WINDOW_BYTES + len(text) - 1
        while len(found) <= most and (at := words.find(text, at, end)) >= 0:
            word_end = words.index(_BETWEEN, at + 1)
            found.add(words[words.rindex(_BETWEEN, 0, at + 1) + 1 : word_end])
            at = word_end


def _part_of(limit: SearchLimit | None) -> SearchLimit | None:
    """Return the limit of what is worth a part of the time that is left."""
    if limit is None or limit.seconds is None:
        return limit
    return SearchLimit(max(0.001, _OF_TIME_LEFT * (limit.seconds - limit.spent_s())))


def _standing(parts: Mapping[str, Part], listed: Mapping[str, Part]) -> dict[str, Part]:
    """Return those of the parts that are there, and are the same."""
    return {
        name: part
        for name, part in parts.items()
        if name in listed and (listed[name].rows, listed[name].identity) == (part.rows, part.identity)
    }


def _kept(parts: Mapping[str, Part]) -> dict[str, Part]:
    return {name: part for name, part in parts.items() if part.texts is not None}


def _bytes_of(parts: Mapping[str, Part]) -> int:
    return sum(part.size or 0 for part in _kept(parts).values())
