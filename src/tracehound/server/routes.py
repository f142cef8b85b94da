"""The route table: one row a route. What it does follows from the row: reading, rights, answers, the description."""

from __future__ import annotations

from typing import Final

from tracehound.analysis.comparison import Comparison
from tracehound.model.saved_search import SavedSearch
from tracehound.server import (
    comparing,
    differences,
    entities,
    events,
    exporting,
    facets,
    groups,
    ingest,
    metrics,
    outline,
    page,
    remote,
    saved_searches,
    shapes,
    status,
    suggestions,
    traces,
)
from tracehound.server.bodies import JSON
from tracehound.server.guard import login
from tracehound.server.mlflow.routes import MLFLOW_ROUTES
from tracehound.server.reading_process import PROTOBUF
from tracehound.server.rows import Call, Endpoint, Nothing, Right, Row
from tracehound.store.remote import forms

_API: Final = "/api/v1"
_BYTES: Final = "application/octet-stream"
_PACKED: Final = (forms.MSGPACK,)
_HTML: Final = "text/html"
_OTLP: Final = (PROTOBUF, JSON)
_TRACE: Final = f"{_API}/traces/{{trace_id}}"

ROUTES: Final[tuple[Row, ...]] = (
    Endpoint("POST", "/v1/traces", ingest.receive_spans, _OTLP, _OTLP, Right.INGEST),
    *(
        Endpoint(method, path, handle, (), (_HTML,), right, login.to_form, is_described=False)
        for method, path, handle, right in (
            ("GET", "/", page.give_page, Right.READ),
            ("POST", "/", login.log_in, Right.NONE),
            ("GET", login.PATH, login.give_form, Right.NONE),
            ("POST", "/logout", login.log_out, Right.NONE),
        )
    ),
    Endpoint("GET", "/assets/{name}", page.give_file, (), ("*/*",), Right.READ, is_described=False),
    Endpoint("GET", "/health", status.tell_health, (), ("text/plain",), Right.NONE),
    Call("GET", "/ready", status.tell_ready, Nothing, status.Ready, Right.NONE),
    Endpoint("GET", "/metrics", status.tell_metrics, (), (metrics.MEDIA_TYPE,), Right.READ),
    Endpoint("GET", f"{_API}/openapi.json", status.tell_openapi, (), (JSON,), Right.READ),
    Call("GET", forms.PATH, remote.tell_hello, Nothing, remote.Hello, Right.ANY),
    Endpoint("POST", forms.FRAMES_PATH, remote.receive_frames, (_BYTES,), _PACKED, Right.INGEST),
    *(
        Endpoint("POST", f"{forms.PATH}/{each.operation.name}", each.handle, _PACKED, _PACKED, each.right)
        for each in remote.DOORS
    ),
    Endpoint("GET", f"{_API}/events", status.tell_events, (), (events.MEDIA_TYPE,), Right.READ),
    Call("POST", f"{_API}/traces/search", traces.search_traces, traces.SearchRequest, traces.SearchPage, Right.READ),
    Call("POST", f"{_API}/traces/stats", traces.read_stats, traces.StatsRequest, traces.StatsTable, Right.READ),
    Call("POST", f"{_API}/traces/facets", facets.count_facets, facets.FacetsRequest, facets.FacetsPage, Right.READ),
    Call("POST", f"{_API}/traces/groups", groups.search_groups, groups.GroupsRequest, groups.GroupsPage, Right.READ),
    Call(
        "POST", f"{_API}/traces/compare", comparing.compare_traces, comparing.CompareRequest, Comparison, Right.READ,
    ),
    Endpoint(
        "GET", f"{_API}/traces/export", exporting.export_traces, (), exporting.MEDIA_TYPES, Right.READ
    ),
    Call(
        "GET", f"{_API}/export-formats", exporting.list_export_formats, Nothing, exporting.ExportFormats, Right.READ
    ),
    Call(
        "POST", f"{_API}/fields/search", suggestions.search_fields, suggestions.FieldsRequest, suggestions.FieldsPage,
        Right.READ,
    ),
    Call("POST", f"{_API}/traces/delete", traces.delete_traces, traces.DeleteRequest, traces.Deleted, Right.ADMIN),
    Call("GET", _TRACE, traces.get_trace, traces.TraceRequest, shapes.WholeTraceShape, Right.READ),
    Call("DELETE", _TRACE, traces.delete_trace, traces.TraceRequest, traces.Deleted, Right.ADMIN),
    Call("GET", f"{_TRACE}/spans", traces.get_spans, traces.TraceRequest, traces.SpansPage, Right.READ),
    Call("GET", f"{_TRACE}/spans/{{span_id}}", outline.get_span, outline.SpanRequest, shapes.SpanShape, Right.READ),
    Call("GET", f"{_TRACE}/outline", outline.get_outline, traces.TraceRequest, outline.Outline, Right.READ),
    Call("GET", f"{_TRACE}/matches", outline.find_in_trace, outline.MatchRequest, outline.Matches, Right.READ),
    Call(
        "GET", f"{_TRACE}/diff/{{other_id}}", differences.get_diff, differences.DiffRequest, differences.DiffPage,
        Right.READ,
    ),
    Call(
        "GET", f"{_TRACE}/diff/{{other_id}}/span", differences.get_span_diff, differences.SpanDiffRequest,
        differences.SpanDiff, Right.READ,
    ),
    Call("PUT", f"{_TRACE}/tags/{{key:path}}", traces.put_tag, traces.TagRequest, Nothing, Right.WRITE),
    Call("DELETE", f"{_TRACE}/tags/{{key:path}}", traces.remove_tag, traces.TagNameRequest, Nothing, Right.WRITE),
    Call(
        "POST", f"{_TRACE}/assessments", traces.post_assessment, traces.AssessmentRequest, shapes.AssessmentShape,
        Right.WRITE,
    ),
    Call(
        "PATCH", f"{_TRACE}/assessments/{{assessment_id}}", traces.patch_assessment, traces.AssessmentChange,
        shapes.AssessmentShape, Right.WRITE,
    ),
    Call(
        "DELETE", f"{_TRACE}/assessments/{{assessment_id}}", traces.delete_assessment, traces.AssessmentName, Nothing,
        Right.WRITE,
    ),
    Call(
        "GET", f"{_API}/saved-searches", saved_searches.list_saved_searches, Nothing, saved_searches.SavedSearches,
        Right.READ,
    ),
    Call(
        "PUT", f"{_API}/saved-searches/{{name:path}}", saved_searches.put_saved_search, saved_searches.NewSavedSearch,
        SavedSearch, Right.WRITE,
    ),
    Call(
        "DELETE", f"{_API}/saved-searches/{{name:path}}", saved_searches.delete_saved_search,
        saved_searches.SavedSearchName, Nothing, Right.WRITE,
    ),
    Call(
        "POST", f"{_API}/experiments/search", entities.search_experiments, entities.EntitySearch,
        entities.ExperimentsPage, Right.READ,
    ),
    Call(
        "POST", f"{_API}/experiments", entities.post_experiment, entities.NewExperiment, shapes.ExperimentShape,
        Right.WRITE,
    ),
    Call(
        "GET", f"{_API}/experiments/{{experiment_id}}", entities.get_experiment, entities.ExperimentRequest,
        shapes.ExperimentShape, Right.READ,
    ),
    Call(
        "PATCH", f"{_API}/experiments/{{experiment_id}}", entities.patch_experiment, entities.ExperimentChange,
        shapes.ExperimentShape, Right.WRITE,
    ),
    Call(
        "POST", f"{_API}/runs/search", entities.search_runs, entities.EntityOfExperimentSearch, entities.RunsPage,
        Right.READ,
    ),
    Call("POST", f"{_API}/runs", entities.post_run, entities.NewRun, shapes.RunShape, Right.WRITE),
    Call("GET", f"{_API}/runs/{{run_id}}", entities.get_run, entities.RunRequest, shapes.RunShape, Right.READ),
    Call("PATCH", f"{_API}/runs/{{run_id}}", entities.patch_run, entities.RunChange, shapes.RunShape, Right.WRITE),
    Call(
        "POST", f"{_API}/models/search", entities.search_models, entities.EntityOfExperimentSearch,
        entities.ModelsPage, Right.READ,
    ),
    Call("POST", f"{_API}/models", entities.post_model, entities.NewModel, shapes.ModelShape, Right.WRITE),
    Call(
        "GET", f"{_API}/models/{{model_id}}", entities.get_model, entities.ModelRequest, shapes.ModelShape, Right.READ
    ),
)  # fmt: skip

ALL_ROUTES: Final[tuple[Row, ...]] = (*ROUTES, *MLFLOW_ROUTES)
