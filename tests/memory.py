"""Where the servers of the tests keep their data: in memory, where no commit waits for a disk.

They write as on a disk, so a killed server loses what it had not given to the system. No test cuts
the power.
"""

from __future__ import annotations

import os
from pathlib import Path

MEMORY = Path("/dev/shm")
NEEDED_BYTES = 8 << 30
"""More than a run writes. A container often has a few megabytes there only."""
VARIABLE = "PYTEST_DEBUG_TEMPROOT"
"""The folder below which pytest makes the folders of a run."""


def use_memory() -> None:
    """Keep the folders of this run in memory, if there is room and programs can be run there."""
    try:
        there = os.statvfs(MEMORY)
    except OSError:
        return
    refused = there.f_flag & (os.ST_RDONLY | os.ST_NOEXEC)
    room = there.f_bavail * there.f_frsize >= NEEDED_BYTES
    if room and not refused and os.access(MEMORY, os.W_OK):
        os.environ.setdefault(VARIABLE, str(MEMORY))
