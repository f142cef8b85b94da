"""What may be written in a filter: the fields of the language, and the keys and values that the newest traces have.

It is there for completion, so it has to be quick on any store and need not be whole: keys and values are those of the
newest thousand traces, names of spans those of the newest fifty.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from tracehound.client.pages import read_pages
from tracehound.model.assessment import Expectation, Feedback
from tracehound.model.record import Record
from tracehound.model.trace import TraceInfo
from tracehound.query.fields import ATTRIBUTES, SEARCHED, SPAN_FIELDS, STATES, STATUSES, Field, Group, Kind
from tracehound.query.tokens import quote, quote_name
from tracehound.server.served import Served
from tracehound.server.traces import SearchScope, search_of

_TRACES: Final = 1_000
_TRACES_WITH_SPANS: Final = 50
_VALUES: Final = 50  # the most frequent ones of a field
_LONGEST: Final = 100  # longer values are texts that nobody completes


class FieldsRequest(SearchScope, frozen=True, kw_only=True):
    """Of which traces keys and values are wanted."""


class FieldShape(Record, frozen=True, kw_only=True):
    """Something that a filter can test: how it is written, what its values are, and some as they are written."""

    field: str
    kind: str
    values: list[str]


class FieldsPage(Record, frozen=True, kw_only=True):
    """All fields: those of the language, then those that traces have."""

    fields: list[FieldShape]


def search_fields(served: Served, asked: FieldsRequest) -> FieldsPage:
    """Return what may be written in a filter, with the keys and values that the newest traces have."""
    store = served.runtime.drained_store()
    search = search_of(served, store, asked)
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for page in read_pages(store, search, _TRACES, include_spans=False):
        for trace in page:
            _see_trace(seen, trace.info)
    for page in read_pages(store, search, _TRACES_WITH_SPANS):
        for span in (span for trace in page for span in trace.data.spans):
            seen["span.name"][quote(span.name)] += 1
            if span.span_type is not None:
                seen["span.type"][quote(span.span_type)] += 1
    known = _of_language()
    rest = dict.fromkeys(sorted(seen.keys() - known.keys()), Kind.ANY)
    return FieldsPage(
        fields=[
            FieldShape(field=name, kind=kind.name.lower(), values=_values(kind, seen[name]))
            for name, kind in (known | rest).items()
        ]
    )


def _of_language() -> dict[str, Kind]:
    """Return the fields that have a name of their own, as they are written."""
    found: dict[str, Kind] = {}
    seen: set[Field] = set()
    for name, field in ATTRIBUTES.items():
        if field not in seen:  # the other names of a field come behind its first
            seen.add(field)
            found[f"attributes.{name}"] = field.kind
    for name, field in SEARCHED.items():
        found[f"trace.{name}"] = field.kind
    for name, field in SPAN_FIELDS.items():
        if field.name == name:
            found[f"span.{name}"] = field.kind
    return found


def _see_trace(seen: defaultdict[str, Counter[str]], info: TraceInfo) -> None:
    seen["attributes.name"][quote(info.name)] += 1
    for group, values in ((Group.TAGS, info.tags), (Group.METADATA, info.trace_metadata)):
        for key, value in values.items():
            seen[f"{group.value}.{quote_name(key)}"][quote(value)] += 1
    for name, field in ATTRIBUTES.items():
        if field.group is Group.METADATA and field.name in info.trace_metadata:
            seen[f"attributes.{name}"][quote(info.trace_metadata[field.name])] += 1
    for said in info.assessments:
        if isinstance(said, (Feedback, Expectation)):
            group = Group.FEEDBACK if isinstance(said, Feedback) else Group.EXPECTATION
            seen[f"{group.value}.{quote_name(said.name)}"][_written(said.value)] += 1


def _written(value: object) -> str:
    """Return the value of an assessment as a filter writes it."""
    if isinstance(value, bool):
        return str(value).upper()
    return str(value) if isinstance(value, (int, float)) else quote(str(value))


def _values(kind: Kind, seen: Counter[str]) -> list[str]:
    """Return values as they are written: all there are, where the language knows them, else the most frequent ones."""
    fixed = {Kind.STATE: STATES, Kind.STATUS: STATUSES}.get(kind)
    if fixed is not None:
        return [quote(value) for value in fixed]
    return [value for value, _ in seen.most_common(_VALUES) if len(value) <= _LONGEST]
