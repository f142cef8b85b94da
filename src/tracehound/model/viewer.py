"""A page of HTML that shows traces by itself and holds them: no server, no network, and they can be read out again.

The page is built from `ui/` and lies beside this module; what is added to it are elements that no browser runs, each
of which holds lines of JSON (`model.saved`), compressed and in base64. So nothing in a trace can end its element or
be taken for HTML. The spans come first, in blocks of some megabytes, of which a browser unpacks the one that somebody
looks at; the traces without their spans come last, so that any number of them is written as it is read.
"""

from __future__ import annotations

import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from importlib import resources
from typing import IO, Final

from tracehound.errors import ArgumentError, MissingExtraError
from tracehound.model.record import DecodeError
from tracehound.model.saved import (
    FORM,
    SavedInfo,
    SavedTrace,
    from_saved,
    read_line,
    read_spans,
    to_line,
    to_saved,
    to_saved_span,
)
from tracehound.model.trace import Trace

_PLACE: Final = b"<!-- traces -->"
_BLOCK_BYTES: Final = 4_000_000  # before they are compressed
_ELEMENT: Final = '<script type="application/vnd.tracehound" data-holds="%s" data-form="%d">'
_END: Final = b"</script>\n"
_FAULTS: Final = (zlib.error, DecodeError, ValueError, LookupError, TypeError, RecursionError)
_BLOCKS: Final = re.compile(
    rb'<script type="application/vnd\.tracehound" data-holds="(spans|traces)" data-form="(\d+)">([\w+/=]*)</script>'
)


def viewer_page() -> bytes | None:
    """Return the page without traces; None where this package was built without it."""
    file = resources.files("tracehound.model") / "static" / "viewer.html"
    return file.read_bytes() if file.is_file() else None


def needed_viewer_page() -> bytes:
    """Return the page without traces; raise `MissingExtraError` where this package was built without it."""
    page = viewer_page()
    if page is None:
        raise MissingExtraError(
            "the viewer was not built, as this Tracehound was installed from its source without npm: "
            "install a released wheel, or run ./dev page in the source"
        )
    return page


def write_page(page: bytes, traces: Iterable[tuple[Trace, str]], out: IO[bytes]) -> None:
    """Write a page with traces, each with the name of its experiment; `read_page` is the inverse.

    Of the traces, one block is held at a time.
    """
    head, place, tail = page.partition(_PLACE)
    if not place:
        raise ValueError(f"the page has no place for traces: {_PLACE.decode()}")
    out.write(head)
    index, packed = zlib.compressobj(), b""
    for number, block in enumerate(_in_blocks(traces)):
        _write_block(out, "spans", zlib.compress(b"".join(spans for _, _, spans in block)))
        for line, (info, experiment, _) in enumerate(block):
            packed += index.compress(to_line(SavedTrace(trace=info, experiment=experiment, block=number, line=line)))
    _write_block(out, "traces", packed + index.flush())
    out.write(tail)


def _in_blocks(traces: Iterable[tuple[Trace, str]]) -> Iterator[list[tuple[SavedInfo, str, bytes]]]:
    """Yield some traces at a time: what is known of each, the name of its experiment, and the line of its spans."""
    block: list[tuple[SavedInfo, str, bytes]] = []
    size = 0
    for trace, experiment in traces:
        spans = to_line([to_saved_span(span, trace.info.trace_id) for span in trace.data.spans])
        block.append((to_saved(trace.info), experiment, spans))
        size += len(spans)
        if size >= _BLOCK_BYTES:
            yield block
            block, size = [], 0
    if block:
        yield block


def _write_block(out: IO[bytes], holds: str, packed: bytes) -> None:
    out.write((_ELEMENT % (holds, FORM)).encode())
    out.write(b64encode(packed))
    out.write(_END)


def read_page(page: bytes) -> Iterator[tuple[Trace, str]]:
    """Yield the traces in a page that `write_page` wrote, each with the name of its experiment.

    Raise `ArgumentError` for any other page, and for one that is damaged.
    """
    blocks: dict[bytes, list[bytes]] = {b"spans": [], b"traces": []}
    for holds, form, text in _BLOCKS.findall(page):
        if int(form) != FORM:
            raise ArgumentError("the page was written by a newer Tracehound: upgrade to read it")
        blocks[holds].append(text)
    if len(blocks[b"traces"]) != 1:
        raise ArgumentError("the page holds no traces, or was cut off: it is not one that `tracehound export` wrote")
    try:
        yield from _read_blocks(blocks[b"traces"][0], blocks[b"spans"])
    except _FAULTS as error:
        raise ArgumentError("the traces in the page are damaged") from error


def _read_blocks(index: bytes, blocks: Sequence[bytes]) -> Iterator[tuple[Trace, str]]:
    unpacked: tuple[int, list[bytes]] = -1, []
    for line in _lines_of(index):
        saved = read_line(line)
        if unpacked[0] != saved.block:
            unpacked = saved.block, _lines_of(blocks[saved.block])
        yield from_saved(saved.trace, read_spans(unpacked[1][saved.line])), saved.experiment


def _lines_of(text: bytes) -> list[bytes]:
    return zlib.decompress(b64decode(text)).split(b"\n")[:-1]
