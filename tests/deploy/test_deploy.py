"""The Dockerfile and the unit of systemd are as their own tools want them, and speak of what there is.

`./dev deploy` brings hadolint and runs all of these; without it, what needs a tool that is not there is left out.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.terminal import piped
from tracehound.server.routes import ALL_ROUTES
from tracehound.settings import STATE, TRACKING_URI

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCKERFILE = DEPLOY / "Dockerfile"
UNIT = DEPLOY / "tracehound.service"
HADOLINT = os.environ.get("TRACEHOUND_HADOLINT")
SYSTEMD = shutil.which("systemd-analyze")
MOST_EXPOSED = 2.0  # of 10, by systemd's own measure

needs_systemd = pytest.mark.skipif(SYSTEMD is None, reason="there is no systemd-analyze here")


@pytest.mark.skipif(HADOLINT is None, reason="./dev deploy brings hadolint")
def test_the_dockerfile_is_without_fault() -> None:
    done = subprocess.run([str(HADOLINT), str(DOCKERFILE)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout


def unit_for_here(folder: Path) -> Path:
    """Return the unit with a program that is here in the place of ours: systemd looks whether there is one."""
    unit = folder / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text()))
    return unit


@needs_systemd
def test_systemd_takes_the_unit_as_it_is(tmp_path: Path) -> None:
    unit = unit_for_here(tmp_path)
    done = subprocess.run([str(SYSTEMD), "verify", str(unit)], capture_output=True, text=True, check=False)
    about_ours = [line for line in done.stderr.splitlines() if UNIT.stem in line]
    assert (done.returncode, about_ours) == (0, []), done.stderr


@needs_systemd
def test_systemd_finds_the_service_hardened(tmp_path: Path) -> None:
    command = [str(SYSTEMD), "security", "--offline=yes", "--json=short", "--threshold", str(int(MOST_EXPOSED * 10))]
    done = subprocess.run([*command, str(unit_for_here(tmp_path))], capture_output=True, text=True, check=False)
    open_doors = [each["name"] for each in json.loads(done.stdout) if not each["set"]] if done.stdout else []
    assert done.returncode == 0, (done.stderr, open_doors)


def test_both_run_a_command_that_there_is_on_a_path_that_there_is() -> None:
    dockerfile, unit = DOCKERFILE.read_text(), UNIT.read_text()
    from_image = json.loads(re.findall(r"(?m)^CMD (\[.*\])$", dockerfile)[-1])
    from_unit = shlex.split(re.findall(r"(?m)^ExecStart=\S+ (.*)$", unit)[0])
    help_of_server = piped("server", "--help").stdout.decode()
    for arguments in (from_image, from_unit):
        assert arguments[0] == "server"
        assert all(each in help_of_server for each in arguments if each.startswith("--"))
    for text in (dockerfile, unit):
        assert f"{TRACKING_URI}=" in text
        assert f"{STATE}=" in text
    asked = re.findall(r"5000(/\w+)'", dockerfile)
    assert asked == [row.path for row in ALL_ROUTES if row.path == "/ready"]


def test_the_image_runs_as_nobody_special_and_keeps_its_data_in_a_volume() -> None:
    last_stage = DOCKERFILE.read_text().rpartition("\nFROM ")[2]
    assert re.search(r"(?m)^USER (\d+)$", last_stage)
    assert re.search(r"(?m)^VOLUME /data$", last_stage)
    assert re.search(r"(?m)^HEALTHCHECK ", last_stage)


def test_the_image_is_not_built_from_what_is_made_anew() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {".git", ".venv*", "**/node_modules", "src/tracehound/server/static"} <= set(ignored)
