"""Traces of notebooks say which: in a real kernel of Jupyter, as servers, VS Code and nobody starts it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracehound
from tracehound.context.origin import SOURCE_NAME, SOURCE_TYPE

manager = pytest.importorskip("jupyter_client.manager", reason="jupyter_client is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

CELL = "import tracehound\nwith tracehound.start_span('cell'):\n    pass\nprint(tracehound.flush().stored)"
SERVER = "JPY_SESSION_NAME"


class Kernel:
    """A kernel as Jupyter starts it."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self._manager, self._client = manager.start_new_kernel(
            kernel_name="python3", cwd=str(folder), env={**os.environ, **environment}, startup_timeout=120
        )

    def run(self, code: str) -> str:
        """Run a cell; return what it printed."""
        printed: list[str] = []

        def take(message: dict[str, dict[str, str]]) -> None:
            printed.append(message["content"].get("text", ""))

        reply = self._client.execute_interactive(code, timeout=120, output_hook=take)
        assert reply["content"]["status"] == "ok", reply["content"]
        return "".join(printed)

    def end(self) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)


@pytest.fixture
def environment() -> dict[str, str]:
    """What the kernel is started with."""
    return {}


@pytest.fixture
def kernel(tmp_path: Path, store_path: Path, environment: dict[str, str]) -> Iterator[Kernel]:
    folder = tmp_path / "notebooks"
    folder.mkdir()
    kernel = Kernel(folder, {SERVER: "", "TRACEHOUND_TRACKING_URI": str(store_path), **environment})
    yield kernel
    kernel.end()


def origin() -> tuple[str, str]:
    (trace,) = tracehound.search_traces(return_type="list")
    return trace.info.trace_metadata[SOURCE_NAME], trace.info.trace_metadata[SOURCE_TYPE]


@pytest.mark.parametrize("environment", [{SERVER: "/home/ann/work/analysis.ipynb"}])
def test_a_server_tells_the_path_of_the_notebook(kernel: Kernel) -> None:
    assert kernel.run(CELL) == "1\n"
    assert origin() == ("analysis.ipynb", "NOTEBOOK")


@pytest.mark.parametrize("environment", [{SERVER: "6d2c8f1e-aaaa-4bbb-8ccc-1234567890ab"}])
def test_vs_code_tells_it_by_a_variable(kernel: Kernel) -> None:
    kernel.run("__vsc_ipynb_file__ = '/home/ann/work/ideas.ipynb'")
    kernel.run(CELL)
    assert origin() == ("ideas.ipynb", "NOTEBOOK")


def test_where_nobody_tells_it_is_a_notebook_all_the_same(kernel: Kernel) -> None:
    kernel.run(CELL)
    assert origin() == ("<notebook>", "NOTEBOOK")


@pytest.mark.parametrize("environment", [{SERVER: "/home/ann/work/analysis.ipynb"}])
def test_a_script_that_a_notebook_starts_is_none(kernel: Kernel, tmp_path: Path) -> None:
    script = tmp_path / "notebooks" / "shop.py"
    script.write_text(CELL)
    kernel.run("import subprocess, sys; subprocess.run([sys.executable, 'shop.py'], check=True)")
    assert origin() == ("shop.py", "LOCAL")
