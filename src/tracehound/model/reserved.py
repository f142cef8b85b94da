"""Keys of tags and metadata that mean something, and what may be done with them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from tracehound.errors import ArgumentError

TRACE_USER: Final = "mlflow.trace.user"
TRACE_SESSION: Final = "mlflow.trace.session"
# Attributes of spans, in MLflow's words and OpenTelemetry's.
SPAN_USAGE: Final = "mlflow.chat.tokenUsage"
SPAN_COST: Final = "mlflow.llm.cost"
SPAN_MODEL: Final = "mlflow.llm.model"
SPAN_PROVIDER: Final = "mlflow.llm.provider"
SPAN_TOOLS: Final = "mlflow.chat.tools"
SESSION_ID: Final = "session.id"
USER_ID: Final = "user.id"
TRACE_TAG: Final = "mlflow.traceTag."  # with a key behind it, on the root
# Attributes of our own: what a span of other people's instrumentation says of its whole trace (`name`, `tags`,
# `metadata`), and the conventions that a span was translated from (`wire.dialects`).
OF_TRACE: Final = "tracehound.ofTrace"
TRANSLATED_FROM: Final = "tracehound.translatedFrom"

ARTIFACT_LOCATION: Final = "mlflow.artifactLocation"
SPANS_LOCATION: Final = "mlflow.trace.spansLocation"

# What a store says of itself or a process of its user. MLflow refuses them as well (`mlflow.tracing.utils`, 3.18).
IMMUTABLE_TAGS: Final = frozenset(
    {
        ARTIFACT_LOCATION,
        "mlflow.trace.archivalFailure",
        "mlflow.trace.archiveLocation",
        SPANS_LOCATION,
        "mlflow.user",
    }
)
REMOVABLE_TAGS: Final = frozenset({"mlflow.trace.archivalFailure"})


def session_text(session: object) -> str:
    """Return a session as it stands in the metadata: a text as it is, several as a JSON array of texts.

    >>> session_text("s-1"), session_text(["trip", "leg 2"])
    ('s-1', '["trip","leg 2"]')
    """
    if isinstance(session, str):
        return session
    if isinstance(session, Sequence) and session and all(isinstance(each, str) for each in session):
        return json.dumps(list(session), ensure_ascii=False, separators=(",", ":"))
    raise ArgumentError(f"session_id is a text, or a list of texts that is not empty, not {session!r}")
