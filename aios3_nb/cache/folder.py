"""Where the cache lies: in a folder that is the user's own, and nobody else's."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from aios3_nb.settings import Settings

_NAME = "aios3_nb"
_OBJECTS = "objects"
_LOCAL = frozenset(("bcachefs", "btrfs", "ext2", "ext3", "ext4", "f2fs", "overlay", "tmpfs", "xfs", "zfs"))
"""File systems of this very machine, as Linux calls them."""
_ALL_OTHERS = stat.S_IRWXG | stat.S_IRWXO


class UnfitFolderError(OSError):
    """The folder cannot be used: it is somebody else's, or others may look into it."""


def cache_folder(settings: Settings) -> Path:
    """Return the folder of the cached objects, whether it is there or not."""
    if settings.cache_dir is not None:
        return Path(settings.cache_dir).expanduser() / _NAME / _OBJECTS
    import platformdirs

    return platformdirs.user_cache_path(_NAME, appauthor=False) / _OBJECTS


def make_folder(folder: Path) -> None:
    """Make `folder`, for its user alone.

    Raises:
        UnfitFolderError: It is there, and others own it or may use it.
        OSError: It cannot be made.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)
    check_folder(folder)


def check_folder(folder: Path) -> None:
    """Return if `folder` is the user's own, and closed to others.

    Raises:
        UnfitFolderError: It is not.
        OSError: It is not there.
    """
    about = folder.stat()
    if hasattr(os, "getuid") and about.st_uid != os.getuid():
        raise UnfitFolderError(f"{folder} belongs to another user")
    if os.name == "posix" and about.st_mode & _ALL_OTHERS:
        raise UnfitFolderError(f"others may use {folder}; chmod go-rwx puts that right")


def is_on_local_disk(path: Path) -> bool:
    """Say whether `path` is known to lie on a disk of this machine.

    A process that has a file of a network file system in its memory is ended when another machine removes that file, as
    whoever makes room in the cache does. Only Linux tells.
    """
    try:
        lines = Path("/proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return False
    kinds: dict[str, str] = {}
    for line in lines:
        mounted, _, about = line.partition(" - ")
        kinds[mounted.split(" ")[4]] = about.split(" ")[0]
    real = path.resolve()
    return next((kinds[str(one)] for one in (real, *real.parents) if str(one) in kinds), "") in _LOCAL


def is_of_account(folder: Path) -> bool:
    """Say whether `folder` lies where caches lie in the home that the system's list of accounts gives.

    Variables of the environment say elsewhere where that is, and a repository that somebody cloned can set them.
    """
    try:
        import pwd

        home = Path(pwd.getpwuid(os.getuid()).pw_dir)
    except (ImportError, KeyError):  # Windows has no such list; a container may run as a user that nobody entered
        return False
    usual = (home / ".cache", home / "Library" / "Caches")
    return any(folder.resolve() == each.resolve() / _NAME / _OBJECTS for each in usual)
