"""`tracehound export` and `tracehound import`: traces as OTLP JSON lines (`wire.otlp_json`), a trace a line."""

from __future__ import annotations

import gzip
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import click

from tracehound import runtime
from tracehound.cli.options import Scope, ask, chosen_settings, experiments_of, open_scope
from tracehound.cli.outputs import open_output
from tracehound.cli.progress import following
from tracehound.client.pages import read_pages
from tracehound.client.patience import write_patiently
from tracehound.errors import ArgumentError
from tracehound.model.record import replace
from tracehound.model.trace import TracePart, TraceState
from tracehound.model.values import clean_text
from tracehound.wire.intake import Intake
from tracehound.wire.otlp_json import DamagedLineError, from_otlp_line, to_otlp_line

_OLDEST_FIRST: Final = ("timestamp_ms ASC", "trace_id ASC")
_STEP_LINES: Final = 200  # imported in one transaction
_STEP_BYTES: Final = 4_000_000
_TOLD: Final = 20  # damaged lines that are told one by one


def run_export(scope: Scope, filter_string: str | None, output: str | None) -> None:
    """Write the traces that have finished, oldest first; what runs is left out, and said to be."""
    store = open_scope(scope)
    experiments = experiments_of(scope, store)
    names = {each.experiment_id: each.name for each in experiments}
    search = ask(scope, experiments, filter_string, _OLDEST_FIRST)
    written = running = 0
    with following("exporting", None) as tell, open_output(output) as plain, _packed(plain, output) as out:
        for page in read_pages(store, search):
            for trace in page:
                if trace.info.state is TraceState.IN_PROGRESS:
                    running += 1
                    continue
                out.write(to_otlp_line(trace, names[trace.info.experiment_id]))
                written += 1
            tell(f"{written:,} traces", written)
    left_out = f"; {running:,} still run and were left out" if running else ""
    click.echo(f"{written:,} traces exported{left_out}", err=True)


@dataclass
class _Imported:
    """What has become of the lines of a file."""

    lines: int = 0
    spans: int = 0
    damaged: int = 0


def run_import(source: str, store: str | None, experiment: str | None) -> int:
    """Bring the lines of a file into the store; return the exit code, 1 where some were damaged.

    What has been imported stays so when this is interrupted, and importing it again changes nothing.
    """
    settings = chosen_settings(store, experiment)
    intake = Intake(settings.prices)
    told = _Imported()
    try:
        with _open_source(source) as (lines, size), following("importing", size) as tell:
            runtime.replace(runtime.Runtime(settings))
            done = 0
            for batch in _batches(lines):
                _import(batch, settings.experiment, told, intake, is_named=experiment is not None)
                done += sum(map(len, batch.values()))
                tell(f"{told.spans:,} spans", done)
    finally:
        if told.lines or told.damaged:
            damaged = f"; {told.damaged:,} damaged lines were left out" if told.damaged else ""
            click.echo(f"{told.spans:,} spans of {told.lines:,} lines are in the store{damaged}", err=True)
    return 1 if told.damaged else 0


def _import(batch: dict[int, bytes], experiment: str, told: _Imported, intake: Intake, *, is_named: bool) -> None:
    """Write the traces of some lines in one transaction, and tell which are damaged."""
    parts: list[TracePart] = []
    lines = 0
    for number, line in batch.items():
        try:
            found = from_otlp_line(line, experiment, intake)
        except DamagedLineError as error:
            told.damaged += 1
            if told.damaged <= _TOLD:
                click.echo(f"line {number}: {error}", err=True)
            continue
        parts += [replace(part, experiment=clean_text(experiment)) for part in found] if is_named else found
        lines += 1
    if parts:
        write_patiently(runtime.current().drained_store(), parts)
    told.lines += lines
    told.spans += sum(len(part.spans) for part in parts)


def _batches(lines: IO[bytes]) -> Iterator[dict[int, bytes]]:
    """Yield some lines at a time by their numbers, without those that are blank."""
    batch: dict[int, bytes] = {}
    length = 0
    for number, line in enumerate(lines, 1):
        if not line.isspace():
            batch[number] = line
            length += len(line)
        if len(batch) == _STEP_LINES or length > _STEP_BYTES:
            yield batch
            batch, length = {}, 0
    yield batch


@contextmanager
def _open_source(source: str) -> Iterator[tuple[IO[bytes], int | None]]:
    """Yield the lines of a file, of the standard input for `-`, and how many bytes there are, where that is known."""
    if source == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(source)
    try:
        if path.suffix == ".gz":
            with gzip.open(path) as packed:
                yield packed, None  # type: ignore[misc] # it is read like any other file
        else:
            with path.open("rb") as plain:
                yield plain, path.stat().st_size or None
    except (OSError, EOFError) as error:
        raise ArgumentError(f"{source} cannot be read: {getattr(error, 'strerror', None) or error}") from error


@contextmanager
def _packed(plain: IO[bytes], name: str | None) -> Iterator[IO[bytes]]:
    """Yield what to write to: for a file that is called `.gz` what packs it, the same bytes at any time."""
    if name is None or not name.endswith(".gz"):
        yield plain
        return
    with gzip.GzipFile(filename="", fileobj=plain, mode="wb", mtime=0) as packed:
        yield packed  # type: ignore[misc] # it is written to like any other file
