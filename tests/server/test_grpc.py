"""OTLP over gRPC, sent by the stock exporter of the OpenTelemetry SDK."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import tracehound
from tests.forked import run
from tests.server.otlp import request_of
from tests.server.process import ServerProcess

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


@pytest.fixture
def server(store_path: Path) -> Iterator[ServerProcess]:
    running = ServerProcess(store_path, "--grpc-port", "0")
    yield running
    running.kill()


def address_of(server: ServerProcess) -> str:
    found = re.search(r"OTLP/gRPC: (\S+)", server.next_line())
    assert found is not None
    return found[1]


def export(address: str, data: bytes, **headers: str) -> ExportTraceServiceResponse:
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(METHOD)
        named = [(name.replace("_", "-"), text) for name, text in headers.items()]
        return ExportTraceServiceResponse.FromString(call(data, metadata=named, timeout=60))


def test_none_of_the_spans_of_the_sdk_is_missing_and_none_is_there_twice(server: ServerProcess) -> None:
    sent: list[str] = []
    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"http://{address_of(server)}", insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=10_000))
    tracer = provider.get_tracer("tests")
    for _ in range(1_000):
        with tracer.start_as_current_span("request") as span:
            sent.append(f"{span.get_span_context().span_id:016x}")
    assert provider.force_flush()
    provider.shutdown()
    traces = tracehound.search_traces(return_type="list")
    assert Counter(span.span_id for trace in traces for span in trace.data.spans) == Counter(sent)


def test_headers_and_partial_success_are_as_over_http(server: ServerProcess) -> None:
    request = request_of((1, 1), (1, 2))
    request.resource_spans[0].scope_spans[0].spans[1].span_id = b"short"
    answer = export(address_of(server), request.SerializeToString(), x_tracehound_experiment="shop")
    assert answer.partial_success.rejected_spans == 1
    number = tracehound.get_experiment_by_name("shop")
    assert number is not None
    assert len(tracehound.search_traces([number.experiment_id])) == 1


def test_what_is_wrong_is_told_by_a_code(server: ServerProcess) -> None:
    address = address_of(server)

    def code_of(data: bytes, **headers: str) -> tuple[str, str]:
        with pytest.raises(grpc.RpcError) as caught:
            export(address, data, **headers)
        return caught.value.code().name, caught.value.details()

    assert code_of(b"\xff")[0] == "INVALID_ARGUMENT"
    assert code_of(ExportTraceServiceRequest().SerializeToString(), x_mlflow_experiment_id="7")[0] == "NOT_FOUND"


@pytest.mark.skipif(sys.platform == "win32", reason="signals end a process there")
def test_a_server_that_is_stopped_says_so(server: ServerProcess) -> None:
    export(address_of(server), request_of((1, 1)).SerializeToString())
    code, said = server.stop()
    assert (code, said) == (0, "stopped; everything that was answered for is kept\n")
    assert len(tracehound.search_traces()) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="gRPC shares ports there")
def test_a_port_that_is_taken_is_told(server: ServerProcess, tmp_path: Path) -> None:
    port = address_of(server).rpartition(":")[2]
    folder = tmp_path / "second"
    folder.mkdir()
    done = run(["server", "--port", "0", "--grpc-port", port, "--store", str(folder / "other.db")], {}, folder)
    assert done.returncode == 2
    assert f"port {port} cannot be listened on".encode() in done.stderr
