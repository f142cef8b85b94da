"""What each record passes on its way to the spool, as the settings say."""

from __future__ import annotations

import logging
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from tracehound.model.edit import Deletion, Edit, Facts
from tracehound.model.record import replace
from tracehound.model.span import Span
from tracehound.model.trace import TracePart
from tracehound.screening.choice import Keeper, TailChoice
from tracehound.screening.masking import Masking
from tracehound.screening.pseudonyms import Pseudonyms, key_beside, key_of_text, random_key
from tracehound.screening.redaction import Redactor
from tracehound.settings import Settings

_logger = logging.getLogger("tracehound.screening")


def place_of(fault: BaseException) -> str:
    """Return what kind of fault it was and where, without its message, which may hold what was to be masked."""
    frames = traceback.extract_tb(fault.__traceback__)
    where = f" in {frames[-1].name}, {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
    return f"{type(fault).__name__}{where}"


class Screen:
    """Takes in what capture and users hand over; what it returns is kept."""

    def __init__(
        self, masking: Masking | None, rework_span: Callable[[Span], Span] | None, choice: TailChoice | None
    ) -> None:
        self._masking = masking
        self._rework_span = rework_span
        self._choice = choice

    def pass_on(self, keep: Callable[[TracePart], None], part: TracePart) -> None:
        """Hand on a finished part of a trace as it is to be kept, and others that have waited for it; or nothing."""
        for each in [part] if self._choice is None else self._choice.kept(part):
            keep(self.part(each))

    def part(self, part: TracePart) -> TracePart:
        """Return a part of a trace as it is to be kept."""
        if self._rework_span is not None:
            part = replace(part, spans=[self._rework_span(span) for span in part.spans])
        return part if self._masking is None else self._masking.part(part)

    def change(self, change: Edit | Deletion | Facts) -> Edit | Deletion | Facts:
        """Return an edit or facts as they are to be kept."""
        return change if self._masking is None else self._masking.change(change)

    def text(self, text: str) -> str:
        """Return a text as it would be kept: without secrets, whatever the user's own functions do."""
        return text if self._masking is None else self._masking.name(text)

    def origin(self, metadata: dict[str, str]) -> dict[str, str]:
        """Return where traces come from as it is to be kept: the address of a repository may hold a password."""
        return metadata if self._masking is None else self._masking.origin(metadata)


def make_screen(
    settings: Settings,
    store: Path | None,
    faults: Counter[str],
    keeper: Keeper,
) -> Screen:
    """Return what the settings ask for of a store, which is a file or in memory.

    Values that cannot be masked are counted among the faults. The keeper keeps the word that a trace is gone which
    has been shown while it ran.
    """

    def report(fault: Exception) -> None:
        faults["mask"] += 1
        if faults["mask"] == 1:
            _logger.error("a value was not kept, since masking it failed (said once): %s", place_of(fault))

    redactor = make_redactor(settings, store)
    masking = None
    if settings.masks or redactor is not None:
        masking = Masking(settings.masks, redactor, report, settings.max_value_bytes)
    choice = TailChoice(settings, keeper) if settings.tail_sampling_ratio < 1.0 else None
    return Screen(masking, settings.rework_span, choice)


def make_redactor(settings: Settings, store: Path | None) -> Redactor | None:
    """Return what takes the secrets out that the settings name; None where they name none."""
    if not settings.redact:
        return None

    def read_key() -> bytes:
        if settings.redaction_key is not None:
            return key_of_text(settings.redaction_key)
        return random_key() if store is None else key_beside(store)

    return Redactor(settings.redact, Pseudonyms(read_key))
