"""ClickHouse's HTTP in front of the engine in this process, which can be made to fail as servers and networks do.

The client is the real one, and so are the statements and what they do; only the server's own HTTP is played here.
"""

from __future__ import annotations

import contextlib
import re
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.clickhouse.opened import engine_directory
from tracehound.store.clickhouse.address import ClickHouseAddress
from tracehound.wire.compression import decompress

NO_SETTINGS = ("database", "query", "query_id", "session_id", "wait_end_of_query", "enable_http_compression")
# Settings of ours that servers do not have which are too old.
_NEWER = {"use_skip_indexes_for_disjunctions", "read_in_order_use_buffering"}
MAX_BYTES = 10_000_000


@dataclass(frozen=True)
class Fault:
    """What happens to a statement that an expression finds: an error of the engine, or a connection that ends.

    With `is_done` the engine does what it was asked before the connection ends.
    """

    statement: str
    code: int | None = None
    message: str = ""
    is_done: bool = False


@dataclass
class Bridge:
    """A server at a port; what goes wrong with it is set while it runs."""

    port: int
    fault: Fault | None = None
    version: str | None = None

    def uri(self, address: ClickHouseAddress) -> str:
        """Return where a database is found through it."""
        return f"clickhouse://127.0.0.1:{self.port}/{address.database}"


@contextlib.contextmanager
def bridge(port: int = 0) -> Iterator[Bridge]:
    """Serve the engine, at a free port if none is named."""
    server = _Server(port)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.told
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        server.engine.close()


class _Server(ThreadingHTTPServer):
    def __init__(self, port: int) -> None:
        import chdb.state.sqlitelike

        super().__init__(("127.0.0.1", port), _Handler)
        self.engine: Any = chdb.state.sqlitelike.Connection(str(engine_directory()))
        self.lock = threading.Lock()
        self.told = Bridge(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.answer(200, b"Ok.\n", {})

    def do_POST(self) -> None:
        asked, body = self.read()
        statement = b"\n".join(each for each in (asked.pop("query", "").encode(), body) if each)
        head = statement[:2_000].decode("utf-8", "replace")
        fault = self.server.told.fault
        if self.server.told.version is not None and (newer := _NEWER & asked.keys()):
            fault = Fault("", 115, f"Unknown setting '{min(newer)}'")
        if fault is not None and re.search(fault.statement, head):
            self.fail(fault, asked, statement)
            return
        try:
            found = self.run(asked, statement)
        except Exception as error:
            code = str(error).partition("Code: ")[2].partition(".")[0] or "1"
            self.answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code})
        else:
            self.answer(200, found, {"X-ClickHouse-Format": "TabSeparated"} if found else {})

    def fail(self, fault: Fault, asked: dict[str, str], statement: bytes) -> None:
        if fault.code is not None:
            told = f"Code: {fault.code}. DB::Exception: {fault.message}: While executing SELECT secret"
            self.answer(500, told.encode(), {"X-ClickHouse-Exception-Code": str(fault.code)})
            return
        if fault.is_done:
            self.run(asked, statement)
        self.close_connection = True
        self.connection.close()

    def run(self, asked: dict[str, str], statement: bytes) -> bytes:
        """Have the engine do it; rows that follow a statement come to it in a file."""
        engine, version = self.server.engine, self.server.told.version
        values = {key.removeprefix("param_"): value for key, value in asked.items() if key.startswith("param_")}
        if version is not None:
            statement = statement.replace(b"version()", f"'{version}'".encode())
        with self.server.lock, tempfile.TemporaryDirectory() as folder:
            engine.query(f"USE {asked.get('database', 'default')}", "TabSeparated")
            for key, value in asked.items():
                if key not in NO_SETTINGS and not key.startswith(("param_", "http_")):
                    engine.query(f"SET {key} = '{value}'", "TabSeparated")
            head, mark, rows = statement.partition(b" FORMAT Native\n")
            if mark and head.startswith(b"INSERT"):
                file = Path(folder, "rows.native")
                file.write_bytes(rows)
                statement = head + f" FROM INFILE '{file}' FORMAT Native".encode()
            found = engine.query(statement.decode(), "TabSeparated", params=values)
            return bytes(found.bytes() or b"")

    def read(self) -> tuple[dict[str, str], bytes]:
        """Return what the request says by name, in its address or its form, and its body if that is no form."""
        is_chunked = "chunked" in self.headers.get("Transfer-Encoding", "")
        body = b"".join(self.chunks()) if is_chunked else self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = decompress(body, self.headers.get("Content-Encoding", ""), MAX_BYTES)
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        kind, _, boundary = self.headers.get("Content-Type", "").partition("boundary=")
        if not kind.startswith("multipart/"):
            return asked, body
        for each in body.split(f"--{boundary}".encode())[1:-1]:
            head, _, value = each.partition(b"\r\n\r\n")
            name = head.partition(b'name="')[2].partition(b'"')[0].decode()
            asked[name] = value.removesuffix(b"\r\n").decode()
        return asked, b""

    def chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().strip() or b"0", 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
