"""Search results as a list: one like any other, which notebooks show in the viewer."""

from __future__ import annotations

from tracehound.model.trace import Trace


class TraceList(list[Trace]):
    """The traces that a search found; what is cut out of it is an ordinary list."""

    def _repr_html_(self) -> str:
        """Return what notebooks show of it."""
        from tracehound.model.notebook import show_traces
        from tracehound.model.viewer import viewer_page

        return show_traces(self, viewer_page())
