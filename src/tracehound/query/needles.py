"""Needles: the words that a trace must have for a condition to be true of it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from typing import Final, TypeAlias

from tracehound.query.fields import SEARCHED, SPAN_VALUES, Field, Group, Kind
from tracehound.query.span_terms import is_kept_apart, needs_spans
from tracehound.query.tree import And, Checked, Not, Operator, Or, Scope, Test
from tracehound.query.words import Piece, pieces_in

# Alternatives, each of them pieces that all have to be there. There is at least one of each.
Needles: TypeAlias = "tuple[tuple[Piece, ...], ...]"

_MAX_PIECES: Final = 8  # of an alternative: the longest ones
_MAX_ALTERNATIVES: Final = 256
_IN_TEXTS: Final = ("name", "status_message", "content")

_ATOM: Final = re.compile(
    r"(?P<escape>\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|x..|[0-7]{1,3}|.))"
    r"|(?P<set>\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])"
    r"|(?P<open>\((?:\?(?:P?<\w+>|[^):]*:?))?)"
    r"|(?P<close>\))"
    r"|(?P<repeat>(?:[*+?]|\{\d+(?:,\d*)?\})\??)"
    r"|(?P<other>[|^$.])"
    r"|(?P<literal>.)",
    re.DOTALL,
)


def needles_of(node: Checked) -> Needles | None:
    """Return what a trace must have for a condition to be true of it; None where words do not say."""
    if isinstance(node, Not):
        return None
    if isinstance(node, Scope):
        return _all_of([needles_of(each) for each in node.conditions]) if needs_spans(node) else None
    if isinstance(node, And):
        return _all_of([needles_of(child) for child in node.children])
    if isinstance(node, Or):
        return _any_of([needles_of(child) for child in node.children])
    pieces = _pieces_of(node) if _is_in_texts(node.field) else []
    if _is_in_inputs(node.field):
        pieces = [piece._replace(in_inputs=True) for piece in pieces]
    longest = sorted(dict.fromkeys(pieces), key=lambda piece: -len(piece.text))
    return (tuple(longest[:_MAX_PIECES]),) if longest else None


def _all_of(found: Sequence[Needles | None]) -> Needles | None:
    """Return what is needed where all of some conditions have to be true: one of their alternatives each."""
    known = [each for each in found if each is not None]
    joined: Needles = ((),)
    for each in known:
        if len(joined) * len(each) <= _MAX_ALTERNATIVES:
            joined = tuple(one + other for one, other in itertools.product(joined, each))
    return joined if joined != ((),) else None


def _any_of(found: Sequence[Needles | None]) -> Needles | None:
    known = [each for each in found if each is not None]
    joined = tuple(alternative for each in known for alternative in each)
    return joined if len(known) == len(found) and len(joined) <= _MAX_ALTERNATIVES else None


def _is_in_texts(field: Field) -> bool:
    """Whether the values of a field are among the texts whose words are known."""
    if field.kind is Kind.TEXTS:
        return True
    if field.group is not Group.SPAN:
        return False
    return not is_kept_apart(field) if field.name in SPAN_VALUES.values() else field.name in _IN_TEXTS


def _is_in_inputs(field: Field) -> bool:
    """Whether all values of a field are in inputs of spans."""
    return field == SEARCHED["request"] or (field.group is Group.SPAN and field.name == SPAN_VALUES["inputs"])


def _pieces_of(test: Test) -> list[Piece]:
    """Return what a text has to have in it to pass a comparison."""
    if not isinstance(test.value, str):
        return []
    if test.operator is Operator.EQ:
        return pieces_in(test.value, is_whole=True)
    if test.operator is Operator.CONTAINS:
        return pieces_in(test.value)
    if test.operator in (Operator.LIKE, Operator.ILIKE):
        texts = re.split("[%_]+", test.value)
    elif test.operator is Operator.RLIKE:
        texts = literals_in(test.value)
    else:
        return []
    return [piece for text in texts for piece in pieces_in(text)]


def literals_in(pattern: str) -> list[str]:
    """Return texts that whatever matches a regular expression of RE2 has in it, up to the case of letters.

    >>> literals_in("^(GET|POST) /orders/[0-9]+ took .*ms?$")
    [' /orders/', ' took ', 'm']
    """
    found = [""]
    depth = 0
    for atom in _ATOM.finditer(pattern):
        kind, text = atom.lastgroup, atom[0]
        if text == "\\Q" or (text == "|" and depth == 0):
            return []
        if kind == "close":
            depth -= 1
        if kind == "repeat" and depth == 0:  # what stands before may be missing
            found[-1] = found[-1][:-1]
        literal = _literal_of(kind, text) if depth == 0 else ""
        # Letters that RE2 takes for the same without regard to case are the same word in ASCII only.
        if literal and (literal.isascii() or "(?" not in pattern):
            found[-1] += literal
        elif found[-1]:
            found.append("")
        if kind == "open":
            depth += 1
    return [text for text in found if text]


def _literal_of(kind: str | None, text: str) -> str:
    """Return the character that an atom of a regular expression stands for; nothing where it is no single one."""
    if kind == "literal":
        return text
    is_quoted = kind == "escape" and len(text) == 2 and text[1].isascii() and not text[1].isalnum()
    return text[1] if is_quoted else ""
