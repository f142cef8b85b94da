"""A span: one step of a trace, finished or still running, as it was captured and as results return it.

Values are kept as the JSON texts that capture made of them and are decoded when they are read. `to_dict` gives the
form that MLflow's clients exchange: base64 ids, and every attribute value a JSON text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Any, Final, NoReturn

from tracehound.errors import ArgumentError
from tracehound.model.form import Form
from tracehound.model.ids import from_base64
from tracehound.model.occurrence import (
    Link,
    RecordedEvent,
    RecordedLink,
    SpanEvent,
    decode_all,
    event_of,
    link_of,
)
from tracehound.model.record import LEFT_OUT, Left, Record, force_setattr, short_repr, to_plain
from tracehound.model.values import decode_value, encode_exactly, encode_value

INPUTS: Final = "mlflow.spanInputs"
OUTPUTS: Final = "mlflow.spanOutputs"
SPAN_TYPE: Final = "mlflow.spanType"
TRACE_REQUEST_ID: Final = "mlflow.traceRequestId"
FUNCTION_NAME: Final = "mlflow.spanFunctionName"
_DESCRIPTION: Final = "mlflow.spanDescription"
_LOG_LEVEL: Final = "mlflow.spanLogLevel"
_MODEL: Final = "mlflow.llm.model"
_COST: Final = "mlflow.llm.cost"

UNKNOWN: Final = "UNKNOWN"


class SpanStatusCode(str, Enum):
    """How a span ended; UNSET while nobody said.

    >>> import tracehound
    >>> with tracehound.start_span("look up") as span:
    ...     span.set_status(SpanStatusCode.ERROR)
    >>> tracehound.get_trace(span.trace_id).data.spans[0].status.status_code
    <SpanStatusCode.ERROR: 'ERROR'>
    """

    UNSET = "UNSET"
    OK = "OK"
    ERROR = "ERROR"

    def __str__(self) -> str:
        return str(self.value)


class SpanStatus(Record, frozen=True, array_like=True, gc=False):
    """How a span ended and, for an error, what went wrong; the code may be given as its text.

    >>> SpanStatus("ERROR", "no answer").status_code
    <SpanStatusCode.ERROR: 'ERROR'>
    """

    status_code: SpanStatusCode = SpanStatusCode.UNSET
    description: str = ""

    def __post_init__(self) -> None:
        if type(self.status_code) is not SpanStatusCode:
            try:
                force_setattr(self, "status_code", SpanStatusCode(self.status_code))
            except ValueError:
                raise ArgumentError(f"a span's status is OK, ERROR or UNSET, not {self.status_code!r}") from None

    @property
    def is_ok(self) -> bool:
        """Whether the step did not fail, as OpenTelemetry's status says it: UNSET counts as well."""
        return self.status_code is not SpanStatusCode.ERROR

    @property
    def is_unset(self) -> bool:
        """Whether nobody said how the step ended."""
        return self.status_code is SpanStatusCode.UNSET


class SpanType:
    """The kinds of steps that have a name; any other text is a type as well.

    >>> import tracehound
    >>> with tracehound.start_span("look up", span_type=SpanType.RETRIEVER) as span:
    ...     pass
    >>> [found.name for found in tracehound.get_trace(span.trace_id).search_spans(SpanType.RETRIEVER)]
    ['look up']
    """

    LLM = "LLM"
    CHAIN = "CHAIN"
    AGENT = "AGENT"
    TOOL = "TOOL"
    CHAT_MODEL = "CHAT_MODEL"
    RETRIEVER = "RETRIEVER"
    PARSER = "PARSER"
    EMBEDDING = "EMBEDDING"
    RERANKER = "RERANKER"
    MEMORY = "MEMORY"
    UNKNOWN = UNKNOWN
    WORKFLOW = "WORKFLOW"
    TASK = "TASK"
    GUARDRAIL = "GUARDRAIL"
    EVALUATOR = "EVALUATOR"


class Span(Record, frozen=True, array_like=True, gc=False):
    """One step of a trace; it does not change any more, and there is no way to change it.

    `trace_id` is `tr-` and 32 hexadecimal digits, `span_id` and `parent_id` are 16; times are nanoseconds since the
    epoch; the fields that end in `_json` hold JSON texts, which `inputs`, `outputs` and `attributes` decode.

    What was read of MLflow's files may differ: `trace_id` is what MLflow called the trace, and `otel_trace_id` holds
    the 32 digits where the one does not say the other; type and kind are None and "" where nothing said them.

    >>> import tracehound
    >>> with tracehound.start_span("add", span_type="TOOL") as live:
    ...     live.set_inputs({"a": 1, "b": 2})
    ...     live.set_outputs(3)
    >>> span = tracehound.get_trace(live.trace_id).data.spans[0]
    >>> span.name, span.inputs, span.outputs, span.parent_id
    ('add', {'a': 1, 'b': 2}, 3, None)
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    start_time_ns: int
    end_time_ns: int | None
    status: SpanStatus = SpanStatus()
    span_type: str | None = UNKNOWN
    inputs_json: str | None = None
    outputs_json: str | None = None
    attributes_json: dict[str, str] = {}
    # Tuples: an empty one is not made anew, and the garbage collector leaves them alone.
    event_records: tuple[RecordedEvent, ...] = ()
    link_records: tuple[RecordedLink, ...] = ()
    kind: str = "INTERNAL"
    otel_trace_id: str | None = None

    @property
    def request_id(self) -> str:
        """MLflow 2's name of `trace_id`."""
        return self.trace_id

    @property
    def inputs(self) -> Any:
        """What went in, as plain values; None when nothing was recorded."""
        return None if self.inputs_json is None else decode_value(self.inputs_json)

    @property
    def outputs(self) -> Any:
        """What came out, as plain values; None when nothing was recorded."""
        return None if self.outputs_json is None else decode_value(self.outputs_json)

    @property
    def attributes(self) -> dict[str, Any]:
        """All attributes as plain values, with what MLflow keeps among them: type, inputs, outputs, trace id."""
        return decode_all(_attribute_texts(self))

    @property
    def events(self) -> list[SpanEvent]:
        """What happened during the step, in the order in which it was said."""
        return [event_of(record) for record in self.event_records]

    @property
    def links(self) -> list[Link]:
        """The spans of other traces that this one refers to."""
        return [link_of(record) for record in self.link_records]

    @property
    def description(self) -> str | None:
        """What the step is for, if somebody said."""
        return self._text_of(_DESCRIPTION)

    @property
    def log_level(self) -> int | None:
        """How much the step matters, as the numbers of `logging`, if somebody said."""
        found = self.get_attribute(_LOG_LEVEL)
        return found if isinstance(found, int) else None

    @property
    def model_name(self) -> str | None:
        """Which model was called, if somebody said."""
        return self._text_of(_MODEL)

    @property
    def llm_cost(self) -> dict[str, float] | None:
        """What the call cost in US dollars (`input_cost`, `output_cost`, `total_cost`), if somebody said."""
        found = self.get_attribute(_COST)
        return found if isinstance(found, dict) else None

    @property
    def duration_ns(self) -> int | None:
        """How long the span took; None while it runs."""
        return None if self.end_time_ns is None else self.end_time_ns - self.start_time_ns

    def get_attribute(self, key: str) -> Any:
        """Return one attribute as a plain value, or None."""
        text = _attribute_texts(self).get(key)
        return None if text is None else decode_value(text)

    def to_dict(self) -> dict[str, Any]:
        """Return the span in MLflow's form; `from_dict` is the inverse."""
        form: dict[str, Any] = to_plain(self.to_form())
        return form

    def to_form(self) -> SpanForm:
        """Return the span in MLflow's form, to be written as JSON and not to be changed."""
        parent_id, status, from_digits = self.parent_id, self.status, bytes.fromhex
        return SpanForm(
            from_digits(self.otel_trace_id or self.trace_id[-32:]),
            from_digits(self.span_id),
            None if parent_id is None else from_digits(parent_id),
            self.name,
            f"SPAN_KIND_{self.kind}" if self.kind else LEFT_OUT,
            self.start_time_ns,
            self.end_time_ns,
            [_event_form(each) for each in self.event_records] if self.event_records else _NONE,
            _PLAIN_FORMS[status.status_code._value_] if not status.description else _status_form(status),
            _attribute_texts(self),
            [link_of(each).to_dict() for each in self.link_records] if self.link_records else _NONE,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Span:
        """Return the span that MLflow or `to_dict` wrote; raise `ArgumentError` for what is none.

        Any MLflow since 2.14 is understood: base64 ids and hexadecimal ones, with a `kind` and without.
        """
        from tracehound.model.span_form import read_span

        return read_span(Form(data, ""))

    def __getitem__(self, key: object) -> NoReturn:
        """Raise, and say what to write instead: a span is neither a mapping nor a sequence."""
        if isinstance(key, str) and not key.startswith("_") and hasattr(type(self), key):
            hint = f"write span.{key}"
        elif isinstance(key, str) and key in _attribute_texts(self):
            hint = f"write span.get_attribute({key!r})"
        else:
            hint = "write span.inputs, span.outputs or span.attributes; span.to_dict() gives a dict"
        raise TypeError(f"a span is not subscriptable and cannot be iterated over: {hint}")

    def __hash__(self) -> int:
        return hash((self.trace_id, self.span_id))

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:  # type: ignore[override] # what rich allows
        yield from (("name", self.name), ("trace_id", self.trace_id))
        yield from (("span_id", self.span_id), ("parent_id", self.parent_id))

    __repr__ = short_repr

    def _text_of(self, key: str) -> str | None:
        found = self.get_attribute(key)
        return found if isinstance(found, str) else None


class SpanForm(Record, gc=False):
    """A span in MLflow's form: a third less work than a dictionary, and nothing for the garbage collector.

    Its ids are bytes, which are written as base64.
    """

    trace_id: bytes
    span_id: bytes
    parent_span_id: bytes | None
    name: str
    kind: str | Left
    start_time_unix_nano: int
    end_time_unix_nano: int | None
    events: Sequence[dict[str, Any]]
    status: dict[str, str]
    attributes: dict[str, str]
    links: Sequence[dict[str, Any]]


def _status_form(status: SpanStatus) -> dict[str, str]:
    return {"code": f"STATUS_CODE_{status.status_code._value_}", "message": status.description}


# What nearly all spans have; nobody changes it, for `to_dict` makes lists and dictionaries of its own.
_NONE: Final[list[Any]] = []
_PLAIN_FORMS: Final = {code.value: _status_form(SpanStatus(code)) for code in SpanStatusCode}


def _event_form(event: RecordedEvent) -> dict[str, Any]:
    return {
        "name": event.name,
        "time_unix_nano": event.timestamp_ns,
        "attributes": decode_all(event.attributes_json),
    }


def span_from_dict(form: dict[str, Any]) -> Span:
    """Return the span that `Span.to_dict` wrote. What others wrote is for `Span.from_dict`, which checks everything."""
    texts = dict(form["attributes"])
    digits = from_base64(form["trace_id"])
    trace_id = f"tr-{digits}"
    parent, status = form["parent_span_id"], form["status"]
    named = texts.pop(TRACE_REQUEST_ID, None)
    is_other = named is not None and named != f'"{trace_id}"'
    return Span(
        trace_id=decode_value(named) if is_other else trace_id,
        span_id=from_base64(form["span_id"]),
        parent_id=None if parent is None else from_base64(parent),
        name=form["name"],
        start_time_ns=form["start_time_unix_nano"],
        end_time_ns=form["end_time_unix_nano"],
        status=_read_status(status["code"], status["message"]),
        span_type=_pop_type(texts),
        inputs_json=texts.pop(INPUTS, None),
        outputs_json=texts.pop(OUTPUTS, None),
        attributes_json=texts,
        event_records=tuple([_read_event(each) for each in form["events"]]),
        link_records=tuple([_read_link(each) for each in form["links"]]),
        kind=form.get("kind", "").removeprefix("SPAN_KIND_"),
        otel_trace_id=digits if is_other and decode_value(named)[-32:] != digits else None,
    )


def _read_event(form: dict[str, Any]) -> RecordedEvent:
    return RecordedEvent(form["name"], form["time_unix_nano"], _encoded(form["attributes"]))


def _read_link(form: dict[str, Any]) -> RecordedLink:
    return RecordedLink(form["trace_id"], form["span_id"], _encoded(form["attributes"] or {}))


# Nearly all spans have one of these; they are not made anew for each.
_PLAIN_STATUS: Final = {f"STATUS_CODE_{code.value}": SpanStatus(code) for code in SpanStatusCode}


def _read_status(code: str, message: str) -> SpanStatus:
    plain = _PLAIN_STATUS[code]
    return SpanStatus(plain.status_code, message) if message else plain


def _pop_type(texts: dict[str, str]) -> str | None:
    """Return the type that the attributes say and take it out, unless the text says more than the type."""
    text = texts.pop(SPAN_TYPE, None)
    if text is None:
        return None
    inside = text[1:-1]
    if inside.isidentifier() and text[0] == text[-1] == '"':  # nothing that JSON would escape: no need to decode it
        return inside
    kind = decode_value(text)
    if isinstance(kind, str) and encode_value(kind) == text:
        return kind
    texts[SPAN_TYPE] = text
    return kind if isinstance(kind, str) else None


def _encoded(values: dict[str, Any]) -> dict[str, str]:
    return {key: encode_exactly(value) for key, value in values.items()}


def _attribute_texts(span: Span) -> dict[str, str]:
    """Return every attribute as JSON text under MLflow's names."""
    is_ours = span.otel_trace_id is None  # then there is nothing in the id that JSON would escape
    texts = {TRACE_REQUEST_ID: f'"{span.trace_id}"' if is_ours else encode_value(span.trace_id)}
    kind = span.span_type
    if kind is not None:
        texts[SPAN_TYPE] = f'"{kind}"' if kind.isidentifier() else encode_value(kind)
    if span.inputs_json is not None:
        texts[INPUTS] = span.inputs_json
    if span.outputs_json is not None:
        texts[OUTPUTS] = span.outputs_json
    texts.update(span.attributes_json)
    return texts
