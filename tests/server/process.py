"""`tracehound server` in a process of its own, which says where it listens."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path
from urllib.parse import urlsplit

from tests import forked


class ServerProcess:
    """A server on a free port of this machine; made again with the same store it is the same server, started anew."""

    def __init__(self, store: Path, *options: str, port: int = 0, command: str = "server") -> None:
        self.store = store
        own_output, output_end = os.pipe()
        arguments = [command, "--port", str(port), "--store", str(store), *options]
        with Path(os.devnull).open("rb") as nothing:
            self._process = forked.start(arguments, os.environ, nothing.fileno(), output_end)
        os.close(output_end)
        self._output = os.fdopen(own_output, encoding="utf-8")
        self.said = self._output.readline()
        found = re.search(r"https?://\S+", self.said)
        assert found is not None, f"the server did not start: {self.said + self._output.read()}"
        self.url = found[0]
        self.port = urlsplit(self.url).port or 0

    def next_line(self) -> str:
        """Return the next line that it says."""
        return self._output.readline()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""
        self._process.kill()
        self._process.join()
        self._output.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int | None, str]:
        """Ask it to stop, and return its exit code and what it said to the end."""
        os.kill(self.pid, number)
        rest = self._output.read()
        self._process.join(60)
        return self._process.exitcode, rest
