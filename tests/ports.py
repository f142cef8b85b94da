"""A port that is nobody else's while its server is away.

What a server had when it ended is free for all: for a server of another test, and for the near end of any connection,
also for one to that very port, which then has been made with itself. Linux gives a port that is bound to nobody else,
and lets a server listen at it where both allow it to be used again.
"""

from __future__ import annotations

import contextlib
import socket
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def held_port() -> Iterator[int]:
    """Keep a port at which nobody listens; a server of ours may, one after the other."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        if sys.platform != "linux":  # elsewhere whoever is bound keeps a server out
            holder.close()
        yield port
