"""What `--fields` names: columns of a table, keys of JSON, each with how a trace gives its value.

Besides every field that a filter can test there are those that only results have (`_RESULTS`). Times are milliseconds
since the epoch, as filters take them; a table shows them as times of the machine's zone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, Final

from tracehound.errors import FilterError
from tracehound.model.trace import Trace
from tracehound.model.values import decode_value
from tracehound.query.evaluate import value_of
from tracehound.query.fields import ATTRIBUTES, NAME, NUMBERS_IN_METADATA, TRACE_ID, Field, Kind
from tracehound.query.names import parse_names, resolve_bare
from tracehound.query.suggest import mistake, nearest, told
from tracehound.query.tree import Name


class Shape(Enum):
    """What the values of a column are, which says how they are written."""

    TEXT = auto()
    ID = auto()
    STATE = auto()
    TIME = auto()
    NUMBER = auto()  # a whole one
    AMOUNT = auto()  # a number that may have a fraction
    MAP = auto()  # of texts to texts
    JSON = auto()  # any plain value


@dataclass(frozen=True)
class Column:
    """A column: what it is called, what its values are, and how a trace gives one, None where it has none."""

    heading: str
    shape: Shape
    value: Callable[[Trace], Any]
    needs_spans: bool = False
    brief: Callable[[Trace], Any] | None = None  # what a table shows, where that needs no spans
    is_optional: bool = False  # whether a table may do without, where there is no room for it

    def for_table(self) -> Column:
        """Return the column as a table shows it."""
        return self if self.brief is None else Column(self.heading, Shape.TEXT, self.brief)


def _decoded(text: str | None) -> Any:
    return None if text is None else decode_value(text)


def _results(experiments: Mapping[str, str]) -> dict[str, Column]:
    """Return the columns that are no fields of a filter; `experiments` are the names by their ids."""
    columns = (
        Column("request", Shape.JSON, lambda trace: _decoded(trace.data.request), needs_spans=True,
               brief=lambda trace: trace.info.request_preview),
        Column("response", Shape.JSON, lambda trace: _decoded(trace.data.response), needs_spans=True,
               brief=lambda trace: trace.info.response_preview),
        Column("request_preview", Shape.TEXT, lambda trace: trace.info.request_preview),
        Column("response_preview", Shape.TEXT, lambda trace: trace.info.response_preview),
        Column("experiment", Shape.TEXT, lambda trace: experiments.get(trace.info.experiment_id)),
        Column("experiment_id", Shape.TEXT, lambda trace: trace.info.experiment_id),
        Column("tags", Shape.MAP, lambda trace: trace.info.tags),
        Column("metadata", Shape.MAP, lambda trace: trace.info.trace_metadata),
        Column("spans", Shape.JSON, lambda trace: [span.to_dict() for span in trace.data.spans], needs_spans=True),
    )  # fmt: skip
    return {column.heading: column for column in columns}


RESULT_NAMES: Final = tuple(_results({}))
MACHINE_FIELDS: Final = (
    "trace_id,state,request_time,execution_duration,name,experiment,client_request_id,request_preview,"
    "response_preview,metadata,tags"
)
_TABLE_FIELDS: Final = ("request_time", "state", "name", "execution_duration", "request_preview", "trace_id")
_TABLE_HEADINGS: Final = ("time", "state", "name", "ms", "request", "trace")
_SHAPES: Final = {
    Kind.STATE: Shape.STATE,
    Kind.TEXT: Shape.TEXT,
    Kind.ANY: Shape.TEXT,
    Kind.TIME: Shape.TIME,
    Kind.NUMBER: Shape.NUMBER,
    Kind.VALUE: Shape.JSON,
}


def parse_columns(text: str, experiments: Mapping[str, str]) -> list[Column]:
    """Return the columns that a list of names asks for; raise `FilterError`, with the place, for what is none."""
    results = _results(experiments)
    columns: dict[str, Column] = {}
    for name in parse_names(text):
        heading = text[name.start : name.end]
        if heading in columns:
            raise FilterError(f"'{told(heading)}' is there already", text, name.start, name.end)
        columns[heading] = _to_column(name, text, results)
    return list(columns.values())


def table_columns() -> list[Column]:
    """Return what a table shows where nobody says what."""
    columns = parse_columns(",".join(_TABLE_FIELDS), {})
    return [
        Column(heading, column.shape, column.value, is_optional=heading == "request")
        for heading, column in zip(_TABLE_HEADINGS, columns, strict=True)
    ]


def _to_column(name: Name, text: str, results: Mapping[str, Column]) -> Column:
    heading = text[name.start : name.end]
    if len(name.parts) == 1 and name.parts[0] in results:
        return results[name.parts[0]]
    if len(name.parts) == 1 and name.parts[0] not in ATTRIBUTES:
        meant = nearest(name.parts[0], (*ATTRIBUTES, *RESULT_NAMES))
        if meant is not None:
            message = f"there is no field '{told(heading)}': write {meant}"
            raise mistake(message, text, name.start, name.end, meant)
    field = resolve_bare(name, text)
    return Column(heading, _shape_of(field), _getter(field))


def _shape_of(field: Field) -> Shape:
    if field == TRACE_ID:
        return Shape.ID
    return Shape.AMOUNT if field.name in NUMBERS_IN_METADATA else _SHAPES[field.kind]


def _getter(field: Field) -> Callable[[Trace], Any]:
    return lambda trace: value_of(field, trace.info)


def complete_fields(incomplete: str, keys: Sequence[str]) -> list[str]:
    """Return how a list of names may go on; `keys` are those of tags and metadata that are known, with prefixes."""
    before, comma, last = incomplete.rpartition(",")
    names = dict.fromkeys((TRACE_ID.name, NAME.name, *ATTRIBUTES, *RESULT_NAMES, *keys))
    return [f"{before}{comma}{name}" for name in names if name.startswith(last)]
