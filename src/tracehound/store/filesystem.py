"""On which kind of file system a path lies.

SQLite's log needs memory that all processes of a file share, and locks that hold between them. A file system that
several machines mount has neither between the machines, and does not say so: files are damaged silently there. Those
are refused. Folders that a virtual machine shares with its host (9p, virtiofs, FUSE of Docker and WSL) are not: there
one machine writes as a rule, and where shared memory is missing SQLite says so when the file is opened.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

from tracehound.errors import StoreError

# By the names that Linux and macOS give them.
_NETWORK: Final = frozenset({
    "acfs", "afpfs", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "ftp", "glusterfs", "gpfs", "lustre",
    "ncpfs", "nfs", "nfs4", "orangefs", "panfs", "pvfs2", "smb2", "smb3", "smbfs", "webdav", "wekafs",
    "fuse.afp", "fuse.beegfs", "fuse.blobfuse", "fuse.blobfuse2", "fuse.ceph", "fuse.ceph-fuse", "fuse.curlftpfs",
    "fuse.cvmfs2", "fuse.davfs", "fuse.davfs2", "fuse.gcsfuse", "fuse.glusterfs", "fuse.goofys", "fuse.gvfsd-fuse",
    "fuse.juicefs", "fuse.lizardfs", "fuse.mfs", "fuse.moosefs", "fuse.mount-s3", "fuse.mountpoint-s3", "fuse.rclone",
    "fuse.s3fs", "fuse.seaweedfs", "fuse.smbnetfs", "fuse.sshfs",
})  # fmt: skip
UNKNOWN: Final = "unknown"
_REMOTE: Final = "remote drive"
_MOUNT: Final = re.compile(r"^\d+ \d+ \S+ \S+ (?P<point>\S+) [^\n]*? - (?P<kind>\S+) ", re.MULTILINE)


def refuse_network(path: Path) -> None:
    """Raise `StoreError` for a path on a file system that other machines can mount too."""
    kind = file_system_of(path)
    if is_network(kind):
        raise StoreError(
            f"{path} lies on a network filesystem ({kind}), where SQLite loses data without a word. Keep the file on a"
            " disk of this machine: name a local path by TRACEHOUND_TRACKING_URI, set_tracking_uri or --store. What"
            " several machines trace belongs on a server that one of them runs, not into a shared folder. If no other"
            " machine ever uses the file, TRACEHOUND_ALLOW_NETWORK_FILESYSTEM=1 permits it"
        )


def is_network(kind: str) -> bool:
    """Whether several machines can have a file system of this kind mounted at once.

    >>> is_network("nfs4"), is_network("ext4")
    (True, False)
    """
    return kind.lower() in _NETWORK or kind == _REMOTE


def file_system_of(path: Path) -> str:
    """Return the kind of file system that a path lies on, or will lie on; "unknown" where it cannot be told."""
    if sys.platform == "win32":
        return _REMOTE if _is_remote_drive(path) else UNKNOWN
    try:
        place = _nearest(path).resolve()
        if sys.platform == "darwin":
            return _file_system_of_macos(place)
        text = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return UNKNOWN
    return parse_mounts(text, place)


def parse_mounts(text: str, path: Path) -> str:
    """Return the kind of the mount that a path lies on, from the text of `/proc/self/mountinfo` (proc(5)).

    >>> parse_mounts("22 1 8:1 / / rw - ext4 /dev/sda1 rw\\n40 22 0:50 / /srv rw - nfs4 nas:/srv rw", Path("/srv/t.db"))
    'nfs4'
    """
    best, kind = -1, UNKNOWN
    for mount in _MOUNT.finditer(text):
        point = Path(_unescaped(mount["point"]))
        # The later of two mounts at one point hides the earlier.
        if len(point.parts) >= best and path.is_relative_to(point):
            best, kind = len(point.parts), mount["kind"]
    return kind


def _unescaped(point: str) -> str:
    """Return a mount point with its spaces: they are written as `\\040`."""
    return re.sub(r"\\([0-7]{3})", lambda found: chr(int(found[1], 8)), point)


def _nearest(path: Path) -> Path:
    """Return the path, or the first folder above it that exists."""
    return next((each for each in (path, *path.parents) if each.exists()), path)


if sys.platform == "win32":

    def _is_remote_drive(path: Path) -> bool:
        import ctypes

        anchor = path.resolve().anchor
        return anchor.startswith("\\\\") or ctypes.windll.kernel32.GetDriveTypeW(anchor) == 4  # DRIVE_REMOTE


if sys.platform == "darwin":
    import ctypes

    _MNT_LOCAL: Final = 0x1000

    class _StatFs(ctypes.Structure):
        """`struct statfs` of <sys/mount.h>, with inodes of 64 bits."""

        _fields_ = (
            ("bsize", ctypes.c_uint32), ("iosize", ctypes.c_int32), ("blocks", ctypes.c_uint64 * 5),
            ("fsid", ctypes.c_int32 * 2), ("owner", ctypes.c_uint32), ("type", ctypes.c_uint32),
            ("flags", ctypes.c_uint32), ("subtype", ctypes.c_uint32), ("name", ctypes.c_char * 16),
            ("mounted_on", ctypes.c_char * 1024), ("mounted_from", ctypes.c_char * 1024),
            ("rest", ctypes.c_uint32 * 8),
        )  # fmt: skip

    def _file_system_of_macos(path: Path) -> str:
        library = ctypes.CDLL(None, use_errno=True)
        function = getattr(library, "statfs$INODE64", None) or library.statfs
        found = _StatFs()
        if function(bytes(path), ctypes.byref(found)) != 0:
            return UNKNOWN
        kind = str(found.name.decode(errors="replace"))
        return kind if found.flags & _MNT_LOCAL or is_network(kind) else _REMOTE
