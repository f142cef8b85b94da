"""Tokens -> tree.

filter     = or
or         = and { OR and }
and        = not { AND not }
not        = [ NOT ] primary
primary    = "(" or ")" | comparison | scope
scope      = span | count "(" span ")" ( = | != | < | <= | > | >= ) number
span       = "span" "(" or ")" [ ( ">" | ">>" | THEN ) span ]
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

import re
from dataclasses import dataclass, field
from typing import Final

from tracehound.errors import FilterError
from tracehound.query import mistakes
from tracehound.query.bounds import WRITTEN, Bounds
from tracehound.query.fields import SPAN_VALUES, Group
from tracehound.query.times import parse_interval_ms, parse_time_ms
from tracehound.query.tokens import Reader, Token, TokenKind, Tokens, tokenize
from tracehound.query.tree import (
    And,
    Comparison,
    Count,
    Literal,
    Name,
    Not,
    Operator,
    Or,
    Parsed,
    Relation,
    Scope,
    Step,
)  # fmt: skip

_EXACT_DIGITS: Final = 18
# Paths into values of spans name places in lists; two of them are read as one number.
_WITH_PLACES: Final = frozenset({Group.SPAN.value, *SPAN_VALUES})
_PLACES: Final = re.compile(r"[0-9]+(\.[0-9]+)?")
_KEYWORDS: Final = ("AND", "OR", "NOT")
_WORD_OPERATORS: Final = ("IN", "BETWEEN", "LIKE", "ILIKE", "RLIKE")


def parse(text: str, now_ms: int, read: Reader = tokenize, bounds: Bounds = WRITTEN) -> Parsed:
    """Return the tree of a filter, in which `now()` is the time given; raise `FilterError` where it is none.

    Parentheses are kept in a list, not in calls inside of calls: any number of them can be nested.
    """
    tokens = Tokens(text, now_ms, read, bounds)
    groups = [_Group()]
    while True:
        groups[-1].is_negated = _parse_not(tokens)
        opened = _open_group(tokens, is_in_span=groups[-1].is_in_span)
        if opened is not None:
            groups.append(opened)
            continue
        groups[-1].add(_parse_comparison(tokens))
        next_span = _close_groups(groups, tokens)
        if next_span is not None:
            groups.append(next_span)
            continue
        if tokens.take_keyword("OR"):
            groups[-1].begin_alternative()
        elif not tokens.take_keyword("AND"):
            break
    if len(groups) > 1:
        raise mistakes.no_joint(tokens, "AND, OR or a closing parenthesis")
    if not tokens.next_is(TokenKind.END):
        raise mistakes.no_joint(tokens, "AND or OR")
    tree = groups[0].node()
    _check_depth(tree, text, bounds.depth)
    return tree


@dataclass
class _Chain:
    """The spans of a scope, as far as they are read, and whether they are counted."""

    is_counted: bool
    spans: list[tuple[Relation | None, Parsed]] = field(default_factory=list)

    def scope(self, count: Count | None) -> Scope[Comparison]:
        """Return all of it, now that its last span is closed."""
        (_, first), *others = self.spans
        steps = tuple(Step(relation, condition) for relation, condition in others if relation is not None)
        return Scope(first, steps, count)


@dataclass
class _Group:
    """What stands in a pair of parentheses, as far as it is read: alternatives, of which the last are the factors.

    Those of a span belong to a chain, and say how it stands to the span before.
    """

    chain: _Chain | None = None
    relation: Relation | None = None
    is_in_span: bool = False
    is_negated: bool = False  # the operand that is read next
    alternatives: list[Parsed] = field(default_factory=list)
    factors: list[Parsed] = field(default_factory=list)

    def add(self, operand: Parsed) -> None:
        """Take the operand that was read."""
        self.factors = _extended(self.factors, And, Not(operand) if self.is_negated else operand)

    def begin_alternative(self) -> None:
        """Go on behind an OR."""
        self.alternatives = _extended(self.alternatives, Or, _joined(And, self.factors))
        self.factors = []

    def node(self) -> Parsed:
        """Return all of it as one node, now that it is closed."""
        self.begin_alternative()
        return _joined(Or, self.alternatives)


def _open_group(tokens: Tokens, *, is_in_span: bool) -> _Group | None:
    """Step into the parentheses that begin here: plain ones, or those of a span; None where none do."""
    if tokens.next_is(TokenKind.OPEN):
        tokens.take()
        return _Group(is_in_span=is_in_span)
    is_count = tokens.next_is_word("COUNT") and tokens.ahead(1).kind is TokenKind.OPEN
    if not is_count and not (tokens.next_is_word("SPAN") and tokens.ahead(1).kind is TokenKind.OPEN):
        return None
    if is_in_span:
        raise mistakes.span_in_span(tokens)
    if is_count:
        tokens.take()
        tokens.take()
    return _open_span(tokens, _Chain(is_count), None)


def _open_span(tokens: Tokens, chain: _Chain, relation: Relation | None) -> _Group:
    """ "span" "(" """
    if not (tokens.next_is_word("SPAN") and tokens.ahead(1).kind is TokenKind.OPEN):
        raise mistakes.no_span(tokens)
    tokens.take()
    tokens.take()
    if tokens.next_is(TokenKind.CLOSE):
        raise mistakes.empty_span(tokens)
    return _Group(chain, relation, is_in_span=True)


def _close_groups(groups: list[_Group], tokens: Tokens) -> _Group | None:
    """Step out of the parentheses that are closed here; return those of the next span, where one follows."""
    while len(groups) > 1 and tokens.next_is(TokenKind.CLOSE):
        tokens.take()
        closed = groups.pop()
        node = closed.node()
        if closed.chain is None:
            groups[-1].add(node)
            continue
        closed.chain.spans.append((closed.relation, node))
        relation = _parse_relation(tokens)
        if relation is not None:
            return _open_span(tokens, closed.chain, relation)
        count = _parse_count(tokens) if closed.chain.is_counted else None
        groups[-1].add(closed.chain.scope(count))
    return None


def _parse_relation(tokens: Tokens) -> Relation | None:
    """[ ">" | ">>" | THEN ], behind a span"""
    if tokens.take_keyword("THEN"):
        return Relation.THEN
    if not (tokens.next_is(TokenKind.OPERATOR) and tokens.next.value == ">"):
        return None
    first = tokens.take()
    if tokens.next_is(TokenKind.OPERATOR) and tokens.next.value == ">" and tokens.next.start == first.end:
        tokens.take()
        return Relation.DESCENDANT
    return Relation.CHILD


def _parse_count(tokens: Tokens) -> Count:
    """ ")" ( = | != | < | <= | > | >= ) number, behind the spans that are counted"""
    if not tokens.next_is(TokenKind.CLOSE):
        raise mistakes.no_joint(tokens, "a closing parenthesis")
    tokens.take()
    if not tokens.next_is(TokenKind.OPERATOR):
        raise mistakes.no_count(tokens)
    operator = Operator(tokens.take().value)
    if not tokens.next_is(TokenKind.NUMBER):
        raise mistakes.no_number(tokens)
    return Count(operator, _number(tokens.take().value))


def _extended(nodes: list[Parsed], kind: type[And[Comparison] | Or[Comparison]], node: Parsed) -> list[Parsed]:
    """Return the nodes with one more, or with its children where it is of the same kind: such parentheses are gone."""
    if isinstance(node, Comparison) or not isinstance(node, kind):
        nodes.append(node)
    else:
        nodes.extend(node.children)
    return nodes


def _joined(kind: type[And[Comparison]] | type[Or[Comparison]], nodes: list[Parsed]) -> Parsed:
    return nodes[0] if len(nodes) == 1 else kind(tuple(nodes))


def _check_depth(tree: Parsed, text: str, max_depth: int) -> None:
    """Raise where more stand inside of each other than a store can answer."""
    nodes = [(tree, 0)]
    while nodes:
        node, depth = nodes.pop()
        if isinstance(node, (And, Or)):
            nodes.extend((child, depth + 1) for child in node.children)
        elif isinstance(node, Not):
            nodes.append((node.child, depth + 1))
        elif isinstance(node, Scope):
            nodes.extend((condition, depth + 1) for condition in node.conditions)
        elif depth > max_depth:
            message = f"AND, OR and NOT can stand {max_depth} deep inside of each other, and no deeper"
            raise FilterError(message, text, node.name.start, node.name.end)


def _parse_not(tokens: Tokens) -> bool:
    """[ NOT ]"""
    first = tokens.next
    if not tokens.take_keyword("NOT"):
        return False
    if tokens.next_is_word("NOT"):
        corrected = tokens.text[: first.start] + tokens.text[tokens.next.end :].lstrip()
        message = "NOT stands once; NOT (NOT (…)) says it twice"
        raise FilterError(message, tokens.text, tokens.next.start, tokens.next.end, corrected)
    return True


def _parse_comparison(tokens: Tokens) -> Comparison:
    """comparison = field operator values"""
    name = _parse_field(tokens)
    first = tokens.next
    operator, end = _parse_operator(tokens, name)
    if operator in (Operator.IS_NULL, Operator.IS_NOT_NULL):
        literals: list[Literal] = []
    elif operator in (Operator.IN, Operator.NOT_IN):
        literals = _parse_list(tokens)
    elif operator in (Operator.BETWEEN, Operator.NOT_BETWEEN):
        literals = [_parse_value(tokens)]
        if not tokens.take_keyword("AND"):
            raise mistakes.no_and(tokens)
        literals.append(_parse_value(tokens))
    else:
        literals = [_parse_value(tokens, first)]
    tokens.comparisons += max(1, len(literals))
    if tokens.comparisons > tokens.bounds.comparisons:
        message = f"a filter has at most {tokens.bounds.comparisons:,} comparisons"
        raise FilterError(message, tokens.text, name.start, name.end)
    return Comparison(name, operator, first.start, end, tuple(literals))


def _parse_operator(tokens: Tokens, name: Name) -> tuple[Operator, int]:
    """Return the operator behind a field, and where it ends."""
    last = tokens.previous or tokens.next  # a field stands before it
    first = tokens.next
    if first.kind is TokenKind.OPERATOR:
        tokens.take()
        return Operator(first.value), first.end
    if tokens.take_keyword("IS"):
        is_negated = tokens.take_keyword("NOT")
        if not tokens.next_is_word("NULL"):
            raise mistakes.no_null(tokens, first.start, is_negated=is_negated)
        return Operator.IS_NOT_NULL if is_negated else Operator.IS_NULL, tokens.take().end
    if tokens.next_is_word("CONTAINS"):
        return Operator.CONTAINS, tokens.take().end
    negation = "NOT " if tokens.take_keyword("NOT") else ""
    if tokens.next_is_word(*_WORD_OPERATORS):
        word = tokens.take()
        return Operator(negation + word.value.upper()), word.end
    if negation:
        raise mistakes.no_negated_operator(tokens, name, last, first)
    raise mistakes.no_operator(tokens, name, last)


def _parse_list(tokens: Tokens) -> list[Literal]:
    """list = "(" value { "," value } ")" """
    if not tokens.next_is(TokenKind.OPEN):
        raise mistakes.no_list(tokens)
    tokens.take()
    literals = [_parse_value(tokens)]
    while tokens.next_is(TokenKind.COMMA):
        tokens.take()
        literals.append(_parse_value(tokens))
    if not tokens.next_is(TokenKind.CLOSE):
        raise mistakes.no_joint(tokens, "a comma or a closing parenthesis")
    tokens.take()
    return literals


def _parse_field(tokens: Tokens) -> Name:
    """field = name { "." name }; a name behind that of a span's values may be a place in a list"""
    first = tokens.next
    if first.kind not in (TokenKind.WORD, TokenKind.QUOTED_NAME) or tokens.next_is_word(*_KEYWORDS):
        raise mistakes.no_field(tokens)
    last = tokens.take()
    parts = [last.value]
    while tokens.next_is(TokenKind.DOT):
        tokens.take()
        if parts[0] in _WITH_PLACES and tokens.next_is(TokenKind.NUMBER) and _PLACES.fullmatch(tokens.next.value):
            last = tokens.take()
            parts += last.value.split(".")
            continue
        if not tokens.next_is(TokenKind.WORD, TokenKind.QUOTED_NAME):
            raise mistakes.no_name(tokens)
        last = tokens.take()
        parts.append(last.value)
    return Name(tuple(parts), first.start, last.end)


def _parse_value(tokens: Tokens, operator: Token | None = None) -> Literal:
    """value = 'text' | number | TRUE | FALSE | time; the operator is the one that it stands behind."""
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
    raise mistakes.no_value(tokens, operator)


def _parse_timestamp(tokens: Tokens) -> Literal:
    """TIMESTAMP 'ISO 8601', UTC where no offset is said"""
    first = tokens.take()
    if not tokens.next_is(TokenKind.STRING):
        raise mistakes.no_time(tokens)
    time_ms = parse_time_ms(tokens.next.value)
    if time_ms is None:
        message = "this is no date or time such as '2025-06-30' or '2025-06-30T14:05:00+02:00'"
        raise mistakes.unexpected(tokens, message)
    return Literal(time_ms, first.start, tokens.take().end)


def _parse_now(tokens: Tokens) -> Literal:
    """now() [ - INTERVAL 'n unit' ]"""
    first = tokens.take()
    for kind in (TokenKind.OPEN, TokenKind.CLOSE):
        if not tokens.next_is(kind):
            raise mistakes.no_now(tokens, first)
        last = tokens.take()
    if not tokens.next_is(TokenKind.MINUS):
        return Literal(tokens.now_ms, first.start, last.end)
    tokens.take()
    if not tokens.take_keyword("INTERVAL"):
        raise mistakes.no_interval(tokens, "INTERVAL ")
    length_ms = parse_interval_ms(tokens.next.value) if tokens.next_is(TokenKind.STRING) else None
    if length_ms is None:
        raise mistakes.no_interval(tokens, "")
    return Literal(tokens.now_ms - length_ms, first.start, tokens.take().end)


def _number(text: str) -> int | float:
    """Return what a number token means: a whole number of up to 18 digits is exact, everything else a double."""
    if any(mark in text for mark in ".eE") or len(text) > _EXACT_DIGITS:
        return float(text)
    return int(text)
