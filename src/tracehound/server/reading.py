"""Reading what arrives: in this process, and under load in one beside it.

The store has one writer, which needs the interpreter nearly all of the time when much arrives; reading would take it
away. So when reading has cost much of the last seconds, a process is started that does it (`reading_process`), and it
is ended when nothing has come for a while: a server that has little to do has the memory of one process. Whatever
becomes of that process, each body is read: by this one where the other has no answer.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path
from typing import Final, cast

from tracehound.model.record import DecodeError
from tracehound.server.reading_process import Answer, Order, answer, read_answer, receive, send
from tracehound.wire.otlp import Intake

# With where we are behind all else that is looked through, and not with the working folder before it.
_PROGRAM: Final = """
import sys
sys.path = [*filter(None, sys.path), sys.argv.pop(1)]
from tracehound.server.reading_process import run
run(*sys.argv[1:])
"""
_FOLDER: Final = str(Path(__file__).resolve().parents[2])
_PIPE_BYTES: Final = 1_000_000
_LONGEST_END_S: Final = 10.0

_logger = logging.getLogger("tracehound.server")


@dataclass(frozen=True)
class Pace:
    """When the other process is started and ended.

    It is started when reading has cost `much_s` of processor time more than a `share` of the time that has gone by, and
    ended when nothing was read for `idle_s`. One that needs longer than `longest_s` for a body is stuck; after trouble
    of that kind there is none for `pause_s`.
    """

    share: float = 0.05
    much_s: float = 0.1
    idle_s: float = 10.0
    longest_s: float = 60.0
    pause_s: float = 60.0


class Reader:
    """Reads bodies of OTLP, for any number of threads.

    `prices` is the path of the table that `intake` has, `preparer` what makes parts ready for the store (`store.api`),
    `version` that of the server, which the other process must be of.
    """

    def __init__(
        self,
        intake: Intake,
        prices: str | None = None,
        preparer: str | None = None,
        version: str = "",
        pace: Pace | None = None,
    ) -> None:
        self._intake = intake
        self._arguments = prices or "", preparer or "", version
        self._pace = pace or Pace()
        self._lock = threading.Lock()
        self._spent_s = 0.0
        self._looked_s = time.monotonic()
        self._other: _OtherProcess | None = None
        self._supervisor: threading.Thread | None = None
        self._is_closed = threading.Event()
        # Not before then; never, where another process would only be in the way.
        self._not_before_s = 0.0 if _count_processors() > 1 else math.inf

    @property
    def process_id(self) -> int | None:
        """The id of the other process, where there is one."""
        return None if self._other is None else self._other.process_id

    def read(self, order: Order) -> Answer:
        """Return what a body brings; raise `DamagedRequestError` for what is no request.

        It is made ready for the store by the other process alone: here that would be no gain.
        """
        if (other := self._other) is not None:
            found = other.read(order)
            if found is not None and found.is_readable:
                return found
        begun_s = time.thread_time()
        found = answer(order, self._intake)
        self._note(time.thread_time() - begun_s)
        return found

    def close(self) -> None:
        """End the other process, if there is one."""
        with self._lock:
            self._is_closed.set()
            supervisor = self._supervisor
        if supervisor is not None:
            supervisor.join(_LONGEST_END_S)

    def _note(self, spent_s: float) -> None:
        """Count what reading has cost here, and have it done by another process when that is much."""
        with self._lock:
            now_s = time.monotonic()
            self._spent_s = max(0.0, self._spent_s - (now_s - self._looked_s) * self._pace.share) + spent_s
            self._looked_s = now_s
            is_time = self._spent_s >= self._pace.much_s and now_s >= self._not_before_s
            if is_time and self._supervisor is None and not self._is_closed.is_set():
                self._supervisor = threading.Thread(target=self._supervise, name="tracehound-reading", daemon=True)
                self._supervisor.start()

    def _supervise(self) -> None:
        """Keep the other process until it is not needed any more, or is in trouble."""
        pace = self._pace
        try:
            with _started(self._arguments) as other:
                self._other = other
                while not self._is_closed.wait(min(1.0, pace.idle_s / 4)) and other.idle_s() < pace.idle_s:
                    if other.is_in_trouble(pace.longest_s):
                        raise EOFError  # noqa: TRY301 - as where it ends before it is ready
        except (OSError, EOFError):
            _logger.warning("the process that reads what arrives is gone; for %.0f s the server does it", pace.pause_s)
            self._not_before_s = time.monotonic() + pace.pause_s
        finally:
            with self._lock:
                self._other, self._supervisor, self._spent_s = None, None, 0.0


class _OtherProcess:
    """A process that reads, one body at a time; the next one lies in its pipe by then."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._orders, self._answers = cast("RawIOBase", process.stdin), cast("RawIOBase", process.stdout)
        self._turn = threading.Lock()  # of those who send orders: that may take until there is room for one
        self._lock = threading.Lock()  # of what follows
        self._waiting: deque[Future[bytes | None]] = deque()  # for their answers, in the order of their orders
        self._is_over = False
        self._moved_s = time.monotonic()  # when the last order or answer came
        self._receiver = threading.Thread(target=self._receive, name="tracehound-answers", daemon=True)
        _widen(self._orders.fileno(), self._answers.fileno())

    @property
    def process_id(self) -> int:
        return self._process.pid

    def wait_until_ready(self) -> None:
        """Wait until it takes orders; raise `EOFError` where it has ended instead."""
        receive(self._answers)
        self._moved_s = time.monotonic()
        self._receiver.start()

    def read(self, order: Order) -> Answer | None:
        """Return the answer to an order; None where there is none, for it has ended, or is being ended."""
        answered: Future[bytes | None] = Future()
        with self._turn:
            with self._lock:
                if self._is_over:
                    return None
                if not self._waiting:
                    self._moved_s = time.monotonic()
                self._waiting.append(answered)
            with contextlib.suppress(OSError, ValueError):  # then no answer comes
                send(self._orders, order)
        data = answered.result()
        if data is None:
            return None
        try:
            return read_answer(data)
        except DecodeError:
            return None

    def _receive(self) -> None:
        """Hand answers to those who wait for them, until there are no more."""
        try:
            while True:
                data = receive(self._answers)
                with self._lock:
                    self._moved_s = time.monotonic()
                    answered = self._waiting.popleft()
                answered.set_result(data)
        except (OSError, EOFError, ValueError, LookupError):
            with self._lock:
                self._is_over = True
                for answered in self._waiting:
                    answered.set_result(None)

    def idle_s(self) -> float:
        """Return for how long it had nothing to do."""
        return 0.0 if self._waiting else time.monotonic() - self._moved_s

    def is_in_trouble(self, longest_s: float) -> bool:
        """Whether it has ended, or needs longer than that for a body."""
        is_stuck = bool(self._waiting) and time.monotonic() - self._moved_s > longest_s
        return self._is_over or self._process.poll() is not None or is_stuck

    def kill(self) -> None:
        """End it at once: whoever waits for an answer has none then."""
        self._process.kill()

    def close(self) -> None:
        """End it when what it does is done; it ends with its pipe, unless it is stuck."""
        with self._turn, contextlib.suppress(OSError):
            self._orders.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_LONGEST_END_S)
        self._process.kill()
        if self._receiver.is_alive():
            self._receiver.join()
        self._answers.close()


@contextmanager
def _started(arguments: Sequence[str]) -> Iterator[_OtherProcess]:
    """Have a process read, and end it behind the block; raise `OSError` or `EOFError` where it does not start."""
    command = [sys.executable, "-c", _PROGRAM, _FOLDER, *arguments]
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        other = _OtherProcess(process)
        try:
            other.wait_until_ready()
            yield other
        except BaseException:
            other.kill()
            raise
        finally:
            other.close()


def _widen(*pipes: int) -> None:
    """Let a whole body into a pipe at once, where that can be said: each wait for room is one for the interpreter."""
    with contextlib.suppress(ImportError, OSError, AttributeError):
        import fcntl

        for pipe in pipes:
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)


def _count_processors() -> int:
    count: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(count(0)) if count is not None else os.cpu_count() or 1
