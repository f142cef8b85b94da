"""Pieces of words are looked up in the words of the index, all of a filter at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from tests.clickhouse.opened import HAS_ENGINE, new_address, statements_of
from tests.traces import part, span
from tracehound.model.record import replace
from tracehound.query.words import Piece
from tracehound.store.clickhouse import vocabulary
from tracehound.store.clickhouse.engine import Engine
from tracehound.store.clickhouse.kept_words import KeptWords
from tracehound.store.clickhouse.store import ClickHouseStore
from tracehound.store.clickhouse.vocabulary import words_with

pytestmark = pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")

TEXTS = ("parcel", "parting", "counterpart", "apartment", "late")
ASKED = ("part of", "42")


@pytest.fixture
def engine() -> Iterator[Engine]:
    with new_address() as address, contextlib.closing(ClickHouseStore(address)) as store:
        spans = [replace(span(1, number), outputs_json=f'"{text}"') for number, text in enumerate(TEXTS)]
        spans += [replace(span(1, len(TEXTS) + at), inputs_json=f'"{text}"') for at, text in enumerate(ASKED)]
        store.write([part(each) for each in spans])
        yield store._engine()


@pytest.fixture
def asked(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return statements_of(engine, monkeypatch)


PIECES = {  # words that stand elsewhere than in inputs have large letters
    Piece(b"part", open_left=True, open_right=True): {"part", "PARTING", "COUNTERPART", "APARTMENT"},
    Piece(b"part", open_left=False, open_right=True): {"part", "PARTING"},
    Piece(b"part", open_left=True, open_right=False): {"part", "COUNTERPART"},
    Piece(b"part", open_left=False, open_right=False): {"part", "PART"},
    Piece(b"42", open_left=False, open_right=False): {"42"},
    Piece(b"nowhere", open_left=True, open_right=True): set(),
    Piece(b"par", open_left=True, open_right=True, in_inputs=True): {"part"},
    Piece(b"par", open_left=False, open_right=True, in_inputs=True): {"part"},
    Piece(b"part", open_left=True, open_right=False, in_inputs=True): {"part"},
    Piece(b"part", open_left=False, open_right=False, in_inputs=True): {"part"},
}


def test_all_pieces_are_looked_up_in_one_statement(engine: Engine, asked: list[str]) -> None:
    found = words_with(engine, list(PIECES)[:8])
    assert {piece: set(words or ()) for piece, words in found.items()} == dict(list(PIECES.items())[:8])
    assert len(asked) == 1


def test_each_piece_finds_alone_what_it_finds_among_others(engine: Engine) -> None:
    together = words_with(engine, list(PIECES))
    for piece in PIECES:
        assert sorted(words_with(engine, [piece])[piece] or ()) == sorted(together[piece] or ())


def test_each_piece_finds_in_memory_what_it_finds_in_the_index(engine: Engine, asked: list[str]) -> None:
    kept = KeptWords()
    assert kept.parts(engine)
    for piece, words in PIECES.items():
        assert sorted(words_with(engine, [piece], kept=kept)[piece] or ()) == sorted(words)
    together = words_with(engine, list(PIECES), kept=kept)
    assert {piece: set(words or ()) for piece, words in together.items()} == PIECES
    assert len([text for text in asked if "arrayStringConcat" in text]) == 1


def test_a_piece_of_too_many_words_says_so_and_the_others_are_found(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(vocabulary, "_MOST_WORDS", 2)
    for kept in (None, KeptWords()):
        told = words_with(engine, list(PIECES), kept=kept)
        found = {piece: words if words is None else set(words) for piece, words in told.items()}
        assert found.pop(Piece(b"part", open_left=True, open_right=True)) is None
        assert found == {piece: words for piece, words in PIECES.items() if len(words) < 3}


def test_words_that_are_together_longer_than_a_parameter_are_too_many(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    piece = Piece(b"part", open_left=True, open_right=True)
    longest = sum(len(word) + 3 for word in PIECES[piece])
    monkeypatch.setattr(vocabulary, "_MOST_BYTES", longest)
    assert set(words_with(engine, [piece])[piece] or ()) == PIECES[piece]
    monkeypatch.setattr(vocabulary, "_MOST_BYTES", longest - 1)
    assert words_with(engine, [piece]) == {piece: None}


def test_many_pieces_are_looked_up_some_at_a_time(engine: Engine, asked: list[str]) -> None:
    pieces = [Piece(f"{at}{text}".encode(), open_left=True, open_right=True) for at in range(4) for text in TEXTS]
    assert words_with(engine, pieces) == {piece: [] for piece in pieces}
    assert len(asked) == 3
