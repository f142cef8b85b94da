"""The table: where in Tracehound that lies which MLflow has under a name.

A module of MLflow -> its names -> `module:name` of ours, with a dot for what an object has. What ours has not is not in
the stand-in, without an error, until somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tracehound.autologging.table import INTEGRATIONS

# The release whose names these are; programs compare it to know what they may use.
MLFLOW_VERSION: Final = "3.18.0"


def _same(module: str, names: str) -> dict[str, str]:
    """Return names that a module of ours has as MLflow has them.

    >>> _same("tracehound", "trace start_span")
    {'trace': 'tracehound:trace', 'start_span': 'tracehound:start_span'}
    """
    return {name: f"{module}:{name}" for name in names.split()}


_ENTITIES: Final = "tracehound.entities"
_HERE: Final = "tracehound.compat.functions"
_ASSESSMENTS: Final = "Assessment AssessmentError Expectation Feedback IssueReference"
_LOCATIONS: Final = "MlflowExperimentLocation TraceLocation TraceLocationType"
_CLIENT: Final = {"MlflowClient": "tracehound:MlflowClient"}
_PLACE: Final = {
    "get_tracking_uri": f"{_HERE}:get_tracking_uri",
    "set_tracking_uri": "tracehound:set_tracking_uri",
}
_LIVE: Final = {
    "LiveSpan": "tracehound.capture.live_span:LiveSpan",
    "NoOpSpan": "tracehound.capture.no_op_span:NoOpSpan",
}
_STATUS: Final = {"TraceStatus": f"{_ENTITIES}:TraceState"}  # the older name of the same states
_PROVIDERS: Final = {"get_bridged_tracer_provider": "tracehound.tracing:get_tracer_provider"}

NAMES: Final[Mapping[str, Mapping[str, str]]] = {
    "mlflow": {
        # traces
        **_same(
            "tracehound",
            "trace start_span start_span_no_context get_current_active_span get_active_trace_id"
            " get_last_active_trace_id update_current_trace search_traces search_sessions get_trace set_trace_tag"
            " delete_trace_tag log_trace add_trace",
        ),
        "flush_trace_async_logging": f"{_HERE}:flush_trace_async_logging",
        # assessments
        **_same(
            "tracehound",
            "log_feedback log_expectation log_assessment get_assessment update_assessment delete_assessment"
            " override_feedback log_issue",
        ),
        # experiments, runs, models
        **_same(
            "tracehound",
            "set_experiment create_experiment get_experiment get_experiment_by_name search_experiments"
            " delete_experiment restore_experiment rename_experiment set_experiment_tag set_experiment_tags"
            " delete_experiment_tag",
        ),
        **_same(
            "tracehound",
            "start_run end_run active_run last_active_run get_run search_runs delete_run set_tag set_tags delete_tag"
            " log_param log_params log_metric log_metrics ActiveRun",
        ),
        **_same(
            "tracehound",
            "set_active_model get_active_model_id clear_active_model create_external_model initialize_logged_model"
            " finalize_logged_model get_logged_model delete_logged_model search_logged_models log_model_params"
            " set_logged_model_tags delete_logged_model_tag ActiveModel",
        ),
        **_PLACE,
        **_CLIENT,
        "MlflowException": "tracehound:TracehoundError",
        "autolog": "tracehound:autolog",
    },
    "mlflow.client": _CLIENT,
    "mlflow.tracking": {**_CLIENT, **_PLACE},
    "mlflow.tracking.client": _CLIENT,
    "mlflow.tracking.fluent": _same(
        "tracehound",
        "start_run end_run active_run last_active_run get_run search_runs set_experiment create_experiment"
        " get_experiment get_experiment_by_name search_experiments set_active_model get_active_model_id"
        " clear_active_model create_external_model",
    ),
    "mlflow.exceptions": {
        "MlflowException": "tracehound:TracehoundError",
        "MlflowTracingException": "tracehound:TracehoundError",
    },
    "mlflow.entities": {
        **_same(_ENTITIES, "Trace TraceData TraceInfo TraceState Span SpanEvent SpanStatus SpanStatusCode SpanType"),
        **_same(_ENTITIES, f"Link {_ASSESSMENTS} AssessmentSource AssessmentSourceType {_LOCATIONS}"),
        **_same(
            _ENTITIES,
            "Document Session SpanLogLevel Experiment ExperimentTag LifecycleStage ViewType Run RunData RunInfo"
            " RunStatus RunTag Metric Param LoggedModel LoggedModelStatus LoggedModelTag LoggedModelParameter",
        ),
        **_LIVE,
        **_STATUS,
    },
    "mlflow.entities.trace": _same(_ENTITIES, "Trace"),
    "mlflow.entities.trace_data": _same(_ENTITIES, "TraceData"),
    "mlflow.entities.trace_info": _same(_ENTITIES, "TraceInfo"),
    "mlflow.entities.trace_location": _same(_ENTITIES, _LOCATIONS),
    "mlflow.entities.trace_state": _same(_ENTITIES, "TraceState"),
    "mlflow.entities.trace_status": _STATUS,
    "mlflow.entities.span": {**_same(_ENTITIES, "Span SpanType"), **_LIVE},
    "mlflow.entities.span_event": _same(_ENTITIES, "SpanEvent"),
    "mlflow.entities.span_status": _same(_ENTITIES, "SpanStatus SpanStatusCode"),
    "mlflow.entities.link": _same(_ENTITIES, "Link"),
    "mlflow.entities.document": _same(_ENTITIES, "Document"),
    "mlflow.entities.session": _same(_ENTITIES, "Session"),
    "mlflow.entities.assessment": _same(_ENTITIES, f"{_ASSESSMENTS} AssessmentSource AssessmentSourceType"),
    "mlflow.entities.assessment_error": _same(_ENTITIES, "AssessmentError"),
    "mlflow.entities.assessment_source": _same(_ENTITIES, "AssessmentSource AssessmentSourceType"),
    "mlflow.entities.experiment": _same(_ENTITIES, "Experiment"),
    "mlflow.entities.run": _same(_ENTITIES, "Run"),
    "mlflow.entities.logged_model": _same(_ENTITIES, "LoggedModel"),
    "mlflow.entities.view_type": _same(_ENTITIES, "ViewType"),
    "mlflow.tracing": {
        **_same("tracehound.tracing", "enable disable context configure reset set_destination set_span_chat_tools"),
        **_same(
            "tracehound.tracing",
            "get_tracing_context_headers_for_http_request set_tracing_context_from_http_request_headers"
            " enable_notebook_display disable_notebook_display",
        ),
        **_PROVIDERS,
    },
    "mlflow.tracing.destination": {"MlflowExperiment": f"{_ENTITIES}:MlflowExperimentLocation"},  # the older name
    "mlflow.tracing.constant": _same(
        "tracehound.compat.constants",
        "TraceMetadataKey TraceTagKey SpanAttributeKey TokenUsageKey CostKey AssessmentMetadataKey",
    ),
    "mlflow.tracing.provider": {**_same("tracehound.tracing", "enable disable reset set_destination"), **_PROVIDERS},
    **{
        f"mlflow.{row.name}": {"autolog": f"tracehound:{row.name}.autolog"}
        for row in INTEGRATIONS.values()
        if row.is_of_mlflow
    },
}
