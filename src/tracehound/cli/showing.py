"""`tracehound show`: one whole trace, found by its id, by the beginning of it, or as the newest."""

from __future__ import annotations

import re
import sys
from typing import Final

from tracehound.cli.options import use
from tracehound.cli.tree import print_trace
from tracehound.errors import ArgumentError, NotFoundError
from tracehound.model.ids import TRACE_ID_PREFIX
from tracehound.model.record import to_json
from tracehound.model.trace import Trace
from tracehound.query.search import parse_search
from tracehound.query.tokens import quote
from tracehound.runtime import current
from tracehound.store.api import Store

LAST: Final = "last"
_DIGITS: Final = 32
_BEGINNING: Final = re.compile("[0-9a-f]+")


def run_show(trace_id: str, store: str | None, form: str | None, html: str | None, *, is_full: bool) -> None:
    """Print a trace: as a tree in a terminal, as JSON elsewhere, unless `form` says what; or write a page with it."""
    use(store)
    opened = current().drained_store()
    trace = find_trace(opened, trace_id)
    if html is not None:
        from tracehound.cli.pages import write_trace_page

        names = {each.experiment_id: each.name for each in opened.experiments()}
        write_trace_page(trace, names.get(trace.info.experiment_id, ""), html)
    elif form == "json" or (form is None and not sys.stdout.isatty()):
        sys.stdout.buffer.write(to_json(trace.to_dict()) + b"\n")
        sys.stdout.buffer.flush()
    else:
        print_trace(trace, is_full=is_full)


def find_trace(store: Store, written: str) -> Trace:
    """Return the trace that an id names, or the beginning of one, or `last`.

    Raise `NotFoundError` where there is none, `ArgumentError` where several ids begin so.
    """
    trace_id = find_id(store, written)
    found = store.read_traces([trace_id]).get(trace_id)
    if found is None:
        raise NotFoundError(f"there is no trace {trace_id} in {current().settings.tracking_uri}")
    return found


def find_id(store: Store, written: str) -> str:
    """Return the id of the trace that is meant, which may not exist where it is written whole."""
    if written == LAST:
        return _only(_search(store, None), "there are no traces")
    digits = written.rstrip("…").lower().removeprefix(TRACE_ID_PREFIX)
    whole = TRACE_ID_PREFIX + digits
    if len(digits) >= _DIGITS or _BEGINNING.fullmatch(digits) is None:
        return written if _BEGINNING.fullmatch(digits) is None and written.startswith(TRACE_ID_PREFIX) else whole
    found = _search(store, f"attributes.trace_id LIKE {quote(whole + '%')}")
    if len(found) > 1:
        raise ArgumentError(f"several traces begin with {whole}: {found[0]}, {found[1]}, …; write more of the id")
    return _only(found, f"there is no trace {whole} in {current().settings.tracking_uri}")


def _search(store: Store, filter_string: str | None) -> list[str]:
    experiments = [each.experiment_id for each in store.experiments()]
    limit = 1 if filter_string is None else 2
    return [info.trace_id for info in store.search(parse_search(experiments, filter_string, limit=limit)).traces]


def _only(found: list[str], message: str) -> str:
    if not found:
        raise NotFoundError(message)
    return found[0]
