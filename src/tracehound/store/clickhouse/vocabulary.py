"""The words of the text index, and which of them a piece of a text may be a part of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from tracehound.query.limit import SearchLimit
from tracehound.query.sql import Sql, join
from tracehound.query.words import Piece
from tracehound.store.clickhouse.engine import Engine, Rows

_MOST_WORDS: Final = 2_000  # that a piece may be a part of, to be asked for one by one
_AT_ONCE: Final = 8  # pieces: to go through a million words takes 75 ms, to look into each of them for one 5
_TESTS: Final[dict[tuple[bool, bool], str]] = {
    (True, True): "position(token, ?) > 0",
    (True, False): "endsWith(token, ?)",
    (False, True): "startsWith(token, ?)",
}


def words_with(
    engine: Engine, pieces: Sequence[Piece], limit: SearchLimit | None = None
) -> dict[Piece, list[str] | None]:
    """Return the words of the index that have each of the pieces in them where it may; None for too many."""
    found: dict[Piece, list[str] | None] = {each: [_text(each)] for each in pieces if not _is_open(each)}
    parts = [each for each in pieces if _is_open(each)]
    for at in range(0, len(parts), _AT_ONCE):
        some = parts[at : at + _AT_ONCE]
        most = len(some) * _MOST_WORDS
        rows = _ask(engine, some, most + 1, limit)
        if len(rows) <= most:
            found |= dict(zip(some, _by_piece(rows, len(some)), strict=True))
        else:  # one of them is in most of the words: which of the others' are among these nobody knows
            for each in some:
                own = _ask(engine, [each], _MOST_WORDS + 1, limit)
                found[each] = next(_by_piece(own, 1))
    return found


def _ask(engine: Engine, pieces: Sequence[Piece], most: int, limit: SearchLimit | None) -> Rows:
    """Return words that have one of the pieces, each with which of them."""
    table = "trace_local" if engine.address.cluster else "trace"
    source = f"mergeTreeTextIndex('{engine.address.database}', '{table}', 'words_index')"
    if engine.address.cluster:
        source = f"cluster('{engine.address.cluster}', {source})"
    tests = [Sql(_TESTS[each.open_left, each.open_right], (_text(each),)) for each in pieces]
    which, any_of = join(", ", tests), join(" OR ", tests)
    text = f"SELECT DISTINCT token, {which.text} FROM {source} WHERE {any_of.text} LIMIT ?"  # noqa: S608 - our own words
    return engine.select(Sql(text, (*which.parameters, *any_of.parameters, most)), limit)


def _by_piece(rows: Rows, count: int) -> Iterator[list[str] | None]:
    for at in range(1, count + 1):
        words = [str(row[0]) for row in rows if row[at]]
        yield words if len(words) <= _MOST_WORDS else None


def _is_open(piece: Piece) -> bool:
    return piece.open_left or piece.open_right


def _text(piece: Piece) -> str:
    return piece.text.decode("utf-8", "surrogatepass")
