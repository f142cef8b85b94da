"""The tree of a filter: as it was parsed, and as it was checked.

Parsing yields `Comparison`s of names, which remember where they stood in the text. Checking turns each into a `Test`
of a known field against a value of the right kind. AND and OR are the same in both. A `Scope` asks the spans of a
trace; the nodes inside of it are about one span.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeAlias, TypeVar

from tracehound.query.fields import Field

Value: TypeAlias = str | int | float | bool


class Operator(Enum):
    """The comparisons of the language, in the letters in which they are written.

    All but IS NULL are false of what is absent, the negated ones too.
    """

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    IN = "IN"
    NOT_IN = "NOT IN"
    BETWEEN = "BETWEEN"
    NOT_BETWEEN = "NOT BETWEEN"
    LIKE = "LIKE"
    NOT_LIKE = "NOT LIKE"
    ILIKE = "ILIKE"
    NOT_ILIKE = "NOT ILIKE"
    RLIKE = "RLIKE"
    NOT_RLIKE = "NOT RLIKE"
    CONTAINS = "CONTAINS"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"

    __hash__ = object.__hash__  # each of them is one object; Enum's own hash is Python, asked for by each comparison


EQUALITY: Final = frozenset({Operator.EQ, Operator.NE, Operator.IN, Operator.NOT_IN})
ORDERED: Final = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN, Operator.NOT_BETWEEN})
LIKE: Final = frozenset({Operator.LIKE, Operator.NOT_LIKE})
PATTERNS: Final = LIKE | {
    Operator.ILIKE, Operator.NOT_ILIKE, Operator.RLIKE, Operator.NOT_RLIKE, Operator.CONTAINS
}  # fmt: skip
NULLS: Final = frozenset({Operator.IS_NULL, Operator.IS_NOT_NULL})


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
    """field operator values, not yet checked; `end` is behind the operator."""

    name: Name
    operator: Operator
    start: int
    end: int
    literals: tuple[Literal, ...]


@dataclass(frozen=True)
class Test:
    """A comparison that can be answered: the field exists and the value is of its kind.

    The operators about NULL have no value. IN and BETWEEN are gone, for they are written with the others, but where a
    trace or a span may have several values of the field: there one of them has to pass BETWEEN and NOT IN as a whole,
    and `value` is all that it is compared with.
    """

    field: Field
    operator: Operator
    value: Value | tuple[Value, ...] | None

    __test__ = False  # pytest takes every class of this name for its own

    @property
    def single(self) -> Value:
        """The value of a comparison that has one."""
        assert self.value is not None  # noqa: S101 - the operators about NULL are done with
        assert not isinstance(self.value, tuple)  # noqa: S101 - so are those that have parts
        return self.value

    @property
    def parts(self) -> tuple[Test, ...]:
        """What has to be true of one value, with a single value to compare with each."""
        if not isinstance(self.value, tuple):
            return (self,)
        if self.operator is Operator.BETWEEN:
            low, high = self.value
            return Test(self.field, Operator.GE, low), Test(self.field, Operator.LE, high)
        return tuple(Test(self.field, Operator.NE, each) for each in self.value)


Leaf = TypeVar("Leaf")


@dataclass(frozen=True)
class And(Generic[Leaf]):
    """True where every child is; at least two children, none of them an And."""

    children: tuple[Node[Leaf], ...]


@dataclass(frozen=True)
class Or(Generic[Leaf]):
    """True where a child is; at least two children, none of them an Or."""

    children: tuple[Node[Leaf], ...]


@dataclass(frozen=True)
class Not(Generic[Leaf]):
    """True where the child is not: of what is absent, too."""

    child: Node[Leaf]


class Relation(Enum):
    """How a span stands to the one that is named before it."""

    CHILD = ">"
    DESCENDANT = ">>"
    THEN = "THEN"  # it begins when the other has ended, or later


@dataclass(frozen=True)
class Step(Generic[Leaf]):
    """One more span of a scope: how it stands to the one before, and what is true of it."""

    relation: Relation
    condition: Node[Leaf]


@dataclass(frozen=True)
class Count:
    """So many spans: a comparison of their number."""

    operator: Operator
    number: int | float


@dataclass(frozen=True)
class Scope(Generic[Leaf]):
    """True of a trace with a span of which the condition is true, and behind it one for each step.

    With a `count` what is compared is the number of the spans that can be the last of them.
    """

    condition: Node[Leaf]
    steps: tuple[Step[Leaf], ...] = ()
    count: Count | None = None

    @property
    def conditions(self) -> tuple[Node[Leaf], ...]:
        """What is asked of the spans, one after the other."""
        return (self.condition, *(step.condition for step in self.steps))


Node: TypeAlias = Leaf | And[Leaf] | Or[Leaf] | Not[Leaf] | Scope[Leaf]
Parsed: TypeAlias = Node[Comparison]
Checked: TypeAlias = Node[Test]
