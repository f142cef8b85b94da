"""Let schemathesis ask a server what its OpenAPI document describes: ./dev described [EXAMPLES].

It sends of each operation so many requests that are as they should be, and such as are not, and looks whether each is
answered as the document says. There is a trace in the store, and a token that may do everything.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.server.guarded import OURS, fill
from tracehound.server.guard.rights import Role
from tracehound.server.guard.tokens import create_token
from tracehound.store.sqlite.store import SqliteStore

# What is in MessagePack or in frames is for our own SDK, and events have no end.
LEFT_OUT: Final = "^/api/v1/(store/|frames$|events$)"


def main(schemathesis: str, examples: str = "20", *options: str) -> int:
    """Run schemathesis against a server of its own, and return its exit code."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "described.db")
        store = SqliteStore(path)
        fill(store, OURS)
        token, _ = create_token(store, Role.ADMIN, "tests.described")
        store.close()
        arguments = [sys.executable, "-m", "tracehound", "server", "--port", "0", "--store", str(path)]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            found = re.search(r"http://\S+", server.stdout.readline())
            assert found is not None
            asking = [
                schemathesis, "run", f"{found[0]}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
                "--exclude-path-regex", LEFT_OUT,
                # No schema says which filters, orders and spans are right: these may be refused.
                "--exclude-checks", "positive_data_acceptance",
                "--max-examples", examples, "--no-color", "--seed", "1", *options,
            ]  # fmt: skip
            failed = subprocess.call(asking, cwd=folder)
            server.terminate()
            server.stdout.read()
    return failed


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
