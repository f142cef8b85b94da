"""The searchable fields: one row each. Errors, suggestions, SQL and the evaluator follow from these tables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from tracehound.model.span import SpanStatusCode
from tracehound.model.trace import TraceState


class Kind(Enum):
    """What a field's values are, and how an error calls them."""

    STATE = "one of OK, ERROR, IN_PROGRESS"
    TEXT = "text, in single quotes"
    ANY = "text, which compares with numbers too"
    TIME = "a time in milliseconds since the epoch, a number without quotes"
    NUMBER = "a number, without quotes"
    VALUE = "a text in single quotes, a number, TRUE or FALSE"
    STATUS = "one of OK, ERROR, UNSET"
    TEXTS = "text that is looked through, by LIKE, ILIKE, RLIKE or CONTAINS"


class Group(Enum):
    """Where a field's value is looked up; the value is the prefix that filters are written with."""

    ATTRIBUTES = "attributes"
    TAGS = "tags"
    METADATA = "metadata"
    FEEDBACK = "feedback"
    EXPECTATION = "expectation"
    SPAN = "span"


@dataclass(frozen=True)
class Field:
    """Something that a filter can test and an order can sort by.

    `name` is the attribute's name, the key of the tag or of the metadata, or the name of the assessments; `nullable`
    says that a trace may lack it. `path` leads from the attributes, inputs or outputs of a span to one of their values.
    """

    group: Group
    name: str
    kind: Kind = Kind.ANY
    nullable: bool = True
    path: tuple[str, ...] = ()


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


def _of_span(name: str, kind: Kind, *, nullable: bool = True) -> Field:
    return Field(Group.SPAN, name, kind, nullable)


# Numbers in attributes of spans that are JSON objects: the key of the attribute, and the name in the object.
NUMBERS_IN_SPAN: Final = {
    "input_tokens": ("mlflow.chat.tokenUsage", "input_tokens"),
    "output_tokens": ("mlflow.chat.tokenUsage", "output_tokens"),
    "total_tokens": ("mlflow.chat.tokenUsage", "total_tokens"),
    "cost": ("mlflow.llm.cost", "total_cost"),
}

SPAN_NAME: Final = _of_span("name", Kind.TEXT, nullable=False)
SPAN_DURATION: Final = _of_span("duration_ms", Kind.NUMBER)
_SPAN_FIELDS: Final[tuple[tuple[Field, tuple[str, ...]], ...]] = (
    (SPAN_NAME, ()),
    (_of_span("type", Kind.TEXT), ("span_type",)),
    (_of_span("status", Kind.STATUS, nullable=False), ()),
    (_of_span("status_message", Kind.TEXT), ()),
    (SPAN_DURATION, ("latency", "duration", "execution_time_ms")),
    (_of_span("model", Kind.TEXT), ()),
    *((_of_span(name, Kind.NUMBER), ()) for name in NUMBERS_IN_SPAN),
    (_of_span("repetitions", Kind.NUMBER, nullable=False), ()),
    (_of_span("content", Kind.TEXTS, nullable=False), ()),
)

# What a span has by a name of its own, and what has names in it: `attributes.KEY`, `inputs.PATH`, `outputs.PATH`.
SPAN_FIELDS: Final = {name: field for field, aliases in _SPAN_FIELDS for name in (field.name, *aliases)}
SPAN_VALUES: Final = {
    "attributes": "attributes", "attribute": "attributes", "attr": "attributes",
    "inputs": "inputs", "input": "inputs", "outputs": "outputs", "output": "outputs",
}  # fmt: skip

# What only a filter can name: texts of all spans, and of the first span's inputs and outputs. A trace has many.
SEARCHED: Final = {name: _attribute(name, Kind.TEXTS) for name in ("text", "request", "response")}

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
    "span": Group.SPAN,
}

# What people and judges say of a trace; of one name there may be several, and one of them has to pass.
ASSESSED: Final = frozenset({Group.FEEDBACK, Group.EXPECTATION})
MAPPED: Final = frozenset({Group.TAGS, Group.METADATA})  # a trace has texts there by whatever keys it likes


def may_be_several(field: Field) -> bool:
    """Whether a trace, or a span, may have several values of a field: assessments of a name, elements of a list."""
    return field.group in ASSESSED or bool(field.path)


STATES: Final = (TraceState.OK.value, TraceState.ERROR.value, TraceState.IN_PROGRESS.value)
STATUSES: Final = tuple(code.value for code in SpanStatusCode)
