"""Where traces come from, as their metadata say it: the program, its repository, the user of the machine."""

from __future__ import annotations

import getpass
import os
import subprocess
import sys
import zipapp
from pathlib import Path

import pytest

import tracehound
from tracehound.context.origin import GIT_BRANCH, GIT_COMMIT, GIT_URL, SOURCE_NAME, SOURCE_TYPE, USER, read_repository

PROGRAM = """
import sys
import tracehound

def main(name="answer"):
    with tracehound.start_span(name):
        pass

if __name__ == "__main__":
    main()
"""


def git(folder: Path, *arguments: str) -> str:
    """Run git without what the machine has set for it."""
    folder.mkdir(exist_ok=True)
    identity = {f"GIT_{who}_{what}": "x@y.test" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1", **identity}
    command = ["git", "-c", "protocol.file.allow=always", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def make_repository(folder: Path, branch: str = "main") -> str:
    """Make a repository with one commit; return that."""
    git(folder, "init", "-q", "-b", branch)
    (folder / "shop.py").write_text(PROGRAM)
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    return git(folder, "rev-parse", "HEAD").strip()


def execute(*command: str, cwd: Path | None = None, **environment: str) -> None:
    subprocess.run([sys.executable, *command], cwd=cwd, env={**os.environ, **environment}, check=True)


def origins() -> dict[str, dict[str, str]]:
    """Return the metadata of where the traces in the store of the test come from, by their names."""
    known = {SOURCE_NAME, SOURCE_TYPE, GIT_COMMIT, GIT_BRANCH, GIT_URL, USER}
    return {
        trace.info.tags["mlflow.traceName"]: {
            key: value for key, value in trace.info.trace_metadata.items() if key in known
        }
        for trace in tracehound.search_traces(return_type="list")
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    return tmp_path / "shop"


@pytest.fixture(autouse=True)
def children_write_to_the_store_of_the_test(store_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACEHOUND_TRACKING_URI", str(store_path))


# The repository


def test_a_branch_is_known_with_its_commit(repository: Path) -> None:
    commit = make_repository(repository, "feature/new-retriever")
    below = repository / "a" / "b"
    below.mkdir(parents=True)
    assert read_repository([below]) == {GIT_COMMIT: commit, GIT_BRANCH: "feature/new-retriever"}


def test_a_detached_head_has_no_branch(repository: Path) -> None:
    commit = make_repository(repository)
    git(repository, "checkout", "-q", "--detach")
    assert read_repository([repository]) == {GIT_COMMIT: commit}


def test_references_may_be_packed(repository: Path) -> None:
    commit = make_repository(repository)
    git(repository, "tag", "-a", "-m", "release", "v1")
    git(repository, "branch", "not-main")
    git(repository, "pack-refs", "--all")
    assert not (repository / ".git" / "refs" / "heads" / "main").exists()
    assert read_repository([repository])[GIT_COMMIT] == commit


def test_a_reference_beside_the_packed_ones_is_the_newer(repository: Path) -> None:
    make_repository(repository)
    git(repository, "pack-refs", "--all")
    git(repository, "commit", "-q", "--allow-empty", "-m", "second")
    assert read_repository([repository])[GIT_COMMIT] == git(repository, "rev-parse", "HEAD").strip()


def test_a_worktree_has_a_branch_and_a_commit_of_its_own(repository: Path, tmp_path: Path) -> None:
    first = make_repository(repository)
    git(repository, "remote", "add", "origin", "https://git.test/shop.git")
    other = tmp_path / "other"
    git(repository, "worktree", "add", "-q", "-b", "side", str(other))
    git(other, "commit", "-q", "--allow-empty", "-m", "second")
    second = git(other, "rev-parse", "HEAD").strip()
    url = "https://git.test/shop.git"
    assert read_repository([other]) == {GIT_COMMIT: second, GIT_BRANCH: "side", GIT_URL: url}
    assert read_repository([repository]) == {GIT_COMMIT: first, GIT_BRANCH: "main", GIT_URL: url}


def test_a_submodule_is_a_repository_of_its_own(repository: Path, tmp_path: Path) -> None:
    library = tmp_path / "library"
    commit = make_repository(library, "trunk")
    make_repository(repository)
    git(repository, "submodule", "--quiet", "add", str(library), "lib")
    found = read_repository([repository / "lib"])
    assert found == {GIT_COMMIT: commit, GIT_BRANCH: "trunk", GIT_URL: str(library)}


def test_a_repository_without_commits_has_a_branch_only(repository: Path) -> None:
    git(repository, "init", "-q", "-b", "main")
    assert read_repository([repository]) == {GIT_BRANCH: "main"}


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://ann:secret@git.test/shop.git", "https://git.test/shop.git"),
        ("https://ann:s3c@ret@git.test/shop.git", "https://git.test/shop.git"),
        ("https://token@git.test/shop.git", "https://git.test/shop.git"),
        ("https://git.test/ann@home/shop.git", "https://git.test/ann@home/shop.git"),
        ("git@git.test:ann/shop.git", "git@git.test:ann/shop.git"),
        ("/srv/git/shop.git", "/srv/git/shop.git"),
    ],
)
def test_the_url_is_that_of_the_origin_and_has_no_credentials(repository: Path, url: str, shown: str) -> None:
    make_repository(repository)
    git(repository, "remote", "add", "mirror", "https://mirror.test/shop.git")
    git(repository, "remote", "add", "origin", url)
    assert read_repository([repository])[GIT_URL] == shown


def test_without_an_origin_it_is_that_of_the_first_remote(repository: Path) -> None:
    make_repository(repository)
    git(repository, "remote", "add", "upstream", "https://git.test/shop.git")
    git(repository, "remote", "add", "mirror", "https://mirror.test/shop.git")
    assert read_repository([repository])[GIT_URL] == "https://git.test/shop.git"


@pytest.mark.parametrize(
    "damage",
    [
        {"HEAD": None},
        {"HEAD": "\udcff"},
        {"config": "[remote\nurl"},
        {"commondir": "../\0"},
    ],
    ids=str,
)
def test_a_repository_that_cannot_be_read_is_none_or_says_less(repository: Path, damage: dict[str, str | None]) -> None:
    commit = make_repository(repository)
    for name, text in damage.items():
        path = repository / ".git" / name
        path.unlink() if text is None else path.write_bytes(text.encode("utf-8", "surrogateescape"))
    expected = {GIT_COMMIT: commit, GIT_BRANCH: "main"} if "config" in damage else {}
    assert read_repository([repository]) == expected


def test_outside_of_a_repository_nothing_is_known(tmp_path: Path) -> None:
    assert read_repository([tmp_path, tmp_path / "not there"]) == {}


# The program


def test_a_script_is_known_by_its_name_and_its_repository(repository: Path) -> None:
    commit = make_repository(repository)
    execute("shop/shop.py")
    assert origins() == {
        "answer": {
            SOURCE_NAME: "shop.py", SOURCE_TYPE: "LOCAL", USER: getpass.getuser(),
            GIT_COMMIT: commit, GIT_BRANCH: "main",
        }
    }  # fmt: skip


def test_a_module_is_known_by_its_own_name(repository: Path) -> None:
    commit = make_repository(repository)
    (repository / "__main__.py").write_text("from shop.shop import main; main('package')")
    execute("-m", "shop.shop")
    execute("-m", "shop")
    found = origins()
    assert {name: each[SOURCE_NAME] for name, each in found.items()} == {"answer": "shop.shop", "package": "shop"}
    assert found["answer"][GIT_COMMIT] == commit


def test_a_statement_is_known_by_the_repository_that_it_runs_in(repository: Path) -> None:
    commit = make_repository(repository)
    execute("-c", "import shop; shop.main()", cwd=repository)
    assert (origins()["answer"][SOURCE_NAME], origins()["answer"][GIT_COMMIT]) == ("<console>", commit)


def test_a_packed_program_is_known_by_the_name_of_its_file(tmp_path: Path) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    (packed / "shop.py").write_text(PROGRAM)
    zipapp.create_archive(packed, tmp_path / "shop.pyz", main="shop:main")
    execute("shop.pyz")
    assert origins()["answer"][SOURCE_NAME] == "shop.pyz"


def test_a_program_may_change_its_folder_and_its_arguments(repository: Path, tmp_path: Path) -> None:
    commit = make_repository(repository)
    gone = tmp_path / "gone"
    gone.mkdir()
    (repository / "moved.py").write_text(
        f"import os, sys, shop; os.chdir({str(gone)!r}); sys.argv[:] = ['else']; shop.main()"
    )
    (repository / "lost.py").write_text(
        f"import os, sys, shop; os.chdir({str(gone)!r}); os.rmdir(os.getcwd()); sys.argv.clear(); shop.main('lost')"
    )
    execute("shop/moved.py")
    if sys.platform != "win32":  # where the folder that one is in stays
        execute("shop/lost.py")
    for name, origin in origins().items():
        assert origin[GIT_COMMIT] == commit
        assert origin[SOURCE_NAME] == ("moved.py" if name == "answer" else "lost.py")


def test_what_a_program_says_itself_goes_before(repository: Path) -> None:
    make_repository(repository)
    said = {SOURCE_NAME: "custom_name", SOURCE_TYPE: "production", GIT_COMMIT: "abc", USER: "ann"}
    (repository / "said.py").write_text(
        "import tracehound\nwith tracehound.start_span('said'):\n"
        f"    tracehound.update_current_trace(metadata={said!r})\n"
    )
    execute("shop/said.py")
    assert origins() == {"said": {**said, GIT_BRANCH: "main"}}


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_children_come_from_the_program_that_began_them(repository: Path, way: str) -> None:
    if way == "fork" and not hasattr(os, "fork"):
        pytest.skip("there is no fork here")
    commit = make_repository(repository)
    (repository / "parent.py").write_text(
        "import multiprocessing, shop\n"
        "if __name__ == '__main__':\n"
        "    shop.main('parent')\n"
        f"    child = multiprocessing.get_context({way!r}).Process(target=shop.main, args=('child',))\n"
        "    child.start(); child.join(); raise SystemExit(child.exitcode)\n"
    )
    execute("shop/parent.py")
    found = origins()
    assert found["child"] == found["parent"]
    assert (found["child"][SOURCE_NAME], found["child"][GIT_COMMIT]) == ("parent.py", commit)


def test_a_segment_whose_first_frame_is_damaged_loses_the_origin_and_no_trace(
    store_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    program = "import os, tracehound\nwith tracehound.start_span('kept'): pass\nos._exit(0)"
    execute("-c", program, TRACEHOUND_TRACKING_URI=str(store_path))
    (segment,) = store_path.with_name("tracehound.db-spool").glob("*.seg")
    content = bytearray(segment.read_bytes())
    content[20] ^= 0xFF
    segment.write_bytes(content)
    assert origins() == {"kept": {}}
    assert "damaged bytes of the spool were set aside" in caplog.text
