"""Words, served with Django."""

from __future__ import annotations

from typing import Any

import django.conf
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path
from words import serve_wsgi, shout

import tracehound


def word(request: Any, word: str) -> Any:
    """Answer with the word of the path."""
    return HttpResponse(shout(word))


urlpatterns = [path("words/<str:word>", word)]
django.conf.settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], SECRET_KEY="none", MIDDLEWARE=[])
tracehound.django.autolog()
serve_wsgi(get_wsgi_application())
