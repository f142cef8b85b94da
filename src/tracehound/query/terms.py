"""Terms: what of a trace the inverted index knows. Written by the store, asked by the SQL: one definition for both.

A term is a tag or a metadata key with its value, as a 63-bit hash. Long values are left out, and so are keys whose
value differs in nearly every trace: they would double the file and find nothing that the row does not tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tracehound.model.ids import hash63
from tracehound.model.trace import TraceInfo
from tracehound.query.fields import Group

MAX_INDEXED_CHARACTERS: Final = 200
_UNIQUE_METADATA: Final = ("mlflow.traceInputs", "mlflow.traceOutputs", "mlflow.trace.size", "mlflow.trace.tokenUsage")


def is_indexed(group: Group, key: str, value: str) -> bool:
    """Whether a trace with this value has a term for it."""
    unique = group is Group.METADATA and key.startswith(_UNIQUE_METADATA)
    return len(value) <= MAX_INDEXED_CHARACTERS and not unique


def term(group: Group, key: str, value: str) -> int:
    """Return the term of a tag or metadata value."""
    return hash63(group.value, key, value)


def terms_of(info: TraceInfo) -> Iterator[int]:
    """Yield each term of a trace once."""
    for group, pairs in ((Group.TAGS, info.tags), (Group.METADATA, info.trace_metadata)):
        for key, value in pairs.items():
            if is_indexed(group, key, value):
                yield term(group, key, value)
