"""The web page: files that were built from `ui/` when the package was, or a word on how to build them.

Only what lay in the folder when the first request came is given, by its name: no path of a request reaches the disk.
The names of the files hold a hash of what is in them, so browsers may keep them for good; the page is asked for anew.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from mimetypes import guess_type
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from tracehound.errors import NotFoundError
from tracehound.server.served import Served

# Nothing from any other host, nothing that is written into the page itself, nobody's frame.
_POLICY: Final = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_GUARDED: Final = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_ANEW: Final = {"Cache-Control": "no-cache"}
_FOR_GOOD: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_FOLDER: Final = "static"
_NOT_BUILT: Final = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Tracehound</title>
<h1>The page was not built</h1>
<p>This Tracehound was installed from its source on a machine without npm or its registry. Everything else works:
<code>tracehound search</code>, the SDK, and the <a href="/api/v1/openapi.json">REST API</a> of this server.</p>
<p>To have the page, install a released wheel, or run <code>./dev page</code> in the source and start the server
again.</p>
</html>
"""


async def give_page(_served: Served, _request: Request) -> Response:
    """Return the page, or a word on how to have it."""
    page = _files().get("index.html", _NOT_BUILT.encode())
    return Response(page, 200, _GUARDED | _ANEW, "text/html; charset=utf-8")


async def give_file(_served: Served, request: Request) -> Response:
    """Return a file of the page."""
    name = f"assets/{request.path_params['name']}"
    content = _files().get(name)
    if content is None:
        raise NotFoundError("the page has no such file; load it again, for the server may be another than before")
    kind = "text/javascript" if name.endswith(".js") else guess_type(name)[0] or "application/octet-stream"
    return Response(content, 200, _GUARDED | _FOR_GOOD, kind)


@cache
def _files() -> dict[str, bytes]:
    """Return what was built, by its path; nothing where nothing was."""
    folder = resources.files("tracehound.server") / _FOLDER
    if not folder.is_dir():
        return {}
    found = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    assets = folder / "assets"
    if assets.is_dir():
        found |= {f"assets/{each.name}": each.read_bytes() for each in assets.iterdir() if each.is_file()}
    return found
