"""Where traces come from: the program, the state of its repository, the user of the machine.

It is worked out once a process. The repository is read as git keeps it on disk, without running git: that of the
folder that the program lies in, else that of the working directory.
"""

from __future__ import annotations

import configparser
import getpass
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from tracehound.model.values import clean_text
from tracehound.settings import is_databricks, notebook_path

SOURCE_NAME: Final = "mlflow.source.name"
SOURCE_TYPE: Final = "mlflow.source.type"
GIT_COMMIT: Final = "mlflow.source.git.commit"
GIT_BRANCH: Final = "mlflow.source.git.branch"
GIT_URL: Final = "mlflow.source.git.repoURL"
USER: Final = "mlflow.user"

_NO_FILES: Final = frozenset({"", "-", "-c", "-m"})  # what stands in the place of a script
_BRANCH: Final = "ref: refs/heads/"
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/]*@")


def read_origin() -> dict[str, str]:
    """Return what is known of this process, under MLflow's names of metadata; what is not known is left out."""
    notebook = _notebook()
    if notebook is not None:
        program, kind, name = notebook, "NOTEBOOK", notebook.name or "<notebook>"
    else:
        program, kind = _script(), "LOCAL"
        name = _module_name() or program.name or "<console>"
    if is_databricks():
        path, is_job = _databricks_notebook()
        name = path or name
        kind = "JOB" if is_job else "NOTEBOOK" if path else kind
    folders = [program.parent] if program.is_absolute() else []
    found = {
        SOURCE_NAME: name,
        SOURCE_TYPE: kind,
        USER: _user(),
        **read_repository([*folders, Path()]),
    }
    return {key: clean_text(value) for key, value in found.items() if value}


def read_repository(folders: list[Path]) -> dict[str, str]:
    """Return commit, branch and URL of the repository that the first possible of the folders lies in.

    >>> read_repository([])
    {}
    """
    return next((found for folder in folders if (found := _read_repository_of(folder))), {})


def _read_repository_of(folder: Path) -> dict[str, str]:
    try:
        places = [place / ".git" for place in (folder.resolve(), *folder.resolve().parents)]
        git = next((place for place in places if place.exists()), None)
        return {} if git is None else {key: value for key, value in _read_git(git).items() if value}
    except (OSError, ValueError, RuntimeError):  # what cannot be read is none: no rights, a folder that is gone, a loop
        return {}


def without_credentials(url: str) -> str:
    """Return a URL without the name and the password that may stand in it.

    >>> without_credentials("https://ann:secret@example.org/shop.git")
    'https://example.org/shop.git'
    """
    return _CREDENTIALS.sub("", url)


def _read_git(folder: Path) -> dict[str, str]:
    if folder.is_file():  # of a worktree or a submodule: the file says where the folder is
        folder = folder.parent / folder.read_text("utf-8").removeprefix("gitdir:").strip()
    shared = folder
    if (folder / "commondir").exists():
        shared = folder / (folder / "commondir").read_text("utf-8").strip()
    head = (folder / "HEAD").read_text("utf-8").strip()
    found = {GIT_URL: _remote_url(shared / "config")}
    if head.startswith(_BRANCH):
        found[GIT_BRANCH] = head.removeprefix(_BRANCH)
    found[GIT_COMMIT] = _commit_of(head, folder, shared)
    return found


def _commit_of(head: str, folder: Path, shared: Path) -> str:
    """Return the commit that HEAD means; "" for a branch that has none yet."""
    if not head.startswith("ref:"):
        return head
    name = head.removeprefix("ref:").strip()
    for place in (folder, shared):
        if (place / name).is_file():
            return (place / name).read_text("utf-8").strip()
    packed = shared / "packed-refs"
    lines = packed.read_text("utf-8").splitlines() if packed.exists() else []
    return next((line.split(" ")[0] for line in lines if line.endswith(f" {name}")), "")


def _remote_url(config: Path) -> str:
    """Return the URL of the remote that is called origin, or else of the first."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(config.read_text("utf-8"))
    except (OSError, configparser.Error):
        return ""
    remotes = [section for section in parser.sections() if section.startswith('remote "')]
    remotes.sort(key=lambda section: section != 'remote "origin"')
    urls = [url for section in remotes if (url := parser.get(section, "url", fallback=None))]
    return without_credentials(urls[0]) if urls else ""


def _script() -> Path:
    """Return the file that Python was started with; an empty path where there is none.

    The module knows it by its whole path, also after the program has changed its folder or its arguments. Packed
    programs (`app.pyz`) are no files to their modules.
    """
    known = getattr(sys.modules.get("__main__"), "__file__", None)
    for name in (known, *sys.argv[:1]):
        if isinstance(name, str) and name not in _NO_FILES and (path := Path(name).absolute()).is_file():
            return path
    return Path()


def _module_name() -> str:
    """Return the module that was started with `python -m`, if one was."""
    spec = getattr(sys.modules.get("__main__"), "__spec__", None)
    name = getattr(spec, "name", None)
    return name.removesuffix(".__main__") if isinstance(name, str) and name != "__main__" else ""  # of a packed program


def _notebook() -> Path | None:
    """Return the path of the notebook that this is, empty where it is not known; None for anything else."""
    variables = _notebook_variables()
    if variables is None:
        return None
    path = variables.get("__vsc_ipynb_file__") or notebook_path()
    return Path(path) if isinstance(path, str) else Path()


def _notebook_variables() -> Mapping[str, Any] | None:
    """Return the variables of the user of a notebook; None where this is none."""
    if "IPython" not in sys.modules or "ipykernel" not in sys.modules:
        return None
    shell = sys.modules["IPython"].get_ipython()
    if shell is None or type(shell).__name__ != "ZMQInteractiveShell":
        return None
    variables: Mapping[str, Any] = shell.user_ns
    return variables


def _databricks_notebook() -> tuple[str, bool]:
    """Return the path of a notebook of Databricks, "" without one, and whether a job runs it."""
    tools = (_notebook_variables() or vars(sys.modules["__main__"])).get("dbutils")
    try:
        context = tools.notebook.entry_point.getDbutils().notebook().getContext()  # type: ignore[union-attr] # or not
        return str(context.notebookPath().get()), context.jobId().isDefined()
    except Exception:  # noqa: BLE001 - whatever that is, it is no notebook
        return "", False


def _user() -> str:
    """Return the user that the process runs as; "" where the system has no name for it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
