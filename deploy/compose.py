"""The commands `make up` and `make down`, which run the product in containers."""

import os
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from deploy.compose_answers import answers
from deploy.compose_environment import (
    limits_factor_from_environment,
    parse_networks,
    port_from_environment,
    production_from_environment,
    project_from_environment,
)
from deploy.compose_files import INTERNAL_PORT, missing_secrets, refuse_lost_secrets, write_files
from deploy.compose_program import compose_command, installed_compose
from deploy.compose_texts import SILENT, welcome
from deploy.compose_tls import (
    LOOPBACK,
    TLS_FILE,
    PublishedTls,
    listen_address_from_environment,
    tls_from_environment,
)
from deploy.configuration import SecretsError
from deploy.engine import Engine, EngineError
from deploy.gateway.nginx import image_version
from deploy.gateway.paths import PARAMETER, public_routes
from deploy.gateway.tls import Version
from deploy.image.labels import image_labels
from deploy.private_files import UnsafeFileError
from deploy.production import PRODUCTION_FILE, Production
from services.console.domain.places import SIGN_IN
from services.console.settings import NAME as CONSOLE
from shared.contracts.topology import Service

ROOT = Path(__file__).parent.parent
READY_SECONDS = 120.0
"""How long `up` waits until every service answers through the gateway."""
OWN_FILE = "docker-compose.override.yml"
"""The operator's additions, if there are any."""
NGINX_IMAGE = "nginx:1.30"
"""The image of the gateway that docker-compose.yml names by default."""
RELOAD_SECONDS = 10.0
"""How long `up` waits until nginx accepts its configuration."""
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
    production: Production | None = None
    """Mails go to this server, and secrets are files; without it the product is on trial."""
    tls: PublishedTls | None = None
    """With it the gateway speaks TLS."""
    listen_address: str = LOOPBACK
    """The address of this machine at which the gateway is published."""
    nginx_image: str = NGINX_IMAGE
    engine: Engine = field(default_factory=Engine)
    ready_seconds: float = READY_SECONDS
    reload_seconds: float = RELOAD_SECONDS

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables that docker-compose.yml reads, apart from the names of other images."""
        return {
            "NGINX_IMAGE": self.nginx_image,
            "ROLECALL_IMAGE": os.environ.get("ROLECALL_IMAGE") or f"{self.project}-services",
            "ROLECALL_COMPOSE_DIR": str(self.folder),
            "PORT": str(self.port),
            "MAIL_PORT": str(self.mail_port),
            "LISTEN_ADDRESS": self.listen_address,
            **(self.tls.variables if self.tls else {}),
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
        return [*compose_command(), *self._options, *arguments]

    @property
    def _options(self) -> list[str]:
        """The project, and the files if there are more than compose finds by itself."""
        added = {PRODUCTION_FILE: self.production, TLS_FILE: self.tls}
        names = [name for name, wanted in added.items() if wanted is not None]
        if names:
            own = [OWN_FILE] if (ROOT / OWN_FILE).exists() else []
            names = ["docker-compose.yml", *names, *own]
        return ["-p", self.project, *(word for name in names for word in ("-f", name))]

    def told_command(self, *arguments: str) -> str:
        """The command line as a message tells it, also where compose is not installed."""
        command = installed_compose() or ("docker", "compose")
        return " ".join([*command, *self._options, *arguments])

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
        self.engine.refuse_other_checkout(self.project, ROOT)
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
    def address(self) -> str:
        """The address that browsers use."""
        if self.public_url:
            return self.public_url
        return f"https://localhost:{self.tls.port}" if self.tls else f"http://localhost:{self.port}"

    @property
    def data_volume(self) -> str:
        """The volume with the databases."""
        return f"{self.project}_mongo"

    def prepare(self) -> None:
        """Write every file that docker-compose.yml names; a second call keeps every secret."""
        write_files(
            self.folder,
            public_url=self.address,
            proxies=self.proxies,
            limits_factor=self.limits_factor,
            nginx_version=self.nginx_version,
            production=self.production,
            tls=self.tls,
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
        return answers(path, listen_address=self.listen_address, port=self.port, tls=self.tls)


def main(arguments: Sequence[str]) -> int:
    """Run `up` or `down` with further options of compose, and return an exit status."""
    tls = tls_from_environment()
    product = Compose(
        project=project_from_environment(),
        folder=ROOT / ".data" / "compose",
        port=port_from_environment("PORT", 8080),
        mail_port=port_from_environment("MAIL_PORT", 8025),
        public_url=os.environ.get("PUBLIC_URL", ""),
        proxies=parse_networks(os.environ.get("TRUSTED_PROXIES", "")),
        limits_factor=limits_factor_from_environment(),
        production=production_from_environment(),
        tls=tls,
        listen_address=listen_address_from_environment(encrypted=tls is not None),
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
        on_trial = (
            f"http://localhost:{product.mail_port}{' ' * 10}every mail that the product sends"
        )
        text = welcome(
            url=product.address,
            mail=on_trial if product.production is None else product.production.smtp_host,
            command=product.told_command(),
            create_client=" ".join(CREATE_CLIENT_COMMAND),
        )
        sys.stdout.write(text)
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
