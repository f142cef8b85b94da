"""A server as a store. What it must do stands in `store.api`; what is said to the server, in `forms`.

What may be sent again is: a batch names the bytes of the segment that it comes from, and the server applies it together
with the new position of that segment, so that one whose answer was lost is refused the second time. Nothing waits here,
and nothing is tried again: that is for the spool, which has what it offers on disk.

Segments and processes belong to a spool folder, which has an id: what the server knows of those of others is none of
this client's business. For the same reason `settle` does nothing here: what others may still send, no client knows.
"""

from __future__ import annotations

import dataclasses
import http.client
import os
import secrets
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from tracehound.errors import ArgumentError, StoreDeniedError, StoreError, TracehoundError
from tracehound.model.edit import Change
from tracehound.model.record import DecodeError, Record, to_msgpack
from tracehound.model.trace import Experiment, Origin, Trace, TraceData, TraceInfo
from tracehound.query.limit import SearchLimit
from tracehound.query.search import Search
from tracehound.query.statistics import Groups, StatisticsQuery
from tracehound.store.api import Arrival, Changes, Page, Rows, SegmentRange, SqlParameters
from tracehound.store.explain import Explanation
from tracehound.store.remote import forms
from tracehound.store.remote.changes import CHANGES, CursorForm, to_changes
from tracehound.store.remote.forms import Operation
from tracehound.store.remote.problems import (
    RefusedError,
    check_hello,
    is_problem,
    not_understood,
    to_error,
    unreachable,
)
from tracehound.store.remote.spans import SentSpans
from tracehound.store.remote.transport import Answer, HttpTransport, Sent, Transport
from tracehound.wire.compression import DamagedBodyError, compress
from tracehound.wire.frames import to_frame

_ID_NAME: Final = "id"
_TIMEOUT_S: Final = 30.0
_SEARCH_TIMEOUT_S: Final = 90.0  # a server ends a search sooner
_TRACES_AT_A_TIME: Final = 500
_COMPRESSED_FROM_BYTES: Final = 2_000

Asked = TypeVar("Asked", bound=Record)
Given = TypeVar("Given", bound=Record)


class RemoteStore:
    """Traces on a server; the folder is that of the spool from which they are sent."""

    def __init__(
        self,
        url: str,
        folder: Path,
        transport: Transport | None = None,
        timeout_s: float = _TIMEOUT_S,
        token: str | None = None,
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._folder = folder
        self._shown = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._transport = HttpTransport(url) if transport is None else transport
        self._spool: str | None = None
        self._is_known = False  # to be a Tracehound server
        self._lock = threading.Lock()
        self._incarnation = 0
        self._seen: str | None = None  # what the server has called its store last

    def write(self, changes: Sequence[Change], source: SegmentRange | None = None) -> bool:
        """Apply a batch, whole or not at all; False when its source was applied before."""
        return self._send_frames(b"".join(map(to_frame, changes)), source)

    def write_frames(self, frames: bytes, origin: Mapping[str, str], source: SegmentRange) -> bool:
        """Apply a batch as it lies in a segment; the server makes of it what a drainer would (`store.api`)."""
        try:
            return self._send_frames(to_frame(Origin(dict(origin))) + frames, source)
        except StoreDeniedError as error:
            error.refused = tuple(number - 1 for number in error.refused)  # the first frame is the one added here
            raise

    def _send_frames(self, frames: bytes, source: SegmentRange | None) -> bool:
        headers = {"Content-Type": "application/octet-stream"}
        if len(frames) >= _COMPRESSED_FROM_BYTES:
            headers["Content-Encoding"] = "zstd"
            frames = compress(frames)
        headers[forms.SPOOL_HEADER] = self._spool_id()
        if source is not None:
            headers[forms.SEGMENT_HEADER] = source.segment
            headers[forms.START_HEADER] = str(source.start)
            headers[forms.END_HEADER] = str(source.end)
        request = Sent("POST", forms.FRAMES_PATH, frames, headers, self._timeout_s)
        try:
            found = self._read(forms.FRAMES, self._send(request))
        except (StoreError, RefusedError):
            raise
        except TracehoundError as error:  # of another route, or of bytes that did not come whole: no fault of theirs
            raise StoreError(f"the server {self._url} has not understood what it was sent: {error}") from error
        self._note(found.incarnation)
        return found.is_applied

    def position(self, segment: str) -> int:
        """Return up to which byte a segment has been applied; 0 for one that is not known."""
        found = self._ask(forms.POSITION, forms.SpoolNameForm(self._spool_id(), segment))
        self._note(found.incarnation)
        return found.position

    def segments(self) -> list[str]:
        """Return the names of the segments of our folder that have a position."""
        return self._ask(forms.SEGMENTS, forms.SpoolForm(self._spool_id())).names

    def forget_segment(self, segment: str) -> None:
        """Drop the position of a segment whose file is long gone."""
        self._ask(forms.FORGET_SEGMENT, forms.SpoolNameForm(self._spool_id(), segment))

    def running_owners(self) -> list[str]:
        """Return the processes with our folder that open spans of the store run in, as far as it knows."""
        return self._ask(forms.RUNNING_OWNERS, forms.SpoolForm(self._spool_id())).names

    def end_owner(self, owner: str) -> None:
        """End what runs in a process that is gone."""
        self._ask(forms.END_OWNER, forms.SpoolNameForm(self._spool_id(), owner))

    def settle(self, before_ns: int) -> None:
        """Do nothing: other clients may have older things that they have not sent."""

    def reclaim(self, max_bytes: int) -> int:
        """Have the server give free space back to its file system; return how many bytes, 0 when there are no more."""
        return sum(self._ask(forms.RECLAIM, forms.NumbersForm([max_bytes])).numbers)

    def make_durable(self) -> bool:
        """Return True: what a server has answered for outlives it."""
        return True

    def incarnation(self) -> int:
        """Return a number that changes when an answer came from a server that was started anew, or has another store.

        Then what it was sent before is asked for again, segment by segment.
        """
        return self._incarnation

    def search(self, search: Search) -> Page[TraceInfo]:
        """Return one page of the traces that match."""
        infos: list[TraceInfo] = []
        while True:
            page = self._search(forms.SEARCH, search)
            infos += [forms.to_info(each) for each in page.found]
            if page.next_cursor is None or len(page.found) >= search.limit:
                return Page(infos, page.next_cursor)
            search = _rest(search, page.next_cursor, len(page.found))

    def search_whole(self, search: Search) -> Page[Trace]:
        """Return one page of the traces that match, with their spans."""
        traces: list[Trace] = []
        while True:
            page = self._search(forms.SEARCH_WHOLE, search)
            traces += [self._to_trace(each) for each in page.found]
            if page.next_cursor is None or len(page.found) >= search.limit:
                return Page(traces, page.next_cursor)
            search = _rest(search, page.next_cursor, len(page.found))

    def explain(self, search: Search) -> Explanation:
        """Return how a page of the search comes about, and what left it empty if it is."""
        return forms.to_explanation(self._search(forms.EXPLAIN, search))

    def read_traces(self, trace_ids: Sequence[str]) -> dict[str, Trace]:
        """Return the whole traces that exist, by id."""
        found: dict[str, Trace] = {}
        for at in range(0, len(trace_ids), _TRACES_AT_A_TIME):
            some = forms.TraceIdsForm(list(trace_ids[at : at + _TRACES_AT_A_TIME]))
            found |= {each.info.trace_id: self._to_trace(each) for each in self._ask(forms.READ_TRACES, some).found}
        return found

    def statistics(self, query: StatisticsQuery) -> Groups:
        """Return what the traces that match add up to, group by group."""
        limit = query.search.time_limit
        with (limit or SearchLimit()).running():
            given = self._ask(forms.STATISTICS, forms.form_of_statistics(query), limit, _SEARCH_TIMEOUT_S)
        return {tuple(key): summary for key, summary in given.groups}

    def sql(self, text: str, parameters: SqlParameters = (), limit: SearchLimit | None = None) -> Rows:
        """Return what one SELECT over the documented views selects; raise `ArgumentError` for anything else."""
        limit = limit or SearchLimit()
        given = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
        asked = forms.SqlForm(text, given, limit.seconds, limit.spent_s())
        with limit.running():
            found = self._ask(forms.SQL, asked, limit, _SEARCH_TIMEOUT_S)
        return Rows(tuple(found.columns), [tuple(row) for row in found.rows])

    def experiments(self) -> list[Experiment]:
        """Return the experiments that have traces, by name."""
        return self._ask(forms.EXPERIMENTS, forms.Form()).experiments

    def facts(self, kind: str, subject: str | None = None) -> dict[str, dict[str, str]]:
        """Return what is known of the subjects of a kind, or of one of them: values by key, by subject."""
        return self._ask(forms.FACTS, forms.SubjectForm(kind, subject)).values

    def arrivals(self, after: int | None, limit: int) -> list[Arrival]:
        """Return the first traces behind a number, or without one the last of all, in the order of their arrival."""
        found = self._ask(forms.ARRIVALS, forms.BehindForm(after, limit)).found
        return [Arrival(number, forms.to_info(info)) for number, info in found]

    def read_changes(self, after: str | None, limit: int) -> Changes:
        """Return what the store keeps as changes, of about so many traces or rows behind a cursor."""
        try:
            return to_changes(self._ask(CHANGES, CursorForm(after, limit)))
        except DamagedBodyError as error:
            raise not_understood(self._url) from error

    def version(self) -> tuple[int, ...]:
        """Return numbers that differ whenever anything may have been written since."""
        return tuple(self._ask(forms.VERSION, forms.Form()).numbers)

    def close(self) -> None:
        """Release connections."""
        self._transport.close()

    def _search(self, operation: Operation[forms.SearchForm, Given], search: Search) -> Given:
        form = forms.form_of_search(search)
        with (search.time_limit or SearchLimit()).running():
            return self._ask(operation, form, search.time_limit, _SEARCH_TIMEOUT_S)

    def _to_trace(self, form: forms.TraceForm) -> Trace:
        return Trace(forms.to_info(form.info), TraceData(SentSpans(form.payload, self._url)))

    def _ask(
        self,
        operation: Operation[Asked, Given],
        asked: Asked,
        limit: SearchLimit | None = None,
        timeout_s: float | None = None,
    ) -> Given:
        try:
            body = to_msgpack(asked)
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise ArgumentError(f"this cannot be sent to {self._url}: {error}") from error
        headers = {"Content-Type": forms.MSGPACK}
        path = f"{forms.PATH}/{operation.name}"
        return self._read(operation, self._send(Sent("POST", path, body, headers, timeout_s or self._timeout_s, limit)))

    def _send(self, request: Sent) -> Answer:
        """Return the answer of a server that is known to be one of ours; raise `StoreError` where there is none."""
        if not self._is_known:
            hello = self._send_anywhere(Sent("GET", forms.PATH, timeout_s=self._timeout_s))
            check_hello(self._url, hello, self._transport.send)
            self._is_known = True
        return self._send_anywhere(request)

    def _send_anywhere(self, request: Sent) -> Answer:
        try:
            return self._transport.send(dataclasses.replace(request, headers={**request.headers, **self._shown}))
        except (OSError, http.client.HTTPException) as error:
            self._is_known = False  # what stands there next may be something else
            raise unreachable(self._url, error) from error

    def _read(self, operation: Operation[Any, Given], answer: Answer) -> Given:
        if answer.status == 200 and answer.headers.get("content-type") == forms.MSGPACK:
            try:
                return operation.read_given(answer.body)
            except DecodeError as error:
                raise not_understood(self._url) from error
        self._is_known = is_problem(answer)
        if answer.status < 400:
            raise not_understood(self._url)
        raise to_error(self._url, answer)

    def _note(self, incarnation: str) -> None:
        """Note what the server calls its store."""
        with self._lock:
            if self._seen not in (None, incarnation):
                self._incarnation += 1
            self._seen = incarnation

    def _spool_id(self) -> str:
        """Return the id of our folder, which it gets with the first thing that is sent from it."""
        if self._spool is None:
            try:
                self._spool = _read_id(self._folder)
            except OSError as error:
                raise StoreError(f"the spool {self._folder} cannot be used: {error}") from error
        return self._spool


def _rest(search: Search, next_cursor: str, count: int) -> Search:
    """Return what is left of a page, of which the server gives fewer at a time."""
    return dataclasses.replace(search.behind(next_cursor), limit=search.limit - count)


def _read_id(folder: Path) -> str:
    """Return the id of a folder; of two processes that give it one at once, the first counts."""
    path = folder / _ID_NAME
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        own = folder / f"{_ID_NAME}.{secrets.token_hex(4)}"
        own.write_text(secrets.token_hex(8), "ascii")
        _put(own, path)
    return path.read_text("ascii")


def _put(own: Path, path: Path) -> None:
    """Put a file at a path where there is none."""
    try:
        os.link(own, path)
    except FileExistsError:
        pass
    except OSError:  # a file system without links
        own.replace(path)
        return
    own.unlink()
