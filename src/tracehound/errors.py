"""Every error that Tracehound raises on purpose.

TracehoundError
├── FilterError        the text of a filter or of an order is wrong; says where and what to write instead
├── ArgumentError      an argument of a public function is wrong
│   └── AlreadyExistsError  what is to be made is there already
├── StoreError         the store cannot be opened, read or written
│   ├── StoreBusyError      another process keeps it locked; later it may work
│   ├── StoreDeniedError    a server does not let this program in, or do that
│   ├── StoreFullError      the disk has no room for what is to be written
│   └── StoreReadOnlyError  it may be read and not written
├── SearchTimeoutError     a search has taken longer than it may: narrow it
├── SearchCancelledError   a search was ended by who asked for it
├── MissingExtraError  something has to be installed first; says the command
└── NotFoundError      something named by its id is not there

One class for each thing that a caller would do differently. A fault of capture itself never reaches the traced program.
"""

from __future__ import annotations

import unicodedata
from typing import ClassVar, Final

# How much of a line is shown, at most and at least, half of it before the mistake; a correction whole or not.
_LONGEST_LINE: Final = 200
_SHORTEST_LINE: Final = 20
_INDENT: Final = 4
_LONGEST_CORRECTION: Final = 2_000


class TracehoundError(Exception):
    """The base of every error that Tracehound raises on purpose; `error_code` is MLflow's word for each kind of it.

    >>> import tracehound
    >>> try:
    ...     tracehound.get_experiment("7")
    ... except TracehoundError as error:
    ...     print(type(error).__name__, error.error_code)
    NotFoundError RESOURCE_DOES_NOT_EXIST
    """

    error_code: ClassVar[str] = "INTERNAL_ERROR"


class FilterError(TracehoundError, ValueError):
    """A filter or an order that cannot be answered as it is written.

    `message` says what to do, `text` is what was given, `start` and `end` are offsets into it, in characters, and
    `corrected` is the text as it should be, where that is known.

    >>> import tracehound
    >>> try:
    ...     tracehound.search_traces("status = 'OK'")
    ... except FilterError as error:
    ...     print(error.message)
    ...     print(error.text[error.start : error.end], "->", error.corrected)
    'status' needs a prefix: write attributes.status
    status -> attributes.status = 'OK'
    """

    error_code = "INVALID_PARAMETER_VALUE"

    def __init__(self, message: str, text: str, start: int, end: int, corrected: str | None = None) -> None:
        super().__init__(message, text, start, end, corrected)
        self.message = message
        self.text = text
        self.start = start
        self.end = end
        self.corrected = corrected

    def __str__(self) -> str:
        return self.shown(_LONGEST_LINE + _INDENT + 2)

    def shown(self, columns: int) -> str:
        """Return the message and the place of the mistake, with of a long line as much as the columns have room for."""
        longest = max(_SHORTEST_LINE, min(_LONGEST_LINE, columns - _INDENT - 2))
        line_start = self.text.rfind("\n", 0, self.start) + 1
        line = self.text[line_start:].split("\n", 1)[0]
        first = max(0, self.start - line_start - longest // 2) if len(line) > longest else 0
        piece = line[first : first + longest]
        cut = ("…" if first else "", "…" if first + len(piece) < len(line) else "")
        before = cut[0] + line[first : self.start - line_start]
        marked = piece[self.start - line_start - first : self.end - line_start - first] or " "
        caret = "^" + "~" * (_columns(marked) - 1)
        shown = f"{self.message}\n    {cut[0]}{_shown(piece)}{cut[1]}\n    {' ' * _columns(before)}{caret}"
        is_told = self.corrected is not None and len(self.corrected) <= _LONGEST_CORRECTION
        return f"{shown}\n  write:\n    {self.corrected}" if is_told else shown


class ArgumentError(TracehoundError, ValueError):
    """An argument that a public function cannot work with; the message names the ones it can.

    >>> import tracehound
    >>> try:
    ...     tracehound.search_traces(max_results=-1)
    ... except ArgumentError as error:
    ...     print(error)
    max_results is a whole number from 0 up, not -1
    """

    error_code = "INVALID_PARAMETER_VALUE"


class AlreadyExistsError(ArgumentError):
    """What is to be made is there already: go on with that, or choose another name.

    >>> import tracehound
    >>> _ = tracehound.create_experiment("shop")
    >>> try:
    ...     tracehound.create_experiment("shop")
    ... except AlreadyExistsError as error:
    ...     print(error)
    there is an experiment 'shop' already; set_experiment makes it the active one
    """

    error_code = "RESOURCE_ALREADY_EXISTS"


class StoreError(TracehoundError):
    """The store cannot be opened, read or written; nothing that was stored is changed.

    >>> import pathlib, tracehound
    >>> _ = pathlib.Path("notes.txt").write_text("bread, milk")
    >>> tracehound.set_tracking_uri("notes.txt")
    >>> try:
    ...     tracehound.search_traces()
    ... except StoreError as error:
    ...     print(str(error).partition("notes.txt ")[2])
    is not a database of Tracehound; name another file
    """

    error_code = "TEMPORARILY_UNAVAILABLE"
    retry_after_s: float | None = None  # where a server has said how long to wait before it is asked again


class StoreBusyError(StoreError):
    """Another process keeps the store locked; what was to be written can be offered again.

    >>> import tracehound
    >>> try:
    ...     tracehound.delete_traces("0", max_timestamp_millis=1_700_000_000_000)
    ... except StoreBusyError:
    ...     print("another program writes just now: delete them later")
    0
    >>> issubclass(StoreBusyError, StoreError)
    True
    """


class StoreDeniedError(StoreError):
    """A server does not let this program in, or do what it wants: another token is needed.

    >>> import tracehound
    >>> try:
    ...     tracehound.delete_traces("0", max_timestamp_millis=1_700_000_000_000)
    ... except StoreDeniedError:
    ...     print("ask whoever runs the server for a token of the role admin")
    0
    """

    error_code = "PERMISSION_DENIED"
    is_final: bool = False  # the server has answered that this token may not do this: to ask again changes nothing
    is_told: bool = False  # to whoever reads the log
    refused: tuple[int, ...] = ()  # of what it was sent at once, what it will not take; all else it would


class StoreFullError(StoreError):
    """The disk has no room for what is to be written; what waits for the store stays in the spool.

    >>> import tracehound
    >>> try:
    ...     tracehound.delete_traces("0", max_timestamp_millis=1_700_000_000_000)
    ... except StoreFullError:
    ...     print("make room on the disk: deleting takes some, too")
    0
    >>> issubclass(StoreFullError, StoreError)
    True
    """

    error_code = "RESOURCE_EXHAUSTED"


class StoreReadOnlyError(StoreError):
    """The store may be read and not written: what waits for it stays in the spool.

    >>> import tracehound
    >>> try:
    ...     tracehound.delete_traces("0", max_timestamp_millis=1_700_000_000_000)
    ... except StoreReadOnlyError:
    ...     print("nothing can be deleted here: copy the file to where it can be written")
    0
    >>> issubclass(StoreReadOnlyError, StoreError)
    True
    """

    error_code = "RESOURCE_EXHAUSTED"


# With these a store takes nothing for now, and may be read all the same.
TAKES_NOTHING: Final = (StoreBusyError, StoreDeniedError, StoreFullError, StoreReadOnlyError)


class SearchTimeoutError(TracehoundError, TimeoutError):
    """A search has taken longer than it may; the message tells what it has looked at, and how to narrow it.

    >>> import tracehound
    >>> with tracehound.start_span("greet"):
    ...     pass
    >>> try:
    ...     tracehound.search_traces("trace.text LIKE '%hello%'", timeout=1e-9)
    ... except SearchTimeoutError as error:
    ...     print(str(error).partition(" than")[0])
    the search has taken longer
    """

    error_code = "BAD_REQUEST"


class SearchCancelledError(TracehoundError):
    """A search was ended by `SearchLimit.cancel`.

    >>> import tracehound
    >>> limit = tracehound.SearchLimit()
    >>> limit.cancel()
    >>> try:
    ...     tracehound.search_traces(timeout=limit)
    ... except SearchCancelledError as error:
    ...     print(error)
    the search was cancelled
    """

    error_code = "BAD_REQUEST"


class MissingExtraError(TracehoundError, ImportError):
    """What is asked for needs something that is not installed; the message has the command that installs it.

    >>> import tracehound
    >>> try:
    ...     tracehound.marqo.autolog()
    ... except MissingExtraError as error:
    ...     print(error)
    tracehound.marqo.autolog() traces the library marqo, which is not installed: pip install marqo
    """


class NotFoundError(TracehoundError, LookupError):
    """What an id names does not exist in this store.

    >>> import tracehound
    >>> try:
    ...     tracehound.set_trace_tag("tr-1", "reviewed", True)
    ... except NotFoundError as error:
    ...     print(error)
    there is no trace tr-1
    """

    error_code = "RESOURCE_DOES_NOT_EXIST"


def _shown(line: str) -> str:
    """Return the line with each character that would move the caret replaced by one that does not."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)


def _columns(text: str) -> int:
    """Return how many terminal columns the text takes."""
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    combining = sum(unicodedata.combining(character) != 0 for character in text)
    return len(text) + wide - combining
