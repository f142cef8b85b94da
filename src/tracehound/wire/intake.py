"""What happens to a part of a trace on its way into a store, by whatever path it comes.

It is read in our own words (`wire.dialects`), and what its calls cost is worked out (`wire.prices`). Both leave alone
what is there, so that a part may pass here more than once.
"""

from __future__ import annotations

from collections.abc import Callable

from tracehound.model.trace import TracePart


class Intake:
    """The function through which parts pass; `prices` is the path of the user's own table (`wire.prices`)."""

    def __init__(self, prices: str | None = None) -> None:
        self._prices = prices
        self._pass: Callable[[TracePart], TracePart] | None = None

    def __call__(self, part: TracePart) -> TracePart:
        """Return the part as it is to be stored; the part itself where there is nothing to add. Never raises."""
        if self._pass is None:
            self._pass = self._load()
        return self._pass(part)

    def _load(self) -> Callable[[TracePart], TracePart]:
        """Return what parts pass through; a program that only traces does without, and does not load it."""
        from tracehound.wire.dialects.translate import translate_part
        from tracehound.wire.prices import Prices

        priced = Prices(self._prices).priced
        return lambda part: priced(translate_part(part))
