"""Filters as MLflow's clients send them to a server: attributes without their prefix, texts in double quotes.

Programs that are deployed already write so, and what they mean is clear: MLflow reads a bare name as an attribute, and
what stands in double quotes behind an operator as a text. It is made right in the tokens, which keep their places, so
that what is wrong besides is told as ever. Nothing else is read leniently, and nothing is outside of MLflow's REST.
"""

from __future__ import annotations

from typing import Final

from tracehound.model.record import replace
from tracehound.query.fields import ATTRIBUTES, SEARCHED, Group
from tracehound.query.tokens import Token, TokenKind, tokenize

_BARE: Final = ATTRIBUTES.keys() | SEARCHED.keys()
_OPERATOR_WORDS: Final = ("IN", "NOT", "BETWEEN", "LIKE", "ILIKE", "RLIKE", "CONTAINS", "IS")


def tokenize_leniently(text: str) -> list[Token]:
    """Return the tokens of a filter or an order, as they had been if it had been written in our language.

    >>> [token.value for token in tokenize_leniently('status = "OK"')]
    ['attributes', '.', 'status', '=', 'OK', '']
    """
    found: list[Token] = []
    opened: list[bool] = []  # for each parenthesis that is open, whether it is that of a span( … )
    tokens = tokenize(text)
    for at, token in enumerate(tokens):
        before = tokens[at - 1] if at else None
        if token.kind is TokenKind.OPEN:
            opened.append(any(opened[-1:]) or (before is not None and before.is_word("SPAN")))
        elif token.kind is TokenKind.CLOSE and opened:
            opened.pop()
        if token.kind is TokenKind.DOUBLE_QUOTED:
            found.append(_requoted(token, before))
            continue
        if not any(opened[-1:]) and _is_bare_attribute(token, before, tokens[at + 1 : at + 2]):
            found.append(Token(TokenKind.WORD, Group.ATTRIBUTES.value, token.start, token.start))
            found.append(Token(TokenKind.DOT, ".", token.start, token.start))
        found.append(token)
    return found


def _requoted(token: Token, before: Token | None) -> Token:
    """Return what stands in double quotes as a name behind a dot, and as a text anywhere else."""
    is_name = before is not None and before.kind is TokenKind.DOT
    return replace(token, kind=TokenKind.QUOTED_NAME if is_name else TokenKind.STRING)


def _is_bare_attribute(token: Token, before: Token | None, behind: list[Token]) -> bool:
    """Whether a token is the name of an attribute that is compared, and has no prefix."""
    if token.kind not in (TokenKind.WORD, TokenKind.QUOTED_NAME) or token.value not in _BARE:
        return False
    if before is not None and before.kind is TokenKind.DOT:
        return False
    return any(each.kind is TokenKind.OPERATOR or each.is_word(*_OPERATOR_WORDS) for each in behind)
