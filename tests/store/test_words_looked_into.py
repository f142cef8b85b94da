"""Which blocks of words a search looks into, in orders that are not that of arrival."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from tracehound.query.words import pieces_in
from tracehound.store.sqlite.connection import migrate, open_connection
from tracehound.store.sqlite.text import Candidates, add_words

BLOCKS = 60
TRACES = 700  # of each: so many are a block of the last tier


@pytest.fixture
def looked_into(tmp_path: Path) -> tuple[Candidates, Candidates, list[str]]:
    """Return the candidates for a word of each tenth trace and for one of a single trace, and the looks into blocks."""
    connection = open_connection(tmp_path / "words.db")
    migrate(connection, tmp_path / "words.db")
    for block in range(BLOCKS):
        first = block * TRACES + 1
        add_words(connection, [(seq, words_of(seq)) for seq in range(first, first + TRACES)])
    looks: list[str] = []
    connection.set_trace_callback(lambda text: looks.append(text) if "unknown, words" in text else None)
    return candidates_for(connection, "common"), candidates_for(connection, "rare"), looks


def words_of(seq: int) -> bytes:
    return b"common" if seq % 10 == 0 else b"rare" if seq == 7 else b"other"


def candidates_for(connection: sqlite3.Connection, word: str) -> Candidates:
    return Candidates(connection, (tuple(pieces_in(word, is_whole=True)),))


def test_a_few_blocks_tell_that_far_more_traces_have_a_word_than_are_of_use(
    looked_into: tuple[Candidates, Candidates, list[str]],
) -> None:
    common, _, looks = looked_into
    assert common.first(1_000) is None
    assert len(looks) == 8


def test_a_word_that_few_traces_have_is_looked_for_in_all_blocks(
    looked_into: tuple[Candidates, Candidates, list[str]],
) -> None:
    _, rare, looks = looked_into
    assert rare.first(1_000) == [7]
    assert len(looks) == BLOCKS


def test_where_many_have_a_word_a_block_is_looked_into_when_many_of_its_traces_were_asked_for(
    looked_into: tuple[Candidates, Candidates, list[str]],
) -> None:
    common, _, looks = looked_into
    common.first(1_000)
    before = len(looks)
    across = [block * TRACES + 1 for block in range(BLOCKS // 2)]  # one of each, as in an order by another field
    assert all(common.may_have(seq) for seq in across)
    assert len(looks) == before
    assert [common.may_have(seq) for seq in range(2, 42)] == [seq <= 16 or seq % 10 == 0 for seq in range(2, 42)]
    assert len(looks) == before + 1
