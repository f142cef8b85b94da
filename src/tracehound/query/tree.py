"""The tree of a filter: as it was parsed, and as it was checked.

Parsing yields `Comparison`s of names, which remember where they stood in the text. Checking turns each into a `Test`
of a known field against a value of the right kind. AND and OR are the same in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeAlias, TypeVar

from tracehound.query.fields import Field

Value: TypeAlias = str | int | float


class Operator(Enum):
    """The comparisons of the language, in the letters in which they are written."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="

    @property
    def is_ordered(self) -> bool:
        """Whether the operator asks which of two values is greater."""
        return self not in (Operator.EQ, Operator.NE)


@dataclass(frozen=True)
class Name:
    """A field as it is written: `parts` without dots and backticks, and where it stands."""

    parts: tuple[str, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Literal:
    """A value as it is written, and where it stands."""

    value: Value
    start: int
    end: int


@dataclass(frozen=True)
class Comparison:
    """field operator value, not yet checked."""

    name: Name
    operator: Operator
    operator_start: int
    literal: Literal


@dataclass(frozen=True)
class Test:
    """A comparison that can be answered: the field exists and the value is of its kind."""

    field: Field
    operator: Operator
    value: Value

    __test__ = False  # pytest takes every class of this name for its own


Leaf = TypeVar("Leaf")


@dataclass(frozen=True)
class And(Generic[Leaf]):
    """True where every child is; at least two children, none of them an And."""

    children: tuple[Node[Leaf], ...]


@dataclass(frozen=True)
class Or(Generic[Leaf]):
    """True where a child is; at least two children, none of them an Or."""

    children: tuple[Node[Leaf], ...]


Node: TypeAlias = Leaf | And[Leaf] | Or[Leaf]
