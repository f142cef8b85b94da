"""Terms: what of a trace the inverted index knows. Written by the store, asked by the SQL: one definition for both.

A term is a key with its value, as a 63-bit hash: of a tag, of metadata, of feedback and expectations (the value is its
JSON there), and of the attributes whose values many traces share or that single traces are looked up by. Durations have
one term for each power of two, by the number of their bits, so that what took long is found in the order of time. Long
values have one term for all of them, which says that the key has a value and leaves the rest to the row. Keys whose
value differs in nearly every trace are left out: they would double the file and find nothing that the row does not
tell.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final, NamedTuple

from tracehound.model.assessment import Assessment
from tracehound.model.ids import hash63
from tracehound.model.record import to_json_text
from tracehound.model.reserved import ARTIFACT_LOCATION
from tracehound.model.trace import TRACE_NAME, TraceInfo
from tracehound.query.evaluate import assessed_values
from tracehound.query.fields import ASSESSED, DURATION, NAME, Field, Group

MAX_INDEXED_CHARACTERS: Final = 200
UNIQUE_METADATA: Final = (
    "mlflow.traceInputs",
    "mlflow.traceOutputs",
    "mlflow.trace.size",
    "mlflow.trace.tokenUsage",
    "mlflow.trace.cost",
)
_UNIQUE_TAGS: Final = (ARTIFACT_LOCATION,)
_INDEXED_ATTRIBUTES: Final = ("status", "client_request_id")


def durations_of(value: str) -> tuple[int, int]:
    """Return the least and the greatest duration in ms that the term of a value stands for.

    >>> durations_of("0"), durations_of("4")
    ((0, 0), (8, 15))
    """
    bits = int(value)
    return (1 << bits) >> 1, (1 << bits) - 1


class Term(NamedTuple):
    """A term and what it stands for; `kind` is the value of a `Group`, `value` None for the term of all long ones."""

    kind: str
    key: str
    number: int
    value: str | None


def key_of(field: Field) -> tuple[Group, str] | None:
    """Return under which key the index has the values of a field; None for one that it does not have.

    The name of a trace is the value of its tag `mlflow.traceName`.
    """
    if field == NAME:
        return Group.TAGS, TRACE_NAME
    if field.group is Group.ATTRIBUTES and field.name not in _INDEXED_ATTRIBUTES:
        return None
    if field.group is Group.METADATA and field.name.startswith(UNIQUE_METADATA):
        return None
    if field.group is Group.TAGS and field.name in _UNIQUE_TAGS:
        return None
    return field.group, field.name


def is_indexed(group: Group, key: str, value: str) -> bool:
    """Whether a trace with this value of a tag or of metadata has a term for just that value."""
    return len(value) <= MAX_INDEXED_CHARACTERS and key_of(Field(group, key)) is not None


def term(group: Group, key: str, value: str | None) -> int:
    """Return the number of the term for a value, or for all values of the key that are too long to have one."""
    return hash63(group.value, key) if value is None else hash63(group.value, key, value)


def terms_of(info: TraceInfo) -> list[Term]:
    """Return each term of a trace once."""
    found = [to_term("attributes", "status", info.state.value)]
    if info.execution_duration is not None:
        found.append(to_term("attributes", DURATION.name, str(info.execution_duration.bit_length())))
    if info.client_request_id is not None:
        found.append(to_term("attributes", "client_request_id", info.client_request_id))
    found += [to_term("tags", key, value) for key, value in info.tags.items() if key not in _UNIQUE_TAGS]
    found += [
        to_term("metadata", key, value)
        for key, value in info.trace_metadata.items()
        if not key.startswith(UNIQUE_METADATA)
    ]
    if info.assessments:
        found += _assessed_terms(info.assessments)
    return found


def _assessed_terms(assessments: Sequence[Assessment]) -> set[Term]:
    """Return the terms of feedback and expectations, whose values are JSON: of one name there may be several."""
    names = {each.name for each in assessments}
    return {
        to_term(group.value, name, to_json_text(value))
        for group in ASSESSED
        for name in names
        for value in assessed_values(group, name, assessments)
    }


# Most terms of a trace are those of others, too. The kind is a text, for the hash of an Enum is worked out in Python.
@functools.lru_cache(maxsize=16_384)
def to_term(kind: str, key: str, value: str) -> Term:
    """Return the term of a value, or of all values of the key that are as long."""
    indexed = value if len(value) <= MAX_INDEXED_CHARACTERS else None
    return Term(kind, key, term(Group(kind), key, indexed), indexed)
