"""What somebody may have meant: letters that look alike, typing errors, and how a piece of a filter is told."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from typing import Final

from tracehound.errors import FilterError

# Letters and dashes that look like one of ASCII, in the alphabets and documents that filters are pasted from.
_LOOK_ALIKES: Final = str.maketrans(
    "аеорсхуіјѕԁһкмтАВЕНІЈКМОРЅТУХСΑΒΕΖΗΙΚΜΝΟΡΤΥΧονı\u2010\u2011\u2012\u2013\u2014\u2212",
    "aeopcxyijsdhkmtABEHIJKMOPSTYXCABEZHIKMNOPTYXovi------",
)
_LONGEST_TOLD: Final = 60
_LONGEST_GUESSED: Final = 60


def plain(text: str) -> str:
    r"""Return the text with each letter that looks like one of ASCII replaced by that one.

    >>> plain("t\N{CYRILLIC SMALL LETTER A}gs")
    'tags'
    """
    return text if text.isascii() else unicodedata.normalize("NFKC", text).translate(_LOOK_ALIKES)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that a wrong one is most like, in any case; None where none is near.

    >>> nearest("Statsu", ["status", "name"]), nearest("colour", ["status", "name"])
    ('status', None)
    """
    if len(word) > _LONGEST_GUESSED:
        return None
    by_lower = {each.lower(): each for each in known}
    close = difflib.get_close_matches(plain(word).lower(), by_lower, 1)
    return by_lower[close[0]] if close else None


def told(text: str) -> str:
    """Return a piece of a filter as a message shows it: in one line, and not endless."""
    cut = text if len(text) <= _LONGEST_TOLD else text[: _LONGEST_TOLD - 1] + "…"
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in cut)


def told_look_alike(text: str) -> str | None:
    """Return what the first letter is that only looks like one of ASCII; None where there is none."""
    for letter in text:
        if not letter.isascii() and plain(letter).isascii():
            return f"the '{letter}' in '{told(text)}' is {unicodedata.name(letter, 'another letter')}"
    return None


def mistake(message: str, text: str, start: int, end: int, replacement: str | None) -> FilterError:
    """Return an error about a piece of a filter, and where it is known what should stand there instead, with that."""
    corrected = None if replacement is None else text[:start] + replacement + text[end:]
    return FilterError(message, text, start, end, corrected)
