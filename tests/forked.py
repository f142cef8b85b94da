"""Processes that start at once: forked from one that has imported Tracehound already.

A short program spends most of its time on importing, and the tests run hundreds. That the command and a program start
as users start them, from nothing, is what `cli/test_commands.py` and `compat/test_running.py` are for.
"""

from __future__ import annotations

import atexit
import multiprocessing
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Final, Protocol

CAN_FORK: Final = "forkserver" in multiprocessing.get_all_start_methods()
_PRELOADED: Final = (
    "tracehound.cli.main", "tracehound.server.serving", "tracehound.store.sqlite.store", "rich.table", "rich.tree",
    "rich.live",
)  # fmt: skip
_DEADLINE_S: Final = 120


class Started(Protocol):
    """A process, as `multiprocessing` has it."""

    @property
    def pid(self) -> int | None: ...
    @property
    def exitcode(self) -> int | None: ...
    def join(self, timeout: float | None = None) -> None: ...
    def kill(self) -> None: ...


class _Anew(subprocess.Popen[bytes]):
    """A process on a system that cannot fork."""

    @property
    def exitcode(self) -> int | None:
        return self.poll()

    def join(self, timeout: float | None = None) -> None:
        self.wait(timeout)


class Program:
    """A program, given as its source, with pipes for its input and output; it is used as `subprocess.Popen` is."""

    def __init__(self, source: str, environment: Mapping[str, str]) -> None:
        input_end, own_input = os.pipe()
        own_output, output_end = os.pipe()
        self._process = start(["-c", source], environment, input_end, output_end)
        os.close(input_end)
        os.close(output_end)
        self.stdin = os.fdopen(own_input, "w", encoding="utf-8")
        self.stdout = os.fdopen(own_output, encoding="utf-8")

    @property
    def returncode(self) -> int | None:
        """What it ended with: minus the number of the signal, where one ended it."""
        return self._process.exitcode

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def send_signal(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float = _DEADLINE_S) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("the program", timeout)
        return self._process.exitcode

    def communicate(self, timeout: float = _DEADLINE_S) -> str:
        """Say that nothing more comes, and return the rest of what it prints when it has ended."""
        self.stdin.close()
        with self.stdout:
            printed = self.stdout.read()
        self.wait(timeout)
        return printed


def start(arguments: list[str], environment: Mapping[str, str], *streams: int) -> Started:
    """Start the command, or `-c` and a program, with descriptors for its input, output and errors.

    The descriptors stay the caller's. A terminal for input is the one that controls it, so that Ctrl-C reaches it.
    """
    if not CAN_FORK:
        program = arguments if arguments[:1] == ["-c"] else ["-m", "tracehound", *arguments]
        stdin, stdout, stderr = (*streams, None)[:3]
        return _Anew([sys.executable, *program], stdin=stdin, stdout=stdout, stderr=stderr, env={**environment})
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([*_PRELOADED])
    connections = [Connection(os.dup(stream)) for stream in streams]
    process = context.Process(target=_become, args=(arguments, dict(environment), str(Path.cwd()), connections))
    process.start()
    for connection in connections:
        connection.close()
    return process


def run(
    arguments: list[str], environment: Mapping[str, str], folder: Path, stdin: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run the command to its end, with files in a folder for its input, output and errors."""
    paths = [folder / name for name in ("stdin", "stdout", "stderr")]
    paths[0].write_bytes(stdin)
    with paths[0].open("rb") as source, paths[1].open("wb") as output, paths[2].open("wb") as errors:
        process = start(arguments, environment, *(stream.fileno() for stream in (source, output, errors)))
        process.join(_DEADLINE_S)
    if process.exitcode is None:
        process.kill()
        raise subprocess.TimeoutExpired(arguments, _DEADLINE_S)
    return subprocess.CompletedProcess(arguments, process.exitcode, paths[1].read_bytes(), paths[2].read_bytes())


def _become(arguments: list[str], environment: dict[str, str], folder: str, streams: list[Connection]) -> None:
    """Become what `python -m tracehound` or `python -c` would be there, up to its end."""
    os.setsid()
    for number, stream in enumerate(streams):
        os.dup2(stream.fileno(), number)
        stream.close()
    if os.isatty(0):
        import fcntl
        import termios

        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.stdin, sys.stdout, sys.stderr = (os.fdopen(number, mode, encoding="utf-8") for number, mode in enumerate("rww"))
    try:
        if arguments[0:1] == ["-c"]:
            sys.argv = arguments[:1]
            sys.modules["__main__"] = main_module = ModuleType("__main__")  # whose variables live to the end
            exec(compile(arguments[1], "<string>", "exec"), main_module.__dict__)
        else:
            from tracehound.cli.main import main

            sys.argv = ["tracehound", *arguments]
            main()
    finally:  # a process of `multiprocessing` ends without these
        sys.stdout.flush()
        threading._shutdown()  # type: ignore[attr-defined] # private; it waits for threads as the end of Python does
        atexit._run_exitfuncs()
