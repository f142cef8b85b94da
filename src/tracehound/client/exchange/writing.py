"""Whole traces of a search -> a file in one of the formats, piece by piece, so that memory stays flat."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from tracehound.client.exchange.columnar import to_parquet
from tracehound.client.exchange.lines import to_trace_line
from tracehound.client.exchange.warehouse import to_warehouse
from tracehound.client.pages import read_pages
from tracehound.model.trace import Trace, TraceState
from tracehound.query.search import Search
from tracehound.store.api import Store
from tracehound.store.experiments import DEFAULT
from tracehound.wire.otlp_json import to_otlp_line

_PARQUET: Final = (".parquet", "application/vnd.apache.parquet")

# A trace with the name of its experiment, which the trace itself does not know.
Named: TypeAlias = "tuple[Trace, str]"


@dataclass(frozen=True)
class FileFormat:
    """A kind of file: what it is called at the end of a name, in HTTP, what writes it, and if it has what runs."""

    suffix: str
    media_type: str
    write: Callable[[Iterable[list[Named]]], Iterator[bytes]]
    has_running: bool = False

    @property
    def is_binary(self) -> bool:
        """Whether it is no text."""
        return self.suffix == _PARQUET[0]


def _lines(to_line: Callable[[Trace, str], bytes]) -> Callable[[Iterable[list[Named]]], Iterator[bytes]]:
    def write(pages: Iterable[list[Named]]) -> Iterator[bytes]:
        for page in pages:
            yield b"".join([to_line(trace, experiment) for trace, experiment in page])

    return write


FILE_FORMATS: Final[dict[str, FileFormat]] = {
    "otlp": FileFormat(".jsonl", "application/x-ndjson", _lines(to_otlp_line)),
    "jsonl": FileFormat(".jsonl", "application/x-ndjson", _lines(to_trace_line)),
    "parquet": FileFormat(*_PARQUET, to_parquet),
    "warehouse": FileFormat(*_PARQUET, to_warehouse, has_running=True),
}


@dataclass
class Tally:
    """How many traces have been written, and how many were left out, since they still run."""

    written: int = 0
    running: int = 0


def export_traces(store: Store, search: Search, form: str, tally: Tally | None = None) -> Iterator[bytes]:
    """Yield a file with the traces of a search, in their order, in one of `FILE_FORMATS`.

    What runs is left out of files that are imported again, for it would never end there. A page of traces is read at a
    time, and nothing is held of the store in between. The tally counts meanwhile. Raise `ArgumentError` at once where a
    library for the format is missing.
    """
    counted = Tally() if tally is None else tally
    chosen = FILE_FORMATS[form]
    return chosen.write(_named(store, search, counted, has_running=chosen.has_running))


def _named(store: Store, search: Search, tally: Tally, *, has_running: bool) -> Iterator[list[Named]]:
    names = {DEFAULT.experiment_id: DEFAULT.name}
    for page in read_pages(store, search):
        if any(trace.info.experiment_id not in names for trace in page):
            names |= {each.experiment_id: each.name for each in store.experiments()}
        done = [trace for trace in page if has_running or trace.info.state is not TraceState.IN_PROGRESS]
        tally.running += len(page) - len(done)
        # Of an experiment that has lost its last trace since, nobody knows the name; nor does anybody look for it.
        yield [(trace, names.get(trace.info.experiment_id, DEFAULT.name)) for trace in done]
        tally.written += len(done)
