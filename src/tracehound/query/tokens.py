"""Filter text -> tokens with their positions.

What no filter can hold becomes a token, too: the parser says what is wrong with it where it stands.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum
from typing import Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.model.record import Record
from tracehound.query.bounds import Bounds


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
    # What is in no valid filter.
    FOREIGN = "an operator of another language"
    CURLED = "a text in curled quotes"
    UNCLOSED = "a text without an end"
    ODD = "a character without a meaning"


class Token(Record, frozen=True, gc=False):
    """A piece of the filter: its kind, what it means, and where it stands.

    A filter may have tens of thousands, and Python is not to look for garbage in them.
    """

    kind: TokenKind
    value: str
    start: int
    end: int

    def is_word(self, *words: str) -> bool:
        """Whether the token is one of these words, in any case."""
        return self.kind is TokenKind.WORD and self.value.upper() in words


# Quotes of other scripts and of word processors.
_CURLED: Final = (
    "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u00ab\u00bb\u2039\u203a\u00b4\u2032\u2033\uff02\uff07"
)
_PATTERN: Final = re.compile(
    rf"""\s*(?:
    (?P<WORD>[^\W\d]\w*)
    | `(?P<QUOTED_NAME>[^`]*(?:``[^`]*)*)`
    | '(?P<STRING>[^']*(?:''[^']*)*)'
    | "(?P<DOUBLE_QUOTED>[^"]*)"
    | (?P<NUMBER>-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)
    | (?P<FOREIGN>={{2,3}}|=[<>~]|!==|!~|!(?!=)|<>|&&?|\|\|?|[\[\]~:≠≤≥])
    | (?P<OPERATOR>!=|<=|>=|=|<|>)
    | (?P<DOT>\.)
    | (?P<OPEN>\()
    | (?P<CLOSE>\))
    | (?P<COMMA>,)
    | (?P<MINUS>-)
    | [{_CURLED}](?P<CURLED>[^{_CURLED}'"]*)[{_CURLED}'"]
    | (?P<UNCLOSED>[`'"{_CURLED}].*)
    | (?P<ODD>\S)
    )""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME: Final = re.compile(r"[^\W\d]\w*")
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_KINDS: Final = TokenKind.__members__
_IN_QUOTES: Final = (TokenKind.QUOTED_NAME, TokenKind.STRING, TokenKind.DOUBLE_QUOTED, TokenKind.CURLED)


def tokenize(text: str) -> list[Token]:
    """Return the tokens of the text, the last of them END; raise `FilterError` for half a surrogate pair."""
    half = _LONE_SURROGATE.search(text)
    if half is not None:
        raise FilterError(
            "half of a surrogate pair is no character, and no trace holds it", text, half.start(), half.end()
        )
    tokens = []
    at = 0
    while match := _PATTERN.match(text, at):
        group, at = match.lastindex or 0, match.end()
        kind = _KINDS[str(match.lastgroup)]
        tokens.append(Token(kind, _meant(kind, match[group]), match.start(group) - (kind in _IN_QUOTES), at))
        if kind is TokenKind.ODD:
            break  # no filter goes on behind it
    tokens.append(Token(TokenKind.END, "", len(text), len(text)))
    return tokens


# Makes tokens of a text: `tokenize`, or what reads other people's filters (`query.lenient`).
Reader: TypeAlias = Callable[[str], list[Token]]


def quote(text: str) -> str:
    """Return a text as the language writes it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def quote_name(name: str) -> str:
    """Return a name as the language writes it: in backticks unless it is one plain word."""
    doubled = name.replace("`", "``")
    return name if _PLAIN_NAME.fullmatch(name) else f"`{doubled}`"


def _meant(kind: TokenKind, inner: str) -> str:
    """Return what is meant by what stands in a pair of quotes: there they are written twice."""
    if kind is TokenKind.STRING:
        return inner.replace("''", "'")
    return inner.replace("``", "`") if kind is TokenKind.QUOTED_NAME else inner


class Tokens:
    """The tokens of a text, read from left to right."""

    def __init__(self, text: str, now_ms: int, read: Reader, bounds: Bounds) -> None:
        self.text = text
        self.bounds = bounds
        self.now_ms = now_ms
        self.comparisons = 0
        self._tokens = read(text)
        self._at = 0

    @property
    def next(self) -> Token:
        """The token to be read."""
        return self._tokens[self._at]

    @property
    def previous(self) -> Token | None:
        """The token that was read last."""
        return self._tokens[self._at - 1] if self._at > 0 else None

    def ahead(self, count: int) -> Token:
        """Return the token that stands so many behind the next."""
        return self._tokens[min(self._at + count, len(self._tokens) - 1)]

    def next_is(self, *kinds: TokenKind) -> bool:
        """Whether the next token is of one of these kinds."""
        return self.next.kind in kinds

    def next_is_word(self, *words: str) -> bool:
        """Whether the next token is one of these words, in any case."""
        token = self._tokens[self._at]
        return token.kind is TokenKind.WORD and token.value.upper() in words

    def take(self) -> Token:
        """Step over the next token, and return it."""
        token = self.next
        self._at += 1
        return token

    def take_keyword(self, keyword: str) -> bool:
        """Step over the keyword if it is next, and say whether it was."""
        found = self.next_is_word(keyword)
        self._at += found
        return found
