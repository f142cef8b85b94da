"""Every beginning of a filter, and every filter that is one slip of a finger away from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tracehound.errors import FilterError
from tracehound.query.check import parse_filter

NOW_MS: Final = 1_750_000_000_000
# One of each kind of character that the language tells apart, and some that it has no use for.
ALPHABET: Final = "aS_7'\"`.()=<>!,-& \n\0\ud800語“"
_INTERNAL: Final = re.compile(r"<class|object at 0x|NoneType|TokenKind|Operator\.|Traceback|\bSELECT\b|\bEXISTS\b|\\x")


def beginnings(text: str) -> Iterator[str]:
    """Yield every beginning of the text, from the empty one on."""
    return (text[:length] for length in range(len(text)))


def typos(text: str) -> Iterator[str]:
    """Yield the text with one character left out, put in, exchanged for another, or for its neighbour."""
    for at in range(len(text) + 1):
        before, rest = text[:at], text[at:]
        yield from (before + wrong + rest for wrong in ALPHABET)
        if rest:
            yield before + rest[1:]
            yield from (before + wrong + rest[1:] for wrong in ALPHABET if wrong != rest[0])
        if len(rest) > 1 and rest[0] != rest[1]:
            yield before + rest[1] + rest[0] + rest[2:]


def check_answer_or_clean_error(text: str) -> None:
    """Check that a text is a filter, or is refused with an error that helps who wrote it."""
    try:
        parse_filter(text, NOW_MS)
    except FilterError as error:
        assert error.text == text
        assert 0 <= error.start <= error.end <= len(text)
        assert error.message
        assert error.message.isprintable(), error.message
        assert len(error.message) < 400
        leaked = [found.group() for found in _INTERNAL.finditer(error.message) if found.group() not in text]
        assert leaked == [], error.message
        assert str(error).splitlines()[2].strip().strip("^~") == ""
        if error.corrected is not None:
            parse_filter(error.corrected, NOW_MS)
