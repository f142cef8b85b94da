"""Tokens -> tree.

filter     = or
or         = and { OR and }
and        = not { AND not }
not        = [ NOT ] primary
primary    = "(" or ")" | comparison
comparison = field ( = | != | < | <= | > | >= ) value
           | field [ NOT ] IN "(" value { "," value } ")"
           | field [ NOT ] BETWEEN value AND value
           | field [ NOT ] ( LIKE | ILIKE | RLIKE ) value
           | field CONTAINS value
           | field IS [ NOT ] NULL
field      = name { "." name }
value      = 'text' | number | TRUE | FALSE | TIMESTAMP 'ISO 8601' | now "(" ")" [ - INTERVAL 'n unit' ]
"""

from __future__ import annotations

from typing import Final, TypeAlias

from tracehound.errors import FilterError
from tracehound.query.times import parse_interval_ms, parse_time_ms
from tracehound.query.tokens import Token, TokenKind, tokenize
from tracehound.query.tree import And, Comparison, Literal, Name, Node, Not, Operator, Or

Parsed: TypeAlias = Node[Comparison]

MAX_DEPTH: Final = 200
MAX_COMPARISONS: Final = 10_000
_EXACT_DIGITS: Final = 18
_KEYWORDS: Final = ("AND", "OR", "NOT")
_WORD_OPERATORS: Final = ("IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE")
_OPERATORS: Final = "=, !=, <, <=, >, >=, IN, BETWEEN, LIKE, ILIKE, RLIKE, CONTAINS, IS NULL"


def parse(text: str, now_ms: int) -> Parsed:
    """Return the tree of a filter, in which `now()` is the time given; raise `FilterError` where it is none."""
    tokens = _Tokens(text, now_ms)
    tree = _parse_or(tokens, 0)
    if not tokens.next_is(TokenKind.END):
        raise tokens.error(f"AND or OR is expected before {tokens.describe()}")
    return tree


class _Tokens:
    """The tokens of a text, read from left to right."""

    def __init__(self, text: str, now_ms: int) -> None:
        self.text = text
        self.now_ms = now_ms
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
        found = self.next_is_word(keyword)
        self._at += found
        return found

    def next_is_word(self, *words: str) -> bool:
        """Whether the next token is one of these words, in any case."""
        return self.next.kind is TokenKind.WORD and self.next.value.upper() in words

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
    """and = not { AND not }"""
    children = _flattened(And, _parse_not(tokens, depth))
    while tokens.take_keyword("AND"):
        children += _flattened(And, _parse_not(tokens, depth))
    return children[0] if len(children) == 1 else And(tuple(children))


def _flattened(kind: type[And[Comparison] | Or[Comparison]], node: Parsed) -> list[Parsed]:
    """Return the children of a node of this kind, else the node alone: parentheses that change nothing are gone."""
    return list(node.children) if not isinstance(node, Comparison) and isinstance(node, kind) else [node]


def _parse_not(tokens: _Tokens, depth: int) -> Parsed:
    """not = [ NOT ] primary"""
    if not tokens.take_keyword("NOT"):
        return _parse_primary(tokens, depth)
    if tokens.next_is_word("NOT"):
        raise tokens.error("NOT stands once; NOT (NOT (…)) says it twice")
    return Not(_parse_primary(tokens, depth))


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
    """comparison = field operator values"""
    name = _parse_field(tokens)
    operator, start, end = _parse_operator(tokens, name)
    if operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
        literals: list[Literal] = []
    elif operator in (Operator.IN, Operator.NOT_IN):
        literals = _parse_list(tokens)
    elif operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        literals = [_parse_value(tokens)]
        if not tokens.take_keyword("AND"):
            raise tokens.error(f"BETWEEN takes two values: BETWEEN 1 AND 5; AND is expected, not {tokens.describe()}")
        literals.append(_parse_value(tokens))
    else:
        literals = [_parse_value(tokens)]
    tokens.comparisons += max(1, len(literals))
    if tokens.comparisons > MAX_COMPARISONS:
        message = f"a filter has at most {MAX_COMPARISONS:,} comparisons"
        raise FilterError(message, tokens.text, name.start, name.end)
    return Comparison(name, operator, start, end, tuple(literals))


def _parse_operator(tokens: _Tokens, name: Name) -> tuple[Operator, int, int]:
    """Return the operator behind a field, and where it stands."""
    first = tokens.next
    if first.kind is TokenKind.OPERATOR:
        tokens.take()
        return Operator(first.value), first.start, first.end
    if tokens.next_is_word("IS"):
        tokens.take()
        negation = "NOT " if tokens.take_keyword("NOT") else ""
        if not tokens.next_is_word("NULL"):
            raise tokens.error(f"NULL or NOT NULL is expected behind IS, not {tokens.describe()}")
        return Operator(f"IS {negation}NULL"), first.start, tokens.take().end
    if tokens.next_is_word("CONTAINS"):
        return Operator.CONTAINS, first.start, tokens.take().end
    negation = "NOT " if tokens.take_keyword("NOT") else ""
    if tokens.next_is_word(*_WORD_OPERATORS):
        word = tokens.take()
        return Operator(negation + word.value.upper()), first.start, word.end
    written = tokens.text[name.start : name.end]
    if tokens.next_is(TokenKind.MINUS, TokenKind.NUMBER) and tokens.text[tokens.next.start] == "-":
        raise FilterError(
            "a name with dashes is written in backticks: tags.`my-name`",
            tokens.text, tokens.next.start, tokens.next.start + 1,
        )  # fmt: skip
    raise tokens.error(f"an operator ({_OPERATORS}) is expected after {written}, not {tokens.describe()}")


def _parse_list(tokens: _Tokens) -> list[Literal]:
    """list = "(" value { "," value } ")" """
    if not tokens.next_is(TokenKind.OPEN):
        raise tokens.error(f"IN takes values in parentheses: IN ('a', 'b'), not {tokens.describe()}")
    tokens.take()
    literals = [_parse_value(tokens)]
    while tokens.next_is(TokenKind.COMMA):
        tokens.take()
        literals.append(_parse_value(tokens))
    if not tokens.next_is(TokenKind.CLOSE):
        raise tokens.error(f"a comma or a closing parenthesis is expected before {tokens.describe()}")
    tokens.take()
    return literals


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
    """value = 'text' | number | TRUE | FALSE | time"""
    token = tokens.next
    if token.kind is TokenKind.STRING:
        tokens.take()
        return Literal(token.value, token.start, token.end)
    if token.kind is TokenKind.NUMBER:
        tokens.take()
        return Literal(_number(token.value), token.start, token.end)
    if tokens.next_is_word("TRUE", "FALSE"):
        tokens.take()
        return Literal(token.value.upper() == "TRUE", token.start, token.end)
    if tokens.next_is_word("TIMESTAMP"):
        return _parse_timestamp(tokens)
    if tokens.next_is_word("NOW"):
        return _parse_now(tokens)
    if token.kind is TokenKind.DOUBLE_QUOTED or (token.kind is TokenKind.WORD and not tokens.is_keyword()):
        quoted = quote(token.value)
        corrected = tokens.text[: token.start] + quoted + tokens.text[token.end :]
        raise tokens.error(f"texts stand in single quotes: write {quoted}", corrected)
    raise tokens.error(f"a value is expected, such as 'text' or 42, not {tokens.describe()}")


def _parse_timestamp(tokens: _Tokens) -> Literal:
    """TIMESTAMP 'ISO 8601', UTC where no offset is said"""
    first = tokens.take()
    if not tokens.next_is(TokenKind.STRING):
        raise tokens.error(f"TIMESTAMP takes a date or time in single quotes, not {tokens.describe()}")
    time_ms = parse_time_ms(tokens.next.value)
    if time_ms is None:
        raise tokens.error("this is no date or time such as '2025-06-30' or '2025-06-30T14:05:00+02:00'")
    return Literal(time_ms, first.start, tokens.take().end)


def _parse_now(tokens: _Tokens) -> Literal:
    """now() [ - INTERVAL 'n unit' ]"""
    first = tokens.take()
    for kind in (TokenKind.OPEN, TokenKind.CLOSE):
        if not tokens.next_is(kind):
            raise tokens.error(f"the present time is written now(), not {tokens.text[first.start : tokens.next.end]}")
        last = tokens.take()
    if not tokens.next_is(TokenKind.MINUS):
        return Literal(tokens.now_ms, first.start, last.end)
    tokens.take()
    if not tokens.next_is_word("INTERVAL"):
        raise tokens.error(f"INTERVAL is expected behind now() -, not {tokens.describe()}")
    tokens.take()
    length_ms = parse_interval_ms(tokens.next.value) if tokens.next_is(TokenKind.STRING) else None
    if length_ms is None:
        raise tokens.error("an interval is a number and a unit: '30 s', '15 minutes', '6 h', '7 days', '2 w'")
    return Literal(tokens.now_ms - length_ms, first.start, tokens.take().end)


def quote(text: str) -> str:
    """Return a text as the language writes it."""
    doubled = text.replace("'", "''")
    return f"'{doubled}'"


def _number(text: str) -> int | float:
    """Return what a number token means: a whole number of up to 18 digits is exact, everything else a double."""
    if any(mark in text for mark in ".eE") or len(text) > _EXACT_DIGITS:
        return float(text)
    return int(text)
