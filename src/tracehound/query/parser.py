"""Tokens -> tree.

filter     = or
or         = and { OR and }
and        = primary { AND primary }
primary    = "(" or ")" | comparison
comparison = field ( = | != | < | <= | > | >= ) value
field      = name { "." name }
value      = 'text' | number
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.query.tokens import Token, TokenKind, tokenize
from tracehound.query.tree import And, Comparison, Literal, Name, Node, Operator, Or

Parsed: TypeAlias = Node[Comparison]

MAX_DEPTH: Final = 200
MAX_COMPARISONS: Final = 10_000
_EXACT_DIGITS: Final = 18
_KEYWORDS: Final = ("AND", "OR")


def parse(text: str) -> Parsed:
    """Return the tree of a filter; raise `FilterError` where it is none."""
    tokens = _Tokens(text)
    tree = _parse_or(tokens, 0)
    if not tokens.next_is(TokenKind.END):
        raise tokens.error(f"AND or OR is expected before {tokens.describe()}")
    return tree


class _Tokens:
    """The tokens of a text, read from left to right."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.comparisons = 0
        self._tokens = tokenize(text)
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def next_is(self, *kinds: TokenKind) -> bool:
        return self.next.kind in kinds

    def take(self) -> Token:
        token = self.next
        self._at += 1
        return token

    def take_keyword(self, keyword: str) -> bool:
        """Step over the keyword if it is next, and say whether it was."""
        found = self.is_keyword() and self.next.value.upper() == keyword
        self._at += found
        return found

    def is_keyword(self) -> bool:
        return self.next.kind is TokenKind.WORD and self.next.value.upper() in _KEYWORDS

    def describe(self) -> str:
        """Return how an error message calls the next token."""
        token = self.next
        return token.kind.value if token.kind is TokenKind.END else self.text[token.start : token.end]

    def error(self, message: str, corrected: str | None = None) -> FilterError:
        """Return an error that points at the next token."""
        return FilterError(message, self.text, self.next.start, self.next.end, corrected)


def _parse_or(tokens: _Tokens, depth: int) -> Parsed:
    """or = and { OR and }"""
    children = _flattened(Or, _parse_and(tokens, depth))
    while tokens.take_keyword("OR"):
        children += _flattened(Or, _parse_and(tokens, depth))
    return children[0] if len(children) == 1 else Or(tuple(children))


def _parse_and(tokens: _Tokens, depth: int) -> Parsed:
    """and = primary { AND primary }"""
    children = _flattened(And, _parse_primary(tokens, depth))
    while tokens.take_keyword("AND"):
        children += _flattened(And, _parse_primary(tokens, depth))
    return children[0] if len(children) == 1 else And(tuple(children))


def _flattened(kind: type[And[Comparison] | Or[Comparison]], node: Parsed) -> list[Parsed]:
    """Return the children of a node of this kind, else the node alone: parentheses that change nothing are gone."""
    return list(node.children) if not isinstance(node, Comparison) and isinstance(node, kind) else [node]


def _parse_primary(tokens: _Tokens, depth: int) -> Parsed:
    """primary = "(" or ")" | comparison"""
    if not tokens.next_is(TokenKind.OPEN):
        return _parse_comparison(tokens)
    if depth == MAX_DEPTH:
        raise tokens.error(f"parentheses can be nested {MAX_DEPTH} deep and no deeper")
    tokens.take()
    inner = _parse_or(tokens, depth + 1)
    if not tokens.next_is(TokenKind.CLOSE):
        raise tokens.error(f"AND, OR or a closing parenthesis is expected before {tokens.describe()}")
    tokens.take()
    return inner


def _parse_comparison(tokens: _Tokens) -> Comparison:
    """comparison = field operator value"""
    name = _parse_field(tokens)
    tokens.comparisons += 1
    if tokens.comparisons > MAX_COMPARISONS:
        message = f"a filter has at most {MAX_COMPARISONS:,} comparisons"
        raise FilterError(message, tokens.text, name.start, name.end)
    if not tokens.next_is(TokenKind.OPERATOR):
        written = tokens.text[name.start : name.end]
        raise tokens.error(f"an operator (=, !=, <, <=, >, >=) is expected after {written}, not {tokens.describe()}")
    operator = tokens.take()
    return Comparison(name, Operator(operator.value), operator.start, _parse_value(tokens))


def _parse_field(tokens: _Tokens) -> Name:
    """field = name { "." name }"""
    first = tokens.next
    if first.kind not in (TokenKind.WORD, TokenKind.QUOTED_NAME) or tokens.is_keyword():
        raise tokens.error(f"a field such as attributes.status or tags.env is expected, not {tokens.describe()}")
    last = tokens.take()
    parts = [last.value]
    while tokens.next_is(TokenKind.DOT):
        tokens.take()
        if not tokens.next_is(TokenKind.WORD, TokenKind.QUOTED_NAME):
            raise tokens.error("a name is expected behind the dot; one with digits first is written in backticks")
        last = tokens.take()
        parts.append(last.value)
    return Name(tuple(parts), first.start, last.end)


def _parse_value(tokens: _Tokens) -> Literal:
    """value = 'text' | number"""
    token = tokens.next
    if token.kind is TokenKind.STRING:
        tokens.take()
        return Literal(token.value, token.start, token.end)
    if token.kind is TokenKind.NUMBER:
        tokens.take()
        return Literal(_number(token.value), token.start, token.end)
    if token.kind is TokenKind.DOUBLE_QUOTED or (token.kind is TokenKind.WORD and not tokens.is_keyword()):
        quoted = quote(token.value)
        corrected = tokens.text[: token.start] + quoted + tokens.text[token.end :]
        raise tokens.error(f"texts stand in single quotes: write {quoted}", corrected)
    raise tokens.error(f"a value is expected, such as 'text' or 42, not {tokens.describe()}")


def quote(text: str) -> str:
    """Return a text as the language writes it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _number(text: str) -> int | float:
    """Return what a number token means: a whole number of up to 18 digits is exact, everything else a double."""
    if any(mark in text for mark in ".eE") or len(text) > _EXACT_DIGITS:
        return float(text)
    return int(text)
