"""What goes wrong with a ClickHouse, as our errors: which server, what it did not do, and what to do about it.

The messages of the engine hold the statement and are never shown; its codes say what happened. What was to be written
is still in the spool after any of them: the position of its segment is the last thing that is written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import clickhouse_connect.driver.exceptions as engine_errors

from tracehound.errors import SearchTimeoutError, StoreBusyError, StoreError, StoreFullError, StoreReadOnlyError
from tracehound.query.limit import NARROW_FILTER, SearchLimit

logging.getLogger("clickhouse_connect").addHandler(logging.NullHandler())  # else Python prints what is raised, too

TIMEOUT: Final = 159
CANCELLED: Final = 394

_NO_RIGHT: Final = 497
_KEPT: Final = "what was traced waits in the spool"
# By the engine's code: the class of the error, and what to say behind the address.
_TOLD: Final[dict[int, tuple[type[StoreError], str]]] = {
    164: (StoreReadOnlyError, f"is read-only for this user or replica; {_KEPT}: name one that can be written to"),
    242: (StoreReadOnlyError, f"has a replica that is read-only, as it has lost its keeper; {_KEPT}"),
    243: (StoreFullError, f"has no room left on its disk; {_KEPT} until there is"),
    452: (StoreError, "does not let this user change the settings that are needed: readonly=2 or 0 is"),
    _NO_RIGHT: (
        StoreError,
        "does not let this user do that: GRANT SELECT, INSERT, CREATE, ALTER DELETE on the database",
    ),
    291: (StoreError, "does not let this user see that database: GRANT SELECT ON it"),
    **dict.fromkeys(
        (516, 192, 193, 194),  # as one number since 2020
        (StoreError, f"does not know this user, or the password is another one; {_KEPT}"),
    ),
    81: (StoreError, "has no such database, and this user may not make it"),
    60: (StoreError, "has lost a table of Tracehound; open it with a user that may create tables"),
    202: (StoreBusyError, "runs as many statements as it may; it will be asked again"),
    241: (StoreBusyError, "has no memory left for this; it will be asked again"),
    252: (StoreBusyError, "has not merged what was written before, and takes no more just now; it will be asked again"),
    209: (StoreBusyError, "has lost a connection; it will be asked again"),
    210: (StoreBusyError, "has lost a connection; it will be asked again"),
    999: (StoreBusyError, "cannot reach its keeper; it will be asked again"),
    319: (StoreBusyError, "did not say whether it has all copies of what was written; it will be offered again"),
    285: (StoreBusyError, "has too few replicas that are alive; it will be asked again"),
}
# What has no code of its own, or one that says less: it comes from the client, or from what else is at that port.
_TOLD_BY_TEXT: Final[tuple[tuple[str, tuple[type[StoreError], str]], ...]] = (
    ("NOT_ENOUGH_SPACE|No space left|errno: 28", _TOLD[243]),
    (r"Cannot modify '|^Setting \w+ is readonly", _TOLD[452]),
    ("readonly mode|TABLE_IS_READ_ONLY", _TOLD[164]),
    (
        "is for clickhouse-client program",
        (StoreError, "is the port of clickhouse-client: name that for HTTP, mostly 8123"),
    ),
    (
        "cannot connect with different path",
        (StoreError, "cannot be opened beside another folder: a program has one chdb:// at a time"),
    ),
    (r"(?s)^(?!.*\bCode: ).*HTTP status 40[13]\b", _TOLD[516]),
    (
        r"(?s)^(?!.*\bCode: ).*HTTP status (429|50[234])\b",
        (StoreBusyError, f"does not answer; {_KEPT}, and it will be asked again"),
    ),
)
_NO_TLS: Final = re.compile("CERTIFICATE_VERIFY_FAILED|WRONG_VERSION_NUMBER")
_GRANT: Final = re.compile(r"necessary to have the grant (\w[\w ]*)(?:\([^)]*\))? ON (\w+|\*)\.")
_CODE: Final = re.compile(r"\bCode: (\d+)")


@contextmanager
def store_errors(where: str, limit: SearchLimit | None = None) -> Iterator[None]:
    """Raise what the engine's errors mean, as errors of the store at that address."""
    try:
        yield
    except engine_errors.Error as error:
        code = _code(error)
        is_away = isinstance(error, engine_errors.OperationalError) and code is None
        if limit is not None and (is_away or code in (TIMEOUT, CANCELLED)):
            limit.check()
        if limit is not None and code == TIMEOUT:  # the engine's clock is ahead of ours
            raise SearchTimeoutError(f"the search has taken too long. Narrow it: {NARROW_FILTER}") from error
        if is_away and _NO_TLS.search(str(error)):
            raise StoreError(f"{where} has no certificate that is trusted here, or does not speak TLS") from error
        if is_away:
            raise StoreBusyError(f"{where} does not answer; {_KEPT}, and it will be asked again") from error
        raise _told(where, error, code) from error
    except SearchTimeoutError:  # an OSError too
        raise
    except OSError as error:
        raise StoreBusyError(f"{where} cannot be reached: {error.strerror or 'the connection broke'}") from error


def _code(error: engine_errors.Error) -> int | None:
    """Return the engine's code: old servers, and proxies that drop headers, have it in the text only."""
    if error.code is not None:
        return error.code
    found = _CODE.search(str(error))
    return int(found[1]) if found else None


def _told(where: str, error: engine_errors.Error, code: int | None) -> StoreError:
    text = str(error)
    kind, what = _TOLD.get(code or 0, (StoreError, ""))
    for pattern, told in _TOLD_BY_TEXT:
        if re.search(pattern, text) and (not what or told[0] is StoreFullError or code == 164):
            kind, what = told
            break
    if code == _NO_RIGHT and (lacking := _GRANT.search(text)):
        what = f"does not let this user do that: GRANT {lacking[1]} ON {lacking[2]}.*; {_KEPT}"
    if what:
        return kind(f"{where} {what}")
    shown = f" (its error {code}{f', {error.name}' if error.name else ''})" if code else ""
    return StoreError(f"{where} did not do what it was asked{shown}; its log says more")
