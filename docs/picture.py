"""Draw docs/images/demo.svg, the picture of the README, from a real run: ./dev shell python docs/picture.py

The picture names no other host: the fonts are the reader's own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "images" / "demo.svg"
WIDTH = 110


def main() -> None:
    """Run the demo, and draw its last parts as a terminal shows them."""
    environment = {**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
    with tempfile.TemporaryDirectory() as folder:
        printed = subprocess.run(
            [sys.executable, "-m", "tracehound", "demo"],
            check=True,
            capture_output=True,
            text=True,
            cwd=folder,
            env=environment,
        ).stdout
    shown = printed[printed.index("2. Newest errors") :].split("The traces are kept")[0]
    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        console.print(Text.from_ansi(shown.rstrip()))
        drawing = console.export_svg(title="tracehound demo")
    PICTURE.write_text(re.sub(r"@font-face \{.*?\}", "", drawing, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    main()
