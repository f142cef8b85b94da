"""One round of what `./dev upkeep` plays many of: real processes, killed."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.spool.test_trouble import needs_posix
from tests.upkeep import copy_with_kills


@needs_posix
@pytest.mark.parametrize("into_server", [False, True])
def test_a_copy_that_is_killed_again_and_again_is_equal(tmp_path: Path, into_server: bool) -> None:
    assert copy_with_kills(tmp_path, 900, random.Random(7), into_server=into_server) > 0
