"""Asks this machine for the room on its disks."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path


def free_part(folder: Path) -> float | None:
    """The part of a folder's disk that is free; `None` if there is no such folder here."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None
    return usage.free / usage.total


def checked_folders(services: Mapping[str, object]) -> Sequence[Path]:
    """The folders of this machine in which services keep data."""
    checkpoints = getattr(services.get("audit"), "checkpoint_folder", None)
    return [Path("/"), *([] if checkpoints is None else [checkpoints])]
