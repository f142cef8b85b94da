"""`tracehound run`: a program that was written for MLflow, unchanged.

Python itself runs it, so that arguments, exit codes, tracebacks and everything else are as without us. A module that
Python imports when it starts (`compat/startup`) lets `import mlflow` give Tracehound, in the program and its children.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from tracehound import compat
from tracehound.compat.mlflow import check_place
from tracehound.settings import environment_with_path


def run_program(arguments: Sequence[str]) -> NoReturn:
    """Run Python with the arguments in the place of this process; raise where traces could not be kept."""
    check_place()
    command = [sys.executable, *arguments]
    environment = environment_with_path(Path(compat.__path__[0]) / "startup")
    if os.name != "nt":
        sys.stdout.flush()
        os.execve(sys.executable, command, environment)  # noqa: S606 - that is what was asked for
    with contextlib.suppress(ValueError):  # Ctrl-C is for the program
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)  # noqa: S603 - as above
