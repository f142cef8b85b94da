"""What notebooks show of traces: the viewer in a frame, with as many of them as a notebook can keep.

A notebook is saved with all that its cells show, so that what goes into one has a bound, and a line below the frame
tells what is not there and how to have it. The frame has no origin of its own (`sandbox`) and the page in it a policy
that allows no request: what a trace holds reaches neither the notebook nor the network. Where the viewer was not built,
or there are no spans for it to show, there is a tree or a table without any script (`model.html`).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from html import escape
from typing import Any, Final

from tracehound.model.excerpt import Excerpt, take_excerpt
from tracehound.model.html import SHOWN_TRACES, quiet_html, trace_html, traces_html
from tracehound.model.trace import Trace
from tracehound.model.viewer import write_page

_MOST_TRACES: Final = 200
_MOST_CHARACTERS: Final = 3_000_000  # before they are compressed
_HEIGHT_PX: Final = 520
# Read where frames are taken out, as Jupyter does in notebooks that it does not trust.
_UNTRUSTED: Final = "Trust this notebook, or run the cell, to see the traces here. "
_FRAME: Final = (
    '<iframe title="{title}" sandbox="allow-scripts allow-popups" allow="clipboard-write" '
    'style="display:block;width:100%;height:{height}px;min-height:240px;resize:vertical;'
    'border:1px solid rgba(128,128,128,.35);border-radius:6px" srcdoc="{page}">{untrusted}</iframe>'
)


def show_trace(trace: Trace, page: bytes | None) -> str:
    """Return a trace as HTML: in the viewer, of which the page is given, or as a tree where there is none."""
    if page is None or not trace.data.spans:
        return trace_html(trace)
    excerpt = take_excerpt([trace], _MOST_CHARACTERS)
    missing = _missing(excerpt, f"tracehound show {trace.info.trace_id} --html trace.html")
    return _frame(page, excerpt, trace.info.name) + quiet_html(". ".join([trace.info.trace_id, *missing]))


def show_traces(cells: Sequence[Any], page: bytes | None) -> str:
    """Return a result, whose cells hold its traces, as HTML: in the viewer, or as a table of the first ones."""
    traces = [cell for cell in cells[:_MOST_TRACES] if isinstance(cell, Trace)]
    if page is None or not any(trace.data.spans for trace in traces):
        return traces_html(cells[:SHOWN_TRACES], len(cells))
    excerpt = take_excerpt(traces, _MOST_CHARACTERS)
    is_cut = len(excerpt.traces) < len(cells)
    whole = _counted(len(cells), "trace")
    told = f"{len(excerpt.traces):,} of {whole} are shown" if is_cut else whole
    missing = _missing(excerpt, "tracehound export --html traces.html", is_cut=is_cut)
    return _frame(page, excerpt, told) + quiet_html(". ".join([told, *missing]))


def _frame(page: bytes, excerpt: Excerpt, title: str) -> str:
    whole = io.BytesIO()
    write_page(page, [(trace, "") for trace in excerpt.traces], whole)
    return _FRAME.format(
        title=escape(title), height=_HEIGHT_PX, page=escape(whole.getvalue().decode()), untrusted=_UNTRUSTED
    )


def _missing(excerpt: Excerpt, how: str, *, is_cut: bool = False) -> list[str]:
    """Return sentences on what is missing, and on how to have it."""
    counts = (("", excerpt.missing_spans, "span"), ("the ends of ", excerpt.missing_values, "value"))
    told = [of + _counted(count, name) for of, count, name in counts if count]
    left_out = [f"Left out: {', '.join(told)}"] if told else []
    return [*left_out, f"All of it: {how}"] if told or is_cut else []


def _counted(count: int, name: str) -> str:
    return f"{count:,} {name}" if count == 1 else f"{count:,} {name}s"
