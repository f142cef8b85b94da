"""A file of traces -> the changes that make them, whatever its format and packing, which its first bytes tell."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from tracehound.client.exchange.columnar import read_parquet
from tracehound.client.exchange.lines import from_trace_line
from tracehound.errors import ArgumentError
from tracehound.model.edit import TraceChange
from tracehound.model.record import replace
from tracehound.model.trace import TracePart
from tracehound.model.values import clean_text
from tracehound.wire.otlp import Intake
from tracehound.wire.otlp_json import DamagedLineError, from_otlp_line
from tracehound.wire.packing import peekable, unpacked

_PARQUET: Final = b"PAR1"
# The first key of a line of our own, or of MLflow's `Trace.to_json`; OTLP has other ones.
_TRACE_LINE: Final = re.compile(rb'\s*\{\s*"(?:experiment|info|data)"')


@dataclass(frozen=True)
class Item:
    """What one line or row holds, or what is wrong with it."""

    number: int
    size_bytes: int
    changes: list[TraceChange]
    fault: str | None = None


@dataclass(frozen=True)
class Destination:
    """Where traces go: the experiment of what names none, or of all; and what others wrote passes through there."""

    experiment: str
    is_for_all: bool
    intake: Intake


def read_items(path: Path | None, file: IO[bytes], destination: Destination) -> Iterator[Item]:
    """Yield what a file holds, line by line or row by row; blank lines are left out.

    The path is that of the file, None for one that has none. Raise `ArgumentError` for what is no file of traces.
    """
    with _reading_errors(path):
        buffered = peekable(file)
        if not buffered.peek(len(_PARQUET)).startswith(_PARQUET):
            yield from _read_lines(buffered, destination)
        elif path is None:
            raise ArgumentError("Parquet is read from a file, since its end says what is in it; name one")
        else:
            for number, whole in enumerate(read_parquet(path), 1):
                changes: list[TraceChange] = [whole.part, *whole.to_edits()]
                yield Item(number, 0, _placed(changes, destination))


def _read_lines(file: IO[bytes], destination: Destination) -> Iterator[Item]:
    for number, line in enumerate(unpacked(file), 1):
        if line.isspace():
            continue
        try:
            yield Item(number, len(line), _placed(_read_line(line, destination), destination))
        except (DamagedLineError, ArgumentError) as error:
            yield Item(number, len(line), [], str(error))


def _read_line(line: bytes, destination: Destination) -> list[TraceChange]:
    if _TRACE_LINE.match(line):
        whole = from_trace_line(line, destination.experiment)
        return [whole.part, *whole.to_edits()]
    return from_otlp_line(line, destination.experiment, destination.intake).changes


def _placed(changes: list[TraceChange], destination: Destination) -> list[TraceChange]:
    if not destination.is_for_all:
        return changes
    name = clean_text(destination.experiment)
    return [replace(each, experiment=name) if isinstance(each, TracePart) else each for each in changes]


@contextmanager
def _reading_errors(path: Path | None) -> Iterator[None]:
    try:
        yield
    except (OSError, EOFError) as error:
        name = "the standard input" if path is None else str(path)
        raise ArgumentError(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from error
