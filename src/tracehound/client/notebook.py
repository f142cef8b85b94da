"""Whether notebooks show traces in the viewer: told to IPython, which keeps it until it is told otherwise."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, Final

from tracehound.model.notebook import show_trace, show_traces

# How each type is shown without the viewer; by their names, for pandas may not be there.
_PLAINLY: Final[dict[str, Callable[[Any], str]]] = {
    "tracehound.model.trace.Trace": lambda trace: show_trace(trace, None),
    "tracehound.client.trace_list.TraceList": lambda traces: show_traces(traces, None),
    "tracehound.client.frame.TraceFrame": lambda frame: str(frame.shown_with(None)),
}


def disable_notebook_display() -> None:
    """Show traces in this notebook as a tree, and results as a table, without the viewer and any script.

    Cells keep less so. Outside of a notebook it does nothing.

    >>> import tracehound
    >>> tracehound.tracing.disable_notebook_display()
    """
    html = _html_formatter()
    for name, show in _PLAINLY.items() if html is not None else ():
        html.for_type(name, show)


def enable_notebook_display() -> None:
    """Show traces and results at the end of a cell in the viewer again, as it is at first.

    MLflow's function shows each trace below the cell that made it; here a cell shows what it ends with.

    >>> import tracehound
    >>> tracehound.tracing.enable_notebook_display()
    """
    html = _html_formatter()
    for name in _PLAINLY if html is not None else ():
        html.pop(name, None)


def _html_formatter() -> Any:
    """Return what IPython asks for the HTML of a value; None outside of IPython."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return None if shell is None else shell.display_formatter.formatters["text/html"]
