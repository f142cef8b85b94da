"""What is said of a real server that is too old, and that nothing of what was traced is lost to it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracehound
from tests.cli.terminal import piped
from tests.clickhouse.old_server import HAS_OLD_SERVER, OldServer, old_server
from tests.clickhouse.opened import HAS_ENGINE
from tests.forked import Program
from tracehound.errors import StoreBusyError, StoreError
from tracehound.settings import STATE
from tracehound.store.clickhouse.address import parse_address
from tracehound.store.clickhouse.store import ClickHouseStore

pytestmark = [
    pytest.mark.engines,
    pytest.mark.skipif(not HAS_OLD_SERVER, reason="needs an old clickhouse-server on PATH, such as Debian's"),
]
TRACING = "import tracehound\ntracehound.set_tracking_uri({!r})\nwith tracehound.start_span('kept'): pass\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OldServer]:
    with old_server(tmp_path_factory.mktemp("old")) as served:
        yield served


@pytest.mark.parametrize("user", ["default", "ann:secret", "reader", "nobody"])
def test_a_server_that_is_too_old_is_named_with_its_version_whoever_asks(server: OldServer, user: str) -> None:
    store = ClickHouseStore(parse_address(server.uri(user)))
    with pytest.raises(
        StoreError, match=rf"{user.partition(':')[0]}@127\.0\.0\.1:{server.port}/traces {server.told()}"
    ):
        store.version()
    assert server.ask("SHOW DATABASES") == "default\nsystem\n"


@pytest.mark.parametrize(
    "command", [["search"], ["stats"], ["experiments"], ["server", "--port", "0"], ["doctor"]], ids=" ".join
)
def test_each_command_says_so_in_one_line(server: OldServer, command: list[str]) -> None:
    done = piped(*command, "--store", server.uri())
    printed, said = done.stdout.decode(), done.stderr.decode()
    assert done.returncode == 1
    if command == ["doctor"]:
        assert " ".join(printed.split()).count(server.told()) == 1
        assert said == ""
    else:
        assert printed == ""
        assert said.startswith(f"error: clickhouse://default@127.0.0.1:{server.port}/traces {server.told()}")
        assert said.count("\n") == 1


@pytest.mark.parametrize("user", ["ann:wrong", "ann", "who"])
def test_who_is_not_let_in_is_told_so(server: OldServer, user: str) -> None:
    store = ClickHouseStore(parse_address(server.uri(user)))
    with pytest.raises(StoreError, match="does not know this user, or the password is another one"):
        store.version()


def test_the_port_of_the_servers_own_client_is_told_from_that_for_http(server: OldServer) -> None:
    store = ClickHouseStore(parse_address(server.uri(port=server.tcp_port)))
    with pytest.raises(StoreError, match="is the port of clickhouse-client: name that for HTTP"):
        store.version()


def test_what_was_traced_waits_and_the_program_is_told_once(
    server: OldServer, caplog: pytest.LogCaptureFixture
) -> None:
    tracehound.set_tracking_uri(server.uri())
    with tracehound.start_span("kept"):
        pass
    assert tracehound.flush().pending == 1
    assert tracehound.flush().pending == 1
    assert caplog.text.count(server.told()) == 1
    with pytest.raises(StoreError, match=server.told()):
        tracehound.search_traces(return_type="list")


@pytest.mark.skipif(not HAS_ENGINE, reason="needs the engine: ./dev chdb")
def test_what_was_traced_is_stored_when_the_server_has_been_upgraded(tmp_path: Path) -> None:
    from tests.clickhouse.bridge import bridge

    folder = tmp_path / "old"
    folder.mkdir()
    with old_server(folder) as server:
        program = Program(TRACING.format(server.uri()), os.environ)
        program.communicate()
        assert program.returncode == 0
        assert any((tmp_path / "state").rglob("*.seg"))
        server.process.kill()
        server.process.wait()
        with pytest.raises(StoreBusyError, match="does not answer"):
            ClickHouseStore(parse_address(server.uri())).version()
        with bridge(server.port):
            tracehound.set_tracking_uri(server.uri())
            found = tracehound.search_traces(return_type="list", flush=True)
            assert [trace.info.name for trace in found] == ["kept"]


def test_a_program_ends_though_the_server_has_stopped_answering(tmp_path: Path) -> None:
    folder = tmp_path / "old"
    folder.mkdir()
    with old_server(folder) as server:
        server.process.send_signal(signal.SIGSTOP)
        program = Program(TRACING.format(server.uri()), {**os.environ, STATE: str(tmp_path / "state")})
        program.communicate(timeout=30)  # where the server would be waited for it was over a minute
        assert program.returncode == 0
        assert any((tmp_path / "state").rglob("*.seg"))
