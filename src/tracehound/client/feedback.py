"""What people, code and models say of traces: said, read, changed and taken back from outside of them.

An assessment is an edit of its trace (`model.edit`), safe when the call returns, of a trace that runs in this process
too. One that overrides another makes that invalid; when it is deleted, the other one is valid again.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from typing import Any, TypeVar

from tracehound.client.arguments import check_name, check_text
from tracehound.client.known import KnownTrace, read_known
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.assessment import (
    Assessment,
    AssessmentError,
    AssessmentSource,
    Expectation,
    Feedback,
    IssueReference,
)
from tracehound.model.edit import ASSESSMENT, Edit
from tracehound.model.ids import NO_OP_TRACE_ID
from tracehound.model.record import from_json
from tracehound.model.values import clean_text, encode_value
from tracehound.runtime import Runtime, current

Said = TypeVar("Said", bound=Assessment)


def log_feedback(
    *,
    trace_id: str,
    name: str = "feedback",
    value: Any = None,
    source: AssessmentSource | None = None,
    error: BaseException | AssessmentError | str | None = None,
    rationale: str | None = None,
    metadata: dict[str, str] | None = None,
    span_id: str | None = None,
) -> Assessment:
    """Keep an opinion of a trace, or of one of its spans, and return it with its id.

    The value is anything that JSON can write; `error` says why there is none. The source is code unless another is
    given. Raise `NotFoundError` for a trace or span that is not there, `ArgumentError` for what cannot be kept. Of a
    trace that is not recorded nothing is kept.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> _ = tracehound.log_feedback(trace_id=span.trace_id, name="correct", value=True, rationale="as in the book")
    >>> tracehound.get_trace(span.trace_id).info.assessments[0].value
    True
    """
    said = Feedback(name, value, error, source, metadata=metadata, span_id=span_id, rationale=rationale)
    return keep_assessment(current(), trace_id, said)


def log_expectation(
    *,
    trace_id: str,
    name: str,
    value: Any,
    source: AssessmentSource | None = None,
    metadata: dict[str, str] | None = None,
    span_id: str | None = None,
) -> Assessment:
    """Keep what a trace, or one of its spans, should have come to, and return it with its id.

    The value is anything that JSON can write but None. The source is a person unless another is given. Raises as
    `log_feedback` does.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> tracehound.log_expectation(trace_id=span.trace_id, name="city", value="Paris").source.source_type
    'HUMAN'
    """
    return keep_assessment(current(), trace_id, Expectation(name, value, source, metadata=metadata, span_id=span_id))


def log_assessment(trace_id: str, assessment: Assessment) -> Assessment:
    """Keep an assessment of a trace and return it with its id; raises as `log_feedback` does.

    >>> import tracehound
    >>> from tracehound.entities import Feedback
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> tracehound.log_assessment(span.trace_id, Feedback("polite", True)).trace_id == span.trace_id
    True
    """
    return keep_assessment(current(), trace_id, assessment)


def get_assessment(trace_id: str, assessment_id: str) -> Assessment:
    """Return an assessment; raise `NotFoundError` where the trace is not there, or has none with this id.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> kept = tracehound.log_feedback(trace_id=span.trace_id, value="good")
    >>> tracehound.get_assessment(span.trace_id, kept.assessment_id).value
    'good'
    """
    return find_assessment(current(), trace_id, assessment_id)[1]


def update_assessment(trace_id: str, assessment_id: str, assessment: Assessment) -> Assessment:
    """Change an assessment to the name, value and rationale of another one of its kind, and return it.

    Metadata are added to what there is; source and span stay. Raise `NotFoundError` for one that is not there,
    `ArgumentError` for another kind.

    >>> import tracehound
    >>> from tracehound.entities import Feedback
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> kept = tracehound.log_feedback(trace_id=span.trace_id, name="correct", value=False)
    >>> tracehound.update_assessment(span.trace_id, kept.assessment_id, Feedback("correct", True)).value
    True
    """
    return change_assessment(current(), trace_id, assessment_id, assessment)


def delete_assessment(trace_id: str, assessment_id: str) -> None:
    """Delete an assessment; one that it overrode is valid again. It may be gone already.

    Raise `NotFoundError` for a trace that is not there.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> kept = tracehound.log_feedback(trace_id=span.trace_id, value="good")
    >>> tracehound.delete_assessment(span.trace_id, kept.assessment_id)
    >>> tracehound.get_trace(span.trace_id).info.assessments
    []
    """
    remove_assessment(current(), trace_id, assessment_id)


def override_feedback(
    *,
    trace_id: str,
    assessment_id: str,
    value: Any,
    rationale: str | None = None,
    source: AssessmentSource | None = None,
    metadata: dict[str, str] | None = None,
) -> Assessment:
    """Keep a feedback in place of another one, which stays and is not valid any more; return the new one.

    Raise `NotFoundError` for one that is not there, `ArgumentError` for what is no feedback.

    >>> import tracehound
    >>> with tracehound.start_span("answer") as span:
    ...     pass
    >>> first = tracehound.log_feedback(trace_id=span.trace_id, name="correct", value=False)
    >>> _ = tracehound.override_feedback(trace_id=span.trace_id, assessment_id=first.assessment_id, value=True)
    >>> [each.value for each in tracehound.get_trace(span.trace_id).search_assessments("correct")]
    [True]
    """
    runtime = current()
    _, old = find_assessment(runtime, trace_id, assessment_id)
    if not isinstance(old, Feedback):
        raise ArgumentError(f"the assessment {assessment_id} is {_kind_of(old)}; only a feedback can be overridden")
    said = Feedback(
        old.name, value, source=source, metadata=metadata, span_id=old.span_id, rationale=rationale,
        overrides=old.assessment_id,
    )  # fmt: skip
    return keep_assessment(runtime, trace_id, said)


def keep_assessment(runtime: Runtime, trace_id: str, said: Said) -> Said:
    """Keep an assessment of a trace, under a new id, and return it as it will be read."""
    if not isinstance(said, Assessment):
        raise ArgumentError(f"an assessment is a Feedback, an Expectation or an IssueReference, not {said!r}")
    wanted = clean_text(str(trace_id))
    if wanted == NO_OP_TRACE_ID:
        return said
    known = read_known(runtime, wanted, must_be_current=said.overrides is not None)
    if said.span_id is not None and known is not None and not known.has_span(said.span_id):
        raise NotFoundError(f"the trace {wanted} has no span {said.span_id}")
    now_ns = runtime.edit_time_ns()
    new = said.changed(
        assessment_id=_new_id(now_ns), trace_id=wanted, valid=True, create_time_ms=now_ns // 1_000_000,
        last_update_time_ms=now_ns // 1_000_000,
    )  # fmt: skip
    if said.overrides is None:
        return _keep(runtime, known, new)
    assert known is not None  # noqa: S101 - the store had to answer
    overridden = known.assessments().get(said.overrides)
    if overridden is None:
        raise NotFoundError(f"the trace {wanted} has no assessment {said.overrides}")
    kept = _keep(runtime, known, new)
    _keep(runtime, known, overridden.changed(valid=False))
    return kept


def _new_id(now_ns: int) -> str:
    """Return an id that is greater than those before: it decides which of two of the same millisecond is the later."""
    return f"a-{now_ns:016x}{secrets.token_hex(8)}"


def find_assessment(runtime: Runtime, trace_id: str, assessment_id: str) -> tuple[KnownTrace, Assessment]:
    """Return an assessment and its trace; raise `NotFoundError` where one of them is not there."""
    wanted = clean_text(str(trace_id))
    known = read_known(runtime, wanted, must_be_current=True)
    assert known is not None  # noqa: S101 - the store had to answer
    found = known.assessments().get(assessment_id)
    if found is None:
        raise NotFoundError(f"the trace {wanted} has no assessment {assessment_id!r}")
    return known, found


def change_assessment(runtime: Runtime, trace_id: str, assessment_id: str, said: Assessment) -> Assessment:
    """Change an assessment to what another one of its kind says."""
    known, old = find_assessment(runtime, trace_id, assessment_id)
    if type(said) is not type(old):
        raise ArgumentError(f"the assessment {assessment_id} is {_kind_of(old)} and stays one, not {_kind_of(said)}")
    values: dict[str, object] = {"name": said.name, "last_update_time_ms": runtime.clock_ns() // 1_000_000}
    if isinstance(said, (Feedback, Expectation)):
        values["value"] = said.value
    if isinstance(said, Feedback):
        values["error"] = said.error
    if isinstance(said, IssueReference):
        values["issue_name"] = said.issue_name
    if said.rationale is not None:
        values["rationale"] = said.rationale
    if said.metadata is not None:
        values["metadata"] = {**(old.metadata or {}), **said.metadata}
    return _keep(runtime, known, old.changed(**values))


def remove_assessment(runtime: Runtime, trace_id: str, assessment_id: str) -> None:
    """Delete an assessment, if it is there, and make the one valid again that it alone overrode."""
    wanted = clean_text(str(trace_id))
    if wanted == NO_OP_TRACE_ID:
        return
    known = read_known(runtime, wanted, must_be_current=True)
    assert known is not None  # noqa: S101 - the store had to answer
    there = known.assessments()
    gone = there.pop(assessment_id, None)
    if gone is None:
        return
    _edit(runtime, known, wanted, assessment_id, None)
    restored = there.get(gone.overrides or "")
    if restored is not None and all(each.overrides != gone.overrides for each in there.values()):
        _keep(runtime, known, restored.changed(valid=True))


def _keep(runtime: Runtime, known: KnownTrace | None, said: Said) -> Said:
    """Keep an assessment as it is, in place of what was kept under its id; return it as it will be read."""
    text = encode_value(_checked_form(said), sys.maxsize)
    if len(text) > runtime.settings.max_value_bytes:
        raise ArgumentError(f"an assessment has at most {runtime.settings.max_value_bytes:,} bytes as JSON")
    kept = Assessment.from_dict(from_json(text))
    assert kept.trace_id is not None  # noqa: S101 - every one that is kept has these
    assert kept.assessment_id is not None  # noqa: S101 - as above
    _edit(runtime, known, kept.trace_id, kept.assessment_id, text, kept)
    return kept  # type: ignore[return-value] # of the kind that was written


def _edit(
    runtime: Runtime, known: KnownTrace | None, trace_id: str, key: str, text: str | None,
    assessment: Assessment | None = None,
) -> None:  # fmt: skip
    runtime.keep_edit(Edit(trace_id, key, text, runtime.edit_time_ns(), ASSESSMENT))
    for draft in [] if known is None else known.drafts:
        draft.assess(key, assessment)


def _checked_form(said: Assessment) -> dict[str, Any]:
    """Return the assessment in MLflow's form; raise `ArgumentError` for a field that it could not be read from."""
    check_name("an assessment's name", said.name)
    check_text("an assessment's rationale", said.rationale)
    check_text("an assessment's span_id", said.span_id)
    check_text("the id of an assessment's source", said.source.source_id)
    if isinstance(said, (Feedback, Expectation)):
        _check_json(said.value)
    if said.metadata is not None:
        said = said.changed(metadata={str(key): str(value) for key, value in said.metadata.items()})
    return said.to_dict()


def _check_json(value: object) -> None:
    """Raise unless the value is one that JSON can write, whole."""
    if isinstance(value, Mapping):
        for key, each in value.items():
            if not isinstance(key, str):
                raise ArgumentError(f"an assessment's value is made of JSON types; {key!r} is no key of an object")
            _check_json(each)
    elif isinstance(value, (list, tuple)):
        for each in value:
            _check_json(each)
    elif value is not None and not isinstance(value, (str, int, float, bool)):
        raise ArgumentError(
            f"an assessment's value is made of texts, numbers, booleans, lists and dicts, not {value!r}"
        )


def _kind_of(assessment: Assessment) -> str:
    return {Feedback: "a feedback", Expectation: "an expectation"}.get(type(assessment), "an issue reference")
