"""nginx as a child process, with a configuration that is given as text."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from deploy.programs.program import Program, ProgramError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def nginx_program() -> str | None:
    """The path of nginx: on the PATH, or in the folder that Debian reserves for root."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def nginx_version() -> tuple[int, ...]:
    """The version of the nginx on this machine.

    Raises:
        ProgramError: nginx is missing.
    """
    said = subprocess.run([_installed(), "-v"], capture_output=True, text=True, check=True)
    [number] = re.findall(r"nginx/([\d.]+)", said.stderr)
    return tuple(map(int, number.split(".")))


class Nginx(Program):
    """nginx in the foreground, with every file below its folder.

    The configuration is the whole file. It must listen on `port`; its relative paths (`pid`,
    `access_log`, the temporary paths) are resolved below `folder`.
    """

    name = "nginx"

    def __init__(self, folder: Path, configuration: str, *, port: int) -> None:
        """Keep the text of the configuration and the port that it listens on."""
        super().__init__(folder, port=port)
        self.configuration = configuration

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        """Write the configuration file and return the command line."""
        file = self.folder / "nginx.conf"
        file.write_text(self.configuration)
        own_folder = ("-p", f"{self.folder}/", "-c", str(file), "-e", "error.log")
        return [_installed(), *own_folder, "-g", "daemon off;"]


def _installed() -> str:
    program = nginx_program()
    if program is None:
        message = "nginx is missing. Install the package nginx-light."
        raise ProgramError(message)
    return program
