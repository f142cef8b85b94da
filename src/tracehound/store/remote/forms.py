"""What a client and a server say to each other, and how it is made of what a store takes and gives.

Everything is MessagePack, which is exact for every value: numbers of 64 bits, NaN, bytes. What is not exact in it, or
no record, goes as text: a filter as it is printed, an assessment as the JSON that is stored of it. The spans of a trace
go as the bytes that the server's store keeps of them.

A change of a form that the other side cannot read is a new `PROTOCOL`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from tracehound.model.edit import read_assessments
from tracehound.model.record import Record, to_json_text, unpacker
from tracehound.model.summary import Summary
from tracehound.model.trace import Experiment, Trace, TraceInfo, TracePart, TraceState
from tracehound.query.check import parse_printed
from tracehound.query.limit import SearchLimit
from tracehound.query.periods import parse_period, print_length
from tracehound.query.printer import print_field, print_filter, print_order
from tracehound.query.search import KeyValue, Search, parse_search
from tracehound.query.statistics import ALL, StatisticsQuery, parse_groups
from tracehound.store.api import Arrival
from tracehound.store.explain import Choice, Explanation, Step
from tracehound.wire.payload import to_payload

PROTOCOL: Final = 1
PATH: Final = "/api/v1/store"
FRAMES_PATH: Final = "/api/v1/frames"
MSGPACK: Final = "application/vnd.msgpack"
SPOOL_HEADER: Final = "tracehound-spool"
SEGMENT_HEADER: Final = "tracehound-segment"
START_HEADER: Final = "tracehound-start"
END_HEADER: Final = "tracehound-end"

Asked = TypeVar("Asked", bound=Record)
Given = TypeVar("Given", bound=Record)


@dataclass(frozen=True)
class Operation(Generic[Asked, Given]):
    """Something that a store does: what it is asked with, and what it gives."""

    name: str
    asked: type[Asked]
    given: type[Given]

    @functools.cached_property
    def read_asked(self) -> Callable[[bytes], Asked]:
        """The function that reads what is asked; it raises `DecodeError` for anything else."""
        return unpacker(self.asked)

    @functools.cached_property
    def read_given(self) -> Callable[[bytes], Given]:
        """The function that reads what is given; it raises `DecodeError` for anything else."""
        return unpacker(self.given)


class Form(Record, frozen=True, array_like=True):
    """The base of the forms; one without fields asks for nothing, or says that it is done."""


class SearchForm(Form, frozen=True):
    """A search as texts; `cursor` stands for where it begins, and the time is that of `SearchLimit`."""

    experiment_ids: list[str]
    where: str | None
    order: list[str]
    limit: int
    cursor: str | None
    fingerprint: int
    now_ms: int
    limit_s: float | None
    spent_s: float


class InfoForm(Form, frozen=True):
    """What is known of a trace without its spans; an assessment is the JSON of it."""

    trace_id: str
    experiment_id: str
    request_time: int
    execution_duration: int | None
    state: str
    name: str
    request_preview: str | None
    response_preview: str | None
    client_request_id: str | None
    trace_metadata: dict[str, str]
    tags: dict[str, str]
    assessments: list[str]


class TraceForm(Form, frozen=True):
    """A whole trace, with its spans as `wire.payload` has them."""

    info: InfoForm
    payload: bytes


class InfosForm(Form, frozen=True):
    """A page of traces without their spans."""

    found: list[InfoForm]
    next_cursor: str | None


class TracesForm(Form, frozen=True):
    """A page of whole traces."""

    found: list[TraceForm]
    next_cursor: str | None = None


class TraceIdsForm(Form, frozen=True):
    """Traces by their ids."""

    trace_ids: list[str]


class ExplanationForm(Form, frozen=True):
    """How a search was answered, as `store.explain` has it."""

    driver: str | None
    choices: list[tuple[str, int | None, bool]]
    steps: list[tuple[str, int, float]]
    found: int
    emptied_by: str | None
    emptied_after: list[str]


class StatisticsForm(Form, frozen=True):
    """Statistics of the traces of a search: fields by their names, the period by its length and time zone."""

    search: SearchForm
    fields: list[str]
    period: str | None
    zone: str
    wanted: list[str]
    are_weighted: bool = False
    fractions: tuple[float, ...] = ()


class GroupsForm(Form, frozen=True):
    """Groups of traces, each the values that it is of and what it adds up to."""

    groups: list[tuple[list[str | int | float | None], Summary]]


class SqlForm(Form, frozen=True):
    """A SELECT, and what stands in the place of its parameters."""

    text: str
    parameters: list[Any] | dict[str, Any]
    limit_s: float | None
    spent_s: float


class RowsForm(Form, frozen=True):
    """What SQL has selected."""

    columns: list[str]
    rows: list[list[Any]]  # text, numbers, bytes and None


class ExperimentsForm(Form, frozen=True):
    """Experiments that have traces."""

    experiments: list[Experiment]


class SubjectForm(Form, frozen=True):
    """A kind of what is no trace, and one of that kind, or all."""

    kind: str
    subject: str | None


class FactsForm(Form, frozen=True):
    """What is known: values by key, by subject."""

    values: dict[str, dict[str, str]]


class BehindForm(Form, frozen=True):
    """A place in the order of arrival, or its end, and how many are wanted."""

    after: int | None
    limit: int


class ArrivalsForm(Form, frozen=True):
    """Traces in the order of their arrival, with their numbers."""

    found: list[tuple[int, InfoForm]]


class NumbersForm(Form, frozen=True):
    """Some numbers."""

    numbers: list[int]


class NamesForm(Form, frozen=True):
    """Some names."""

    names: list[str]


class SpoolForm(Form, frozen=True):
    """A spool folder of a client: its segments and processes are told apart from those of others by its id."""

    spool: str


class SpoolNameForm(Form, frozen=True):
    """A segment, or a process, of a spool folder."""

    spool: str
    name: str


class PositionForm(Form, frozen=True):
    """How far a segment has been applied, to which incarnation of the store, and whether this request has done it."""

    position: int
    incarnation: str
    is_applied: bool = False


SEARCH: Final = Operation("search", SearchForm, InfosForm)
SEARCH_WHOLE: Final = Operation("search-whole", SearchForm, TracesForm)
EXPLAIN: Final = Operation("explain", SearchForm, ExplanationForm)
READ_TRACES: Final = Operation("traces", TraceIdsForm, TracesForm)
STATISTICS: Final = Operation("statistics", StatisticsForm, GroupsForm)
SQL: Final = Operation("sql", SqlForm, RowsForm)
EXPERIMENTS: Final = Operation("experiments", Form, ExperimentsForm)
FACTS: Final = Operation("facts", SubjectForm, FactsForm)
ARRIVALS: Final = Operation("arrivals", BehindForm, ArrivalsForm)
VERSION: Final = Operation("version", Form, NumbersForm)
POSITION: Final = Operation("position", SpoolNameForm, PositionForm)
SEGMENTS: Final = Operation("segments", SpoolForm, NamesForm)
FORGET_SEGMENT: Final = Operation("forget-segment", SpoolNameForm, Form)
RUNNING_OWNERS: Final = Operation("running-owners", SpoolForm, NamesForm)
END_OWNER: Final = Operation("end-owner", SpoolNameForm, Form)
RECLAIM: Final = Operation("reclaim", NumbersForm, NumbersForm)
FRAMES: Final = Operation("frames", Form, PositionForm)  # what it is asked with are frames, and headers


def form_of_search(search: Search) -> SearchForm:
    """Return a search as texts; `to_search` is the inverse."""
    limit = search.time_limit
    return SearchForm(
        experiment_ids=list(search.experiment_ids),
        where=None if search.where is None else print_filter(search.where),
        order=print_order(search.order),
        limit=search.limit,
        cursor=None if search.after is None else search.cursor(search.after),
        fingerprint=search.fingerprint,
        now_ms=search.now_ms,
        limit_s=None if limit is None else limit.seconds,
        spent_s=0.0 if limit is None else limit.spent_s(),
    )


def to_search(form: SearchForm, limit: SearchLimit, most: int) -> Search:
    """Return the search of a form, in bounds of time and size; raise as `parse_search` does where it is none."""
    if form.limit_s is not None:
        limit.go_on(form.limit_s, form.spent_s)
    search = parse_search(form.experiment_ids, None, form.order, max(0, min(form.limit, most)), now_ms=form.now_ms)
    search = replace(
        search,
        where=None if form.where is None else parse_printed(form.where),
        fingerprint=form.fingerprint,
        time_limit=limit,
    )
    return search if form.cursor is None else search.behind(form.cursor)


def form_of_info(info: TraceInfo) -> InfoForm:
    """Return what is known of a trace; `to_info` is the inverse."""
    return InfoForm(
        info.trace_id, info.experiment_id, info.request_time, info.execution_duration, info.state.value, info.name,
        info.request_preview, info.response_preview, info.client_request_id, info.trace_metadata, info.tags,
        [to_json_text(each.to_dict()) for each in info.assessments] if info.assessments else [],
    )  # fmt: skip


def to_info(form: InfoForm) -> TraceInfo:
    """Return what a form says of a trace."""
    return TraceInfo(
        trace_id=form.trace_id,
        experiment_id=form.experiment_id,
        request_time=form.request_time,
        execution_duration=form.execution_duration,
        state=TraceState(form.state),
        name=form.name,
        request_preview=form.request_preview,
        response_preview=form.response_preview,
        client_request_id=form.client_request_id,
        trace_metadata=form.trace_metadata,
        tags=form.tags,
        assessments=read_assessments(form.assessments) if form.assessments else [],
    )


def form_of_trace(trace: Trace) -> TraceForm:
    """Return a whole trace; its spans as they are stored, if they lie in the store as one payload."""
    stored = trace.data.stored
    if stored is not None:
        return TraceForm(form_of_info(trace.info), stored.payload)
    return TraceForm(form_of_info(trace.info), to_payload(TracePart(trace.info.trace_id, "", 0, trace.data.spans)))


def form_of_explanation(explanation: Explanation) -> ExplanationForm:
    """Return how a search was answered; `to_explanation` is the inverse."""
    return ExplanationForm(
        explanation.driver,
        [(each.condition, each.rows, each.is_counted) for each in explanation.choices],
        [(each.what, each.rows_read, each.time_ms) for each in explanation.steps],
        explanation.found,
        explanation.emptied_by,
        list(explanation.emptied_after),
    )


def to_explanation(form: ExplanationForm) -> Explanation:
    """Return what a form says of an answer."""
    return Explanation(
        form.driver,
        tuple(Choice(*each) for each in form.choices),
        tuple(Step(*each) for each in form.steps),
        form.found,
        form.emptied_by,
        tuple(form.emptied_after),
    )


def form_of_statistics(query: StatisticsQuery) -> StatisticsForm:
    """Return what is asked of statistics; `to_statistics` is the inverse."""
    period = query.period
    return StatisticsForm(
        form_of_search(query.search),
        [print_field(each) for each in query.fields],
        None if period is None else print_length(period),
        "UTC" if period is None else period.zone.key,
        sorted(query.wanted),
        query.are_weighted,
        query.fractions,
    )


def to_statistics(form: StatisticsForm, limit: SearchLimit) -> StatisticsQuery:
    """Return what a form asks of statistics; raise `FilterError` or `ArgumentError` where it is wrong."""
    return StatisticsQuery(
        to_search(form.search, limit, form.search.limit),
        tuple(parse_groups(form.fields)),
        None if form.period is None else parse_period(form.period, form.zone),
        ALL.intersection(form.wanted),
        form.are_weighted,
        form.fractions,
    )


def form_of_groups(groups: dict[tuple[KeyValue, ...], Summary]) -> GroupsForm:
    """Return what groups of traces add up to."""
    return GroupsForm([(list(key), summary) for key, summary in groups.items()])


def forms_of_arrivals(arrivals: Sequence[Arrival]) -> ArrivalsForm:
    """Return traces in the order of their arrival."""
    return ArrivalsForm([(each.number, form_of_info(each.info)) for each in arrivals])
