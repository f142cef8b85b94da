"""A guarded server as users run it: tokens from the command line, TLS, and whoever sends too much or too slowly."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import trustme

import tracehound
from tests.forked import Program, run
from tests.server.otlp import request_of, trace_id
from tests.server.process import ServerProcess
from tracehound.server.guard.tokens import id_in

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
SEARCH = "/api/v1/traces/search"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder for what commands write."""
    made = tmp_path / "commands"
    made.mkdir()
    return made


def command(folder: Path, *arguments: str) -> str:
    """Run a command that works, and return what it prints."""
    done = run([*arguments, "--store", str(folder.parent / "tracehound.db")], os.environ, folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.decode()


def token_for(folder: Path, role: str, *options: str) -> str:
    return command(folder, "token", "create", "--role", role, *options).strip()


def ask(server: ServerProcess, path: str, token: str | None, body: bytes | None = b"{}", kind: str = "json") -> int:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    headers = {"Content-Type": f"application/{kind}"} | ({} if token is None else {"Authorization": f"Bearer {token}"})
    try:
        connection.request("GET" if body is None else "POST", path, body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def test_tokens_are_made_listed_and_revoked_while_a_server_runs(server: ServerProcess, folder: Path) -> None:
    assert ask(server, SEARCH, None) == 200
    token = token_for(folder, "read", "--name", "dashboards", "--experiment", "shop", "--expires", "90d")
    while ask(server, SEARCH, None) == 200:  # it takes half a second
        pass
    assert (ask(server, SEARCH, None), ask(server, SEARCH, token)) == (401, 200)
    [listed] = [json.loads(line) for line in command(folder, "token", "list").splitlines()]
    assert (listed["id"], listed["name"], listed["role"]) == (id_in(token), "dashboards", "read")
    assert (listed["experiments"], listed["state"]) == (["shop"], "in force")
    command(folder, "token", "revoke", str(listed["id"]))
    while ask(server, SEARCH, token) == 200:
        pass
    assert (ask(server, SEARCH, token), ask(server, SEARCH, None)) == (401, 401)
    entries = [json.loads(line) for line in command(folder, "audit").splitlines()]
    assert [(each["what"], each["subjects"]) for each in entries] == [
        ("token created", [listed["id"]]), ("token revoked", [listed["id"]])
    ]  # fmt: skip
    assert all(each["who"].endswith("(command line)") for each in entries)


def test_a_deletion_is_in_the_audit_log(server: ServerProcess, folder: Path) -> None:
    admin = token_for(folder, "admin", "--name", "cleaner")
    while ask(server, SEARCH, None) == 200:
        pass
    assert ask(server, "/v1/traces", admin, request_of((1, 1)).SerializeToString(), "x-protobuf") == 200
    asked = {"experiment_id": "0", "trace_ids": [trace_id(1), trace_id(2)]}
    assert ask(server, "/api/v1/traces/delete", admin, json.dumps(asked).encode()) == 200
    entry = json.loads(command(folder, "audit").splitlines()[-1])
    assert (entry["what"], entry["subjects"]) == ("traces deleted", [trace_id(1)])
    assert entry["who"] == f"the token {id_in(admin)} (cleaner)"


def test_a_token_is_in_no_file_no_log_and_no_answer(store_path: Path, folder: Path) -> None:
    tokens = [token_for(folder, role) for role in ("admin", "ingest")]
    revoked = token_for(folder, "admin")
    command(folder, "token", "revoke", str(id_in(revoked)))
    said: list[bytes] = []
    log = folder / "log"
    with log.open("wb") as output:
        arguments = [sys.executable, "-m", "tracehound", "server", "--port", "0", "--store", str(store_path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=output) as process:
            assert process.stdout is not None
            port = int(re.findall(rb":(\d+) ", process.stdout.readline())[0])
            for token in (*tokens, revoked, f"{tokens[0]}x"):
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                for shown in (f"Bearer {token}", f"Basic {token}", f"Token {token}"):
                    for path in ("/v1/traces", SEARCH, "/nowhere", "/"):
                        body = b"{broken" if path == SEARCH else request_of((1, 1)).SerializeToString()
                        headers = {"Authorization": shown, "Content-Type": "application/x-protobuf"}
                        connection.request("POST", path, body, headers)
                        said.append(connection.getresponse().read())
                connection.close()
            said.append(raw(port, f"GET / HTTP/1.1\r\nAuthorization: Bearer {tokens[0]}\r\nbroken\r\n\r\n".encode()))
            process.terminate()
            said.append(process.stdout.read())
    said += [command(folder, "token", "list").encode(), command(folder, "audit").encode()]
    files = [path for path in folder.parent.rglob("*") if path.is_file() and path.name != "stdout"]
    assert store_path in files
    assert log in files
    for content in [*said, *(path.read_bytes() for path in files)]:
        for token in (*tokens, revoked):
            assert token.encode() not in content
            assert token.rpartition("_")[2].encode() not in content


def test_a_program_shows_its_token_from_the_environment(
    server: ServerProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEHOUND_TRACKING_URI", server.url)
    program = """
import tracehound
with tracehound.start_span("answer"):
    pass
try:
    print(tracehound.flush().stored)
    print(len(tracehound.search_traces(return_type="list")))
except tracehound.StoreDeniedError as error:
    print(error)
"""

    def output_of(token: str | None) -> list[str]:
        if token is None:
            monkeypatch.delenv("TRACEHOUND_TRACKING_TOKEN", raising=False)
        else:
            monkeypatch.setenv("TRACEHOUND_TRACKING_TOKEN", token)
        started = Program(program, os.environ)
        return started.communicate().splitlines()

    token = token_for(folder, "write")
    ingest = token_for(folder, "ingest")
    while ask(server, SEARCH, None) == 200:
        pass
    lost = output_of(None)
    assert lost[0] == "0"
    assert "does not let this program in (401" in lost[1]
    assert "TRACEHOUND_TRACKING_TOKEN" in lost[1]
    sent = output_of(ingest)
    assert sent[0] == "1"
    assert "may read" in sent[1]
    assert ingest not in sent[1]
    assert output_of(token) == ["1", "3"], "what was kept back by the server has come since"


def test_a_command_that_a_token_does_not_allow_fails_and_what_it_allows_goes_on(
    server: ServerProcess, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(server, "/v1/traces", None, request_of((1, 1)).SerializeToString(), "x-protobuf") == 200
    monkeypatch.setenv("TRACEHOUND_TRACKING_TOKEN", token_for(folder, "read"))
    while ask(server, SEARCH, None) == 200:
        pass
    tagged = run(["tags", "set", trace_id(1), "reviewed=yes", "--store", server.url], os.environ, folder)
    assert (tagged.returncode, b"takes a token that may send traces" in tagged.stderr) == (1, True)
    searched = run(["search", "--fields", "trace_id", "--store", server.url], os.environ, folder)
    assert (searched.returncode, json.loads(searched.stdout)) == (0, {"trace_id": trace_id(1)})


def test_grpc_is_guarded_as_http_is(store_path: Path, folder: Path) -> None:
    tokens = {
        None: "UNAUTHENTICATED",
        "nonsense": "UNAUTHENTICATED",
        token_for(folder, "ingest", "--expires", "1 second"): "UNAUTHENTICATED",
        token_for(folder, "read"): "PERMISSION_DENIED",
        token_for(folder, "ingest", "--experiment", "other"): "PERMISSION_DENIED",
        token_for(folder, "ingest", "--experiment", "shop"): "OK",
        token_for(folder, "admin"): "OK",
    }
    server = ServerProcess(store_path, "--grpc-port", "0")
    found = re.search(r"OTLP/gRPC: (\S+)", server.next_line())
    assert found is not None

    def code_of(token: str | None) -> str:
        shown = () if token is None else (("authorization", f"Bearer {token}"),)
        try:
            export(request_of((1, 1)).SerializeToString(), metadata=(*shown, ("x-tracehound-experiment", "shop")))
        except grpc.RpcError as error:
            return str(error.code().name)
        return "OK"

    with grpc.insecure_channel(found[1]) as channel:
        export = channel.unary_unary(METHOD)
        while code_of(list(tokens)[2]) == "OK":  # its second is not over
            pass
        assert {token: code_of(token) for token in tokens} == tokens
    server.kill()


def test_a_server_of_a_network_needs_a_token_or_somebody_who_says_otherwise(store_path: Path, folder: Path) -> None:
    arguments = ["server", "--host", "0.0.0.0", "--port", "0", "--store", str(store_path)]
    done = run(arguments, os.environ, folder)
    assert done.returncode == 2
    assert b"tracehound token create --role admin" in done.stderr
    for options in (["--require-token"], ["--without-tokens"]):
        server = ServerProcess(store_path, *options)  # which listens on this machine alone
        assert ask(server, SEARCH, None) == (401 if options == ["--require-token"] else 200)
        server.kill()


def test_a_server_of_a_network_says_where_it_can_be_listened_to(store_path: Path, folder: Path) -> None:
    server = ServerProcess(store_path, "--host", "0.0.0.0", "--require-token")
    assert server.next_line().startswith("OpenTelemetry: ")
    assert server.next_line().startswith("without --certificate tokens and traces can be read on the way")
    server.kill()
    done = run(["server", "--certificate", "nowhere.pem", "--store", str(store_path)], os.environ, folder)
    assert done.stderr == b"error: nowhere.pem cannot be used: No such file or directory\n"


def test_a_server_has_a_certificate(store_path: Path, tmp_path: Path, folder: Path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    chain, key = tmp_path / "chain.pem", tmp_path / "key.pem"
    chain.write_bytes(b"".join(each.bytes() for each in issued.cert_chain_pems))
    key.write_bytes(issued.private_key_pem.bytes())
    options = "--certificate", str(chain), "--key", str(key), "--grpc-port", "0"
    server = ServerProcess(store_path, *options)
    assert server.url.startswith("https://")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    connection = http.client.HTTPSConnection("127.0.0.1", server.port, context=context, timeout=60)
    connection.request("POST", "/", b"token=x", {"Origin": f"https://127.0.0.1:{server.port}"})
    assert connection.getresponse().status == 303
    connection.close()
    found = re.search(r"OTLP/gRPC: (\S+)", server.next_line())
    assert found is not None
    credentials = grpc.ssl_channel_credentials(authority.cert_pem.bytes())
    with grpc.secure_channel(found[1], credentials) as channel:
        channel.unary_unary(METHOD)(request_of((1, 1)).SerializeToString(), timeout=60)
    server.kill()
    assert len(tracehound.search_traces(return_type="list")) == 1
    key.write_text("no key")
    done = run(["server", "--store", str(store_path), *options[:4]], os.environ, folder)
    assert done.returncode == 2
    assert b"a certificate in PEM, and its key without a password" in done.stderr


def raw(port: int, data: bytes) -> bytes:
    """Send bytes, and return what comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        received = b""
        try:
            connection.sendall(data)
            while chunk := connection.recv(65_536):
                received += chunk
        except (BrokenPipeError, ConnectionResetError):
            pass
        return received


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    running = ServerProcess(tmp_path_factory.mktemp("shared") / "tracehound.db")
    yield running
    running.kill()


def test_a_hundred_thousand_headers_are_refused_early(shared: ServerProcess) -> None:
    headers = b"".join(b"h%d: x\r\n" % number for number in range(100_000))
    answer = raw(shared.port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n")
    assert answer == b"" or answer.startswith(b"HTTP/1.1 400 ")
    assert ask(shared, "/health", None, None) == 200


@pytest.mark.parametrize("framing", [b"Content-Length: 1000000000", b"Transfer-Encoding: chunked"])
@pytest.mark.parametrize("path", [b"/v1/traces", b"/api/v1/traces/search", b"/api/v1/frames", b"/"])
def test_a_body_of_a_gigabyte_is_refused_early(path: bytes, framing: bytes, shared: ServerProcess) -> None:
    head = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n%s\r\n\r\n" % (path, framing)
    sent = 0
    with socket.create_connection(("127.0.0.1", shared.port), timeout=60) as connection:
        connection.sendall(head)
        piece = b"0" * 1_000_000
        chunk = b"f4240\r\n" + piece + b"\r\n" if framing.endswith(b"chunked") else piece
        answered = threading.Event()
        received: list[bytes] = []

        def receive() -> None:
            with contextlib.suppress(ConnectionResetError):
                received.append(connection.recv(65_536))
            answered.set()

        threading.Thread(target=receive).start()
        try:
            while sent < 1_000 and not answered.is_set():
                connection.sendall(chunk)
                sent += 1
        except (BrokenPipeError, ConnectionResetError):
            pass
        assert answered.wait(60)
    assert sent < 100, "most of it was never read"
    assert not received or received[0].split(b" ", 2)[1] in (b"400", b"413")
    assert ask(shared, "/health", None, None) == 200
