"""A user's program passes mypy in strict mode; what `./dev lint` has found out before is used again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).with_name("user_program.py")
PROJECT = PROGRAM.parents[2]


def test_a_typed_user_program_passes_mypy_strict() -> None:
    command = [sys.executable, "-m", "mypy", "--strict", str(PROGRAM)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stdout + done.stderr
