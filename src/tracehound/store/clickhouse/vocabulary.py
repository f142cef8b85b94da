"""What the text indexes have: words that a piece of a text may be a part of, values of tags that pass a pattern."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final
from weakref import WeakSet

from tracehound.errors import StoreError
from tracehound.query.clickhouse import DIALECT, LONGEST_PAIR, MOST_VALUES, as_list, is_paired, pair
from tracehound.query.limit import SearchLimit
from tracehound.query.sql import Sql, join
from tracehound.query.tree import Test
from tracehound.query.wide import Asked
from tracehound.query.words import Piece, elsewhere
from tracehound.store.clickhouse import kept_words
from tracehound.store.clickhouse.engine import Engine, Rows
from tracehound.store.clickhouse.kept_words import KeptWords

_MOST_WORDS: Final = 3_000  # that a piece may be a part of, to be asked for one by one
_MOST_BYTES: Final = 100_000  # of them, with what stands around each: a parameter has 128 KB over HTTP
_AROUND: Final = 3
_MOST_PATTERNS: Final = 8  # of a filter: a look for the values of each takes some 3 ms
_AT_ONCE: Final = 8  # pieces: to go through a million words takes 75 ms, to look into each of them for one 5
# Tables that were made anew have the numbers of all migrations at one time (`schema.make_tables`).
_FROM_THE_START: Final = Sql("SELECT minIf(made, number = 1) = minIf(made, number = 4) FROM migration")
_known: Final[WeakSet[Engine]] = WeakSet()  # whose tables had it from the start
_TESTS: Final[dict[tuple[bool, bool], str]] = {
    (True, True): "position(token, ?) > 0",
    (True, False): "endsWith(token, ?)",
    (False, True): "startsWith(token, ?)",
}
# Of both forms of a word (`words_by_place`): to look for a piece in each of them takes as long as for two pieces.
_IN_BOTH: Final = "positionCaseInsensitive(token, ?) > 0"


def look_up(
    engine: Engine, asked: Sequence[Asked], limit: SearchLimit | None = None, kept: KeptWords | None = None
) -> dict[Asked, list[str] | None]:
    """Return what the store has of what is asked; None where that does not help."""
    found: dict[Asked, list[str] | None] = {}
    found.update(words_with(engine, [each for each in asked if isinstance(each, Piece)], limit, kept).items())
    tests = [each for each in asked if isinstance(each, Test)]
    knows_all = bool(tests) and _knows_all_pairs(engine, limit)
    for number, test in enumerate(tests):
        found[test] = values_with(engine, test, limit) if knows_all and number < _MOST_PATTERNS else None
    return found


def words_with(
    engine: Engine, pieces: Sequence[Piece], limit: SearchLimit | None = None, kept: KeptWords | None = None
) -> dict[Piece, list[str] | None]:
    """Return the words of the index that have each of the pieces in them where it may; None for too many.

    A word that stands elsewhere than in inputs has another form there (`words_by_place`). Rows that were written before
    there was one have the form of inputs for all words: where a piece is wanted elsewhere both are asked for. Words
    that are kept in memory are looked for there, all others in the index.
    """
    found: dict[Piece, list[str] | None] = {each: _texts(_forms(each)) for each in pieces if not _is_open(each)}
    parts = [each for each in pieces if _is_open(each)]
    in_memory = kept.parts(engine, limit) if kept is not None and parts else {}
    for at in range(0, len(parts), _AT_ONCE):
        some = parts[at : at + _AT_ONCE]
        most = len(some) * _MOST_WORDS
        rows = _ask(engine, some, most + 1, in_memory, limit)
        if len(rows) <= most:
            others = list(_by_piece(rows, len(some)))
        else:  # one of them is in most of the words: which of the others' are among these nobody knows
            others = [next(_by_piece(_ask(engine, [each], _MOST_WORDS + 1, in_memory, limit), 1)) for each in some]
        for each, words in zip(some, others, strict=True):
            known = kept_words.words_with(in_memory.values(), _looked_for(each), _MOST_WORDS, limit)
            found[each] = _not_too_many(words | known)
    return found


def _ask(
    engine: Engine, pieces: Sequence[Piece], most: int, in_memory: Collection[str], limit: SearchLimit | None
) -> Rows:
    """Return words that have one of the pieces, each with which of them, but those of the parts in memory alone."""
    source = _index(engine, "words_index")
    tests = [_test(each) for each in pieces]
    which, any_of = join(", ", tests), join(" OR ", tests)
    if in_memory:
        # In front: of these parts the engine does not even open the index.
        any_of = Sql(f"part_name NOT IN ? AND ({any_of.text})", (as_list(list(in_memory)), *any_of.parameters))
    text = f"SELECT DISTINCT token, {which.text} FROM {source} WHERE {any_of.text} LIMIT ?"  # noqa: S608 - our own words
    return engine.select(Sql(text, (*which.parameters, *any_of.parameters, most)), limit)


def values_with(engine: Engine, test: Test, limit: SearchLimit | None = None) -> list[str] | None:
    """Return the values that pass, of those that a tag or metadata has in any trace.

    None for too many, and for long ones, of which the index has a part.
    """
    prefix = pair(test.field, "")
    if not is_paired(test.field):
        return None
    start = len(prefix.encode()) + 1
    value = Sql("substring(token, ?)", (start,))
    passes = DIALECT.matches(test.operator, value, str(test.value))
    source = _index(engine, "pairs_index")
    text = (
        f"SELECT DISTINCT {value.text} FROM {source} WHERE startsWith(token, ?)"  # noqa: S608 - our own words
        f" AND (length(token) >= ? OR {passes.text}) LIMIT ?"
    )
    longest = start - 1 + LONGEST_PAIR
    parameters = (*value.parameters, prefix, longest, *passes.parameters, MOST_VALUES + 1)
    rows = engine.select(Sql(text, parameters), limit)
    values = [str(row[0]) for row in rows]
    return values if len(values) <= MOST_VALUES and all(is_paired(test.field, each) for each in values) else None


def _index(engine: Engine, name: str) -> str:
    """Return where the tokens of an index are, of all servers."""
    table = "trace_local" if engine.address.cluster else "trace"
    source = f"mergeTreeTextIndex('{engine.address.database}', '{table}', '{name}')"
    return f"cluster('{engine.address.cluster}', {source})" if engine.address.cluster else source


def _knows_all_pairs(engine: Engine, limit: SearchLimit | None) -> bool:
    """Whether every trace is in the index of pairs: tables had it from the start, or the engine has made it of them.

    That it has is for those to see who may read what the system tells; of others nothing is expected.
    """
    if engine in _known:
        return True
    if engine.select(_FROM_THE_START, limit)[0][0]:
        _known.add(engine)
        return True
    cluster = engine.address.cluster
    source = f"clusterAllReplicas('{cluster}', system.mutations)" if cluster else "system.mutations"
    text = f"SELECT count() FROM {source} WHERE database = ? AND NOT is_done AND position(command, 'pairs_index') > 0"  # noqa: S608 - our own words
    try:
        ((pending,),) = engine.select(Sql(text, (engine.address.database,)), limit)
    except StoreError:
        return False
    return int(pending) == 0


def _by_piece(rows: Rows, count: int) -> Iterator[set[str]]:
    for at in range(1, count + 1):
        yield {str(row[0]) for row in rows if row[at]}


def _not_too_many(words: Collection[str]) -> list[str] | None:
    size = sum(len(each.encode()) + _AROUND for each in words)
    return list(words) if len(words) <= _MOST_WORDS and size <= _MOST_BYTES else None


def _is_open(piece: Piece) -> bool:
    return piece.open_left or piece.open_right


def _test(piece: Piece) -> Sql:
    """Return the condition that a word has a piece in it where it may."""
    if piece.open_left and piece.open_right and not piece.in_inputs:
        return Sql(_IN_BOTH, tuple(_texts([piece.text])))
    text, forms = _TESTS[piece.open_left, piece.open_right], _texts(_forms(piece))
    return Sql(text, tuple(forms)) if len(forms) == 1 else Sql(f"({text} OR {text})", tuple(forms))


def _looked_for(piece: Piece) -> list[bytes]:
    """Return what words are looked through for that stand with spaces around each."""
    left, right = b"" if piece.open_left else b" ", b"" if piece.open_right else b" "
    return [left + each + right for each in _forms(piece)]


def _forms(piece: Piece) -> list[bytes]:
    """Return the forms in which the index may have a piece."""
    forms = [piece.text] if piece.in_inputs else [piece.text, elsewhere(piece.text)]
    return list(dict.fromkeys(forms))


def _texts(words: Collection[bytes]) -> list[str]:
    return [each.decode("utf-8", "surrogatepass") for each in words]
