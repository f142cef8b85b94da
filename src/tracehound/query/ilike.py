"""ILIKE and LIKE as regular expressions of RE2, for engines that have it and no ILIKE of ours.

ILIKE compares `str.lower()` character by character (`query.patterns`). So a letter of the pattern stands for every
character that Python makes it of; which those are no engine says the same, and the tables of Python are written out.
"""

from __future__ import annotations

import functools
import re
from typing import Final

# The one character whose lower case is two. A text is looked through with these two in its place.
LONG_CHARACTER: Final = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"
LONG_LOWER: Final = LONG_CHARACTER.lower()
_CASED: Final = 0x20000  # what lies beyond has no case


def ilike_expression(pattern: str) -> str:
    """Return the expression that finds a text, with `LONG_LOWER` for `LONG_CHARACTER`, just where ILIKE matches it.

    >>> ilike_expression("%Ab_")
    '(?s)\\\\A.*[aA][bB].\\\\z'
    """
    lowered = "".join(map(str.lower, pattern))
    return rf"(?s)\A{''.join(map(_atom, lowered))}\z"


@functools.cache
def lower_table() -> tuple[str, str]:
    """Return the characters that have another lower case of one character, and those, each at the same place."""
    pairs = [(each, lowered) for lowered, others in _characters_by_lower().items() for each in others]
    return "".join(each for each, _ in pairs), "".join(lowered for _, lowered in pairs)


def _atom(character: str) -> str:
    if character in "%_":
        return ".*" if character == "%" else "."
    others = _characters_by_lower().get(character)
    if others is None:
        return _quoted(character)
    return f"[{''.join(map(_quoted, [character, *others]))}]"


def _quoted(character: str) -> str:
    return rf"\x{{{ord(character):x}}}" if character == "\0" else re.escape(character)


@functools.cache
def _characters_by_lower() -> dict[str, list[str]]:
    """Return for each character those that are something else, and become it in lower case."""
    found: dict[str, list[str]] = {}
    for character in map(chr, range(_CASED)):
        lowered = character.lower()
        if lowered != character and len(lowered) == 1:
            found.setdefault(lowered, []).append(character)
    return found
