"""The text that questions are asked of: the documentation strings of Python's standard library.

Each docstring is cut at its blank lines into passages of a readable length. A passage knows the dotted name it
documents, by which tools can find the documented object again.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Final

# Modules that every platform has and that do nothing when they are imported.
MODULES: Final = (
    "argparse", "ast", "asyncio", "base64", "bisect", "calendar", "cmd", "codecs", "collections", "collections.abc",
    "colorsys", "concurrent.futures", "configparser", "contextlib", "contextvars", "copy", "csv", "dataclasses",
    "datetime", "decimal", "difflib", "dis", "email.message", "enum", "filecmp", "fileinput", "fnmatch", "fractions",
    "functools", "getopt", "gettext", "glob", "graphlib", "gzip", "hashlib", "heapq", "hmac", "html", "html.parser",
    "http.client", "http.cookies", "inspect", "io", "ipaddress", "itertools", "json", "linecache", "locale",
    "logging", "mailbox", "math", "mimetypes", "operator", "optparse", "os", "pathlib", "pickle", "platform",
    "plistlib", "pprint", "queue", "random", "re", "reprlib", "sched", "secrets", "selectors", "shelve", "shlex",
    "shutil", "socketserver", "statistics", "string", "struct", "subprocess", "tarfile", "tempfile", "textwrap",
    "threading", "time", "timeit", "tokenize", "traceback", "types", "typing", "unittest", "unittest.mock",
    "urllib.parse", "urllib.request", "uuid", "warnings", "weakref", "xml.etree.ElementTree", "zipfile",
)  # fmt: skip

PASSAGE_CHARACTERS: Final = 300

_SENTENCE_END: Final = re.compile(r"(?<=[.?!:])\s+|\n\n+")


@dataclass(frozen=True)
class Passage:
    """A piece of the docstring of `name`, an object of `module`; `part` counts the pieces from 0."""

    module: str
    name: str
    part: int
    text: str


def read_passages() -> Iterator[Passage]:
    """Import every module there is and yield the passages of what it documents, each text once."""
    seen: set[str] = set()
    for module_name in MODULES:
        try:
            module = importlib.import_module(module_name)
        except ImportError:  # a Python that was built without it
            continue
        for name, documented in _documented_objects(module):
            text = getattr(documented, "__doc__", None)
            if isinstance(text, str) and text not in seen:
                seen.add(text)
                pieces = split_text(inspect.cleandoc(text))
                yield from (Passage(module_name, name, part, piece) for part, piece in enumerate(pieces))


def split_text(text: str) -> list[str]:
    """Return the paragraphs of a text, neighbours joined as long as they are short together.

    >>> split_text("One.\\n\\nTwo.")
    ['One.\\n\\nTwo.']
    """
    pieces: list[str] = []
    for paragraph in filter(None, (each.strip("\n") for each in text.split("\n\n"))):
        if pieces and len(pieces[-1]) + len(paragraph) <= PASSAGE_CHARACTERS:
            pieces[-1] = f"{pieces[-1]}\n\n{paragraph}"
        else:
            pieces.append(paragraph)
    return pieces


def split_sentences(text: str) -> list[str]:
    """Return the sentences of a text, as far as points and blank lines tell.

    >>> split_sentences("See below. It is easy.")
    ['See below.', 'It is easy.']
    """
    return _SENTENCE_END.split(text)


def _documented_objects(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield a module, its public functions and classes, and the public methods of those, by dotted name."""
    yield module.__name__, module
    # What is no entry of `vars` is made when it is asked for, often with a deprecation warning: leave it alone.
    members = vars(module)
    for name in getattr(module, "__all__", [key for key in members if _is_own(module, key)]):
        member = members.get(name)
        if inspect.isclass(member) or inspect.isroutine(member):
            yield f"{module.__name__}.{name}", member
        if inspect.isclass(member):
            for key, attribute in vars(member).items():
                if not key.startswith("_") and (inspect.isroutine(attribute) or isinstance(attribute, property)):
                    yield f"{module.__name__}.{name}.{key}", attribute


def _is_own(module: ModuleType, name: str) -> bool:
    return not name.startswith("_") and getattr(vars(module)[name], "__module__", None) == module.__name__
