"""Pieces of SQL for the SQLite store: texts with the values of their parameters, and the names of the schema.

The schema is that of `store/sqlite/migrations`. Values are always parameters, never text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tracehound.query.fields import NUMBERS_IN_METADATA, Field, Group

Parameter: TypeAlias = str | int | float

# Functions that the store registers with SQLite: `query.numbers.number_in`, a key's value in a JSON object,
# `query.patterns.matches_pattern`, and `query.evaluate.passes_any` of assessments.
NUMBER_IN: Final = "tracehound_number_in"
VALUE: Final = "tracehound_value"
MATCHES: Final = "tracehound_matches"
IS_ASSESSED: Final = "tracehound_is_assessed"
# And one about the rows of all parts of a trace: `query.spans.is_true_of_spans` of a piece of a filter.
HAS_SPANS: Final = "tracehound_has_spans"
# Whether the trace of a number may have the texts that a piece of a filter asks for (`query.needles`).
MAY_HAVE: Final = "tracehound_may_have"
# Of which spans of a trace the duration passes a comparison, as a mask (`query.span_terms.durations_mask`).
DURATIONS_MASK: Final = "tracehound_durations_mask"
BIT_COUNT: Final = "tracehound_bit_count"  # how many spans a mask is of

COLUMNS: Final = {
    "status": "t.state",
    "name": "t.name",
    "timestamp_ms": "t.start_ms",
    "execution_time_ms": "t.duration_ms",
    "end_time_ms": "(t.start_ms + t.duration_ms)",
    "trace_id": "t.trace_id",
    "client_request_id": "t.client_request_id",
    **{name: f"t.{name}" for name in NUMBERS_IN_METADATA},
}
_MAPS: Final = {Group.TAGS: "t.tags", Group.METADATA: "t.metadata"}

# SQLite parses a chain of ANDs or ORs as a tree of that depth, and takes a depth of 1,000.
_CHAIN: Final = 100


@dataclass(frozen=True)
class Sql:
    """A piece of SQL and the values of its parameters, in order."""

    text: str
    parameters: tuple[Parameter, ...] = ()


def value_sql(field: Field) -> Sql:
    """Return the expression for the value that the trace `t` has of a field; NULL where it has none."""
    if field.group is Group.ATTRIBUTES:
        return Sql(COLUMNS[field.name])
    return Sql(f"{VALUE}({_MAPS[field.group]}, ?)", (field.name,))


def marks(values: Sequence[object]) -> str:
    """Return a question mark for each value.

    >>> marks(("a", "b"))
    '?, ?'
    """
    return ", ".join("?" * len(values))


def is_one_of(expression: str, values: Sequence[Parameter]) -> Sql:
    """Return the condition that an expression has one of the values, of which there is at least one."""
    return Sql(f"{expression} = ?" if len(values) == 1 else f"{expression} IN ({marks(values)})", tuple(values))


def join(separator: str, pieces: Sequence[Sql]) -> Sql:
    """Return the pieces with the separator between them."""
    return Sql(
        separator.join(piece.text for piece in pieces),
        tuple(parameter for piece in pieces for parameter in piece.parameters),
    )


def chain(word: str, pieces: Sequence[Sql]) -> Sql:
    """Return the conditions joined by ` AND ` or ` OR `, in groups where they are many."""
    while len(pieces) > _CHAIN:
        pieces = [chain(word, pieces[at : at + _CHAIN]) for at in range(0, len(pieces), _CHAIN)]
    joined = join(word, pieces)
    return Sql(f"({joined.text})", joined.parameters)
