"""Kill copies of stores, and make backups under load, and compare what is there: ./dev upkeep [ROUNDS].

In a round a store with something of everything is copied into a file or into a server, by a process that is killed at
random moments and started again, until one comes to its end; then both have to keep the same. Every other round the
server is killed as well. And a store is backed up while processes write to it: the backup is restored, and both have to
keep the same, with all that had returned before. The exit code is 1 where anything differs.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from rich.console import Console

from tests.cli.terminal import piped
from tests.forked import Program
from tests.ports import held_port
from tests.server.process import ServerProcess
from tests.spool.programs import ENDLESS, kill_after, start
from tests.store_contract.test_copies import KEPT, WAITING, kept
from tests.traces import part, span
from tracehound.client.copying import KIND
from tracehound.model.edit import Change, Edit, Facts
from tracehound.model.record import replace, to_msgpack
from tracehound.store.api import Store
from tracehound.store.remote.store import RemoteStore
from tracehound.store.sqlite.store import SqliteStore

# Copies as the command does, and waits after each step for a line.
_COPYING: Final = """
import sys
from tracehound.cli import copying, main

copy_store = copying.copy_store

def copy_step_by_step(source, target, name, copied, tell):
    def wait(traces):
        tell(traces)
        print("step", flush=True)
        sys.stdin.readline()

    copy_store(source, target, name, copied, wait)

copying.copy_store = copy_step_by_step
sys.argv = ["tracehound", "copy", {source!r}, {target!r}]
main.main()
"""


def held(store: Store) -> list[bytes]:
    """Return what a store keeps, in an order of its own, but for what is left of positions of copies."""
    mark = to_msgpack(Facts(KIND, "", {}, 0))[: len(b"\x95\xa5facts\xa4copy")]
    return [each for each in kept(store) if not each.startswith(mark)]


def fill(path: Path, traces: int, chance: random.Random) -> None:
    """Make a store with so many traces, and with everything else that stores keep."""
    changes: list[Change] = [*KEPT, *WAITING]
    for number in range(100, 100 + traces):
        root = span(1, number, name=chance.choice("abc"))
        child = replace(span(2, number, parent=1), inputs_json=f'"{"x" * chance.choice((10, 100, 5_000))}"')
        changes.append(part(root, child, experiment=chance.choice(("Default", "shop"))))
        if chance.random() < 0.2:
            changes.append(Edit(root.trace_id, "env", "prod", 7))
    chance.shuffle(changes)
    with contextlib.closing(SqliteStore(path)) as store:
        for at in range(0, len(changes), 500):
            store.write(changes[at : at + 500])


def copied_until_killed(source: Path, target: str, steps: int, *, in_a_step: bool) -> bool:
    """Copy in a process that is killed after so many steps, or in the one behind; whether it came to its end before."""
    environment = {**os.environ, "TRACEHOUND_STATE": str(source.with_name("state"))}
    process = Program(_COPYING.format(source=str(source), target=target), environment)
    with process.stdin, process.stdout:
        for step in range(1, steps + 1):
            if not process.stdout.readline().startswith("step"):
                break
            if step < steps or in_a_step:
                process.stdin.write("go on\n")
                process.stdin.flush()
        else:
            process.kill()
    ended_with = process.wait()
    assert ended_with in (0, -9), f"the copy ended with {ended_with}"
    return ended_with == 0


@contextlib.contextmanager
def _opened(target: str) -> Iterator[Store]:
    with tempfile.TemporaryDirectory() as folder:
        found = RemoteStore(target, Path(folder)) if target.startswith("http") else SqliteStore(Path(target))
        with contextlib.closing(found):
            yield found


def copy_with_kills(folder: Path, traces: int, chance: random.Random, *, into_server: bool) -> int:
    """Copy a store, killed at random moments, into an equal one; return how often it was killed."""
    source = folder / "from.db"
    fill(source, traces, chance)
    kills = 0
    with contextlib.ExitStack() as open_things:
        port = open_things.enter_context(held_port())
        server = ServerProcess(folder / "served.db", port=port) if into_server else None
        open_things.callback(lambda: server.kill() if server is not None else None)
        target = str(folder / "to.db") if server is None else server.url
        while not copied_until_killed(source, target, chance.randint(1, 3), in_a_step=chance.random() < 0.5):
            kills += 1
            if server is not None and chance.random() < 0.5:
                server.kill()
                server = ServerProcess(folder / "served.db", port=port)
        with contextlib.closing(SqliteStore(source)) as old, _opened(target) as new:
            assert held(new) == held(old), "the copy is not equal"
            assert new.facts(KIND) == {}
    return kills


def back_up_under_load(folder: Path, chance: random.Random) -> int:
    """Back a store up while processes write to it, restore that, and compare; return how many traces there are."""
    path, copy, place = folder / "busy.db", folder / "copy.db", folder / "restored.db"
    busy = [start(ENDLESS, path) for _ in range(2)]
    try:
        returned = [process.stdout.readline().strip() for process in busy for _ in range(chance.randint(1, 200))]
        done = piped("backup", str(copy), "--store", str(path))
        assert done.returncode == 0, done.stderr
    finally:
        for process in busy:
            kill_after(process, 0)
    done = piped("restore", str(copy), str(place))
    assert done.returncode == 0, done.stderr
    with contextlib.closing(SqliteStore(copy)) as before, contextlib.closing(SqliteStore(place)) as after:
        assert kept(after) == kept(before), "the restored store is not equal"
        found = after.read_traces(returned)
        assert len(found) == len(returned), "what had returned is missing"
        return len(found)


def main(arguments: list[str]) -> int:
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(prog="./dev upkeep", description="Kill copies and back up under load; compare.")
    parser.add_argument("rounds", type=int, nargs="?", default=20, help="how many rounds (20)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32), help="of the stores and the moments")
    asked = parser.parse_args(arguments)
    console = Console()
    console.print(f"seed {asked.seed}")
    chance = random.Random(asked.seed)
    kills = backed_up = 0
    for number in range(asked.rounds):
        with tempfile.TemporaryDirectory(prefix="tracehound-upkeep-") as folder:
            kills += copy_with_kills(Path(folder), chance.randint(500, 5_000), chance, into_server=number % 2 == 1)
            backed_up += back_up_under_load(Path(folder), chance)
        console.print(f"{number + 1} rounds: {kills} copies killed, {backed_up:,} traces restored; all equal")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
