"""What `import tracehound` costs, in modules."""

from __future__ import annotations

import subprocess
import sys

# What a program that only traces must not pay for.
HEAVY = [
    "asyncio",
    "click",
    "google.protobuf",
    "msgspec",
    "numpy",
    "opentelemetry",
    "pandas",
    "rich",
    "sqlite3",
    "starlette",
]


def test_import_loads_nothing_but_the_table_of_names() -> None:
    loaded = modules_after("import tracehound")
    assert [name for name in loaded if name.startswith("tracehound")] == ["tracehound"]
    assert not set(HEAVY) & set(loaded)


def test_tracing_a_function_loads_no_store_no_frames_and_no_terminal() -> None:
    loaded = set(modules_after("import tracehound; tracehound.trace(print)"))
    assert not {"asyncio", "click", "numpy", "pandas", "rich", "sqlite3"} & loaded
    assert "tracehound.client.search" not in loaded


def test_the_tracer_provider_loads_no_sdk() -> None:
    loaded = modules_after("import tracehound; tracehound.tracing.get_tracer_provider()")
    assert "opentelemetry.trace" in loaded
    assert not [name for name in loaded if name.startswith("opentelemetry.sdk")]


def test_capture_loads_few_of_our_modules() -> None:
    loaded = modules_after("import tracehound; tracehound.trace; tracehound.update_current_trace")
    assert len([name for name in loaded if name.startswith("tracehound")]) < 50


def modules_after(statement: str) -> list[str]:
    output = run(f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))")
    return output.split()


def run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
