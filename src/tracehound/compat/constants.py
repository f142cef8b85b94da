"""Keys that programs take by name from `mlflow.tracing.constant`, as far as they mean something here."""

from __future__ import annotations

from tracehound.context.scope import MODEL_ID, SOURCE_RUN
from tracehound.model import derive, reserved, span


class TraceMetadataKey:
    """Metadata of a trace."""

    INPUTS = derive.TRACE_INPUTS
    OUTPUTS = derive.TRACE_OUTPUTS
    SOURCE_RUN = SOURCE_RUN
    MODEL_ID = MODEL_ID
    TRACE_USER = reserved.TRACE_USER
    TRACE_SESSION = reserved.TRACE_SESSION
    TOKEN_USAGE = derive.TOKEN_USAGE
    COST = derive.COST
    SIZE_BYTES = derive.SIZE_BYTES
    SIZE_STATS = derive.SIZE_STATS


class TraceTagKey:
    """Tags of a trace."""

    TRACE_NAME = "mlflow.traceName"
    EVAL_REQUEST_ID = "mlflow.eval.requestId"
    SPANS_LOCATION = reserved.SPANS_LOCATION


class SpanAttributeKey:
    """Attributes of a span."""

    REQUEST_ID = span.TRACE_REQUEST_ID
    INPUTS = span.INPUTS
    OUTPUTS = span.OUTPUTS
    SPAN_TYPE = span.SPAN_TYPE
    FUNCTION_NAME = span.FUNCTION_NAME
    CHAT_TOOLS = reserved.SPAN_TOOLS
    CHAT_USAGE = reserved.SPAN_USAGE
    LLM_COST = reserved.SPAN_COST
    MODEL = reserved.SPAN_MODEL
    MODEL_PROVIDER = reserved.SPAN_PROVIDER
    MESSAGE_FORMAT = "mlflow.message.format"
    USER_ID = reserved.USER_ID
    SESSION_ID = reserved.SESSION_ID


class TokenUsageKey:
    """What the attribute `SpanAttributeKey.CHAT_USAGE` holds."""

    INPUT_TOKENS = "input_tokens"
    OUTPUT_TOKENS = "output_tokens"
    TOTAL_TOKENS = "total_tokens"
    CACHE_READ_INPUT_TOKENS = "cache_read_input_tokens"
    CACHE_CREATION_INPUT_TOKENS = "cache_creation_input_tokens"


class CostKey:
    """What the attribute `SpanAttributeKey.LLM_COST` holds, in US dollars."""

    INPUT_COST = "input_cost"
    OUTPUT_COST = "output_cost"
    TOTAL_COST = "total_cost"


class AssessmentMetadataKey:
    """Metadata of an assessment."""

    SOURCE_RUN_ID = "mlflow.assessment.sourceRunId"
