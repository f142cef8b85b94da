"""Where a request comes from: a browser is made to ask for other people's pages, and says so.

`Host` is what somebody has typed. A page of another site whose name was pointed at this machine (DNS rebinding) asks
with that site's name; numbers cannot be pointed anywhere, so they are good. `Origin` and `Sec-Fetch-Site` say whose
page asks: another site may lead to our page, and do nothing else. Programs send neither.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.requests import Request

from tracehound.errors import TracehoundError


class WrongHostError(TracehoundError):
    """A request that was sent to a name which is not this server's."""


class ForeignPageError(TracehoundError):
    """A request that the page of another site has made a browser send."""


def names_of_this_machine(host: str) -> frozenset[str]:
    """Return the names under which this machine is reached, beside the address that the server listens on."""
    return frozenset(each.lower() for each in ("localhost", host, socket.gethostname(), socket.getfqdn()) if each)


def check_host(request: Request, names: Collection[str]) -> None:
    """Raise `WrongHostError` where the request names a host that is none of these names, and no number."""
    said = request.headers.get("host", "")
    name = _name_in(said)
    if name is None or not (name in names or name.endswith(".localhost") or _is_number(name)):
        raise WrongHostError(
            f"this server is not called {name or said!r}: start it with --allowed-host {name or 'NAME'} if it is"
        )


def check_origin(request: Request) -> None:
    """Raise `ForeignPageError` where a browser says that the page of another site asks."""
    if not (_is_of_our_page(request) or (is_arrival(request) and request.method == "GET")):
        raise ForeignPageError("a page of another site has sent this: only our own page and programs may")


def is_arrival(request: Request) -> bool:
    """Whether somebody follows a link of another site."""
    headers = request.headers
    return headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") == "navigate"


def is_loopback(host: str) -> bool:
    """Whether what listens on this address is reached from this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _is_of_our_page(request: Request) -> bool:
    """Whether our own page asks, or a program. No page can alter `Sec-Fetch-Site`, which older browsers do not send."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("none", "same-origin")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2].lower() == request.headers.get("host", "").lower() != ""


def _name_in(host: str) -> str | None:
    """Return the name in a `Host` header, without the port; None for what is none."""
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
