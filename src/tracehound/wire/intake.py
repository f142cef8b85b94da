"""What happens to a part of a trace on its way into a store, by whatever path it comes.

It is read in our own words (`wire.dialects`), and what its calls cost is worked out (`wire.prices`). Both leave alone
what is there, so that a part may pass here more than once.
"""

from __future__ import annotations

from typing import Final

from tracehound.model.reserved import SPAN_USAGE
from tracehound.model.trace import TracePart
from tracehound.wire.dialects.translate import MARKERS, translate_part
from tracehound.wire.prices import Prices

_TOUCHED: Final = MARKERS | {SPAN_USAGE}


class Intake:
    """The function through which parts pass; `prices` is the path of the user's own table (`wire.prices`)."""

    def __init__(self, prices: str | None = None) -> None:
        self._prices = Prices(prices)

    def __call__(self, part: TracePart) -> TracePart:
        """Return the part as it is to be stored; the part itself where there is nothing to add. Never raises."""
        # Every span passes here, and nearly all need nothing: asking a set costs 0.1 microseconds a span.
        for span in part.spans:
            if not _TOUCHED.isdisjoint(span.attributes_json):
                return self._prices.priced(translate_part(part))
        return part
