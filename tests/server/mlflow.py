"""What MLflow's client 3.18 was seen to send, and a way to send it without the client."""

from __future__ import annotations

from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from starlette.testclient import TestClient

TRACE_ID = "tr-64190000000000000000000000000001"
START_MS = 1_795_225_194_213
METADATA = {
    "mlflow.trace_schema.version": "3", "mlflow.user": "root", "mlflow.source.name": "scen.py",
    "mlflow.source.type": "LOCAL", "mlflow.source.git.commit": "", "mlflow.source.git.branch": "",
    "mlflow.source.git.repoURL": "", "app_version": "1.0", "mlflow.trace.user": "u1", "mlflow.trace.session": "s1",
    "mlflow.traceInputs": '{"x": 3}', "mlflow.traceOutputs": '{"v": 6}', "mlflow.trace.sizeBytes": "1964",
    "mlflow.trace.sizeStats": '{"total_size_bytes": 1964, "num_spans": 2, "max": 1000, "p25": 1, "p50": 2, "p75": 3}',
}  # fmt: skip
HEADERS = {"User-Agent": "mlflow-python-client/3.18.0", "X-MLflow-Client-Version": "3.18.0"}


def told(experiment_id: str, trace_id: str = TRACE_ID) -> dict[str, Any]:
    """Return what the client sends of a whole trace."""
    info = {
        "trace_id": trace_id, "client_request_id": "req-1",
        "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}},
        "request_time": "2026-11-21T01:39:54.213Z", "execution_duration": "0.151s", "state": "OK",
        "trace_metadata": METADATA, "tags": {"person": "Tom", "mlflow.traceName": "outer"},
        "request_preview": '{"x": 3}', "response_preview": '{"v": 6}',
    }  # fmt: skip
    return {"trace": {"trace_info": info}}


def any_value(value: Any) -> AnyValue:
    """Return a value as the client's exporter writes it."""
    if value is None:
        return AnyValue()
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[any_value(each) for each in value]))
    pairs = [KeyValue(key=key, value=any_value(each)) for key, each in value.items()]
    return AnyValue(kvlist_value=KeyValueList(values=pairs))


def spans(outputs: Any, trace_id: str = TRACE_ID) -> bytes:
    """Return the body with the spans of the trace: one resource, one scope, values in OTLP's own form."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    resource.resource.attributes.append(KeyValue(key="telemetry.sdk.name", value=AnyValue(string_value="mlflow")))
    scope = resource.scope_spans.add()
    for number, name in enumerate(("outer", "inner"), 1):
        attributes = {
            "mlflow.traceRequestId": trace_id, "mlflow.spanType": "UNKNOWN", "mlflow.spanInputs": {"x": 3},
            "mlflow.spanOutputs": outputs, "mlflow.spanFunctionName": name,
        }  # fmt: skip
        scope.spans.append(
            Span(
                trace_id=bytes.fromhex(trace_id[3:]),
                span_id=number.to_bytes(8, "big"),
                parent_span_id=b"" if number == 1 else (1).to_bytes(8, "big"),
                name=name,
                kind=Span.SPAN_KIND_INTERNAL,
                start_time_unix_nano=START_MS * 1_000_000 + number - 1,
                end_time_unix_nano=(START_MS + 151) * 1_000_000,
                status=Status(code=Status.STATUS_CODE_OK),
                attributes=[KeyValue(key=key, value=any_value(value)) for key, value in attributes.items()],
            )
        )
    return request.SerializeToString()


def send_spans(client: TestClient, experiment_id: str, outputs: Any = None, trace_id: str = TRACE_ID) -> None:
    headers = {**HEADERS, "Content-Type": "application/x-protobuf", "x-mlflow-experiment-id": experiment_id}
    response = client.post("/v1/traces", content=spans(outputs, trace_id), headers=headers)
    assert response.status_code == 200, response.text


def send(client: TestClient, method: str, path: str, status: int = 200, **sent: Any) -> Any:
    response = client.request(method, path, headers=HEADERS, **sent)
    assert response.status_code == status, response.text
    return response.json()


def make_experiment(client: TestClient, name: str = "exp-a") -> str:
    return str(send(client, "POST", "/api/2.0/mlflow/experiments/create", json={"name": name})["experiment_id"])


def search(client: TestClient, experiment_id: str, **asked: Any) -> Any:
    locations = [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment_id}}]
    return send(client, "POST", "/api/3.0/mlflow/traces/search", json={"locations": locations, **asked})
