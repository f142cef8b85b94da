"""Send a server what nobody would send: ./dev fuzz-server [MINUTES].

Requests for each row of the route table are made as they should be and then spoilt: bytes are flipped, cut out and
repeated, texts and numbers become others, bodies are packed, cut off or nested, headers are odd. Those who send have a
token that may do everything, one that is limited, or none. Each request has to be answered within some seconds, with
anything but 500; the log has to stay empty; and memory must not grow (`_judge`). What was wrong is printed, with the
seed that `--seed` repeats; then the exit code is 1.
"""

from __future__ import annotations

import argparse
import gzip
import http.client
import json
import random
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final
from urllib.parse import quote, urlencode

import psutil

from tests.server.guarded import NOBODY, OURS, THEIRS, address_for, fill, request_for
from tracehound.server.guard.rights import Role
from tracehound.server.guard.tokens import create_token
from tracehound.server.routes import ALL_ROUTES
from tracehound.server.rows import Right, Row
from tracehound.store.sqlite.store import SqliteStore

LONGEST_S: Final = 30.0
# Of memory, from the middle to the end: SQLite fills the caches of its connections, of 2 MB each, for about so long.
GROWTH_BYTES: Final = 12_000_000
PEAK_BYTES: Final = 100_000_000  # above the middle, for a moment: what six requests of 2 MB need while they are decoded
NOTED_EVERY_S: Final = 30.0
SENDERS: Final = 6
MOST_WRITTEN: Final = 3  # answers of each sender and row, but of those that only read
ROWS: Final = [row for row in ALL_ROUTES if not row.path.endswith("/events")]
_READING: Final = (Right.NONE, Right.ANY, Right.READ)
PIECES: Final = [
    "", "0", "-1", "1e999", "9" * 40, "null", "true", "[]", "{}", '""', "\0", "\ud800", "é", "🐕", "'", '"', "%00",
    "../..", "span(", "AND", "[" * 2_000, '{"a":' * 500, "x" * 20_000, "NaN", "tr-" + "0" * 32, "now()",
]  # fmt: skip
HEADERS: Final = {
    "Content-Encoding": ["gzip", "zstd", "deflate", "br", "identity", "gzip, gzip", "x" * 500],
    "Content-Type": [
        "application/json",
        "application/x-protobuf",
        "application/vnd.msgpack",
        "text/html",
        ";",
        "a/b;c",
    ],
    "Authorization": ["Bearer", "Basic", "Basic x", "Bearer \x80", "Digest a=b", "bearer " + "x" * 5_000],
    "Cookie": ["tracehound_session=x", "tracehound_session", ";;;=", "a=b; tracehound_session=é"],
    "Host": ["", "evil.example", "[", "localhost:x", "::"],
    "Origin": ["null", "http://evil.example", "\x80"],
    "Sec-Fetch-Site": ["cross-site", "same-origin", "x"],
    "x-mlflow-experiment-id": ["0", "-1", "x", "9" * 30],
    "x-tracehound-experiment": ["%", "%FF%00", "a" * 5_000, "é"],
    "x-mlflow-run-id": ["", "\x80"],
    "tracehound-spool": ["a/b", "", "s" * 300],
    "tracehound-segment": ["s", "a/b"],
    "tracehound-start": ["0", "-1", "9" * 30],
    "tracehound-end": ["0", "1", "x"],
    "Last-Event-ID": ["0", "x"],
    "Expect": ["100-continue"],
}


class Sender(threading.Thread):
    """Sends requests until the time is over, and notes what was wrong with the answers."""

    def __init__(self, seed: int, port: int, tokens: list[str | None], until_s: float) -> None:
        super().__init__()
        self._chance = random.Random(seed)
        self._port = port
        self._tokens = tokens
        self._until_s = until_s
        self._written: Counter[Row] = Counter()
        self.statuses: Counter[int] = Counter()
        self.slowest_s = 0.0
        self.wrong: list[str] = []

    def run(self) -> None:
        """Send and look."""
        while time.monotonic() < self._until_s:
            row = self._chance.choice(ROWS)
            if self._written[row] >= MOST_WRITTEN and row.right not in _READING:
                continue  # what grows then is the data
            method, path, body, headers = self._request(row)
            begun_s = time.monotonic()
            status = self._send(method, path, body, headers)
            took_s = time.monotonic() - begun_s
            self.statuses[status] += 1
            self._written[row] += status == 200
            self.slowest_s = max(self.slowest_s, took_s)
            if status == 500 or took_s > LONGEST_S:
                self.wrong.append(f"{status} after {took_s:.1f} s: {method} {path[:300]} {headers} {body[:300]!r}")

    def _request(self, row: Row) -> tuple[str, str, bytes, dict[str, str]]:
        chance = self._chance
        asked = request_for(row, chance.choice([OURS, OURS, THEIRS, NOBODY]))
        path, headers = address_for(row, chance.choice([OURS, OURS, THEIRS, NOBODY])), dict(asked.get("headers", {}))
        body = asked.get("content", b"")
        if "json" in asked:
            body, headers["Content-Type"] = json.dumps(self._other(asked["json"])).encode(), "application/json"
        body = body.encode() if isinstance(body, str) else body
        if asked.get("params"):
            path += "?" + urlencode({key: self._said(value) for key, value in asked["params"].items()}, doseq=True)
        if (token := chance.choice(self._tokens)) is not None:
            headers["Authorization"] = f"Bearer {token}"
        if chance.random() < 0.1:
            path += chance.choice(["/", "?", "?a", "&" + quote(chance.choice(PIECES), errors="replace"), "%2e%2e"])
        for _ in range(chance.choice([0, 0, 1, 2])):
            name = chance.choice(list(HEADERS))
            headers[name] = chance.choice(HEADERS[name])
        if body and chance.random() < 0.5:
            body = chance.choice(self._spoilers())(body)
        if body and chance.random() < 0.1:
            body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
        method = row.method if chance.random() < 0.95 else chance.choice(["GET", "POST", "PUT", "HEAD", "OPTIONS"])
        return method, path, body, headers

    def _other(self, value: Any) -> Any:
        """Return a value of JSON in which a few places hold something else."""
        chance = self._chance
        if chance.random() < 0.05:
            return chance.choice([None, True, -1, 2**63, 1.5e308, [], {}, *PIECES[:12], [[[[]]]], {"a": {"b": []}}])
        if isinstance(value, dict):
            return {key: self._other(each) for key, each in value.items() if chance.random() > 0.03}
        if isinstance(value, list):
            return [self._other(each) for each in value] * chance.choice([1, 1, 1, 0, 50])
        return value

    def _said(self, value: Any) -> Any:
        said = value if isinstance(value, (str, int)) else json.dumps(value)
        return said if self._chance.random() > 0.1 else self._chance.choice(PIECES).encode(errors="replace")

    def _spoilers(self) -> list[Callable[[bytes], bytes]]:
        chance = self._chance

        def flip(body: bytes) -> bytes:
            changed = bytearray(body)
            for _ in range(chance.randint(1, 5)):
                changed[chance.randrange(len(changed))] = chance.randrange(256)
            return bytes(changed)

        def cut(body: bytes) -> bytes:
            at, end = sorted(chance.randrange(len(body) + 1) for _ in range(2))
            return body[:at] + body[end:]

        def sow(body: bytes) -> bytes:
            at = chance.randrange(len(body) + 1)
            return body[:at] + chance.choice(PIECES).encode(errors="replace") + body[at:]

        return [flip, cut, sow, lambda body: body * chance.choice([2, 100]), lambda _: chance.randbytes(200)]

    def _send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> int:
        """Return the status of the answer; 0 where the connection was closed, 500 where no answer came."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=LONGEST_S * 2)
        try:
            encoded = {key: value.encode("utf-8", "replace") for key, value in headers.items()}
            connection.request(method, quote(path, safe="/?&=%:,.-_~+"), body, encoded)
            response = connection.getresponse()
            response.read()
        except TimeoutError:
            return 500
        except (OSError, http.client.HTTPException, ValueError):
            return 0
        finally:
            connection.close()
        return response.status


def main() -> int:
    """Send to a server of its own, and say how it fared."""
    parser = argparse.ArgumentParser()
    parser.add_argument("minutes", type=float, nargs="?", default=10.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "fuzzed.db")
        store = SqliteStore(path)
        for whose in (OURS, THEIRS):
            fill(store, whose)
        admin, limited = (create_token(store, Role.ADMIN, "fuzz", experiments=names)[0] for names in (None, ["ours"]))
        store.close()
        arguments = [sys.executable, "-m", "tracehound", "server", "--port", "0", "--store", str(path)]
        log = Path(folder, "log")
        with log.open("wb") as errors, subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=errors) as server:
            assert server.stdout is not None
            port = int(re.findall(rb":(\d+) ", server.stdout.readline())[0])
            until_s = time.monotonic() + asked.minutes * 60
            senders = [
                Sender(asked.seed + number, port, [admin, admin, limited, limited, None], until_s)
                for number in range(SENDERS)
            ]
            for each in senders:
                each.start()
            wrong = _watch(server, until_s, asked.minutes * 60)
            for each in senders:
                each.join()
            server.terminate()
            server.stdout.read()
        said = log.read_text(errors="replace")
    statuses = sum((each.statuses for each in senders), Counter[int]())
    wrong += [each for sender in senders for each in sender.wrong]
    faults = [line for line in said.splitlines() if line and "Invalid HTTP request received" not in line]
    wrong += ["the log says:", *faults[-40:]] if faults else []
    slowest_s = max(each.slowest_s for each in senders)
    print(f"{statuses.total():,} requests: {dict(sorted(statuses.items()))}")
    print(f"the slowest took {slowest_s:.1f} s; the seed was {asked.seed}")
    print("\n".join(wrong) or "all is well")
    return 1 if wrong else 0


def _watch(server: subprocess.Popen[bytes], until_s: float, length_s: float) -> list[str]:
    """Return what is wrong with the memory of a server, or that it has ended."""
    process = psutil.Process(server.pid)
    seen: list[int] = []
    begun_s = noted_s = time.monotonic()
    while time.monotonic() < until_s and server.poll() is None:
        seen.append(process.memory_info().rss)
        if time.monotonic() >= noted_s:
            print(f"after {noted_s - begun_s:4.0f} s {seen[-1] / 1e6:4.0f} MB", flush=True)
            noted_s += NOTED_EVERY_S
        time.sleep(min(0.5, length_s / 100))
    return _judge(seen) if server.poll() is None else ["the server has ended"]


def _judge(seen: list[int]) -> list[str]:
    """Return what is wrong with memory that was looked at so often.

    It may grow in the first half: nearly all is written there that ever is, and caches fill. In the second half as many
    requests are answered again, which leave nothing behind; so the median of its last tenth has to be that of the tenth
    before it. Medians, since a request in the midst of its work needs memory for a moment. How much that may be is
    looked at too: what is freed late, and not never, shows there.
    """
    tenth = max(1, len(seen) // 10)
    middle = median(seen[len(seen) // 2 - tenth : len(seen) // 2])
    end = median(seen[-tenth:])
    most = max(seen)
    print(f"memory: {middle / 1e6:.0f} MB in the middle, {end / 1e6:.0f} MB in the end, {most / 1e6:.0f} MB at most")
    wrong = ["memory has grown"] if end - middle > GROWTH_BYTES else []
    return wrong + (["memory was held too long"] if most - middle > PEAK_BYTES else [])


if __name__ == "__main__":
    sys.exit(main())
