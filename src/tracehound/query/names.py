"""Names of fields outside of a filter: in an order, in a list of columns. There an attribute needs no prefix."""

from __future__ import annotations

from collections.abc import Sequence

from tracehound.errors import FilterError
from tracehound.query.fields import ATTRIBUTES, Field, Group, Kind
from tracehound.query.resolve import resolve_field
from tracehound.query.tokens import Token, TokenKind, tokenize
from tracehound.query.tree import Name


def parse_names(text: str) -> list[Name]:
    """Return the names of a list; raise `FilterError` for what is none.

    >>> [name.parts for name in parse_names("latency, tags.env, metadata.`a,b`")]
    [('latency',), ('tags', 'env'), ('metadata', 'a,b')]
    """
    names: list[Name] = []
    written: list[Token] = []
    for token in tokenize(text):
        if token.kind not in (TokenKind.COMMA, TokenKind.END):
            written.append(token)
            continue
        name = to_name(written)
        if name is None:
            start, end = (written[0].start, written[-1].end) if written else (token.start, token.end)
            message = "names of fields are expected, with commas between them: trace_id, latency, tags.env"
            raise FilterError(message, text, start, end)
        names.append(name)
        written = []
    return names


def to_name(tokens: Sequence[Token]) -> Name | None:
    """Return the name that the tokens are, words with dots between them; None where they are something else."""
    words = tokens[::2]
    is_name = (
        len(tokens) % 2 == 1
        and all(token.kind in (TokenKind.WORD, TokenKind.QUOTED_NAME) for token in words)
        and all(token.kind is TokenKind.DOT for token in tokens[1::2])
    )
    return Name(tuple(token.value for token in words), words[0].start, words[-1].end) if is_name else None


def resolve_bare(name: Name, text: str) -> Field:
    """Return the field that a name means, of an attribute also without its prefix; raise `FilterError` for no field."""
    field = ATTRIBUTES.get(name.parts[0]) if len(name.parts) == 1 else None
    found = field or resolve_field(name, text)
    if found.group is Group.SPAN or found.kind is Kind.TEXTS:
        message = "a trace has many spans and texts: here stands what it has one of"
        raise FilterError(message, text, name.start, name.end)
    return found
