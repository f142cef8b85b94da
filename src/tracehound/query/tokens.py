"""Filter text -> tokens with their positions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

from tracehound.errors import FilterError


class TokenKind(Enum):
    """What a token is; the value is how an error message calls it."""

    WORD = "a name"
    QUOTED_NAME = "a name in backticks"
    STRING = "a text in single quotes"
    DOUBLE_QUOTED = "a text in double quotes"
    NUMBER = "a number"
    OPERATOR = "an operator"
    DOT = "a dot"
    OPEN = "an opening parenthesis"
    CLOSE = "a closing parenthesis"
    COMMA = "a comma"
    MINUS = "a minus"
    END = "the end"


@dataclass(frozen=True)
class Token:
    """A piece of the filter: its kind, what it means, and where it stands."""

    kind: TokenKind
    value: str
    start: int
    end: int


_PATTERN: Final = re.compile(
    r"""
    (?P<WORD>[^\W\d]\w*)
    | `(?P<QUOTED_NAME>[^`]*)`
    | '(?P<STRING>(?:[^']|'')*)'
    | "(?P<DOUBLE_QUOTED>[^"]*)"
    | (?P<NUMBER>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<OPERATOR>!=|<=|>=|=|<|>)
    | (?P<DOT>\.)
    | (?P<OPEN>\()
    | (?P<CLOSE>\))
    | (?P<COMMA>,)
    | (?P<MINUS>-)
    """,
    re.VERBOSE,
)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BLANK: Final = re.compile(r"\s*")

_HINTS: Final = {
    "'": "this text has no closing quote; a quote inside a text is written twice: 'it''s'",
    "`": "this name has no closing backtick",
    '"': "this text has no closing quote; texts stand in single quotes",
    ";": "a filter is one expression, without ';'",
}


def tokenize(text: str) -> list[Token]:
    """Return the tokens of the text, the last of them END; raise `FilterError` at what is no token."""
    half = _LONE_SURROGATE.search(text)
    if half is not None:
        raise FilterError(
            "half of a surrogate pair is no character, and no trace holds it", text, half.start(), half.end()
        )
    tokens = []
    at = _skip_blank(text, 0)
    while at < len(text):
        match = _PATTERN.match(text, at)
        if match is None:
            raise FilterError(_HINTS.get(text[at], f"{text[at]!r} has no meaning here"), text, at, at + 1)
        kind = TokenKind[str(match.lastgroup)]
        value = match.group(str(match.lastgroup))
        tokens.append(Token(kind, value.replace("''", "'") if kind is TokenKind.STRING else value, at, match.end()))
        at = _skip_blank(text, match.end())
    tokens.append(Token(TokenKind.END, "", len(text), len(text)))
    return tokens


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return at if match is None else match.end()
