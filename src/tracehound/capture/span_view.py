"""What a live span tells of itself, under MLflow's names: ids, times, and what was recorded so far as plain values."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from tracehound.capture.sdk_view import SdkView
from tracehound.context.draft import TraceDraft
from tracehound.model.ids import format_span_id
from tracehound.model.occurrence import Link, RecordedEvent, RecordedLink, SpanEvent, event_of, link_of
from tracehound.model.span import SpanStatus
from tracehound.model.values import decode_value


class SpanView(SdkView):
    """The half of a live span that is read; the other half sets what is read here."""

    _number: int
    _name: str
    _span_type: str
    _texts: dict[str, str]
    _status: SpanStatus
    _inputs: str | None
    _outputs: str | None
    _events: list[RecordedEvent]
    _links: list[RecordedLink]

    @property
    @abstractmethod
    def draft(self) -> TraceDraft:
        """The trace that this span is a part of."""

    @property
    def number(self) -> int:
        """The span id as a number."""
        return self._number

    @property
    def trace_id(self) -> str:
        """The id of the trace: `tr-` and 32 hexadecimal digits."""
        return self.draft.trace_id

    @property
    def span_id(self) -> str:
        """The id of the span: 16 hexadecimal digits."""
        return format_span_id(self._number)

    @property
    def parent_id(self) -> str | None:
        """The id of the span above, or None."""
        return None if self._parent_number is None else format_span_id(self._parent_number)

    @property
    def name(self) -> str:
        """What the step is called."""
        return self._name

    @property
    def span_type(self) -> str:
        """What kind of step it is: LLM, TOOL, RETRIEVER, …"""
        return self._span_type

    @property
    def status(self) -> SpanStatus:
        """How the step ended, as far as is known."""
        return self._status

    @property
    def start_time_ns(self) -> int:
        """When the step began, in nanoseconds since the epoch."""
        return self._start_ns

    @property
    def end_time_ns(self) -> int | None:
        """When the step ended, in nanoseconds since the epoch; None while it runs."""
        return self._end_ns

    @property
    def inputs(self) -> Any:
        """What was recorded as going in, as plain values."""
        return None if self._inputs is None else decode_value(self._inputs)

    @property
    def outputs(self) -> Any:
        """What was recorded as coming out, as plain values."""
        return None if self._outputs is None else decode_value(self._outputs)

    @property
    def has_outputs(self) -> bool:
        """Whether outputs were recorded: those that user code set win over a returned value."""
        return self._outputs is not None

    @property
    def attributes(self) -> dict[str, Any]:
        """The attributes set so far, as plain values."""
        return {key: decode_value(text) for key, text in list(self._texts.items())}

    @property
    def events(self) -> list[SpanEvent]:
        """What happened so far."""
        return [event_of(record) for record in list(self._events)]

    @property
    def links(self) -> list[Link]:
        """The spans of other traces that this one refers to."""
        return [link_of(record) for record in list(self._links)]

    def get_attribute(self, key: str) -> Any:
        """Return one attribute as a plain value, or None."""
        text = self._texts.get(key)
        return None if text is None else decode_value(text)
