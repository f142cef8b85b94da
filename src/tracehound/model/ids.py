"""Identifiers: traces and spans (random), experiments (a hash of the name).

Trace and span ids come from a generator of our own. With the global one, two runs of a program that calls
`random.seed` would share their ids; after a fork the child must be reseeded, or it would repeat its parent's.
"""

from __future__ import annotations

import binascii
import functools
import hashlib
import os
import random
from collections.abc import Callable
from typing import Final, Protocol

TRACE_ID_PREFIX = "tr-"
NO_OP_TRACE_ID = "MLFLOW_NO_OP_SPAN_TRACE_ID"  # of what is not recorded; programs written for MLflow compare with it
DEFAULT_EXPERIMENT_ID = "0"
DEFAULT_EXPERIMENT_NAME = "Default"


class IdSource(Protocol):
    """Where new ids come from; tests count, programs draw."""

    def trace_id(self) -> int:
        """Return a new 128-bit id, never 0."""
        ...

    def span_id(self) -> int:
        """Return a new 64-bit id, never 0."""
        ...


class RandomIds:
    """Ids from a private generator, seeded by the operating system.

    Nothing is between its callers and the generator, not even a look at 0: that comes once in 10^19 draws.
    """

    def __init__(self) -> None:
        bits = random.Random(os.urandom(32)).getrandbits  # noqa: S311 - unique, not secret
        self.trace_id = functools.partial(bits, 128)
        self.span_id = functools.partial(bits, 64)


# The public forms of ids: `tr-` and 32 hexadecimal digits, and 16 of them. They are methods of a format, because every
# traced call needs both, and a function of ours with an f-string takes twice as long.
format_trace_id: Final[Callable[[int], str]] = "tr-%032x".__mod__
format_span_id: Final[Callable[[int], str]] = "%016x".__mod__


def id_to_base64(hexadecimal: str) -> str:
    """Return a hexadecimal id in the form of protobuf's JSON; `from_base64` is its inverse."""
    return binascii.b2a_base64(bytes.fromhex(hexadecimal), newline=False).decode()


to_base64: Final = functools.lru_cache(maxsize=256)(id_to_base64)  # for ids of traces, which each of their spans names


def from_base64(text: str) -> str:
    """Return the hexadecimal form of an id that `to_base64` wrote."""
    return binascii.a2b_base64(text).hex()


def experiment_id(name: str) -> str:
    """Return the id of the experiment with this name: "0" for Default, else the decimal of a 63-bit hash.

    The id is a function of the name, so that creating an experiment is idempotent in every store, frames carry
    names only, and copying between stores needs no mapping.
    """
    if name == DEFAULT_EXPERIMENT_NAME:
        return DEFAULT_EXPERIMENT_ID
    return str(hash63("experiment", name))


def hash63(*parts: str) -> int:
    """Return a positive 63-bit hash of the parts, the same in every process and on every machine."""
    digest = hashlib.blake2b(digest_size=8)
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "little"))
        digest.update(encoded)
    return int.from_bytes(digest.digest(), "little") >> 1
