"""Where the output of a command goes: the standard output, or a file that is there when it is whole."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from tracehound.errors import ArgumentError


@contextmanager
def open_output(name: str | None, *, is_binary: bool = False) -> Iterator[IO[bytes]]:
    """Yield what to write to: the standard output for None and `-`, else the file.

    A file is written beside its place and put there at the end, so that a run that was interrupted leaves none, and
    the one that was there before. Raise `ArgumentError` where it cannot be written, and for what is no text in a
    terminal.
    """
    if name is None or name == "-":
        if is_binary and sys.stdout.isatty():
            raise ArgumentError("Parquet is no text for a terminal: name a file with --output, or pipe it")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(name)
    is_special = path.exists() and not path.is_file()  # a device, a named pipe
    place = path if is_special else path.with_name(f".{path.name}.part")
    try:
        file = place.open("wb")
    except OSError as error:
        raise ArgumentError(f"{name} cannot be written: {error.strerror}") from error
    try:
        with file:
            yield file
        if not is_special:
            place.replace(path)
    except BaseException:
        if not is_special:
            place.unlink(missing_ok=True)
        raise
