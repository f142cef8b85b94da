"""OTLP over gRPC: the same spans as over HTTP, read and kept in the same way. It needs the extra `grpc`.

What HTTP says by its status gRPC says by a code; clients send again what was UNAVAILABLE.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Final

from tracehound.errors import ArgumentError
from tracehound.server.certificate import Certificate
from tracehound.server.guard.rights import Right
from tracehound.server.guard.views import Views
from tracehound.server.ingest import name_experiment, note_arrival, take_in
from tracehound.server.problems import to_problem
from tracehound.server.reading_process import PROTOBUF
from tracehound.server.writer import Share
from tracehound.wire.otlp_protobuf import write_answer

_SERVICE: Final = "opentelemetry.proto.collector.trace.v1.TraceService"
_WORKERS: Final = 8
# The names of gRPC's codes, by the status of HTTP.
_CODES: Final = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "UNAVAILABLE",
    503: "UNAVAILABLE",
    507: "RESOURCE_EXHAUSTED",
}


@contextmanager
def run_grpc(
    views: Views, host: str, port: int, longest_stop_s: float, certificate: Certificate | None = None
) -> Iterator[str]:
    """Take spans at a port, and yield the address; at the end requests that are under way get so long.

    Raise `ArgumentError` where gRPC is not installed, or the port cannot be had.
    """
    try:
        import grpc
    except ImportError as error:
        raise ArgumentError("OTLP/gRPC needs grpcio: pip install 'tracehound[grpc]'") from error
    export = grpc.unary_unary_rpc_method_handler(lambda data, context: _receive(views, data, context, grpc))
    server = grpc.server(
        ThreadPoolExecutor(_WORKERS, "tracehound-grpc"),
        handlers=[grpc.method_handlers_generic_handler(_SERVICE, {"Export": export})],
        options=[("grpc.max_receive_message_length", views.limits.max_body_bytes), ("grpc.so_reuseport", 0)],
    )
    name = f"[{host}]" if ":" in host else host
    try:
        taken = _add_port(server, f"{name}:{port}", certificate, grpc)
    except RuntimeError as error:
        raise ArgumentError(
            f"{host} port {port} cannot be listened on: another program may use it; --grpc-port names another one"
        ) from error
    server.start()
    try:
        yield f"{name}:{taken}"
    finally:
        server.stop(longest_stop_s).wait()


def _add_port(server: Any, address: str, certificate: Certificate | None, grpc: Any) -> int:
    if certificate is None:
        return int(server.add_insecure_port(address))
    pair = (certificate.key.read_bytes(), certificate.chain.read_bytes())
    return int(server.add_secure_port(address, grpc.ssl_server_credentials([pair])))


def _receive(views: Views, data: bytes, context: Any, grpc: Any) -> bytes:
    """Keep the spans of a request, and answer when they are safe."""
    try:
        headers = dict(context.invocation_metadata())
        served = views.of(views.guard.admit_caller(headers.get("authorization"), Right.INGEST))
        experiment = name_experiment(served, headers)
        with Share(served.backlog) as share:
            share.take(len(data))
            arrived = take_in(served, PROTOBUF, data, experiment)
            if arrived.spans:
                served.writer.submit(arrived.changes, len(data)).result()
    except Exception as error:  # noqa: BLE001 - every one is told, and those that are our fault are logged
        problem = to_problem(error)
        context.abort(getattr(grpc.StatusCode, _CODES.get(problem.status, "INTERNAL")), problem.detail)
    note_arrival(served, arrived)
    return write_answer(arrived.refused, arrived.reason)
