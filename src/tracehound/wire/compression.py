"""Compressed bodies of requests: bytes and the name of an encoding -> the bytes that were compressed, never too many.

What a few bytes can become is without bound, so nothing is decompressed further than its limit.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Final

import zstandard

from tracehound.errors import TracehoundError

_ZLIB_OR_GZIP: Final = zlib.MAX_WBITS | 32  # the header tells which
_BARE: Final = -zlib.MAX_WBITS
_MAX_WINDOW_BYTES: Final = 8_388_608  # of zstd: what RFC 8878 asks every decoder for, and memory that a sender can take

_STEP_BYTES: Final = 256
_LEVEL: Final = 1


class TooLargeError(TracehoundError):
    """A body that is larger than it may be, before or after it was decompressed."""


class UnknownEncodingError(TracehoundError):
    """An encoding that nobody here can read."""


class DamagedBodyError(TracehoundError):
    """A body that is not what its headers say."""


def decompress(data: bytes, encoding: str, max_bytes: int) -> bytes:
    """Return a body as it was before it was compressed; the encoding is that of the header `Content-Encoding`.

    Raise `TooLargeError` as soon as it is larger than `max_bytes`, `DamagedBodyError` where it cannot be read, and
    `UnknownEncodingError` for any other encoding than gzip, deflate, zstd and identity.

    >>> decompress(zlib.compress(b"spans"), "deflate", 100)
    b'spans'
    """
    found = data
    for each in reversed([name.strip().lower() for name in encoding.split(",")]):
        read = _READERS.get(each)
        if read is None:
            raise UnknownEncodingError(f"the encoding {each!r} cannot be read: send gzip, deflate, zstd or none")
        found = read(found, max_bytes)
        if len(found) > max_bytes:
            raise TooLargeError(f"the body has more than {max_bytes:,} bytes when it is decompressed")
    return found


def compress(data: bytes) -> bytes:
    """Return a body as zstd, quickly; `decompress` is the inverse.

    >>> decompress(compress(b"spans"), "zstd", 100)
    b'spans'
    """
    return zstandard.ZstdCompressor(level=_LEVEL).compress(data)


def _read_gzip(data: bytes, max_bytes: int) -> bytes:
    """Return what one or several members of gzip hold, up to a byte more than may be."""
    found = b""
    while data and len(found) <= max_bytes:
        member = zlib.decompressobj(_ZLIB_OR_GZIP)
        found += _read_whole(member, data, max_bytes - len(found))
        data = member.unused_data
    return found


def _read_deflate(data: bytes, max_bytes: int) -> bytes:
    """Return what is in the format of zlib, as HTTP means it, or bare, as some send it."""
    is_zlib = len(data) >= 2 and data[0] & 0x0F == 8 and int.from_bytes(data[:2], "big") % 31 == 0
    return _read_whole(zlib.decompressobj(zlib.MAX_WBITS if is_zlib else _BARE), data, max_bytes)


def _read_whole(reader: zlib._Decompress, data: bytes, max_bytes: int) -> bytes:
    try:
        found = reader.decompress(data, max_bytes + 1)
    except zlib.error as error:
        raise DamagedBodyError("the body is not compressed as its header says") from error
    if not reader.eof and len(found) <= max_bytes:
        raise DamagedBodyError("the compressed body is cut off")
    return found


def _read_zstd(data: bytes, max_bytes: int) -> bytes:
    """Return what one or several frames of zstd hold, up to a few megabytes more than may be.

    Its reader with a bounded output does not tell where data are cut off. So they go in a few bytes at a time, of
    which four can become 128 KiB.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
    found: list[bytes] = []
    left, at = max_bytes, 0
    while at < len(data):
        frame = decompressor.decompressobj()
        while at < len(data) and not frame.eof and left >= 0:
            try:
                found.append(frame.decompress(data[at : at + _STEP_BYTES]))
            except zstandard.ZstdError as error:
                raise DamagedBodyError("the body is not compressed as its header says") from error
            at += _STEP_BYTES
            left -= len(found[-1])
        if left < 0:
            break
        if not frame.eof:
            raise DamagedBodyError("the compressed body is cut off")
        at = min(at, len(data)) - len(frame.unused_data)
    return b"".join(found)


def _read_plain(data: bytes, _max_bytes: int) -> bytes:
    return data


_READERS: Final[dict[str, Callable[[bytes, int], bytes]]] = {
    "gzip": _read_gzip,
    "x-gzip": _read_gzip,
    "deflate": _read_deflate,
    "zstd": _read_zstd,
    "identity": _read_plain,
    "": _read_plain,
}
