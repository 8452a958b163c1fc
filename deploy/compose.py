"""The commands `make up` and `make down`, which run the product in containers."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.compose_environment import (
    limits_factor_from_environment,
    parse_networks,
    port_from_environment,
)
from deploy.compose_files import INTERNAL_PORT, missing_secrets, refuse_lost_secrets, write_files
from deploy.configuration import SecretsError
from deploy.engine import Engine, EngineError
from deploy.gateway.nginx import Version, image_version
from deploy.gateway.paths import PARAMETER, public_routes
from deploy.image.labels import image_labels
from deploy.private_files import UnsafeFileError
from services.console.domain.places import SIGN_IN
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service

ROOT = Path(__file__).parent.parent
READY_SECONDS = 120.0
"""How long `up` waits until every service answers through the gateway."""
NGINX_IMAGE = "nginx:1.30"
"""The image of the gateway that docker-compose.yml names by default."""
RELOAD_SECONDS = 10.0
"""How long `up` waits until the gateway accepts its configuration."""
RELOAD_COMMAND = (
    *("nginx", "-p", "/tmp/", "-e", "stderr"),  # noqa: S108 - the prefix that docker-compose.yml gives it
    *("-c", "/etc/rolecall/nginx.conf", "-s", "reload"),
)
IMPORT_COMMAND = ("rabbitmqctl", "import_definitions", "/etc/rolecall/definitions.json")
CREATE_CLIENT_COMMAND = (
    *("rolecall", "admin", "create-client", "--url", f"http://127.0.0.1:{INTERNAL_PORT}"),
    *("--name", "platform", "--scope", "authz:check", "--scope", "resources:write"),
)
"""Run in the container of identity, where ROLECALL_ADMIN_KEY is set."""
WELCOME = """
Rolecall is ready.

  Pages     http://localhost:{port}/sign-up
  API       http://localhost:{port}          all routes: http://localhost:{port}/docs
  Mail      http://localhost:{mail_port}          every mail that the product sends

Create your first service client:
  {command} exec identity {create_client}

`make down` stops the product and keeps the data.
"""
SILENT = """\
These services do not answer yet: {silent}. Read their logs with `{command} logs`.
Data created with other secrets than those in {folder} cannot be opened. Restore secrets.json
and database.json of these data from a backup, then run `make up` again
(docs/operations/backups.md). Only if no one needs the data, delete them with
`{command} down --volumes`.
"""


@dataclass(frozen=True)
class Compose:
    """One composition: its project name, the folder with its files, and its published ports."""

    project: str
    folder: Path
    port: int
    mail_port: int
    public_url: str = ""
    """The address that browsers use, if it is not the port of the gateway."""
    proxies: Sequence[str] = ()
    """The networks of the load balancers in front of the gateway."""
    limits_factor: int = 1
    """Multiplies what the gateway lets one address do."""
    nginx_image: str = NGINX_IMAGE
    engine: Engine = field(default_factory=Engine)
    ready_seconds: float = READY_SECONDS
    reload_seconds: float = RELOAD_SECONDS

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables that docker-compose.yml reads, apart from the names of other images."""
        return {
            "NGINX_IMAGE": self.nginx_image,
            "ROLECALL_COMPOSE_DIR": str(self.folder),
            "PORT": str(self.port),
            "MAIL_PORT": str(self.mail_port),
            **image_labels(),
        }

    @property
    def nginx_version(self) -> Version:
        """The version of nginx in the gateway's image.

        Raises:
            SystemExit: the image does not say it.
        """
        try:
            return image_version(self.nginx_image)
        except ValueError as problem:
            raise SystemExit(
                f"NGINX_IMAGE is not valid: {problem}. Name it like {NGINX_IMAGE}."
            ) from problem

    def command(self, *arguments: str) -> list[str]:
        """The command line of compose; run it in the project's root folder with `variables`."""
        return [*compose_command(), "-p", self.project, *arguments]

    def told_command(self, *arguments: str) -> str:
        """The command line as a message tells it, also where compose is not installed."""
        command = installed_compose() or ("docker", "compose")
        return " ".join([*command, "-p", self.project, *arguments])

    def run(self, *arguments: str) -> int:
        """Run compose and return its exit status."""
        command, variables = self.command(*arguments), {**os.environ, **self.variables}
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode

    def up(self, *arguments: str) -> int:
        """Build, start or update everything, wait until it answers, and return an exit status.

        Raises:
            SecretsError: the secrets of existing data are missing or damaged.
            EngineError: secrets are missing, and Docker does not say whether data exist.
            UnsafeFileError: a file may be under the control of another user.
        """
        missing = missing_secrets(self.folder)
        if missing and self.engine.has_volume(self.data_volume):
            anew = f"run `{self.told_command('down', '--volumes')}`"
            refuse_lost_secrets(missing[0], volume=self.data_volume, anew=anew)
        self.prepare()
        for step in ("build",), ("up", "-d", *arguments):
            if status := self.run(*step):
                return status
        if fault := self.apply_definitions():
            sys.stderr.write(f"The broker rejected its definitions: {fault}\n")
            return 1
        if fault := self.reload_gateway():
            sys.stderr.write(f"The gateway rejected its configuration: {fault}\n")
            return 1
        if silent := self.await_answers():
            command = self.told_command()
            sys.stderr.write(
                SILENT.format(silent=", ".join(silent), command=command, folder=self.folder)
            )
            return 1
        return 0

    @property
    def data_volume(self) -> str:
        """The volume with the databases."""
        return f"{self.project}_mongo"

    def prepare(self) -> None:
        """Write every file that docker-compose.yml names; a second call keeps every secret."""
        url = self.public_url or f"http://localhost:{self.port}"
        write_files(
            self.folder,
            public_url=url,
            proxies=self.proxies,
            limits_factor=self.limits_factor,
            nginx_version=self.nginx_version,
        )

    def apply_definitions(self) -> str:
        """Give the broker its users, rights and queues, also those of a newer version.

        Returns:
            the broker's error message, or an empty string when it took them.
        """
        return self._until_it_succeeds("rabbitmq", IMPORT_COMMAND, seconds=self.ready_seconds)

    def reload_gateway(self) -> str:
        """Make nginx read its configuration again, which may have changed since it started.

        A signal sent through compose would count as a manual stop, and the restart policy would
        then no longer apply. The reload therefore runs inside the container.

        Returns:
            nginx's error message, or an empty string when nginx accepted the configuration.
        """
        return self._until_it_succeeds("gateway", RELOAD_COMMAND, seconds=self.reload_seconds)

    def _until_it_succeeds(self, service: str, command: Sequence[str], *, seconds: float) -> str:
        """Run a command in a container until it succeeds; the last error message if it never did.

        The container may still be starting.
        """
        line = self.command("exec", "-T", service, *command)
        variables = {**os.environ, **self.variables}
        deadline = time.monotonic() + seconds
        while True:
            done = subprocess.run(
                line, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return ""
            if time.monotonic() > deadline:
                return (done.stderr + done.stdout).strip() or f"status {done.returncode}"
            time.sleep(0.25)

    def await_answers(self) -> Sequence[str]:
        """Ask every service through the gateway; return those that stay silent."""
        routes = public_routes()
        paths = {
            service: PARAMETER.sub("x", route.path)
            for service in Service
            for route in routes[service]
            if route.method == "GET"
        } | {CONSOLE: SIGN_IN}
        deadline = time.monotonic() + self.ready_seconds
        while silent := [name for name, path in paths.items() if not self._answers(path)]:
            if time.monotonic() > deadline:
                break
            time.sleep(0.25)
        return silent

    def _answers(self, path: str) -> bool:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status < 500
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()


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


def main(arguments: Sequence[str]) -> int:
    """Run `up` or `down` with further options of compose, and return an exit status."""
    product = Compose(
        project="rolecall",
        folder=ROOT / ".data" / "compose",
        port=port_from_environment("PORT", 8080),
        mail_port=port_from_environment("MAIL_PORT", 8025),
        public_url=os.environ.get("PUBLIC_URL", ""),
        proxies=parse_networks(os.environ.get("TRUSTED_PROXIES", "")),
        limits_factor=limits_factor_from_environment(),
        nginx_image=os.environ.get("NGINX_IMAGE") or NGINX_IMAGE,
    )
    match list(arguments):
        case ["down", *rest]:
            return product.run("down", *rest)
        case ["up", *rest]:
            try:
                status = product.up(*rest)
            except (SecretsError, EngineError, UnsafeFileError) as problem:
                sys.stderr.write(f"Rolecall did not start: {problem}\n")
                return 1
        case _:
            sys.stderr.write("Usage: python -m deploy.compose up|down [option of compose...]\n")
            return 2
    if status == 0:
        sys.stdout.write(
            WELCOME.format(
                port=product.port,
                mail_port=product.mail_port,
                command=product.told_command(),
                create_client=" ".join(CREATE_CLIENT_COMMAND),
            )
        )
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
