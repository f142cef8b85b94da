"""Traces in pages of HTML, which show them without a server: `export --html`, `show --html`, `import FILE.html`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import click

from tracehound import runtime
from tracehound.cli.options import Scope, ask, chosen_settings, experiments_of, open_scope
from tracehound.cli.outputs import open_output
from tracehound.cli.progress import following
from tracehound.cli.text import counted
from tracehound.client.pages import read_pages
from tracehound.client.patience import write_patiently
from tracehound.errors import ArgumentError
from tracehound.model.edit import Change
from tracehound.model.trace import Trace, TraceState
from tracehound.model.viewer import needed_viewer_page, read_page, write_page
from tracehound.model.whole import to_whole

_STEP: Final = 200  # traces imported in one transaction


def run_export_page(scope: Scope, filter_string: str | None, output: str) -> None:
    """Write a page with the traces that have finished, newest first; what runs is left out, and said to be."""
    page = needed_viewer_page()
    store = open_scope(scope)
    experiments = experiments_of(scope, store)
    names = {each.experiment_id: each.name for each in experiments}
    search = ask(scope, experiments, filter_string)
    written = running = 0

    def finished() -> Iterator[tuple[Trace, str]]:
        nonlocal written, running
        for found in read_pages(store, search):
            ended = [trace for trace in found if trace.info.state is not TraceState.IN_PROGRESS]
            yield from ((trace, names[trace.info.experiment_id]) for trace in ended)
            written += len(ended)
            running += len(found) - len(ended)
            tell(f"{written:,} traces", written)

    with following("exporting", None) as tell, open_output(output) as out:
        write_page(page, finished(), out)
    left_out = f"; {running:,} still running, left out" if running else ""
    click.echo(f"{counted(written, 'trace')} exported{left_out}", err=True)


def write_trace_page(trace: Trace, experiment: str, output: str) -> None:
    """Write a page with one trace."""
    page = needed_viewer_page()
    with open_output(output) as out:
        write_page(page, [(trace, experiment)], out)


def run_import_page(source: str, store: str | None, experiment: str | None) -> int:
    """Bring the traces of a page into the store, with what was said of them; return the exit code.

    Importing it again changes nothing. A trace that ran when it was written is left out: its end would never come.
    """
    settings = chosen_settings(store, experiment)
    try:
        page = Path(source).read_bytes()
    except OSError as error:
        raise ArgumentError(f"{source} cannot be read: {error.strerror or error}") from error
    finished = _finished(page)
    spans = traces = 0
    with following("importing", None) as tell:
        while batch := list(islice(finished, _STEP)):
            if not traces:
                runtime.replace(runtime.Runtime(settings))  # a page that cannot be read leaves no store
            changes = [
                change for trace, name in batch for change in _changes(trace, experiment or name or settings.experiment)
            ]
            write_patiently(runtime.current().drained_store(), changes)
            traces += len(batch)
            spans += sum(len(trace.data.spans) for trace, _ in batch)
            tell(f"{spans:,} spans", traces)
    click.echo(f"in the store: {counted(spans, 'span')} of {counted(traces, 'trace')}", err=True)
    return 0


def _finished(page: bytes) -> Iterator[tuple[Trace, str]]:
    return ((trace, name) for trace, name in read_page(page) if trace.info.state is not TraceState.IN_PROGRESS)


def _changes(trace: Trace, experiment: str) -> Sequence[Change]:
    """Return what brings a trace, and what was said of it, into a store; always the same."""
    whole = to_whole(trace, experiment)
    return [whole.part, *whole.to_edits()]
