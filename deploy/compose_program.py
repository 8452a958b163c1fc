"""The program compose, as it is installed on this machine."""

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache


def compose_command() -> Sequence[str]:
    """The command of compose.

    Raises:
        SystemExit: it is not installed; the message says what to install.
    """
    command = installed_compose()
    if command is None:
        raise SystemExit(
            "Docker is missing. Install Docker with its compose plugin, or docker-compose."
        )
    return command


@cache
def installed_compose() -> Sequence[str] | None:
    """The command `docker compose` with the plugin, otherwise `docker-compose` if there is one."""
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    return None
