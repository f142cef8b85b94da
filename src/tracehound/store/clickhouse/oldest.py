"""Which servers are taken, asked before anything else is asked of one.

An older one does not know some of our settings, and refuses whatever comes with them: its version is asked without
them. One of before 2021 does not even know what the client itself asks first: it is asked without the client.
"""

from __future__ import annotations

import base64
import re
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Final

from tracehound.errors import StoreError
from tracehound.settings import clickhouse_password
from tracehound.store.clickhouse.address import ClickHouseAddress

OLDEST: Final = (26, 3)  # whose text index is for production; see docs/clickhouse.md
_ANSWER_S: Final = 5
_LONGEST_BYTES: Final = 100
_VERSION: Final = re.compile(rb"\d+(\.\d+)+\n")


def check_version(where: str, version: str) -> None:
    """Raise `StoreError` where a server is older than what is taken."""
    numbers = tuple(int(each) for each in version.split(".")[:2] if each.isdigit())
    if numbers < OLDEST:
        needed = ".".join(map(str, OLDEST))
        raise StoreError(
            f"{where} runs ClickHouse {version}; {needed} is the oldest that has the text index: upgrade it."
            " What was traced waits in the spool"
        )


def read_version(address: ClickHouseAddress) -> str | None:
    """Return what a server says that it is, without the client; None where it does not say so."""
    kind = HTTPSConnection if address.is_secure else HTTPConnection
    user = f"{address.user}:{address.password or clickhouse_password()}"
    headers = {"Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
    connection = kind(address.host, address.port, timeout=_ANSWER_S)
    try:
        connection.request("GET", "/?query=SELECT%20version()", headers=headers)
        said = connection.getresponse().read(_LONGEST_BYTES)
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()
    return said.decode().strip() if _VERSION.fullmatch(said) else None
