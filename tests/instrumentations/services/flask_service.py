"""Words, served with Flask."""

from __future__ import annotations

import flask
from words import serve_wsgi, shout

import tracehound

tracehound.flask.autolog()
app = flask.Flask(__name__)


@app.route("/words/<word>")  # type: ignore[untyped-decorator,unused-ignore]
def word(word: str) -> str:
    """Answer with the word of the path."""
    return str(shout(word))


serve_wsgi(app)
