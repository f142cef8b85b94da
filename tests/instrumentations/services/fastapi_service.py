"""Words, served with FastAPI."""

from __future__ import annotations

import fastapi
from words import serve_asgi, shout

import tracehound

tracehound.fastapi.autolog(exclude_spans=["receive", "send"])
app = fastapi.FastAPI()


@app.get("/words/{word}")
def word(word: str) -> str:
    """Answer with the word of the path."""
    return str(shout(word))


serve_asgi(app)
