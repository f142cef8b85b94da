"""The process beside a server that reads what arrives: bodies of OTLP come in, parts as they are to be kept go out,
made ready for the store where it has some of its work done elsewhere (`store.api`).

It imports no more than that needs. Orders and answers are MessagePack behind their length, over the pipes that it was
started with; it ends when the first of them is closed. What is refused with a reason of its own is not told: it is read
again by the server, which finds the same (`server.reading`).
"""

from __future__ import annotations

import contextlib
import os
import pkgutil
import signal
import struct
from collections.abc import Callable, Sequence
from importlib import metadata
from io import FileIO, RawIOBase
from typing import Final, TypeAlias

from tracehound.model.edit import Edit
from tracehound.model.record import Record, to_msgpack, unpacker
from tracehound.model.trace import TracePart
from tracehound.server.allocation import give_back_large_blocks
from tracehound.server.collecting import collect_seldom
from tracehound.store.api import Prepared, Writable
from tracehound.wire.intake import Intake
from tracehound.wire.otlp import Arrived
from tracehound.wire.otlp import Intake as Passage
from tracehound.wire.otlp_json import read_otlp_json
from tracehound.wire.otlp_protobuf import read_otlp_protobuf

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
READERS: Final[dict[str, Callable[[bytes, str, Passage], Arrived]]] = {
    PROTOBUF: read_otlp_protobuf,
    JSON: read_otlp_json,
}

Prepare: TypeAlias = Callable[[Sequence[TracePart]], Prepared]

_LENGTH: Final = struct.Struct("<Q")


class Order(Record, frozen=True, array_like=True):
    """A body, its media type, and the name of the experiment that it is of where it names none.

    Where nothing comes between reading and writing, the parts are to be made ready for the store.
    """

    kind: str
    experiment: str
    data: bytes
    is_to_be_prepared: bool = False


class Answer(Record, frozen=True, array_like=True):
    """What a body has brought; `is_readable` is false where it is to be read by whoever asked.

    Parts that were made ready are in `prepared` alone. `reason` is that of the first of the spans that were refused.
    """

    is_readable: bool = True
    parts: list[TracePart] = []
    prepared: Prepared | None = None
    edits: list[Edit] = []
    spans: int = 0
    refused: int = 0
    reason: str = ""

    @property
    def trace_ids(self) -> list[str]:
        """The traces of the parts."""
        return [part.trace_id for part in self.parts] if self.prepared is None else self.prepared.trace_ids

    @property
    def changes(self) -> list[Writable]:
        """All that is to be written."""
        prepared = [] if self.prepared is None else [self.prepared]
        return [*prepared, *self.parts, *self.edits]


read_order: Final = unpacker(Order)
read_answer: Final = unpacker(Answer)


def receive(pipe: RawIOBase) -> bytes:
    """Return the next message of a pipe; raise `EOFError` where it is closed."""
    (length,) = _LENGTH.unpack(_take(pipe, _LENGTH.size))
    return _take(pipe, length)


def send(pipe: RawIOBase, message: Record) -> None:
    """Write a message into a pipe."""
    data = to_msgpack(message)
    for piece in (_LENGTH.pack(len(data)), data):  # which may be large: it is not copied
        rest = memoryview(piece)
        while rest:
            rest = rest[pipe.write(rest) :]


def _take(pipe: RawIOBase, length: int) -> bytes:
    data = bytearray(length)
    rest = memoryview(data)
    while rest:
        count = pipe.readinto(rest)
        if not count:
            raise EOFError
        rest = rest[count:]
    return bytes(data)


def answer(order: Order, intake: Passage, prepare: Prepare | None = None) -> Answer:
    """Read a body; raise `DamagedRequestError` for what is no request."""
    arrived = READERS[order.kind](order.data, order.experiment, intake)
    prepared = prepare(arrived.parts) if prepare is not None and order.is_to_be_prepared else None
    return Answer(
        parts=arrived.parts if prepared is None else [],
        prepared=prepared,
        edits=arrived.edits,
        spans=arrived.spans,
        refused=arrived.refused,
        reason=arrived.reason,
    )


def _answer_if_readable(order: Order, intake: Passage, prepare: Prepare | None) -> Answer:
    try:
        return answer(order, intake, prepare)
    except Exception:  # noqa: BLE001 - the server reads it again, and tells what is wrong
        return Answer(is_readable=False)


def run(prices: str = "", preparer: str = "", version: str = "") -> None:
    """Answer orders that come in at the standard input, until it is closed; first say that one is ready.

    `prices` is the path of a table, `preparer` what makes parts ready for a store; empty where there is none. With a
    `version` it ends at once where it is of another one: the program was upgraded, and the server is still the old one.
    """
    if version and version != metadata.version("tracehound"):
        return
    for number in (signal.SIGINT, signal.SIGTERM):  # these are for the server, which closes the pipe when it is done
        signal.signal(number, signal.SIG_IGN)
    answering = os.dup(1)
    os.dup2(2, 1)  # whatever prints something does not print it among the answers
    intake = Intake(prices or None)
    prepare: Prepare | None = pkgutil.resolve_name(preparer) if preparer else None
    collect_seldom()
    give_back_large_blocks()
    with FileIO(0, "r") as orders, FileIO(answering, "w") as answers, contextlib.suppress(EOFError, BrokenPipeError):
        send(answers, Answer())
        while True:
            send(answers, _answer_if_readable(read_order(receive(orders)), intake, prepare))
