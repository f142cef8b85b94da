"""Waiting for what another thread or process does, which ends as soon as it is done and not by chance."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_S = 60.0  # the slowest machine under the highest load; nothing waits for so long that does not fail


def wait_until(is_so: Callable[[], object], what: str = "") -> None:
    """Return once it is so; an AssertionError that says what was waited for, after a minute."""
    end_s = time.monotonic() + LONGEST_S
    while not is_so():
        assert time.monotonic() < end_s, what or "waited for a minute"
        time.sleep(0.002)  # between two looks
