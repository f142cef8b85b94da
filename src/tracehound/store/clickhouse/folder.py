"""The folder of the engine in this process: who else has it open, and why it cannot be opened.

The engine says neither: its errors are of its own start, and what it prints goes past every log.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from pathlib import Path
from typing import Final

from tracehound.errors import StoreBusyError, StoreError, StoreFullError, StoreReadOnlyError

_KEPT: Final = "what was traced waits in the spool"
_PROCESS: Final = re.compile(r"^PID: (\d+)$", re.MULTILINE)
_FULL: Final = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY: Final = (errno.EROFS, errno.EACCES, errno.EPERM)


def check_alone(where: str, directory: Path) -> None:
    """Raise `StoreBusyError` where another process has the folder open."""
    try:
        import fcntl
    except ImportError:  # Windows, where there is no engine either
        return
    try:
        with (_without_options(directory) / "status").open() as status:
            try:
                fcntl.flock(status, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                owner = _PROCESS.search(status.read())
                if owner is None or int(owner[1]) != os.getpid():
                    raise StoreBusyError(
                        f"{where} is open in another program{f', process {owner[1]}' if owner else ''}, and one at a"
                        f" time may open it; {_KEPT}"
                    ) from None
    except OSError:
        return


def why_not(where: str, directory: Path) -> StoreError | None:
    """Return why the engine could not open a folder; None where that cannot be seen."""
    folder = _without_options(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(4096))
    except OSError as error:
        if error.errno in _FULL:
            return StoreFullError(f"{where} has no room left on its disk; {_KEPT} until there is")
        kind = StoreReadOnlyError if error.errno in _READ_ONLY else StoreError
        return kind(f"{where} cannot be written to, and is not read without that: {error.strerror}")
    return None


def _without_options(directory: Path) -> Path:
    return Path(str(directory).partition("?")[0])
