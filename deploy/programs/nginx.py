"""How does nginx run as our child with a configuration given as text?"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from deploy.programs.program import Program, ProgramError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def nginx_program() -> str | None:
    """Find nginx: on the path, or where Debian puts it for root only."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


class Nginx(Program):
    """nginx in the foreground, with every file below its folder.

    The configuration is the whole file; it listens on `port`, and its relative paths (`pid`,
    `access_log`, the temporary paths) are below `folder`.
    """

    name = "nginx"

    def __init__(self, folder: Path, configuration: str, *, port: int) -> None:
        """Take the text of the configuration and the port that it listens on."""
        super().__init__(folder, port=port)
        self.configuration = configuration

    @property
    def url(self) -> str:
        """The address of the gateway."""
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        """Write the configuration, and start the `nginx` of this machine."""
        program = nginx_program()
        if program is None:
            message = "nginx is not on this machine: install the package nginx"
            raise ProgramError(message)
        file = self.folder / "nginx.conf"
        file.write_text(self.configuration)
        own_folder = ("-p", f"{self.folder}/", "-c", str(file), "-e", "error.log")
        return [program, *own_folder, "-g", "daemon off;"]
