"""A workspace of Databricks in front of Spark, which can be made to fail as servers do.

The client is Databricks' own connector, its protocol, TLS and parameters on the wire among it, and so are the
statements and what they do; what is played here is the server's side of that protocol, from the connector's own
description of it.
"""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import trustme

from tests.databricks.spark import HAS_SPARK, spark

HAS_BRIDGE = HAS_SPARK and find_spec("databricks") is not None
TOKEN = "token-of-the-tests"
WAREHOUSE = "3f2ea1"
FIRST_ROWS = 2  # that come with the answer; others have to be fetched


@dataclass
class Workspace:
    """A server at a port; what goes wrong with it is set while it runs, what it was asked can be read."""

    port: int = 0
    status: int | None = None  # of HTTP, for everything
    message: str | None = None  # of an error, for each statement
    is_slow: bool = False  # a statement runs until it is cancelled
    cancelled: int = 0
    statements: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    user_agents: set[str] = field(default_factory=set)
    paths: set[str] = field(default_factory=set)


@contextlib.contextmanager
def workspace(folder: Path) -> Iterator[Workspace]:
    """Serve Spark at a free port, over TLS; `folder/ca.pem` is whom to trust."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = _Server()
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told = Workspace(self.server_address[1])
        self.processor = _processor(_Service(self.told))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        from thrift.protocol.TBinaryProtocol import TBinaryProtocol
        from thrift.transport.TTransport import TMemoryBuffer

        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        told = self.server.told
        told.user_agents.add(self.headers.get("User-Agent", ""))
        told.paths.add(self.path)
        status = told.status
        if status is None and self.path != f"/sql/1.0/warehouses/{WAREHOUSE}":
            status = 404
        if status is None and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            status = 401
        if status is not None:
            self.answer(status, b"")
            return
        answer = TMemoryBuffer()
        self.server.processor.process(TBinaryProtocol(TMemoryBuffer(body)), TBinaryProtocol(answer))
        self.answer(200, answer.getvalue())

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/x-thrift")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@cache
def _types() -> Any:
    from databricks.sql.thrift_api.TCLIService import ttypes

    return ttypes


def _processor(service: _Service) -> Any:
    from databricks.sql.thrift_api.TCLIService import TCLIService

    return TCLIService.Processor(service)


class _Service:
    """What the server does, by the names that the protocol has for it."""

    def __init__(self, told: Workspace) -> None:
        self.told = told
        self.left: dict[bytes, Any] = {}  # what is fetched later, by the operation
        self.lock = threading.Lock()

    def OpenSession(self, _request: Any) -> Any:
        types = _types()
        version = types.TProtocolVersion.SPARK_CLI_SERVICE_PROTOCOL_V7
        handle = types.TSessionHandle(sessionId=_new_id(), serverProtocolVersion=version)
        return types.TOpenSessionResp(status=_ok(), serverProtocolVersion=version, sessionHandle=handle)

    def CloseSession(self, _request: Any) -> Any:
        return _types().TCloseSessionResp(status=_ok())

    def ExecuteStatement(self, request: Any) -> Any:
        types = _types()
        values = {each.name: _value(each) for each in request.parameters or ()}
        self.told.statements.append((request.statement, values))
        handle = types.TOperationHandle(
            operationId=_new_id(), operationType=types.TOperationType.EXECUTE_STATEMENT, hasResultSet=True
        )
        response = types.TExecuteStatementResp(status=_ok(), operationHandle=handle)
        if not self.told.is_slow:
            response.directResults = self.run(request.statement, values, handle)
        return response

    def run(self, text: str, values: dict[str, Any], handle: Any) -> Any:
        types = _types()
        if self.told.message is not None:
            return types.TSparkDirectResults(operationStatus=_failed(self.told.message))
        try:
            with self.lock:
                found = spark().sql(text, args=values)
                rows = [tuple(row) for row in found.collect()]
        except Exception as error:
            return types.TSparkDirectResults(operationStatus=_failed(str(error)))
        kinds = [each.dataType.typeName() for each in found.schema]
        first, rest = rows[:FIRST_ROWS], rows[FIRST_ROWS:]
        described = types.TGetResultSetMetadataResp(
            status=_ok(), schema=_schema(found.columns, kinds), resultFormat=types.TSparkRowSetType.COLUMN_BASED_SET
        )
        self.left[handle.operationId.guid] = types.TFetchResultsResp(
            status=_ok(), hasMoreRows=False, results=_rows(rest, kinds, len(first)), resultSetMetadata=described
        )
        return types.TSparkDirectResults(
            operationStatus=_state("FINISHED_STATE"),
            resultSetMetadata=described,
            resultSet=types.TFetchResultsResp(status=_ok(), hasMoreRows=bool(rest), results=_rows(first, kinds, 0)),
        )

    def FetchResults(self, request: Any) -> Any:
        return self.left.pop(request.operationHandle.operationId.guid)

    def GetOperationStatus(self, _request: Any) -> Any:
        return _state("CANCELED_STATE" if self.told.cancelled else "RUNNING_STATE")

    def CancelOperation(self, _request: Any) -> Any:
        self.told.cancelled += 1
        return _types().TCancelOperationResp(status=_ok())

    def CloseOperation(self, _request: Any) -> Any:
        return _types().TCloseOperationResp(status=_ok())


def _new_id() -> Any:
    return _types().THandleIdentifier(guid=uuid.uuid4().bytes, secret=uuid.uuid4().bytes)


def _ok() -> Any:
    return _types().TStatus(statusCode=_types().TStatusCode.SUCCESS_STATUS)


def _state(name: str) -> Any:
    return _types().TGetOperationStatusResp(status=_ok(), operationState=getattr(_types().TOperationState, name))


def _failed(message: str) -> Any:
    found = _state("ERROR_STATE")
    found.errorMessage = found.displayMessage = message
    return found


def _value(parameter: Any) -> Any:
    """Return a parameter as the server reads it: a text, of the type that stands beside."""
    text = parameter.value.stringValue
    if re.fullmatch("(BIG|SMALL|TINY)?INT", parameter.type):
        return int(text)
    if parameter.type == "BOOLEAN":
        return text.lower() == "true"
    return float(text) if parameter.type == "DOUBLE" else text


def _schema(names: list[str], kinds: list[str]) -> Any:
    types = _types()
    columns = []
    for place, (name, kind) in enumerate(zip(names, kinds, strict=True), 1):
        number = types.TTypeId.STRING_TYPE if kind == "string" else types.TTypeId.BIGINT_TYPE
        entry = types.TTypeEntry(primitiveEntry=types.TPrimitiveTypeEntry(type=number))
        columns.append(types.TColumnDesc(columnName=name, typeDesc=types.TTypeDesc(types=[entry]), position=place))
    return types.TTableSchema(columns=columns)


def _rows(rows: list[tuple[Any, ...]], kinds: list[str], first: int) -> Any:
    types = _types()
    columns = []
    for place, kind in enumerate(kinds):
        values = [row[place] for row in rows]
        columns.append(
            types.TColumn(stringVal=types.TStringColumn(values=values, nulls=b"\0"))
            if kind == "string"
            else types.TColumn(i64Val=types.TI64Column(values=values, nulls=b"\0"))
        )
    return types.TRowSet(startRowOffset=first, rows=[], columns=columns)
