"""What a request has brought goes with its answer, and is not kept until somebody looks for garbage."""

from __future__ import annotations

import gc
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.waiting import wait_until
from tracehound.errors import TracehoundError
from tracehound.model.record import DecodeError
from tracehound.server.problems import BadRequestError


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Let nothing go but what nobody refers to."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def errors_alive() -> list[object]:
    return [each for each in gc.get_objects() if isinstance(each, (BadRequestError, DecodeError, TracehoundError))]


def ids_of(errors: list[object]) -> set[int]:
    return {id(each) for each in errors}


@pytest.mark.usefixtures("no_collection")
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/traces/search", b'{"filter": "' + b"x" * 100_000),
        ("/api/v1/traces/search", b'{"filter": "nothing = 1"}'),
        ("/api/3.0/mlflow/traces/search", b"{}"),
        ("/v1/traces", b'{"resourceSpans": ' + b"[" * 100_000),
    ],
)
def test_the_error_of_a_refused_request_goes_with_the_answer_and_the_body_with_it(
    client: TestClient, path: str, body: bytes
) -> None:
    before = errors_alive()  # and kept so: none of them goes meanwhile
    for _ in range(3):
        assert client.post(path, content=body, headers={"Content-Type": "application/json"}).status_code == 400
    # A thread that has handed over an error holds it for a moment longer. One in a circle would stay for good.
    wait_until(lambda: ids_of(errors_alive()) == ids_of(before), "the errors stayed")


# Blocks of 300 kB with small ones between them, behind a larger one that was freed; then only the small ones stay.
_FREEING = """
import psutil
from tracehound.server.allocation import give_back_large_blocks
if {is_told}:
    give_back_large_blocks()
size, look = 300_000, psutil.Process().memory_info
b"x" * (70 * size)
before = look().rss
kept = [(b"x" * size, b"x" * 3_000) for _ in range(200)]
full = look().rss
kept = [small for _, small in kept]
print((look().rss - before) / (full - before))
"""


def share_kept(*, is_told: bool) -> float:
    """Return which share of 60 MB a process has still in memory when they are freed."""
    command = [sys.executable, "-c", _FREEING.format(is_told=is_told)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="others give memory back as they like")
def test_large_blocks_are_given_back_when_they_are_freed() -> None:
    assert share_kept(is_told=True) < 0.1 < share_kept(is_told=False)
