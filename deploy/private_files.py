"""Files and folders of the product that no other user of the machine can read or replace."""

import os
import stat
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path


class UnsafeFileError(PermissionError):
    """A file or folder may be under the control of another user; the message says what to do."""


def trusted_owners() -> frozenset[int]:
    """Whose files are used: this user's, and those of the owner of the code that runs here.

    The owner of the code may run `make up` with and without `sudo` in turn.
    """
    return frozenset({os.geteuid(), Path(__file__).stat().st_uid})


def check_own(path: Path, *, owners: Collection[int] | None = None) -> os.stat_result:
    """Check that a file or folder is not a link and not another user's, and return its status.

    `owners` are the users whose files are used, by default the trusted ones.

    Raises:
        UnsafeFileError: it is one of these.
        FileNotFoundError: it is missing.
    """
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise UnsafeFileError(f"{path} is a link. Replace it with what it leads to.")
    if status.st_uid not in (trusted_owners() if owners is None else owners):
        raise UnsafeFileError(
            f"{path} belongs to another user. Use a folder of your own, or run this as that user."
        )
    return status


def make_folder(folder: Path) -> None:
    """Make a folder that only this user can write to, with those above it that are missing.

    Raises:
        UnsafeFileError: it exists, and others can write to it or own it.
        OSError: it cannot be made.
    """
    for missing in reversed([each for each in (folder, *folder.parents) if not each.exists()]):
        missing.mkdir(mode=0o755, exist_ok=True)
    if check_own(folder).st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise UnsafeFileError(
            f"{folder} can be written by other users. Use a new folder, which may be inside it. If"
            " the folder is meant for you alone, take the right to write away from the others."
        )
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")


def make_private(folder: Path, names: tuple[str, ...]) -> None:
    """Take the rights of other users away from a folder and from what the product made in it.

    An earlier version left them. Only `names` are touched, and everything inside those.

    Raises:
        UnsafeFileError: a link, or a file of another user, has one of the names or is inside one.
    """
    folder.chmod(0o700)
    for name in names:
        if os.path.lexists(folder / name):
            _close(folder / name)


def _close(path: Path) -> None:
    mode = check_own(path).st_mode
    if stat.S_ISDIR(mode):
        path.chmod(0o700)  # before its files: then no other user can exchange them
        for inside in path.iterdir():
            with suppress(FileNotFoundError):  # a database that is still ending deletes files
                _close(inside)
    elif stat.S_ISREG(mode):
        path.chmod(0o600)


def open_own(file: Path, flags: int) -> int:
    """Open a file of this user without following a link.

    Raises:
        UnsafeFileError: it is a link or another user's file.
    """
    if os.path.lexists(file):
        check_own(file)
    return os.open(file, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


def read_own(file: Path) -> str:
    """The text of a file of this user.

    Raises:
        UnsafeFileError: it is a link or another user's file.
    """
    with os.fdopen(open_own(file, os.O_RDONLY)) as reading:
        return reading.read()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read; after a crash it is whole or absent.

    Raises:
        UnsafeFileError: another user could replace the file, or owns its draft.
    """
    make_folder(file.parent)
    draft = file.with_suffix(".draft")
    if os.path.lexists(draft):  # of a run that was killed
        check_own(draft)
        draft.unlink()
    descriptor = open_own(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    with os.fdopen(descriptor, "w") as writing:
        writing.write(text)
        writing.flush()
        os.fsync(descriptor)
    draft.replace(file)


def write_readable(file: Path, text: str) -> None:
    """Write a file that every user can read, in place: a container may have it mounted.

    Raises:
        UnsafeFileError: it is a link or another user's file.
    """
    descriptor = open_own(file, os.O_WRONLY | os.O_CREAT)
    with os.fdopen(descriptor, "w") as writing:
        os.fchmod(descriptor, 0o644)
        writing.truncate(0)
        writing.write(text)
