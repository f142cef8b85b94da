"""Each outside dependency is imported in one room, so that changing it means changing one room."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import tracehound

SOURCE = Path(tracehound.__file__).parent
PROJECT = SOURCE.parents[1]

ROOMS = {
    "click": {"cli"},
    "clickhouse_connect": {"store"},
    "databricks": {"store"},
    "genai_prices": {"wire"},
    "google": {"wire"},
    "grpc": {"server"},
    "itsdangerous": {"server"},
    "msgspec": {"model"},
    "opentelemetry": {"capture"},
    "opentelemetry.proto": {"wire"},
    "numpy": {"client"},
    "pandas": {"client"},
    "polars": {"client"},
    "prometheus_client": {"server"},
    "pyarrow": {"client"},
    "re2": {"query"},
    "rich": {"client", "cli"},
    "sqlite3": {"store"},
    "starlette": {"server"},
    "urllib3": {"store"},  # whose errors databricks raises as they are
    "uvicorn": {"server"},
    "zstandard": {"wire"},
}
PROTO = "opentelemetry.proto"  # a distribution of its own, of generated messages alone


def test_each_outside_dependency_is_imported_in_one_room() -> None:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in SOURCE.rglob("*.py"):
        relative = path.relative_to(SOURCE)
        room = relative.parts[0].removesuffix(".py")
        for name in imported_packages(path):
            if name in ROOMS or name not in {*sys.stdlib_module_names, "tracehound"}:
                found[name].add(room)
    assert found == ROOMS


def test_only_settings_reads_the_environment() -> None:
    readers = [path.name for path in SOURCE.rglob("*.py") if "os.environ" in path.read_text("utf-8")]
    assert readers == ["settings.py"]


def test_only_the_span_processor_imports_the_sdk_of_opentelemetry() -> None:
    pattern = re.compile(r"^ *(from|import) opentelemetry\.sdk", re.MULTILINE)
    importers = [path.name for path in SOURCE.rglob("*.py") if pattern.search(path.read_text("utf-8"))]
    assert importers == ["sdk_processor.py"]


def test_imports_point_down_only() -> None:
    lint = "from importlinter.cli import lint_imports_command; lint_imports_command(['--no-cache'])"
    done = subprocess.run([sys.executable, "-c", lint], check=False, capture_output=True, text=True, cwd=PROJECT)
    assert done.returncode == 0, done.stdout


def test_a_room_opens_with_a_docstring_and_holds_nothing_else() -> None:
    for init in SOURCE.glob("*/**/__init__.py"):
        body = ast.parse(init.read_text("utf-8")).body
        assert len(body) == 1, init
        assert isinstance(body[0], ast.Expr), init


def imported_packages(path: Path) -> set[str]:
    """Return the top-level packages that a module imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(PROTO if node.module.startswith(f"{PROTO}.") else node.module.split(".")[0])
    return names - {"__future__"}
