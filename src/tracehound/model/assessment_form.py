"""Assessments as MLflow writes them into JSON, checked and read."""

from __future__ import annotations

from typing import Any

from tracehound.model.assessment import (
    Assessment,
    AssessmentError,
    AssessmentSource,
    Expectation,
    Feedback,
    IssueReference,
)
from tracehound.model.form import Form, read_document


def read_assessment(form: Form) -> Assessment:
    """Return the assessment that an object holds; which kind it is says the key that its content stands under."""
    common: dict[str, Any] = {
        "source": _read_source(form.form("source")),
        "create_time_ms": form.time_ms("create_time"),
        "last_update_time_ms": form.time_ms("last_update_time"),
        "metadata": form.texts("metadata") if "metadata" in form else None,
        **{key: form.text_or_none(key) for key in ("assessment_id", "trace_id", "span_id", "rationale", "overrides")},
        "run_id": form.text_or_none("run_id"),
    }
    name, valid = form.text("assessment_name"), form.boolean_or_none("valid")
    assessment: Assessment
    if "expectation" in form:
        assessment = Expectation(name, _read_expected(form.form("expectation")), valid=valid, **common)
    elif "issue" in form:
        issue = form.form("issue")
        assessment = IssueReference(name, issue.text("issue_name"), valid=valid, **common)
        issue.end()
    else:
        feedback = form.form("feedback")
        value, error = feedback.take("value", None), _read_error(feedback)
        feedback.end()
        assessment = Feedback(name, value, error, valid=valid is not False, **common)
    form.end()
    return assessment


def _read_source(form: Form) -> AssessmentSource:
    kind = form.parsed("source_type", lambda text: AssessmentSource(text).source_type, "a source of assessments")
    source = AssessmentSource(kind, form.text_or_none("source_id"))
    form.end()
    return source


def _read_error(feedback: Form) -> AssessmentError | None:
    if not feedback.has("error"):
        return None
    form = feedback.form("error")
    error = AssessmentError(
        form.text("error_code"), form.text_or_none("error_message"), form.text_or_none("stack_trace")
    )
    form.end()
    return error


def _read_expected(form: Form) -> Any:
    """Return what an expectation expects: a plain value, or what a JSON text holds."""
    if "serialized_value" not in form:
        value = form.take("value")
        if value is None:
            raise form.wrong("value", "a value", value)
    else:
        serialized = form.form("serialized_value")
        serialized.one_of("serialization_format", {"JSON_FORMAT": None})
        value = serialized.parsed("value", read_document, "a JSON text")
        serialized.end()
    form.end()
    return value
