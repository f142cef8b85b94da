"""Files that several machines could mount are refused."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from tests.spool.test_trouble import needs_mount
from tracehound.errors import StoreError
from tracehound.runtime import Runtime
from tracehound.settings import read_settings
from tracehound.store import filesystem
from tracehound.store.filesystem import UNKNOWN, file_system_of, is_network, parse_mounts, refuse_network

MOUNTS = """\
22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
90 27 0:60 /home /home rw,relatime shared:5 master:2 - nfs4 nas.example:/home rw,vers=4.2,addr=10.0.0.9
91 90 0:61 / /home/ada/local rw - ext4 /dev/sdb1 rw
92 27 0:62 / /mnt/two\\040words rw - fuse.sshfs ada@host:/ rw,user_id=0
93 27 0:63 / /mnt/c rw - 9p drvfs rw,aname=drvfs
94 27 0:64 / /data rw - cifs //nas/data rw
95 94 0:65 / /data rw - xfs /dev/sdc1 rw
96 27 0:66 / /mnt/shared rw - virtiofs host rw
"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/tracehound.db", "ext4"),
        ("/home/ada/tracehound.db", "nfs4"),
        ("/home/ada/local/tracehound.db", "ext4"),
        ("/homestead/tracehound.db", "ext4"),
        ("/mnt/two words/deep/tracehound.db", "fuse.sshfs"),
        ("/mnt/c/tracehound.db", "9p"),
        ("/data/tracehound.db", "xfs"),  # the later mount hides the earlier
        ("/mnt/shared/tracehound.db", "virtiofs"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="paths of Linux")
def test_the_kind_is_that_of_the_longest_mount_point_above(path: str, kind: str) -> None:
    assert parse_mounts(MOUNTS, Path(path)) == kind


def test_without_a_table_of_mounts_the_kind_is_unknown_and_nothing_is_refused() -> None:
    assert parse_mounts("", Path("/tracehound.db")) == UNKNOWN
    assert not is_network(UNKNOWN)


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "fuse.sshfs", "fuse.glusterfs"])
def test_kinds_that_several_machines_mount_are_network_filesystems(kind: str) -> None:
    assert is_network(kind)


@pytest.mark.parametrize("kind", ["ext4", "xfs", "zfs", "tmpfs", "overlay", "apfs", "9p", "virtiofs", "fuseblk"])
def test_kinds_that_one_machine_mounts_are_not(kind: str) -> None:
    assert not is_network(kind)


@pytest.fixture
def on_nfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """No network file system can be mounted here: the answer of the system is put in its place."""
    monkeypatch.setattr(filesystem, "file_system_of", lambda path: "nfs4")


@pytest.mark.usefixtures("on_nfs")
def test_a_store_on_a_network_filesystem_is_refused_unless_that_is_permitted(tmp_path: Path) -> None:
    path = tmp_path / "shared.db"
    refused = Runtime(read_settings({"TRACEHOUND_TRACKING_URI": str(path)}))
    with pytest.raises(StoreError, match=r"shared\.db lies on a network filesystem \(nfs4\).*a local path"):
        refused.drained_store()
    assert not path.exists()
    settings = read_settings({"TRACEHOUND_TRACKING_URI": str(path), "TRACEHOUND_ALLOW_NETWORK_FILESYSTEM": "1"})
    permitted = Runtime(dataclasses.replace(settings, snapshot_after_s=0.0))
    assert permitted.drained_store().experiments() == []
    permitted.close()
    refused.close()


@needs_mount
def test_the_kind_of_a_real_mount_is_found_also_for_files_that_do_not_exist_yet(tmp_path: Path) -> None:
    folder = tmp_path / "two words"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", str(folder)], check=True)
    try:
        link = tmp_path / "link"
        link.symlink_to(folder)
        assert file_system_of(folder / "deep" / "tracehound.db") == "tmpfs"
        assert file_system_of(link / "tracehound.db") == "tmpfs"
        refuse_network(folder / "tracehound.db")
    finally:
        subprocess.run(["umount", str(folder)], check=True)
