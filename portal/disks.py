"""What kind of disk a database lies on: SQLite must not be shared over a network."""

from __future__ import annotations

import re
from pathlib import Path

NETWORK_DISKS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ceph", "afs", "fuse.glusterfs", "fuse.sshfs"}
)
OCTAL = re.compile(r"\\([0-7]{3})")  # how the kernel writes a blank in a path


def disk_of(path: Path, mounts: str) -> str:
    """The kind of file system `path` lies on, from the text of /proc/mounts; '' if unknown."""
    best, kind = "", ""
    for line in mounts.splitlines():
        _, mount, filesystem, *_ = line.split(" ")
        mount = OCTAL.sub(lambda found: chr(int(found[1], 8)), mount)
        if path.is_relative_to(mount) and len(mount) >= len(best):
            best, kind = mount, filesystem
    return kind
