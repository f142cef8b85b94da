"""How long to wait before a store that did not take something is asked again.

Twice as long each time, up to a limit, and a random part of that, or many programs that were kept from the same server
would all come back at once; but never sooner than the server has asked for.
"""

from __future__ import annotations

import os
import random


class Backoff:
    """The waits of one who asks, in seconds: `first_s` as long as all is well, then more and more."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._wait_s = first_s
        # Of its own: a program that seeds the global one shall not find it used, and two of them shall not agree.
        self._random = random.Random(os.urandom(8))  # noqa: S311 - no secret

    def succeed(self) -> float:
        """Return how long to wait after a success."""
        self._wait_s = self._first_s
        return self._first_s

    def fail(self, error: Exception) -> float:
        """Return how long to wait after an error, which may say how long (`StoreError.retry_after_s`)."""
        self._wait_s = max(self._first_s, min(2 * self._wait_s, self._longest_s))
        asked_s = getattr(error, "retry_after_s", None) or 0.0
        return max(self._first_s, self._wait_s * self._random.uniform(0.5, 1.0), asked_s)
