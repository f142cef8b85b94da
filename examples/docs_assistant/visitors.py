"""The people who use the assistant: what they ask, in which sessions, of which version.

All of it follows from the seed. Chance decides who asks what; how long an answer takes and whether it fails is
decided by the answer alone.
"""

from __future__ import annotations

import bisect
import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeVar

from assistant import VERSIONS, Caller, Version

T = TypeVar("T")

QUESTIONS: Final = (
    "How do I remove common leading whitespace from every line?",
    "How can I merge several sorted inputs into one?",
    "Which class counts hashable items?",
    "How do I copy a file and its permission bits?",
    "How do I create a temporary directory?",
    "How do I parse a URL into its components?",
    "How do I format a date in ISO format?",
    "What computes the median of numeric data?",
    "How are two sequences compared line by line?",
    "How do I walk over the nodes of a syntax tree?",
    "How can I cache the results of a function?",
    "How do I convert the characters < and > for HTML?",
    "How do I shuffle a list in place?",
    "How do I read the rows of a CSV file as dictionaries?",
    "How do I pretty-print a nested data structure?",
    "How do I run a command and capture its output?",
    "How do I measure the execution time of a code snippet?",
    "What makes a relative path absolute?",
    "How do I compress bytes with gzip?",
    "How do I generate a secure random token?",
    "What is a weak reference good for?",
    "How do I find files matching a shell pattern?",
    "How do I split a string with shell-like syntax?",
    "How do threads wait until all of them have arrived?",
    "How do I sort the nodes of a graph topologically?",
    "How do I serialize an object to JSON?",
    "What tells whether a number is a power of two?",
    "How do I wrap a paragraph of text?",
    "How can I suppress an exception?",
    "How do I send log messages to a rotating file?",
    "How do I replace an attribute with a mock?",
    "What is the greatest common divisor?",
    "How do I extract a member of a zip archive?",
    "How do I iterate over a bounded queue?",
    "Wann backt Oma Sauerteigbrot?",
    "What does textwrap.shorten do with long text?",
    "Which arguments does json.dumps take?",
    "How do I call functools.reduce with an initial value?",
    "How do I call datetime.date for today?",
    "What does itertools.flatten return?",
    "Does statistics.median sort the data?",
    "What is `math.sqrt(2) * 10`?",
    "What is `7 / (3 - 3)`?",
    "What is `math.log(0)`?",
    "What is `math.factorial(20) / 2`?",
    "What is `2 +`?",
)

NAMES: Final = (
    "textwrap.dedent", "functools.lru_cache", "heapq.merge", "statistics.median", "max", "collections.Counter",
    "textwrap.shorten", "json.dumps", "math.hypot", "pathlib.Path", "math.pi", "difflib.get_close_matches",
    "itertools.groupby", "json.parse", "shutil.copytree", "dict", "statistics.linear_regression", "urllib2",
    "fractions.Fraction", "contextlib.supress", "range", "statistics.average", "asyncio.gather", "difflib.ndiff",
)  # fmt: skip

PAIRS: Final = (
    ("json.dumps", "pickle.dumps"), ("shutil.copy", "shutil.copy2"), ("math.fsum", "statistics.fmean"),
    ("textwrap.wrap", "textwrap.fill"), ("min", "max"), ("heapq.nlargest", "heapq.nsmallest"),
    ("os.walk", "glob.glob"), ("collections.OrderedDict", "collections.OrderedSet"), ("fnmatch.filter", "re.match"),
    ("statistics.mean", "math.mean"), ("datetime.date", "datetime.datetime"), ("copy.copy", "copy.deepcopy"),
)  # fmt: skip

MODULE_NAMES: Final = (
    "textwrap", "statistics", "json", "heapq", "pathlib", "argparse", "urllib2", "difflib", "logging", "shlex",
    "datetime.date", "unittest.mock", "csv", "cPickle", "weakref", "typing",
)  # fmt: skip

ENTRY_POINTS: Final = ("answer_question", "explain_name", "compare_names", "summarise_module")

# How often each user turns to each entry point.
HABITS: Final = {"ana": (8, 1, 1, 1), "ben": (4, 4, 1, 1), "chloe": (5, 1, 3, 1), "dev": (3, 3, 2, 2)}

# After which part of all requests each of VERSIONS is released.
RELEASED_AT: Final = (0.0, 0.2, 0.5)


@dataclass(frozen=True)
class Request:
    """One thing that is asked of one version of the assistant."""

    caller: Caller
    version: Version
    entry_point: str
    arguments: tuple[str, ...]


def requests(count: int, seed: int) -> Iterator[Request]:
    """Yield so many requests, in sessions of two to six, while version after version is released."""
    chance = random.Random(seed)
    supplies = {
        "answer_question": _supply(chance, [(question,) for question in QUESTIONS]),
        "explain_name": _supply(chance, [(name,) for name in NAMES]),
        "compare_names": _supply(chance, list(PAIRS)),
        "summarise_module": _supply(chance, [(name,) for name in MODULE_NAMES]),
    }
    asked = 0
    for session in itertools.count(1):
        user = chance.choice(list(HABITS))
        caller = Caller(user, f"{user}-{session:03}", "dev" if user == "dev" else "prod")
        version = VERSIONS[_release(chance, user, asked / max(count, 1))]
        for _ in range(chance.randint(2, 6)):
            if asked >= count:
                return
            asked += 1
            entry_point = chance.choices(ENTRY_POINTS, HABITS[user])[0]
            yield Request(caller, version, entry_point, next(supplies[entry_point]))


def _supply(chance: random.Random, things: list[T]) -> Iterator[T]:
    """Return an endless iterator over things in an order of chance."""
    return itertools.cycle(chance.sample(things, len(things)))


def _release(chance: random.Random, user: str, progress: float) -> int:
    """Return the place in VERSIONS of what a user runs: dev is one release ahead, a few others are one behind."""
    newest = bisect.bisect(RELEASED_AT, progress) - 1
    if user == "dev":
        return min(newest + 1, len(VERSIONS) - 1)
    return max(newest - 1, 0) if chance.random() < 0.2 else newest
