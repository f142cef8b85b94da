"""A real server of ClickHouse that is far too old, as Debian has it: in a folder and at a port of its own."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from tests.ports import held_port
from tests.waiting import wait_until

_PROGRAM: Final = shutil.which("clickhouse-server", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
_CONFIGURATION: Final = """<yandex>
    <logger><level>warning</level><console>1</console></logger>
    <listen_host>127.0.0.1</listen_host><http_port>{port}</http_port><tcp_port>{tcp_port}</tcp_port>
    <path>{folder}/data/</path><tmp_path>{folder}/tmp/</tmp_path><user_files_path>{folder}/files/</user_files_path>
    <format_schema_path>{folder}/formats/</format_schema_path><mark_cache_size>10000000</mark_cache_size>
    <users_config>users.xml</users_config>
    <default_profile>default</default_profile><default_database>default</default_database>
</yandex>
"""
_USER: Final = (
    "<{name}><password>{password}</password><networks><ip>::/0</ip></networks><profile>{profile}</profile>"
    "<quota>default</quota>{more}</{name}>"
)
_USERS: Final = "".join(
    [
        "<yandex><profiles><default/><readonly><readonly>1</readonly></readonly></profiles><quotas><default/></quotas><users>",
        _USER.format(name="default", password="", profile="default", more=""),
        _USER.format(name="ann", password="secret", profile="default", more=""),
        _USER.format(name="reader", password="", profile="readonly", more=""),
        _USER.format(
            name="nobody", password="", profile="default",
            more="<allow_databases><database>other</database></allow_databases>",
        ),
        "</users></yandex>",
    ]
)  # fmt: skip


def _is_old(program: str) -> bool:
    """Whether it is one of those that do not yet tell their version without running."""
    done = subprocess.run([program, "--version"], check=False, capture_output=True)
    return b"Unknown option" in done.stdout + done.stderr


HAS_OLD_SERVER: Final = _PROGRAM is not None and _is_old(_PROGRAM)


@dataclass
class OldServer:
    """A server that runs; it listens to HTTP at one port, and to its own client at another."""

    process: subprocess.Popen[bytes]
    port: int
    tcp_port: int

    def uri(self, user: str = "default", port: int | None = None) -> str:
        """Return where a store of it would be."""
        return f"clickhouse://{user}@127.0.0.1:{port or self.port}/traces"

    def ask(self, sql: str) -> str:
        """Return what it says to a statement."""
        with urlopen(f"http://127.0.0.1:{self.port}/", data=sql.encode(), timeout=10) as answer:
            return str(answer.read().decode())

    def told(self) -> str:
        """Return what is to be told of it."""
        version = self.ask("SELECT version()").strip()
        return f"runs ClickHouse {version}; 26.3 is the oldest that has the text index: upgrade it"

    def answers(self) -> bool:
        """Whether it answers by now."""
        assert self.process.poll() is None, "the server did not start"
        try:
            return self.ask("SELECT 1") == "1\n"
        except (URLError, ConnectionError):
            return False


@contextlib.contextmanager
def old_server(folder: Path) -> Iterator[OldServer]:
    """Run a server, and end it."""
    assert _PROGRAM is not None
    with held_port() as port, held_port() as tcp_port:
        for name in ("data", "tmp", "files", "formats"):
            (folder / name).mkdir()
        configuration = folder / "config.xml"
        configuration.write_text(_CONFIGURATION.format(folder=folder, port=port, tcp_port=tcp_port))
        (folder / "users.xml").write_text(_USERS)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen([_PROGRAM, f"--config-file={configuration}"], cwd=folder, stdout=log, stderr=log)
        server = OldServer(process, port, tcp_port)
        try:
            wait_until(server.answers, "the old server does not answer")
            yield server
        finally:
            process.kill()  # also one that was stopped
            process.wait()
