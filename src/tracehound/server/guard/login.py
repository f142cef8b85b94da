"""Logging in to the page: a token is pasted once, and a cookie stands for it from then on.

The cookie is of no use to the pages of other sites (`SameSite=Strict`) and to no script (`HttpOnly`). The form needs no
script, and nothing that is not in it.
"""

from __future__ import annotations

import base64
import hashlib
import html
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response

from tracehound.server.bodies import read_body
from tracehound.server.guard.credentials import SESSION_S, ArrivedFromElsewhereError, UnauthenticatedError
from tracehound.server.guard.guards import COOKIE
from tracehound.server.problems import PROBLEMS, BadRequestError, Problem
from tracehound.server.served import Served

PATH: Final = "/login"
_MAX_FORM_BYTES: Final = 10_000
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:28rem;margin:15vh auto;padding:0 1rem;color-scheme:light dark}"
    "label{display:block}input,button{font:inherit;padding:.5rem;box-sizing:border-box}"
    "input{width:100%;margin:.25rem 0 1rem}"
    "[role=alert]{color:#b3261e}@media(prefers-color-scheme:dark){[role=alert]{color:#ff8a80}}"
)
_STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; form-action 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",  # with none the form's `Origin` is null, and so nobody's
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_FORM: Final = (
    '<form method="post" action="{action}"><label>Token <input name="token" type="password" required autofocus'
    ' autocomplete="current-password" spellcheck="false"></label><button>Log in</button></form>'
    "<p><small>Whoever runs this server makes one: <code>tracehound token create --role read</code></small></p>"
)
_HTML: Final = "text/html; charset=utf-8"
_MISSING: Final = PROBLEMS[UnauthenticatedError].code
_FROM_ELSEWHERE: Final = PROBLEMS[ArrivedFromElsewhereError].code


async def give_form(_served: Served, _request: Request) -> Response:
    """Return the form, and what ends a session."""
    ending = '<form method="post" action="/logout"><button>Log out</button></form>'
    return _page("", _FORM.format(action="/") + ending, 200)


async def log_in(served: Served, request: Request) -> Response:
    """Begin a session for the token in a form, and lead to the page where the form was."""
    token = await _token_in(request)
    try:
        session = await served.guard.log_in(token)
    except UnauthenticatedError as error:
        return _form(str(error), 401)
    query = request.url.query
    answer = RedirectResponse(f"/?{query}" if query else "/", 303, {"Cache-Control": "no-store"})
    if session is not None:
        _set_cookie(answer, request, session, SESSION_S)
    return answer


async def log_out(_served: Served, request: Request) -> Response:
    """End a session."""
    answer = RedirectResponse(PATH, 303, {"Cache-Control": "no-store", "Clear-Site-Data": '"cache"'})
    _set_cookie(answer, request, "", 0)
    return answer


def to_form(problem: Problem) -> Response:
    """Return the form where somebody who is to log in has asked for the page; other problems are told."""
    if problem.code == _FROM_ELSEWHERE:  # with the next request, which is our own page's, the cookie comes
        return _page('<meta http-equiv="refresh" content="0">', "<p>One moment …</p>", problem.status)
    if problem.code == _MISSING:
        return _form("", problem.status)
    return _page("", f'<p role="alert">{html.escape(problem.detail)}</p>', problem.status)


async def _token_in(request: Request) -> str:
    try:
        body = await read_body(request, _MAX_FORM_BYTES)
    except ClientDisconnect as error:
        raise BadRequestError("the body is cut off") from error
    try:
        return parse_qs(body.decode("ascii")).get("token", [""])[0].strip()
    except ValueError as error:
        raise BadRequestError("the body is no form") from error


def _set_cookie(answer: Response, request: Request, session: str, seconds: int) -> None:
    is_safe = request.url.scheme == "https"
    answer.set_cookie(COOKIE, session, max_age=seconds, path="/", secure=is_safe, httponly=True, samesite="strict")


def _form(mistake: str, status: int) -> Response:
    """Return the form, which sends the token to the address that it is shown at."""
    told = f'<p role="alert">{html.escape(mistake)}</p>' if mistake else ""
    return _page("", told + _FORM.format(action=""), status)


def _page(head: str, body: str, status: int) -> Response:
    text = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"{head}<title>Tracehound</title><style>{_STYLE}</style><main><h1>Tracehound</h1>{body}</main></html>"
    )
    headers = _HEADERS | ({"WWW-Authenticate": 'Bearer realm="tracehound"'} if status == 401 else {})
    return Response(text, status, headers, _HTML)
