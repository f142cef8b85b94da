"""Between our faults and user code: a fault of capture is said once a place, and counted; the call goes on."""

from __future__ import annotations

import contextlib
import logging

from tracehound import runtime

_logger = logging.getLogger("tracehound.capture")


def report_fault(place: str, fault: Exception) -> None:
    """Count a fault of our own; log it the first time at each place. In our own tests, raise it."""
    runtime.faults[place] += 1
    if runtime.raises_faults():
        raise fault
    if runtime.faults[place] == 1:
        with contextlib.suppress(Exception):  # writing out a fault may fail as well
            _logger.error("tracing failed in %s; the program goes on untraced (said once)", place, exc_info=fault)
