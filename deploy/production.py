"""What `make up PRODUCTION=1` has besides the composition for a trial: a mail server, and files.

Secrets are not in the environment of a container, where `docker inspect` shows them. They are in
files, each in a folder of its service, and no other container has that folder.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.private_files import make_folder, write_readable
from deploy.settings_page import settings_classes
from shared.runtime.environment import FILE, variables

PRODUCTION_FILE = "docker-compose.production.yml"
"""What it adds to docker-compose.yml."""
SECRETS_FOLDER = "secrets"
"""Below the folder of the composition; only its owner can enter it."""
MOUNTED = "/run/secrets/rolecall"
"""Where a container has the files of its service."""


@dataclass(frozen=True, kw_only=True)
class Production:
    """The mail server, and the address that mails come from."""

    smtp_host: str
    smtp_port: str
    smtp_security: str
    mail_from: str
    smtp_username: str = ""
    smtp_password: str = ""

    @property
    def mail_options(self) -> Mapping[str, str]:
        """The settings of notification that a trial does not have."""
        options = {
            "smtp_host": self.smtp_host,
            "smtp_port": self.smtp_port,
            "smtp_security": self.smtp_security,
            "mail_from": self.mail_from,
            "smtp_username": self.smtp_username,
            "smtp_password": self.smtp_password,
        }
        return {name: value for name, value in options.items() if value}


def move_secrets(folder: Path, service: str, given: Mapping[str, str]) -> dict[str, str]:
    """Write each secret of a service to a file, and return the variables, which name the files."""
    settings = settings_classes()[service]
    secret = {each.name for each in variables(settings) if each.secret}
    return write_secrets(folder, service, given, secret=secret)


def write_secrets(
    folder: Path, service: str, given: Mapping[str, str], *, secret: set[str]
) -> dict[str, str]:
    """Write the secret ones of these variables to files; the others stay as they are.

    The user of the container is not the owner of the files, so all may read them: the folder around
    them is shut.
    """
    make_folder(folder / SECRETS_FOLDER)
    (folder / SECRETS_FOLDER).chmod(0o700)
    own = folder / SECRETS_FOLDER / service
    make_folder(own)
    own.chmod(0o755)
    for name in secret & given.keys():
        write_readable(own / name, given[name] + "\n")
    for left in own.iterdir():
        if left.name not in secret & given.keys():
            left.unlink()
    return {
        (name + FILE if name in secret else name): (
            f"{MOUNTED}/{name}" if name in secret else value
        )
        for name, value in given.items()
    }
