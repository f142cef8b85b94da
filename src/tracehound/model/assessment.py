"""Assessments: what people, code and models say of a trace or of one of its spans.

Feedback is an opinion, an expectation is what had been right, an issue reference says that the trace shows a known
fault. Like everything in results they are snapshots and do not change.
"""

from __future__ import annotations

import copy
import json
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from tracehound.errors import ArgumentError
from tracehound.model.form import Form, write_time
from tracehound.model.record import short_repr

Said = TypeVar("Said", bound="Assessment")

_SOURCE_RUN: Final = "mlflow.assessment.sourceRunId"
_TIMES: Final = ("create_time_ms", "last_update_time_ms")


class AssessmentSourceType:
    """Who may say something of a trace.

    >>> AssessmentSource(AssessmentSourceType.LLM_JUDGE, "gpt-4o")
    AssessmentSource(source_type='LLM_JUDGE', source_id='gpt-4o')
    """

    SOURCE_TYPE_UNSPECIFIED = "SOURCE_TYPE_UNSPECIFIED"
    LLM_JUDGE = "LLM_JUDGE"
    AI_JUDGE = "AI_JUDGE"  # the older name of LLM_JUDGE
    HUMAN = "HUMAN"
    CODE = "CODE"


_SOURCE_TYPES: Final = ("HUMAN", "LLM_JUDGE", "CODE", "SOURCE_TYPE_UNSPECIFIED")


@dataclass(frozen=True)
class AssessmentSource:
    """Who says it: the kind of source, in any case of letters, and which one of them.

    >>> AssessmentSource("human", "bob@example.com")
    AssessmentSource(source_type='HUMAN', source_id='bob@example.com')
    """

    source_type: str
    source_id: str | None = "default"

    def __post_init__(self) -> None:
        kind = str(self.source_type).upper()
        if kind == AssessmentSourceType.AI_JUDGE:
            warnings.warn("AI_JUDGE is called LLM_JUDGE now", FutureWarning, stacklevel=3)
            kind = AssessmentSourceType.LLM_JUDGE
        if kind not in _SOURCE_TYPES:
            raise ArgumentError(f"an assessment's source is {', '.join(_SOURCE_TYPES)}, not {self.source_type!r}")
        object.__setattr__(self, "source_type", kind)

    def to_dict(self) -> dict[str, Any]:
        """Return the source in MLflow's form."""
        return _without_none({"source_type": self.source_type, "source_id": self.source_id})


@dataclass(frozen=True)
class AssessmentError:
    """Why there is no answer: a word for it, the message, and where it was raised.

    >>> error = AssessmentError("RATE_LIMIT_EXCEEDED", "the judge answers one call a second")
    >>> Feedback("correct", error=error).error_code
    'RATE_LIMIT_EXCEEDED'
    """

    error_code: str
    error_message: str | None = None
    stack_trace: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the error in MLflow's form."""
        return _without_none(
            {"error_code": self.error_code, "error_message": self.error_message, "stack_trace": self.stack_trace}
        )


@dataclass(frozen=True, init=False, repr=False)
class Assessment:
    """What all assessments have; make a `Feedback`, an `Expectation` or an `IssueReference`.

    Times are milliseconds since the epoch, now where none is given. `valid` is False for what a later assessment
    replaced, which names it in `overrides`; None where nobody said.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> _ = tracehound.log_feedback(trace_id=span.trace_id, name="correct", value=True)
    >>> [said] = tracehound.get_trace(span.trace_id).search_assessments("correct")
    >>> isinstance(said, Assessment), said.source.source_type, said.value
    (True, 'CODE', True)
    """

    name: str
    source: AssessmentSource
    trace_id: str | None
    run_id: str | None
    rationale: str | None
    metadata: dict[str, str] | None = field(hash=False)
    span_id: str | None
    create_time_ms: int
    last_update_time_ms: int
    assessment_id: str | None
    overrides: str | None
    valid: bool | None

    def __init__(self) -> None:
        raise ArgumentError("an assessment is a Feedback, an Expectation or an IssueReference")

    def to_dict(self) -> dict[str, Any]:
        """Return the assessment in MLflow's form; `from_dict` is the inverse."""
        known_run = (self.metadata or {}).get(_SOURCE_RUN)
        form = {
            "assessment_id": self.assessment_id,
            "assessment_name": self.name,
            "trace_id": self.trace_id,
            "span_id": self.span_id,
            "source": self.source.to_dict(),
            "create_time": write_time(self.create_time_ms),
            "last_update_time": write_time(self.last_update_time_ms),
            **self._content(),
            "rationale": self.rationale,
            "metadata": self.metadata,
            "overrides": self.overrides,
            "valid": self.valid,
            "run_id": None if self.run_id == known_run else self.run_id,
        }
        return _without_none(form)

    to_dictionary = to_dict  # MLflow's name of it

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Assessment:
        """Return the assessment that MLflow or `to_dict` wrote; raise `ArgumentError` for what is none."""
        from tracehound.model.assessment_form import read_assessment

        return read_assessment(Form(data, ""))

    from_dictionary = from_dict  # MLflow's name of it

    def changed(self: Said, **values: object) -> Said:
        """Return the assessment with other values of some of its fields."""
        copied = copy.copy(self)
        for name, value in values.items():
            object.__setattr__(copied, name, value)
        return copied

    def __rich_repr__(self) -> Iterator[tuple[str, object]]:
        yield from (("name", self.name), *self._content().items(), ("source", self.source))

    __repr__ = short_repr

    def _content(self) -> dict[str, Any]:
        """Return what is said, under the word for the kind of assessment, in MLflow's form."""
        raise NotImplementedError

    def _say(self, **values: Any) -> None:
        """Fill in the fields, the times with now and the run with what the metadata say, where they are not given."""
        if not isinstance(values["source"], AssessmentSource):
            raise ArgumentError(f"the source of an assessment is an AssessmentSource, not {values['source']!r}")
        if values["metadata"] is not None and not isinstance(values["metadata"], dict):
            raise ArgumentError(f"the metadata of an assessment are a dict, not {values['metadata']!r}")
        now_ms = time.time_ns() // 1_000_000
        for name, value in values.items():
            object.__setattr__(self, name, now_ms if value is None and name in _TIMES else value)
        if self.run_id is None:
            object.__setattr__(self, "run_id", (self.metadata or {}).get(_SOURCE_RUN))


@dataclass(frozen=True, init=False, repr=False)
class Feedback(Assessment):
    """An opinion of a trace or span: any JSON value, or the error for which there is none.

    >>> Feedback("correct", True, source=AssessmentSource("HUMAN", "bob"), rationale="as in the book").value
    True
    """

    value: Any = field(hash=False)
    error: AssessmentError | None

    def __init__(
        self,
        name: str = "feedback",
        value: Any = None,
        error: BaseException | AssessmentError | str | None = None,
        source: AssessmentSource | None = None,
        trace_id: str | None = None,
        metadata: dict[str, str] | None = None,
        span_id: str | None = None,
        create_time_ms: int | None = None,
        last_update_time_ms: int | None = None,
        rationale: str | None = None,
        overrides: str | None = None,
        valid: bool | None = True,  # noqa: FBT001, FBT002 - MLflow's signature
        *,
        run_id: str | None = None,
        assessment_id: str | None = None,
    ) -> None:
        self._say(
            name=name, value=value, error=_to_error(error), source=source or AssessmentSource("CODE"),
            trace_id=trace_id, run_id=run_id, rationale=rationale, metadata=metadata, span_id=span_id,
            create_time_ms=create_time_ms, last_update_time_ms=last_update_time_ms, assessment_id=assessment_id,
            overrides=overrides, valid=valid,
        )  # fmt: skip

    @property
    def error_code(self) -> str | None:
        """The word for the error, if there is one."""
        return None if self.error is None else self.error.error_code

    @property
    def error_message(self) -> str | None:
        """The message of the error, if there is one."""
        return None if self.error is None else self.error.error_message

    def _content(self) -> dict[str, Any]:
        error = {} if self.error is None else {"error": self.error.to_dict()}
        return {"feedback": {"value": self.value, **error}}


@dataclass(frozen=True, init=False, repr=False)
class Expectation(Assessment):
    """What a trace or span should have come to: any JSON value but null.

    >>> Expectation("answer", {"city": "Paris"}).source.source_type
    'HUMAN'
    """

    value: Any = field(hash=False)

    def __init__(
        self,
        name: str,
        value: Any,
        source: AssessmentSource | None = None,
        trace_id: str | None = None,
        metadata: dict[str, str] | None = None,
        span_id: str | None = None,
        create_time_ms: int | None = None,
        last_update_time_ms: int | None = None,
        *,
        run_id: str | None = None,
        rationale: str | None = None,
        assessment_id: str | None = None,
        overrides: str | None = None,
        valid: bool | None = None,
    ) -> None:
        if value is None:
            raise ArgumentError("an expectation has a value; None is none")
        self._say(
            name=name, value=value, source=source or AssessmentSource("HUMAN"),
            trace_id=trace_id, run_id=run_id, rationale=rationale, metadata=metadata, span_id=span_id,
            create_time_ms=create_time_ms, last_update_time_ms=last_update_time_ms, assessment_id=assessment_id,
            overrides=overrides, valid=valid,
        )  # fmt: skip

    def _content(self) -> dict[str, Any]:
        if isinstance(self.value, (bool, int, float, str)):
            return {"expectation": {"value": self.value}}
        text = json.dumps(self.value)  # as MLflow writes it, spaces and all
        return {"expectation": {"serialized_value": {"serialization_format": "JSON_FORMAT", "value": text}}}


@dataclass(frozen=True, init=False, repr=False)
class IssueReference(Assessment):
    """Says that a trace shows a known fault; its name is the id of the issue.

    >>> IssueReference("is-1", "wrong language").issue_id
    'is-1'
    """

    issue_name: str

    def __init__(
        self,
        issue_id: str,
        issue_name: str,
        source: AssessmentSource | None = None,
        trace_id: str | None = None,
        run_id: str | None = None,
        rationale: str | None = None,
        metadata: dict[str, str] | None = None,
        span_id: str | None = None,
        create_time_ms: int | None = None,
        last_update_time_ms: int | None = None,
        *,
        assessment_id: str | None = None,
        overrides: str | None = None,
        valid: bool | None = None,
    ) -> None:
        self._say(
            name=issue_id, issue_name=issue_name, source=source or AssessmentSource("LLM_JUDGE"),
            trace_id=trace_id, run_id=run_id, rationale=rationale, metadata=metadata, span_id=span_id,
            create_time_ms=create_time_ms, last_update_time_ms=last_update_time_ms, assessment_id=assessment_id,
            overrides=overrides, valid=valid,
        )  # fmt: skip

    @property
    def issue_id(self) -> str:
        """The id of the issue."""
        return self.name

    def _content(self) -> dict[str, Any]:
        return {"issue": {"issue_name": self.issue_name}}


def _to_error(error: object) -> AssessmentError | None:
    """Return why there is no answer, from whatever tells it."""
    if error is None or isinstance(error, AssessmentError):
        return error
    if isinstance(error, BaseException):
        stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return AssessmentError(type(error).__name__, str(error), stack)
    if isinstance(error, str):
        return AssessmentError("ASSESSMENT_ERROR", error)
    raise ArgumentError(f"the error of a feedback is an exception, an AssessmentError or a text, not {error!r}")


def _without_none(form: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if value is not None}
