"""What LIKE, ILIKE, RLIKE and CONTAINS mean: one definition, which every store calls.

LIKE has `%` for any text and `_` for one character, and no escape. ILIKE compares both sides in lower case, character
by character. RLIKE is RE2, which takes time in proportion to the text whatever the pattern; Python's `re` can take
seconds for thirty letters and is never used.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Final, TypeAlias

from tracehound.errors import ArgumentError
from tracehound.query.suggest import told
from tracehound.query.tree import Operator

Matcher: TypeAlias = Callable[[str], bool]

_NEGATED: Final = frozenset({Operator.NOT_LIKE, Operator.NOT_ILIKE, Operator.NOT_RLIKE})


class PatternError(ArgumentError):
    """A pattern that is none; the message says why."""


@functools.lru_cache(maxsize=256)
def make_matcher(operator: Operator, pattern: str) -> Matcher:
    """Return the function that says whether a text matches; raise `PatternError` for a pattern that is none.

    >>> make_matcher(Operator.ILIKE, "%quarter_y%")("The Quarterly report")
    True
    """
    matcher = _make_positive(operator, pattern)
    return (lambda text: not matcher(text)) if operator in _NEGATED else matcher


def matches_pattern(operator: str, pattern: str, text: str | None) -> bool:
    """Whether a text that is there matches; the operator is written as in a filter. For SQL."""
    return text is not None and make_matcher(Operator(operator), pattern)(text)


def _make_positive(operator: Operator, pattern: str) -> Matcher:
    if operator is Operator.CONTAINS:
        return lambda text: pattern in text
    if operator in (Operator.LIKE, Operator.NOT_LIKE):
        return _like(pattern)
    if operator in (Operator.ILIKE, Operator.NOT_ILIKE):
        like = _like(_lower(pattern))
        return lambda text: like(_lower(text))
    return _regular(pattern)


def _lower(text: str) -> str:
    """Return the text in lower case, character by character: what a character becomes depends on no other."""
    return text.lower() if text.isascii() else "".join(map(str.lower, text))


def _like(pattern: str) -> Matcher:
    """Return the matcher of a LIKE pattern: its pieces between the `%` are found from left to right, each at once."""
    first, *rest = pattern.split("%")
    if not rest:
        return lambda text: len(text) == len(first) and _stands_at(text, first, 0)
    *middle, last = rest
    least = len(pattern) - len(rest)

    def match(text: str) -> bool:
        if len(text) < least or not _stands_at(text, first, 0) or not _stands_at(text, last, len(text) - len(last)):
            return False
        at, end = len(first), len(text) - len(last)
        for piece in middle:
            at = _find(text, piece, at, end)
            if at == -1:
                return False
            at += len(piece)
        return True

    return match


def _stands_at(text: str, piece: str, at: int) -> bool:
    """Whether the piece stands at a place of the text that has room for it."""
    if "_" not in piece:
        return text.startswith(piece, at)
    return all(wanted in ("_", found) for wanted, found in zip(piece, text[at : at + len(piece)], strict=True))


def _find(text: str, piece: str, at: int, end: int) -> int:
    """Return where the piece stands first from a place on, before the end; -1 where it does not."""
    if "_" not in piece:
        return text.find(piece, at, end)
    places = range(at, end - len(piece) + 1)
    return next((place for place in places if _stands_at(text, piece, place)), -1)


def _regular(pattern: str) -> Matcher:
    """Return the matcher of a regular expression, which may stand anywhere in the text."""
    try:
        import re2
    except ImportError:
        raise PatternError(
            "RLIKE needs the package google-re2, which is not installed: pip install 'tracehound[regex]'"
        ) from None
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise PatternError(f"this is no regular expression of RE2: {told(reason)}") from None
    return lambda text: compiled.search(text) is not None
