"""SQL of the user over documented views, which can read and do nothing else.

The connection is one of its own that may only read, and SQLite asks for each thing that a statement would do whether it
may: select, from the views, with functions that stay inside of the database. Everything else is refused before the
statement runs, whatever it is.
"""

from __future__ import annotations

import re
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.model.assessment import Assessment, Expectation, Feedback
from tracehound.model.merge import merge_parts
from tracehound.model.record import from_json, to_json, to_json_text
from tracehound.query.fields import NUMBERS_IN_METADATA
from tracehound.query.limit import SearchLimit
from tracehound.query.sql import VALUE
from tracehound.query.suggest import told
from tracehound.store.api import Rows
from tracehound.store.sqlite.batch import to_part
from tracehound.store.sqlite.connection import open_connection
from tracehound.store.sqlite.faults import noting_faults, store_errors
from tracehound.store.sqlite.limits import within

_SPANS: Final = "tracehound_spans"
_ASSESSMENTS: Final = "tracehound_assessments"
_MAX_BYTES: Final = 256_000_000  # of one text: a function may make as long a one as is asked for
_LENGTH: Final = 0  # SQLite's number for that limit

_NUMBERS: Final = ", ".join(f"t.{name}" for name in NUMBERS_IN_METADATA)


def _elements(table: str, count: int) -> str:
    """Return the first elements of the JSON array that is the value of a row."""
    return ", ".join(f"json_extract({table}.value, '$[{at}]')" for at in range(count))


# Each view: its columns, and what it selects. `docs/sql.md` says what they mean.
VIEWS: Final[dict[str, tuple[str, str]]] = {
    "traces": (
        "trace_id, experiment, experiment_id, name, state, start_ms, duration_ms, user, session, client_request_id,"
        f" request_preview, response_preview, {', '.join(NUMBERS_IN_METADATA)}, tags, metadata",
        "SELECT t.trace_id, e.name, CAST(t.experiment AS TEXT), t.name, t.state, t.start_ms, t.duration_ms,"  # noqa: S608 - our own words
        f" {VALUE}(t.metadata, 'mlflow.trace.user'), {VALUE}(t.metadata, 'mlflow.trace.session'), t.client_request_id,"
        f" t.request_preview, t.response_preview, {_NUMBERS}, t.tags, t.metadata"
        " FROM main.trace AS t JOIN main.experiment AS e ON e.id = t.experiment",
    ),
    "spans": (
        "trace_id, span_id, parent_id, name, type, status, status_message, start_ns, end_ns, duration_ms, inputs,"
        " outputs, attributes, events",
        f"SELECT t.trace_id, {_elements('s', 13)}"  # noqa: S608 - as above
        f" FROM main.trace AS t JOIN json_each((SELECT {_SPANS}(p.payload, p.has_ended) FROM main.part AS p"
        " WHERE p.trace = t.seq)) AS s",
    ),
    "assessments": (
        "trace_id, name, kind, value, rationale, source_type, source, span_id, time_ms, is_valid",
        f"SELECT t.trace_id, {_elements('a', 9)}"  # noqa: S608 - as above
        f" FROM main.trace AS t JOIN json_each({_ASSESSMENTS}(t.assessments)) AS a WHERE t.assessments IS NOT NULL",
    ),
    "tags": (
        "trace_id, key, value",
        "SELECT t.trace_id, k.key, k.value FROM main.trace AS t JOIN json_each(t.tags) AS k",
    ),
    "metadata": (
        "trace_id, key, value",
        "SELECT t.trace_id, k.key, k.value FROM main.trace AS t JOIN json_each(t.metadata) AS k",
    ),
}
_READ_FROM: Final = frozenset({*VIEWS, "json_each", "json_tree"})
_BEHIND: Final = frozenset({"trace", "experiment", "part", "json_each"})
_DANGEROUS: Final = ("load_extension", "fts3_tokenizer")
_OURS: Final = "tracehound_"


def run_sql(
    path: Path,
    access: str,
    text: str,
    parameters: Sequence[Any] | Mapping[str, Any],
    limit: SearchLimit | None,
) -> Rows:
    """Return what a statement selects; raise `ArgumentError` for one that is wrong, or would do anything else."""
    with store_errors(path), closing(open_connection(path, access)) as connection:
        connection.create_aggregate(_SPANS, 2, _Spans)  # type: ignore[arg-type] # typeshed's steps take one value
        connection.create_function(_ASSESSMENTS, 1, noting_faults(_assessments))
        for name, (columns, select) in VIEWS.items():
            connection.execute(f"CREATE TEMP VIEW {name} ({columns}) AS {select}")
        connection.execute("PRAGMA query_only = ON")
        if sys.version_info >= (3, 11):
            connection.setlimit(_LENGTH, _MAX_BYTES)
        guard = _Guard()
        connection.set_authorizer(guard.decide)
        with within(connection, limit, _NARROW):
            try:
                cursor = connection.execute(text, parameters)
            except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError) as error:
                _raise_told(error, text, guard, limit)
            rows = cursor.fetchall()
        if cursor.description is None:
            raise ArgumentError("there is no SELECT")
        return Rows(tuple(column[0] for column in cursor.description), rows)


_NARROW: Final = "spans are read out of each trace, so say first which traces they are to be of"
_FAULTS_OF_STORE: Final = ("malformed", "disk", "locked", "unable to open", "not a database", "user-defined")
_NO_READING: Final = ("not authorized", "authorization denied", "prohibited", "readonly", "is a view")


class _Guard:
    """What a statement may do; remembers what it was refused."""

    def __init__(self) -> None:
        self.refused = ""

    def decide(self, action: int, first: str | None, second: str | None, _: str | None, view: str | None) -> int:
        """Return whether something may be done: SQLite's `SQLITE_OK` or `SQLITE_DENY`."""
        if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ:
            # Of a table without a column SQLite does not say through which view it is read.
            is_behind = first in _BEHIND and (view in VIEWS or not second)
            if is_behind or first in _READ_FROM:
                return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION:
            name = (second or "").lower()
            if name not in _DANGEROUS and (view in VIEWS or not name.startswith(_OURS)):
                return sqlite3.SQLITE_OK
        self.refused = (second if action == sqlite3.SQLITE_FUNCTION else first) or ""
        return sqlite3.SQLITE_DENY


class _Spans:
    """The spans of a trace as JSON, in the order of the columns of the view; each step is told of one part."""

    def __init__(self) -> None:
        self._parts: list[tuple[bytes, int]] = []

    def step(self, payload: bytes, has_ended: int) -> None:
        """Take a part."""
        self._parts.append((payload, has_ended))

    @noting_faults
    def finalize(self) -> str:
        """Return the JSON; of a trace that has lost its parts there are no spans."""
        spans = merge_parts([to_part(*part) for part in self._parts]).data.spans if self._parts else []
        rows = [
            (
                span.span_id, span.parent_id, span.name, span.span_type, span.status.status_code.value,
                span.status.description or None, span.start_time_ns, span.end_time_ns,
                None if span.duration_ns is None else max(0, span.duration_ns) / 1e6,
                span.inputs_json, span.outputs_json, _object(span.attributes_json),
                to_json([(each.name, each.timestamp_ns, _object(each.attributes_json)) for each in span.event_records])
                .decode() if span.event_records else None,
            )
            for span in spans
        ]  # fmt: skip
        return to_json(rows).decode()


_KINDS: Final = {Feedback: "feedback", Expectation: "expectation"}


def _assessments(text: str) -> str:
    """Return assessments as JSON, in the order of the columns of the view."""
    rows = [
        (
            each.name, _KINDS.get(type(each), "issue"), _scalar(getattr(each, "value", None)),
            each.rationale, each.source.source_type, each.source.source_id, each.span_id, each.create_time_ms,
            each.valid is not False,
        )
        for each in (Assessment.from_dict(form) for form in from_json(text))
    ]  # fmt: skip
    return to_json(rows).decode()


def _scalar(value: Any) -> Any:
    """Return a value as SQL has it; what is no single one as JSON."""
    return to_json_text(value) if isinstance(value, (dict, list)) else value


def _object(texts: Mapping[str, str]) -> str:
    """Return JSON texts under their names as one JSON object."""
    return "{" + ",".join(f"{to_json(key).decode()}:{text}" for key, text in texts.items()) + "}"


def _raise_told(error: Exception, text: str, guard: _Guard, limit: SearchLimit | None) -> None:
    """Raise what an error of SQLite means to whoever wrote the statement."""
    if limit is not None:
        limit.check(narrow=_NARROW)
    message = str(error)
    if guard.refused or any(word in message for word in _NO_READING):
        views = ", ".join(VIEWS)
        what = f", not {guard.refused}" if guard.refused else ""
        raise ArgumentError(f"SQL may SELECT from {views}, and nothing else{what}") from error
    if "one statement at a time" in message:
        raise ArgumentError("SQL is one statement at a time") from error
    if any(word in message for word in _FAULTS_OF_STORE):
        raise error
    raise ArgumentError(f"this SQL cannot be run: {told(message)}{_what_there_is(message, text)}") from error


def _what_there_is(message: str, text: str) -> str:
    """Return what can be asked for, where a statement asks for a view or a column that is not there."""
    if "no such table" in message:
        return f"; there are {', '.join(VIEWS)}"
    if "no such column" not in message:
        return ""
    words = set(re.findall(r"\w+", text.lower()))
    return "".join(f"; {view} has {columns}" for view, (columns, _) in VIEWS.items() if view in words)
