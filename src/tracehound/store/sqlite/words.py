"""Blocks of the text index: the words of some hundred traces, and which of the traces each word is in.

`words` has each word once, on a line of its own, so that those that hold a piece are found at the speed of a search in
memory, wherever in the word the piece is. For each line `ends` says where its part of `rows` ends: the rows of the
traces that have the word, in two bytes each, or where that is shorter a bit for each row of the block.
"""

from __future__ import annotations

import bisect
import itertools
import operator
import struct
import sys
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, Literal, TypeAlias

from tracehound.query.needles import Needles
from tracehound.query.words import Piece

# Lines of the words that hold a piece, the first is 0; None where these are so many that the piece tells little.
Lines: TypeAlias = "dict[Piece, list[int] | None]"
Numbers: TypeAlias = "array[int] | memoryview[int]"
# The rows that have a word: by their numbers, or where these are many a mask with a bit for each.
Part: TypeAlias = "Sequence[int] | int"

_MANY: Final = 500
_NO_WORD: Final = b""  # twice among those that are looked up: of one `itemgetter` returns no tuple
NOBODY: Final = -1  # in the place of a trace that is gone
_ERASED: Final = b"\0"  # in the place of each letter of a word that no trace has any more
_ONE: Final = ord("1")
_BITS: Final = 16  # of what `rows` consists of


@dataclass(frozen=True)
class Block:
    """Traces by the numbers that the store has for them, at most 65,536; of those in `unknown` no words are known."""

    words: bytes
    ends: Numbers
    rows: Numbers
    seqs: Sequence[int]
    unknown: Sequence[int]

    def find(self, needles: Needles, lines: Lines) -> list[int]:
        """Return the traces that have all pieces of one of the alternatives, and those that are unknown."""
        found = 0
        for pieces in needles:
            mask = (1 << len(self.seqs)) - 1
            for piece in pieces:
                having = lines[piece]
                if having is not None:
                    mask &= self._mask_of(having)
            found |= mask
        return [*self.unknown, *(self.seqs[row] for row in _rows_in(found) if self.seqs[row] != NOBODY)]

    def _mask_of(self, lines: Sequence[int]) -> int:
        """Return the rows that have the word of one of the lines, a bit for each."""
        mask = 0
        for line in lines:
            part = self.part(line)
            mask |= part if isinstance(part, int) else sum(1 << row for row in set(part))
        return mask

    def parts(self) -> Iterator[tuple[bytes, Part]]:
        """Yield each word with the rows that have it."""
        for line, word in enumerate(self.words.split(b"\n")[1:-1]):
            if not word.startswith(_ERASED):
                yield word, self.part(line)

    def part(self, line: int) -> Part:
        """Return the rows that have the word of a line."""
        begin, end = self.ends[line - 1] if line else 0, self.ends[line]
        part = self.rows[begin:end]
        is_mask = end - begin == _size_of_mask(len(self.seqs))
        return int.from_bytes(memoryview(part).tobytes(), "little") if is_mask else part


def lines_with(words: bytes, needles: Needles) -> Lines | None:
    """Return which words hold each of the pieces; None where no trace can have all pieces of an alternative."""
    lines = {piece: _lines_with(words, piece) for pieces in needles for piece in pieces}
    return lines if any(all(lines[piece] != [] for piece in pieces) for pieces in needles) else None


def make_block(traces: Iterable[tuple[int, bytes | None]]) -> Block:
    """Return the block of traces with their words, between which are spaces; None for the words of an unknown one."""
    rows_of: defaultdict[bytes, list[int]] = defaultdict(list)
    seqs: list[int] = []
    unknown: list[int] = []
    for seq, words in traces:
        if words is None:
            unknown.append(seq)
            continue
        row = len(seqs)
        seqs.append(seq)
        # All looked up at once, and a word that comes again puts its row there again: both are quicker.
        for rows in itemgetter(_NO_WORD, _NO_WORD, *words.split())(rows_of):
            rows.append(row)
    rows_of.pop(_NO_WORD, None)
    return _make(rows_of, seqs, unknown)


def merge_blocks(blocks: Sequence[Block]) -> Block:
    """Return the traces of all of the blocks; one that several have is in it as often."""
    numbers: dict[bytes, bytes] = {}  # as they lie in a block: to make each number takes most of the time
    masks: defaultdict[bytes, int] = defaultdict(int)
    seqs: list[int] = []
    for block in blocks:
        first, size, begin = len(seqs), _size_of_mask(len(block.seqs)), 0
        rows = memoryview(block.rows).tobytes()
        moved = _moved(rows, first)
        for word, end in zip(block.words.split(b"\n")[1:-1], block.ends, strict=True):
            if end - begin == size:
                masks[word] |= int.from_bytes(rows[2 * begin : 2 * end], "little") << first
            elif word in numbers:
                numbers[word] += moved[2 * begin : 2 * end]
            else:
                numbers[word] = moved[2 * begin : 2 * end]
            begin = end
        seqs += block.seqs
    if any(_ERASED in block.words for block in blocks):
        for erased in [word for word in (*numbers, *masks) if word.startswith(_ERASED)]:
            numbers.pop(erased, None)
            masks.pop(erased, None)
    return _merged(numbers, masks, seqs, [seq for block in blocks for seq in block.unknown])


def without(block: Block, seqs: AbstractSet[int]) -> Block | None:
    """Return the block without some of its traces and the words that none of the others has; None if none is left.

    It keeps its lines: where a trace was stands another one of the same word again, and `_ERASED` where a word was. To
    make it anew takes ten times as long; that is done when half of its traces are gone.
    """
    known = [NOBODY if seq in seqs else seq for seq in block.seqs]
    unknown = [seq for seq in block.unknown if seq not in seqs]
    alive = sum(seq != NOBODY for seq in known)
    if not alive and not unknown:
        return None
    gone = {row for row, seq in enumerate(block.seqs) if seq in seqs}
    rows = array("H", memoryview(block.rows).tobytes())
    erased = _take_out(rows, block.ends, gone, len(block.seqs))
    words = bytearray(block.words)
    lines = block.words.split(b"\n")[1:-1]
    lengths = list(itertools.accumulate(map(len, lines), initial=1))
    for line in erased:
        begin = lengths[line] + line
        words[begin : begin + len(lines[line])] = _ERASED * len(lines[line])
    cleared = Block(bytes(words), block.ends, rows, known, unknown)
    return cleared if 2 * alive >= len(known) else _made_anew(cleared)


def _take_out(rows: array[int], ends: Numbers, gone: AbstractSet[int], count: int) -> list[int]:
    """Take rows out of those of each line, of as many as there are; return the lines that have none then."""
    size = _size_of_mask(count)
    begins = [0, *ends[:-1]]
    masks = [line for line, length in enumerate(map(operator.sub, ends, begins)) if length == size]
    changed: set[int] = set()
    for row in gone:
        place, bit = divmod(row, _BITS)
        for line in masks:
            at = begins[line] + place
            if rows[at] >> bit & 1:
                rows[at] ^= 1 << bit
                changed.add(line)
    erased = [line for line in changed if not any(rows[begins[line] : ends[line]])]
    are_masks = set(masks)
    for line in _lines_of(rows, ends, gone) - are_masks:
        part = rows[begins[line] : ends[line]]
        left = [row for row in part if row not in gone]
        if left:
            rows[begins[line] : ends[line]] = array("H", [*left, *[left[0]] * (len(part) - len(left))])
        else:
            erased.append(line)
    return erased


def _lines_of(rows: array[int], ends: Numbers, wanted: AbstractSet[int]) -> set[int]:
    """Return the lines in whose parts some numbers stand."""
    data = rows.tobytes()
    found: set[int] = set()
    for row in wanted:
        pattern = row.to_bytes(2, sys.byteorder)
        at = data.find(pattern)
        while at != -1:
            if at % 2 == 0:
                found.add(bisect.bisect_right(ends, at // 2))
            at = data.find(pattern, at + 1)
    return found


def _made_anew(block: Block) -> Block:
    """Return a block without what is erased, and without the places of those that are gone."""
    to = dict(zip((row for row, seq in enumerate(block.seqs) if seq != NOBODY), itertools.count(), strict=False))
    parts = {
        word: sorted(to[row] for row in set(_rows_in(part) if isinstance(part, int) else part) if row in to)
        for word, part in block.parts()
    }
    return _make(
        {word: rows for word, rows in parts.items() if rows},
        [seq for seq in block.seqs if seq != NOBODY],
        block.unknown,
    )


def _make(parts: Mapping[bytes, Part], seqs: Sequence[int], unknown: Sequence[int]) -> Block:
    """Return a block of words; those with masks stand last, so that the numbers of all others are packed at once."""
    size = _size_of_mask(len(seqs))
    numbers: dict[bytes, Sequence[int]] = {}
    masks: dict[bytes, bytes] = {}
    for word, part in parts.items():
        if not isinstance(part, int) and len(part) < size:
            numbers[word] = part
            continue
        mask = part if isinstance(part, int) else _to_mask(part, len(seqs))
        if mask.bit_count() < size:
            numbers[word] = _rows_in(mask)
        else:
            masks[word] = mask.to_bytes(2 * size, "little")
    lengths = [*map(len, numbers.values()), *itertools.repeat(size, len(masks))]
    packed = _packed("H", [*itertools.chain.from_iterable(numbers.values())]).tobytes()
    return Block(
        words=b"\n".join((b"", *numbers, *masks, b"")),
        ends=_packed("I", [*itertools.accumulate(lengths)]),
        rows=memoryview(b"".join((packed, *masks.values()))).cast("H"),
        seqs=seqs,
        unknown=unknown,
    )


def _merged(numbers: dict[bytes, bytes], masks: dict[bytes, int], seqs: Sequence[int], unknown: Sequence[int]) -> Block:
    """Return a block of words with packed numbers, or masks, or both; those with masks stand last."""
    size = _size_of_mask(len(seqs))
    for word in [word for word, part in numbers.items() if len(part) >= 2 * size or word in masks]:
        masks[word] = masks.get(word, 0) | _to_mask(memoryview(numbers.pop(word)).cast("H"), len(seqs))
    for word in [word for word, mask in masks.items() if mask.bit_count() < size]:
        numbers[word] = _packed("H", _rows_in(masks.pop(word))).tobytes()
    lengths = [*(len(part) // 2 for part in numbers.values()), *itertools.repeat(size, len(masks))]
    return Block(
        words=b"\n".join((b"", *numbers, *masks, b"")),
        ends=_packed("I", [*itertools.accumulate(lengths)]),
        rows=memoryview(
            b"".join((*numbers.values(), *(mask.to_bytes(2 * size, "little") for mask in masks.values())))
        ).cast("H"),
        seqs=seqs,
        unknown=unknown,
    )


def _moved(rows: bytes, by: int) -> bytes:
    """Return packed numbers with another one added to each: all at once, as if they were the digits of one number.

    The highest bit of each digit is added by itself: nothing is carried from what is none, the masks among them.
    """
    count = len(rows) // 2
    number, added, low = (
        int.from_bytes(each, sys.byteorder) for each in (rows, _digit(by) * count, _digit(0x7FFF) * count)
    )
    moved = ((number & low) + (added & low)) ^ ((number ^ added) & ~low)
    return moved.to_bytes(len(rows), sys.byteorder)


def _digit(number: int) -> bytes:
    return number.to_bytes(2, sys.byteorder)


def _packed(kind: Literal["H", "I"], numbers: Sequence[int]) -> memoryview[int]:
    """Return numbers as an array of them: made in this way it takes half the time that `array` takes."""
    return memoryview(struct.pack(f"{len(numbers)}{kind}", *numbers)).cast(kind)


def _lines_with(words: bytes, piece: Piece) -> list[int] | None:
    wanted = b"".join((b"" if piece.open_left else b"\n", piece.text, b"" if piece.open_right else b"\n"))
    found: list[int] = []
    line, counted = -1, 0
    at = words.find(wanted)
    while at != -1:
        if len(found) == _MANY:
            return None
        inside = at if piece.open_left else at + 1
        line += words.count(b"\n", counted, inside)
        counted = inside
        found.append(line)
        at = words.find(wanted, words.index(b"\n", inside))
    return found


def _size_of_mask(rows: int) -> int:
    return -(-rows // _BITS)


def _to_mask(rows: Iterable[int], count: int) -> int:
    """Return a number with the bits of some of the rows set: by its digits, of which it is made soonest."""
    digits = bytearray(b"0") * count
    for row in rows:
        digits[row] = _ONE
    digits.reverse()
    return int(digits, 2)


def _rows_in(mask: int) -> list[int]:
    """Return the numbers of the bits that are set."""
    return [row for row, bit in enumerate(reversed(f"{mask:b}")) if bit == "1"]
