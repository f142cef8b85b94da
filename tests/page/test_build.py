"""The page in what is built of the source, on machines without npm: it came along, or the server says it did not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.page.conftest import ROOT

STATIC = Path("src", "tracehound", "server", "static")
PAGE = "tracehound/server/static/index.html"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Copy what is under version control, without a built page."""
    named = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    folder = tmp_path / "source"
    for name in filter(None, named):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def build(kind: str, folder: Path) -> Path:
    """Build an sdist or a wheel as pip does it, where no npm is on PATH; return the file."""
    out, nothing = folder.parent / kind, folder.parent / "nothing"
    nothing.mkdir(exist_ok=True)
    code = f"import hatchling.build as backend; print(backend.build_{kind}({str(out)!r}))"
    environment = {**os.environ, "PATH": str(nothing)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return out / done.stdout.splitlines()[-1]


def test_an_sdist_has_the_page_and_a_wheel_made_of_it_without_npm_too(source: Path, tmp_path: Path) -> None:
    (source / STATIC / "assets").mkdir(parents=True)
    (source / STATIC / "index.html").write_text("<!doctype html>the page")
    (source / STATIC / "assets" / "index.js").write_text("1")
    with tarfile.open(build("sdist", source)) as packed:
        packed.extractall(tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    assert (unpacked / "PKG-INFO").exists()
    with zipfile.ZipFile(build("wheel", unpacked)) as wheel:
        assert wheel.read(PAGE) == b"<!doctype html>the page"
        assert "tracehound/server/static/assets/index.js" in wheel.namelist()


def test_a_wheel_of_the_source_without_npm_is_built_and_its_server_says_how_to_have_the_page(
    source: Path, tmp_path: Path
) -> None:
    installed = tmp_path / "installed"
    with zipfile.ZipFile(build("wheel", source)) as wheel:
        assert PAGE not in wheel.namelist()
        wheel.extractall(installed)
    code = (
        "import tracehound.server.page as page\n"
        f"assert page.__file__.startswith({str(installed)!r}), page.__file__\n"
        "import asyncio\n"
        "print(asyncio.run(page.give_page(None, None)).body.decode())"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True, capture_output=True, text=True
    )
    assert "The page was not built" in told.stdout
    assert "./dev page" in told.stdout
