"""The package says that it is typed; that a user's program passes mypy's strict mode is seen by `./dev lint`."""

from __future__ import annotations

from pathlib import Path

import tracehound


def test_the_package_says_that_it_is_typed() -> None:
    assert Path(tracehound.__file__).with_name("py.typed").is_file()
