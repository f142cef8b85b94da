"""What a traced call of OpenAI's chat costs its caller beyond an untraced one, against a server on loopback.

    ./dev shell python benchmarks/autolog_cost.py [--with-mlflow PYTHON]

The client's library is the real one. A process makes calls in rounds, untraced and traced in turns
(`tracehound.openai.autolog()` on and off), so that the ratios hold on a noisy machine; the overhead is the difference
of the two in the same round. The server is a process of its own that answers at once, always the same.

`PYTHON` is an interpreter that has MLflow and openai. The same calls, traced by `mlflow.openai.autolog()` into a SQLite
file, then run in a process of their own, round by round in turns with ours.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

CALLS: Final = 50
ROUNDS: Final = 30

SERVER: Final = r"""
import json, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
BODY = json.dumps({
    "id": "chatcmpl-1", "object": "chat.completion", "created": 1735689600, "model": "gpt-4o-mini-2024-07-18",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "It scatters."}}],
    "usage": {"prompt_tokens": 21, "completion_tokens": 5, "total_tokens": 26},
}).encode()
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(BODY)
class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.wfile.write(HEAD + BODY)
    def log_message(self, *arguments):
        pass
server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
print(server.server_port, flush=True)
server.serve_forever()
"""

# For each line of its input, "on" or "off": so many calls, traced or not; then what one took, in microseconds.
CALLER: Final = """
import importlib, logging, sys, time
name, port, store, calls = sys.argv[1:]
library = importlib.import_module(name)
import openai
logging.disable(logging.CRITICAL)
library.set_tracking_uri(store)
client = openai.OpenAI(api_key="none", base_url=f"http://127.0.0.1:{port}/v1")
messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Why is the sky blue?"}]
def ask(times):
    for _ in range(times):
        client.chat.completions.create(model="gpt-4o-mini", messages=messages, temperature=0.2)
for is_traced in (False, True):
    library.openai.autolog(disable=not is_traced)
    ask(20)
print("ready", flush=True)
for line in sys.stdin:
    library.openai.autolog(disable=line.strip() == "off")
    ask(2)
    begun = time.perf_counter()
    ask(int(calls))
    print((time.perf_counter() - begun) / int(calls) * 1e6, flush=True)
"""


def main() -> None:
    """Measure in turns, and print medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--with-mlflow", metavar="PYTHON", help="an interpreter that has MLflow and openai")
    python = parser.parse_args().with_mlflow
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = stack.enter_context(serving())
        callers = {"tracehound": calling(sys.executable, "tracehound", port, str(folder / "tracehound.db"), folder)}
        if python:
            path = str(Path(python).absolute())
            callers["mlflow"] = calling(path, "mlflow", port, f"sqlite:///{folder / 'mlflow.db'}", folder)
        asking = {name: stack.enter_context(caller) for name, caller in callers.items()}
        rounds = [
            {(name, state): ask(state) for name, ask in asking.items() for state in ("off", "on")}
            for _ in range(ROUNDS)
        ]
    show(rounds)


@contextmanager
def serving() -> Iterator[str]:
    """Run the server; give its port."""
    with subprocess.Popen([sys.executable, "-c", SERVER], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 - our own
        assert process.stdout is not None  # noqa: S101 - for the checker of types
        yield process.stdout.readline().strip()
        process.terminate()


@contextmanager
def calling(python: str, library: str, port: str, store: str, folder: Path) -> Iterator[Callable[[str], float]]:
    """Run a process that makes calls; give a function that returns what a call takes in a round of them."""
    environment = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"}
    command = [python, "-c", CALLER, library, port, store, str(CALLS)]
    pipe = subprocess.PIPE
    with subprocess.Popen(  # noqa: S603 - the user's own interpreter
        command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=folder
    ) as process:

        def ask(state: str) -> float:
            assert process.stdin is not None  # noqa: S101 - for the checker of types
            assert process.stdout is not None  # noqa: S101 - as above
            process.stdin.write(f"{state}\n")
            process.stdin.flush()
            return float(process.stdout.readline())

        assert process.stdout is not None  # noqa: S101 - as above
        while process.stdout.readline().strip() not in ("ready", ""):
            pass
        yield ask
        assert process.stdin is not None  # noqa: S101 - as above
        process.stdin.close()


def show(rounds: list[dict[tuple[str, str], float]]) -> None:
    """Print the medians of what calls took, and of the differences in the same round."""
    table = Table(box=None, title=f"a chat call, {CALLS} a round, {ROUNDS} rounds; µs, medians")
    for column in ("traced by", "untraced", "traced", "overhead", "of the untraced call"):
        table.add_column(column, justify="left" if column == "traced by" else "right")
    for name in dict.fromkeys(name for name, _ in rounds[0]):
        untraced = statistics.median(each[name, "off"] for each in rounds)
        traced = statistics.median(each[name, "on"] for each in rounds)
        overhead = statistics.median(each[name, "on"] - each[name, "off"] for each in rounds)
        table.add_row(name, f"{untraced:.0f}", f"{traced:.0f}", f"{overhead:.0f}", f"{overhead / untraced:.0%}")
    Console().print(table)


if __name__ == "__main__":
    main()
