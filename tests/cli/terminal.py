"""The command in a terminal: a process of its own on a pseudo-terminal, as wide as said."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests import forked
from tests.traces import part, span
from tracehound import runtime
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.model.trace import TracePart
from tracehound.model.values import encode_value

_DEADLINE_S: Final = 120


class Terminal:
    """A running command, with what it has shown so far."""

    def __init__(self, *arguments: str, columns: int, rows: int = 40, **environment: str) -> None:
        import fcntl
        import pty
        import struct
        import termios

        self._own, child = pty.openpty()
        fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self._process = forked.start([*arguments], _environment(environment), child, child, child)
        os.close(child)
        self.shown = ""

    def read_until(self, is_enough: Callable[[str], bool]) -> str:
        """Return what is shown as soon as it is enough; fail where the command ends before."""
        while not is_enough(self.shown):
            data = self._read()
            assert data, f"the command ended after {self.shown!r}"
            self.shown += data
        return self.shown

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        os.write(self._own, b"\x03")

    def end(self) -> tuple[str, int]:
        """Wait for the end; return all that was shown, with the newlines of Unix, and the exit code."""
        while data := self._read():
            self.shown += data
        os.close(self._own)
        self._process.join(_DEADLINE_S)
        assert self._process.exitcode is not None, "the command closed its terminal and goes on"
        return self.shown.replace("\r\n", "\n"), self._process.exitcode

    def _read(self) -> str:
        try:
            return os.read(self._own, 65536).decode("utf-8", "replace")
        except OSError:  # Linux says the end of a pseudo-terminal so
            return ""


def piped(*arguments: str, stdin: bytes = b"", **environment: str) -> subprocess.CompletedProcess[bytes]:
    """Run the command without a terminal."""
    with tempfile.TemporaryDirectory() as folder:
        return forked.run([*arguments], _environment(environment), Path(folder), stdin)


def _environment(changes: dict[str, str]) -> dict[str, str]:
    kept = {
        key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR")
    }
    return {**kept, "TERM": "xterm-256color", "TZ": "UTC", "PYTHONUTF8": "1", **changes}


def write(*parts: TracePart) -> None:
    """Put traces into the store of the test."""
    runtime.current().drained_store().write(list(parts))


def traces_of_many_kinds() -> list[TracePart]:
    """Return traces whose texts are hard to show: wide, combined, right to left, long, with control characters."""
    texts = [
        ("answer", "why is the sky blue?"),
        ("回答する関数", "日本語の長い質問です。" * 12),
        ("emoji 🎉👩‍👩‍👧", "🎉" * 90),
        ("שלום עולם", "מה השעה עכשיו? " * 9),
        ("control\x1b[31m\r\n\x07\u202e", "\x1b]0;title\x07 [bold]x[/bold] \t\x00"),
        ("cafe\u0301", "e\u0301" * 150),
        ("a_function_with_quite_a_long_name", "x" * 900),
    ]
    return [_trace(number, name, text) for number, (name, text) in enumerate(texts, 1)]


def _trace(number: int, name: str, text: str) -> TracePart:
    trace = 0xABCDEF0123456789ABCDEF0123456000 + number
    root = span(1, trace, start_ms=number * 61_000, duration_ms=number**7, name=name, failed=number == 2)
    whole = part(_with_text(root, text), tags={"env": "prod", "note": text})
    return replace(whole, request_preview=text)


def _with_text(root: Span, text: str) -> Span:
    return replace(root, inputs_json=encode_value({"question": text}))


GOLDEN: Final = Path(__file__).parent / "golden"
