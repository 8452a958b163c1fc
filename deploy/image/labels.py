"""What the labels of the image say about it."""

import os
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from rolecall.version import VERSION

ROOT = Path(__file__).parent.parent.parent


@cache
def image_labels() -> Mapping[str, str]:
    """The variables of docker-compose.yml from which the image gets its tag and its labels.

    The time is that of the commit, or `SOURCE_DATE_EPOCH`: one commit has one image. Outside a
    repository the revision and the time are empty.
    """
    revision, _, committed = _git("show", "--no-patch", "--format=%H %ct", "HEAD").partition(" ")
    seconds = os.environ.get("SOURCE_DATE_EPOCH") or committed
    created = datetime.fromtimestamp(int(seconds), UTC).isoformat() if seconds else ""
    changed = "-changed" if revision and _git("status", "--porcelain") else ""
    return {
        "IMAGE_VERSION": VERSION,
        "IMAGE_REVISION": revision + changed,
        "IMAGE_CREATED": created,
        "IMAGE_SOURCE": os.environ.get("IMAGE_SOURCE", ""),
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
