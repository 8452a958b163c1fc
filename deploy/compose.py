"""The commands `make up` and `make down`, which run the product in containers.

They write what docker-compose.yml expects below `.data/compose`: one file of variables per service,
the gateway's configuration and its static pages. Secrets are created once and kept.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_network
from pathlib import Path

from deploy.configuration import Addresses, Secrets, environment, write_private
from deploy.gateway.docs import page
from deploy.gateway.nginx import configuration
from deploy.gateway.paths import PARAMETER, path_owners, public_routes
from shared.contracts.topology import Service
from shared.http.openapi import document_of
from shared.runtime.trusted_networks import check_trusted_networks

ROOT = Path(__file__).parent.parent
PUBLIC_PORT, INTERNAL_PORT = 8080, 8081
MAX_PORT = 65535
RESOLVER = "127.0.0.11"
"""The name server that Docker provides on every network of a composition."""
PRIVATE_NETWORKS = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")
READY_SECONDS = 120.0
"""How long `up` waits until every service answers through the gateway."""
RELOAD_SECONDS = 10.0
"""How long `up` waits until the gateway accepts its configuration."""
RELOAD_COMMAND = (
    *("nginx", "-p", "/tmp/", "-e", "stderr"),  # noqa: S108 - the prefix that docker-compose.yml gives it
    *("-c", "/etc/rolecall/nginx.conf", "-s", "reload"),
)
CREATE_CLIENT_COMMAND = (
    *("rolecall", "admin", "create-client", "--url", f"http://127.0.0.1:{INTERNAL_PORT}"),
    *("--name", "platform", "--scope", "authz:check"),
)
"""Run in the container of identity, where ROLECALL_ADMIN_KEY is set."""
WELCOME = """
Rolecall is ready.

  API       http://localhost:{port}          all routes: http://localhost:{port}/docs
  Mail      http://localhost:{mail_port}          every mail that the product sends

Create your first service client:
  {command} exec identity {create_client}

`make down` stops the product and keeps the data.
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
    ready_seconds: float = READY_SECONDS
    reload_seconds: float = RELOAD_SECONDS

    @property
    def variables(self) -> Mapping[str, str]:
        """The variables that docker-compose.yml reads, apart from the names of images."""
        return {
            "ROLECALL_COMPOSE_DIR": str(self.folder),
            "PORT": str(self.port),
            "MAIL_PORT": str(self.mail_port),
        }

    def command(self, *arguments: str) -> list[str]:
        """The command line of compose; run it in the project's root folder with `variables`."""
        return [*compose_command(), "-p", self.project, *arguments]

    def run(self, *arguments: str) -> int:
        """Run compose and return its exit status."""
        command, variables = self.command(*arguments), {**os.environ, **self.variables}
        return subprocess.run(command, cwd=ROOT, env=variables, check=False).returncode

    def up(self, *arguments: str) -> int:
        """Build, start or update everything, wait until it answers, and return an exit status."""
        self.prepare()
        for step in ("build",), ("up", "-d", *arguments):
            if status := self.run(*step):
                return status
        if fault := self.reload_gateway():
            sys.stderr.write(f"The gateway rejected its configuration: {fault}\n")
            return 1
        if silent := self.await_answers():
            command = " ".join(self.command())
            sys.stderr.write(
                f"These services do not answer yet: {', '.join(silent)}."
                f" Read their logs with `{command} logs`.\n"
                f"Data created with other secrets than those in {self.folder} cannot be opened."
                f" `{command} down --volumes` deletes such data.\n"
            )
            return 1
        return 0

    def prepare(self) -> None:
        """Write every file that docker-compose.yml names; a second call keeps every secret."""
        given = Secrets.load_or_create(self.folder / "secrets.json")
        password = self._broker_password()
        at = Addresses(
            mongo_url="mongodb://mongo:27017/?directConnection=true",
            amqp_url=f"amqp://rolecall:{password}@rabbitmq:5672/",
            public_url=self.public_url or f"http://localhost:{self.port}",
            internal_urls={name: [f"http://{name}:{INTERNAL_PORT}"] for name in Service},
            smtp_host="mail",
            smtp_port=1025,
        )
        options = {
            "host": "0.0.0.0",  # noqa: S104 - the container's own network
            "port": str(PUBLIC_PORT),
            "internal_host": "0.0.0.0",  # noqa: S104
            "internal_port": str(INTERNAL_PORT),
            "trusted_proxies": json.dumps(PRIVATE_NETWORKS),
        }
        for service in Service:
            variables = environment(service, given=given, at=at, options=options)
            if service == Service.IDENTITY:
                variables["ROLECALL_ADMIN_KEY"] = given.admin_key
            self._write_variables(service, variables)
        account = {"RABBITMQ_DEFAULT_USER": "rolecall", "RABBITMQ_DEFAULT_PASS": password}
        self._write_variables("rabbitmq", account)
        self._prepare_gateway()

    def reload_gateway(self) -> str:
        """Make nginx read its configuration again, which may have changed since it started.

        A signal sent through compose would count as a manual stop, and the restart policy would
        then no longer apply. The reload therefore runs inside the container.

        Returns:
            nginx's error message, or an empty string when nginx accepted the configuration.
        """
        reload = self.command("exec", "-T", "gateway", *RELOAD_COMMAND)
        variables = {**os.environ, **self.variables}
        deadline = time.monotonic() + self.reload_seconds
        while True:
            done = subprocess.run(
                reload, cwd=ROOT, env=variables, capture_output=True, text=True, check=False
            )
            if done.returncode == 0:
                return ""
            if time.monotonic() > deadline:
                return (done.stderr + done.stdout).strip() or f"status {done.returncode}"
            time.sleep(0.25)  # the container may still be starting

    def await_answers(self) -> Sequence[str]:
        """Ask every service through the gateway; return those that stay silent."""
        routes = public_routes()
        paths = {
            service: PARAMETER.sub("x", route.path)
            for service in Service
            for route in routes[service]
            if route.method == "GET"
        }
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

    def _broker_password(self) -> str:
        file = self.folder / "rabbitmq.password"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(24))
        return file.read_text()

    def _write_variables(self, name: str, variables: Mapping[str, str]) -> None:
        text = "".join(f"{variable}={value}\n" for variable, value in variables.items())
        write_private(self.folder / f"{name}.env", text)

    def _prepare_gateway(self) -> None:
        routes = public_routes()
        api = document_of([route for rows in routes.values() for route in rows])
        texts = {
            "openapi.json": json.dumps(api),
            "docs.html": page(api),
            "nginx.conf": configuration(
                path_owners(routes),
                listen=str(PUBLIC_PORT),
                static="/etc/rolecall",
                names={name: f"{name}:{PUBLIC_PORT}" for name in Service},
                resolver=RESOLVER,
                proxies=self.proxies,
            ),
        }
        folder = self.folder / "gateway"
        folder.mkdir(parents=True, exist_ok=True)
        # nginx reads these files as another user. They contain no secret.
        folder.chmod(0o755)
        for name, text in texts.items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o644)


@cache
def compose_command() -> Sequence[str]:
    """The command of compose: `docker compose` with the plugin, otherwise `docker-compose`.

    Raises:
        SystemExit: neither is installed; the message says what to install.
    """
    if shutil.which("docker"):
        plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if plugin.returncode == 0:
            return ("docker", "compose")
    if shutil.which("docker-compose"):
        return ("docker-compose",)
    raise SystemExit(
        "Docker is missing. Install Docker with its compose plugin, or docker-compose."
    )


def parse_networks(text: str) -> list[str]:
    """The networks or addresses of a list that is separated by commas or blanks.

    Raises:
        SystemExit: an item is not a network, or they cover too many addresses (`T18`).
    """
    try:
        found = [ip_network(word) for word in text.replace(",", " ").split()]
        check_trusted_networks(found)
    except ValueError as problem:
        raise SystemExit(f"TRUSTED_PROXIES is not valid: {problem}.") from problem
    return [str(network) for network in found]


def port_from_environment(variable: str, default: int) -> int:
    """The port that an environment variable names, 1 to 65535.

    Raises:
        SystemExit: the value is not a port; the message names the variable.
    """
    text = os.environ.get(variable, "").strip() or str(default)
    if not text.isdecimal() or not 1 <= int(text) <= MAX_PORT:
        raise SystemExit(f"{variable} is not valid: {text!r} is not a port (1 to {MAX_PORT}).")
    return int(text)


def main(arguments: Sequence[str]) -> int:
    """Run `up` or `down` with further options of compose, and return an exit status."""
    product = Compose(
        project="rolecall",
        folder=ROOT / ".data" / "compose",
        port=port_from_environment("PORT", 8080),
        mail_port=port_from_environment("MAIL_PORT", 8025),
        public_url=os.environ.get("PUBLIC_URL", ""),
        proxies=parse_networks(os.environ.get("TRUSTED_PROXIES", "")),
    )
    match list(arguments):
        case ["down", *rest]:
            return product.run("down", *rest)
        case ["up", *rest]:
            status = product.up(*rest)
        case _:
            sys.stderr.write("Usage: python -m deploy.compose up|down [option of compose...]\n")
            return 2
    if status == 0:
        sys.stdout.write(
            WELCOME.format(
                port=product.port,
                mail_port=product.mail_port,
                command=" ".join(product.command()),
                create_client=" ".join(CREATE_CLIENT_COMMAND),
            )
        )
    return status


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
