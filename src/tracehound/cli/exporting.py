"""`tracehound export` and `tracehound import`: whole traces as files (`client.exchange`)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import click

from tracehound import runtime
from tracehound.cli.options import Scope, ask, chosen_settings, experiments_of, open_scope
from tracehound.cli.outputs import open_output
from tracehound.cli.progress import following
from tracehound.cli.text import counted
from tracehound.client.exchange.reading import Destination, Item, read_items
from tracehound.client.exchange.writing import FILE_FORMATS, Tally, export_traces
from tracehound.client.patience import write_patiently
from tracehound.errors import ArgumentError
from tracehound.model.trace import TracePart
from tracehound.wire.intake import Intake
from tracehound.wire.packing import packing

_OLDEST_FIRST: Final = ("timestamp_ms ASC", "trace_id ASC")
_STEP_ITEMS: Final = 200  # imported in one transaction
_STEP_BYTES: Final = 4_000_000
_TOLD: Final = 20  # damaged lines that are told one by one
_DEFAULT: Final = "otlp"


def run_export(scope: Scope, filter_string: str | None, form: str | None, output: str | None) -> None:
    """Write the traces that have finished, oldest first; what runs is left out, and said to be."""
    chosen = form or _form_of(output)
    is_binary = FILE_FORMATS[chosen].is_binary
    store = open_scope(scope)
    search = ask(scope, experiments_of(scope, store), filter_string, _OLDEST_FIRST)
    tally = Tally()
    pieces = export_traces(store, search, chosen, tally)
    with (
        following("exporting", None) as tell,
        open_output(output, is_binary=is_binary) as plain,
        packing(plain, "" if is_binary else output or "") as out,
    ):
        for piece in pieces:
            out.write(piece)
            tell(f"{tally.written:,} traces", tally.written)
    left_out = f"; {tally.running:,} still running, left out" if tally.running else ""
    click.echo(f"{counted(tally.written, 'trace')} exported{left_out}", err=True)


def _form_of(output: str | None) -> str:
    """Return the format that a file is called after."""
    is_parquet = output is not None and output.endswith(FILE_FORMATS["parquet"].suffix)
    return "parquet" if is_parquet else _DEFAULT


@dataclass
class _Imported:
    """What has become of the lines of a file, or of its rows."""

    lines: int = 0
    spans: int = 0
    damaged: int = 0


def run_import(source: str, store: str | None, experiment: str | None) -> int:
    """Bring the traces of a file into the store; return the exit code, 1 where some lines were damaged.

    What has been imported stays so when this is interrupted, and importing it again changes nothing.
    """
    settings = chosen_settings(store, experiment)
    destination = Destination(settings.experiment, experiment is not None, Intake(settings.prices))
    told = _Imported()
    path = None if source == "-" else Path(source)
    try:
        with _open_source(path) as file, following("importing", _length_of(path)) as tell:
            runtime.replace(runtime.Runtime(settings))
            for batch in _batches(read_items(path, file, destination)):
                _import(batch, told)
                tell(f"{told.spans:,} spans", file.tell() if path is not None else 0)
    finally:
        if told.lines or told.damaged:
            damaged = f"; {counted(told.damaged, 'damaged line')} left out" if told.damaged else ""
            taken = f"{counted(told.spans, 'span')} of {counted(told.lines, 'line')}"
            click.echo(f"in the store: {taken}{damaged}", err=True)
    return 1 if told.damaged else 0


def _import(batch: list[Item], told: _Imported) -> None:
    """Write some traces in one transaction, and tell which are damaged."""
    for item in batch:
        if item.fault is not None:
            told.damaged += 1
            if told.damaged <= _TOLD:
                click.echo(f"line {item.number}: {item.fault}", err=True)
    good = [item for item in batch if item.fault is None]
    changes = [change for item in good for change in item.changes]
    if changes:
        write_patiently(runtime.current().drained_store(), changes)
    told.lines += len(good)
    told.spans += sum(len(change.spans) for change in changes if isinstance(change, TracePart))


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    """Yield some at a time."""
    batch: list[Item] = []
    length = 0
    for item in items:
        batch.append(item)
        length += item.size_bytes
        if len(batch) == _STEP_ITEMS or length > _STEP_BYTES:
            yield batch
            batch, length = [], 0
    yield batch


@contextmanager
def _open_source(path: Path | None) -> Iterator[IO[bytes]]:
    """Yield a file, or the standard input for None."""
    if path is None:
        yield sys.stdin.buffer
        return
    try:
        file = path.open("rb")
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield file


def _length_of(path: Path | None) -> int | None:
    return None if path is None else path.stat().st_size or None
