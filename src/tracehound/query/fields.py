"""The searchable fields: one row each. Errors, suggestions, SQL and the evaluator follow from these tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tracehound.model.trace import TraceState


class Kind(Enum):
    """What a field's values are, and how an error calls them."""

    STATE = "one of OK, ERROR, IN_PROGRESS"
    TEXT = "text, in single quotes"
    ANY = "text, which compares with numbers too"
    TIME = "a time in milliseconds since the epoch, a number without quotes"
    NUMBER = "a number, without quotes"
    VALUE = "a text in single quotes, a number, TRUE or FALSE"


class Group(Enum):
    """Where a field's value is looked up; the value is the prefix that filters are written with."""

    ATTRIBUTES = "attributes"
    TAGS = "tags"
    METADATA = "metadata"
    FEEDBACK = "feedback"
    EXPECTATION = "expectation"


@dataclass(frozen=True)
class Field:
    """Something that a filter can test and an order can sort by.

    `name` is the attribute's name, the key of the tag or of the metadata, or the name of the assessments; `nullable`
    says that a trace may lack it.
    """

    group: Group
    name: str
    kind: Kind = Kind.ANY
    nullable: bool = True


def _attribute(name: str, kind: Kind, *, nullable: bool = False) -> Field:
    return Field(Group.ATTRIBUTES, name, kind, nullable)


TRACE_ID: Final = _attribute("trace_id", Kind.TEXT)
NAME: Final = _attribute("name", Kind.TEXT)
TIMESTAMP: Final = _attribute("timestamp_ms", Kind.TIME)
DURATION: Final = _attribute("execution_time_ms", Kind.NUMBER, nullable=True)

# Attributes that are numbers in JSON objects: the key of the metadata, and the name in the object.
NUMBERS_IN_METADATA: Final = {
    "input_tokens": ("mlflow.trace.tokenUsage", "input_tokens"),
    "output_tokens": ("mlflow.trace.tokenUsage", "output_tokens"),
    "total_tokens": ("mlflow.trace.tokenUsage", "total_tokens"),
    "cost": ("mlflow.trace.cost", "total_cost"),
    "span_count": ("mlflow.trace.sizeStats", "num_spans"),
}

# Each attribute, and the other names it is known by.
_ATTRIBUTES: Final[tuple[tuple[Field, tuple[str, ...]], ...]] = (
    (_attribute("status", Kind.STATE), ("state",)),
    (NAME, ()),
    (TIMESTAMP, ("timestamp", "request_time")),
    (DURATION, ("execution_time", "latency", "execution_duration")),
    (_attribute("end_time_ms", Kind.TIME, nullable=True), ("end_time",)),
    (TRACE_ID, ("request_id",)),
    (_attribute("client_request_id", Kind.TEXT, nullable=True), ()),
    *((_attribute(name, Kind.NUMBER, nullable=True), ()) for name in NUMBERS_IN_METADATA),
)

# Attributes that are another name of a metadata key.
_METADATA_ATTRIBUTES: Final = {
    "run_id": "mlflow.sourceRun",
    "model_id": "mlflow.modelId",
    "session": "mlflow.trace.session",
    "user": "mlflow.trace.user",
}

ATTRIBUTES: Final[dict[str, Field]] = {
    **{name: field for field, aliases in _ATTRIBUTES for name in (field.name, *aliases)},
    **{name: Field(Group.METADATA, key, Kind.TEXT) for name, key in _METADATA_ATTRIBUTES.items()},
}

PREFIXES: Final[dict[str, Group]] = {
    "attributes": Group.ATTRIBUTES,
    "attribute": Group.ATTRIBUTES,
    "attr": Group.ATTRIBUTES,
    "trace": Group.ATTRIBUTES,
    "tags": Group.TAGS,
    "tag": Group.TAGS,
    "metadata": Group.METADATA,
    "request_metadata": Group.METADATA,
    "trace_metadata": Group.METADATA,
    "feedback": Group.FEEDBACK,
    "expectation": Group.EXPECTATION,
}

# What people and judges say of a trace; of one name there may be several, and one of them has to pass.
ASSESSED: Final = frozenset({Group.FEEDBACK, Group.EXPECTATION})

STATES: Final = (TraceState.OK.value, TraceState.ERROR.value, TraceState.IN_PROGRESS.value)
