"""Words: what the text index knows of a trace, and what a text must hold for a comparison to be true of it.

A word is a run of letters, digits and whatever is not ASCII, in lower case; where a script writes no spaces, and in
emoji, it is two characters that stand side by side. Whoever looks for a text looks for words: those in its midst are
words of the trace, those at its ends parts of some. So the words lead to each trace that has the text, and to others
that have its words elsewhere; which is which the evaluator says.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from tracehound.model.path import texts_in
from tracehound.model.record import has_plain_numbers, to_json_text
from tracehound.model.span import Span
from tracehound.model.values import decode_value

MAX_CHARACTERS: Final = 4_000_000  # a trace with more is not indexed, and looked at by every search for a text

# Thai to Myanmar, Khmer, the scripts of East Asia, their wide and narrow forms, and all beyond the first plane.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\ufe30-\uffef\U00010000-\U0010ffff]+"
)
_BETWEEN: Final = ",\n"  # JSON texts that are looked at together
_SIGMA: Final = "\N{GREEK SMALL LETTER SIGMA}"
_FINAL_SIGMA: Final = "\N{GREEK SMALL LETTER FINAL SIGMA}"
_LONG_S: Final = "\N{LATIN SMALL LETTER LONG S}"
_LETTERS: Final = b"0123456789_abcdefghijklmnopqrstuvwxyz"
_FOLDED: Final = bytes(
    code if code >= 0x80 or chr(code).lower().encode() in [bytes([each]) for each in _LETTERS] else 0x20
    for code in range(256)
).lower()


class Piece(NamedTuple):
    """A part of a word that a text must hold; at an open end the word may go on.

    With `in_inputs` a text must hold it that is the inputs of a span.
    """

    text: bytes
    open_left: bool
    open_right: bool
    in_inputs: bool = False


def words_of(spans: Sequence[Span]) -> bytes | None:
    """Return the words in all texts of the spans of a trace, and maybe others, with spaces between; None for too many.

    The JSON of a value holds its texts as they are, as a rule, and the names of its keys.
    """
    return _words_in(*_texts_of(spans))


def words_by_place(spans: Sequence[Span]) -> bytes | None:
    """Return what `words_of` does, but of words that stand elsewhere than in inputs the letters of ASCII are large.

    So an index of words tells where they stand, but for words without such letters. A word may be there in both forms.
    """
    inputs = _words_in([], [span.inputs_json for span in spans if span.inputs_json is not None])
    others = _words_in(*_texts_of(spans, with_inputs=False))
    return None if inputs is None or others is None else b" ".join((inputs, elsewhere(others)))


def elsewhere(words: bytes) -> bytes:
    """Return words in the form of those that stand elsewhere than in inputs."""
    return words.upper()


def pieces_in(text: str, *, is_whole: bool = False) -> list[Piece]:
    """Return what a text must hold to hold this one, or to be the same.

    >>> [(piece.text, piece.open_left, piece.open_right) for piece in pieces_in("ate 3 Pea")]
    [(b'ate', True, False), (b'3', False, False), (b'pea', False, True)]
    """
    spaced = _split(text)
    words = spaced.split()
    if not words:
        return []
    pieces = [_piece(word) for word in words]
    if not is_whole and not spaced.startswith(b" "):
        pieces[0] = pieces[0]._replace(open_left=True)
    if not is_whole and not spaced.endswith(b" "):
        pieces[-1] = pieces[-1]._replace(open_right=True)
    return list(dict.fromkeys(pieces))


def _piece(word: bytes) -> Piece:
    """Return the piece for a word in the midst of a text: of two characters side by side one may be all there is."""
    is_single = word[0] >= 0x80 and _UNSPACED.fullmatch(word.decode("utf-8", "surrogatepass")) is not None
    is_open = is_single and len(word.decode("utf-8", "surrogatepass")) == 1
    return Piece(word, is_open, is_open)


def _words_in(texts: list[str], json_texts: Sequence[str]) -> bytes | None:
    joined = _BETWEEN.join(json_texts)
    if not _are_as_read(joined, len(json_texts)):
        for text in json_texts:
            if not _is_as_read(text):
                value = decode_value(text)
                texts += [*texts_in(value), to_json_text(value)]
    texts.append(joined)
    whole = "\n".join(texts)
    return _split(whole) if len(whole) <= MAX_CHARACTERS else None


def _texts_of(spans: Sequence[Span], *, with_inputs: bool = True) -> tuple[list[str], list[str]]:
    """Return what spans are called and say (`query.spans`), and apart from that their values, as JSON."""
    texts: list[str] = []
    json_texts: list[str] = []
    for span in spans:
        texts.append(span.name)
        if span.status.description:
            texts.append(span.status.description)
        if with_inputs and span.inputs_json is not None:
            json_texts.append(span.inputs_json)
        if span.outputs_json is not None:
            json_texts.append(span.outputs_json)
        json_texts += span.attributes_json.values()
        for event in span.event_records:
            texts.append(event.name)
            json_texts += event.attributes_json.values()
    return texts, json_texts


def _are_as_read(joined: str, count: int) -> bool:
    """Whether so many JSON texts, joined by `_BETWEEN`, are all as they are read: one look takes less than many.

    No text of JSON goes on behind the end of a line, so that each stays apart from the others, whatever it is.
    """
    has_others = "\\" in joined or "\t" in joined or "\r" in joined or joined.count("\n") >= max(count, 1)
    return not has_others and has_plain_numbers(f"[{joined}]")


def _is_as_read(text: str) -> bool:
    """Whether a JSON text holds all texts and numbers in it as they are written when they are looked through."""
    return "\\" not in text and (text.startswith('"') or has_plain_numbers(text))


def _split(text: str) -> bytes:
    """Return the words of a text with spaces between them: folded, so that all forms of a letter are one."""
    if not text.isascii():
        # What `ILIKE` takes for the same (`query.patterns`), and RE2 without regard to case.
        text = text.lower().replace(_FINAL_SIGMA, _SIGMA).replace(_LONG_S, "s")
        text = _UNSPACED.sub(_spread, text)
    return text.encode("utf-8", "surrogatepass").translate(_FOLDED)


def _spread(run: re.Match[str]) -> str:
    """Return the pairs of characters of a run, with spaces around them."""
    text = run[0]
    pairs = [text[at : at + 2] for at in range(len(text) - 1)] or [text]
    return f" {' '.join(pairs)} "
