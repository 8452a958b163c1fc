"""The product as processes over RabbitMQ behind nginx: the reference mode."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from operator import methodcaller
from pathlib import Path
from typing import Any, ClassVar

from deploy.broker import definitions
from deploy.configuration import Addresses, Secrets, environment
from deploy.gateway.nginx import configuration
from deploy.gateway.paths import path_owners, public_routes
from deploy.mongo import DATABASES, USERS
from deploy.passwords import generate
from deploy.programs.nginx import Nginx
from deploy.programs.program import free_port
from deploy.programs.rabbitmq import Rabbitmq
from shared.contracts.topology import FOLLOWER_QUEUES, Service
from tests.e2e.journey import Deployment, Operator
from tests.servers import UNMEASURED, require_nginx, require_rabbitmq, unmeasured_database
from tests.support.forked import Forked

ROOT = Path(__file__).parent.parent.parent
HOST = "127.0.0.1"
# Each program's own method: RabbitMQ starts and ends its port mapper, too.
_start, _stop, _kill = map(methodcaller, ("start", "stop", "kill"))


def answers_with_200(url: str) -> bool:
    """Whether a GET succeeds within a second."""
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError, HTTPException):
        return False


class PythonProcess(Forked):
    """A module of this project as a process."""

    name = "process"
    module: str = ""
    watched: str = ""
    variables: Mapping[str, str] = {}
    arguments: Sequence[str] = ()

    @property
    def url(self) -> str:
        """Its public address."""
        return f"http://{HOST}:{self.port}"

    def command(self) -> Sequence[str]:
        """Run the module with this interpreter."""
        return [sys.executable, "-m", self.module, *self.arguments]

    def environment(self) -> Mapping[str, str]:
        """The project, and the module's own variables."""
        return {"PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}", **self.variables}

    def answers(self) -> bool:
        """Whether it answers that it is ready."""
        return answers_with_200(self.watched)


class ServiceProcess(PythonProcess):
    """One replica of a service; `module` may be a test's own entry point with a planted defect."""

    start_seconds = 180
    """On a machine with many other runs a replica has waited a minute for its first lease."""

    def __init__(self, folder: Path, service: str, replica: int = 0) -> None:
        """Take free ports; `configure` sets the rest once every address is known."""
        super().__init__(folder / f"{service}-{replica}")
        self.service = service
        self.replica = replica
        self.internal_port = free_port()
        self.module = f"services.{service}"
        self.watched = f"{self.internal_url}/health/ready"

    @property
    def internal_url(self) -> str:
        """Its address for other services."""
        return f"http://{HOST}:{self.internal_port}"

    def configure(self, given: Secrets, at: Addresses, options: Mapping[str, str]) -> None:
        """Set the environment for the next start."""
        own = {
            "port": str(self.port),
            "internal_port": str(self.internal_port),
            "drain_seconds": "0",
        }
        if self.service in FOLLOWER_QUEUES:
            own["replica"] = f"{self.service}-{self.replica}"
        self.variables = environment(self.service, given=given, at=at, options=own | dict(options))


class Processes:
    """Database, RabbitMQ, mail catcher, services and gateway: each a process that may be killed."""

    replica_class: ClassVar[type[ServiceProcess]] = ServiceProcess

    def __init__(
        self,
        folder: Path,
        *,
        replicas: Mapping[str, int] | None = None,
        options: Mapping[str, Mapping[str, str]] | None = None,
        broker_for: Mapping[str, str] | None = None,
        limits_factor: int = 100,
        define: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    ) -> None:
        """Prepare everything below `folder`; three replicas of authz unless told otherwise.

        `options` are further settings by service; `broker_for` gives a service (`authz-1` for one
        replica) another address of the broker, such as a fault proxy's. All users have one address
        here, so the gateway's limits of an address are this multiple of the product's. `define`
        changes the definitions of the broker.
        """
        counts = {"authz": 3} | dict(replicas or {})
        self.folder = folder
        self.secrets = Secrets.generate()
        self.database = unmeasured_database(folder / "database")
        require_rabbitmq()
        require_nginx()
        self.broker_passwords = generate(tuple(Service))
        self.broker = Rabbitmq(
            folder / "rabbitmq", definitions=define(definitions(self.broker_passwords))
        )
        self.mail = PythonProcess(folder / "mail")
        self.smtp_port = free_port()
        self.mail.module = "deploy.mailcatcher"
        self.mail.variables = UNMEASURED  # it is killed at the end, so it would write nothing
        self.mail.arguments = (
            *("--http-port", str(self.mail.port), "--smtp-port", str(self.smtp_port)),
            *("--data-dir", str(folder / "mail" / "messages")),
        )
        self.mail.watched = f"{self.mail.url}/api/messages?limit=1"
        self.services = {
            f"{service}-{replica}": self.replica_class(folder, service, replica)
            for service in Service
            for replica in range(counts.get(service, 1))
        }
        self.gateway = Nginx(folder / "gateway", "", port=free_port())
        self._options = options or {}
        self._broker_for = broker_for or {}
        self._limits_factor = limits_factor

    def broker_url(self, service: str) -> str:
        """The address of the broker for one service, with its own user."""
        return self.broker.url_for(service, self.broker_passwords[service])

    def replicas_of(self, service: str) -> list[ServiceProcess]:
        """Its processes."""
        return [process for process in self.services.values() if process.service == service]

    def start(self) -> None:
        """Start everything; blocks until all of it answers."""
        with ThreadPoolExecutor() as threads:
            starting = threads.map(_start, (self.broker, self.mail))
            self.database.require_users(generate(USERS))
            list(starting)
            self.configure()
            list(threads.map(_start, self.started_first()))
        self.start_gateway()

    def started_first(self) -> Sequence[ServiceProcess]:
        """The replicas that `start` starts."""
        return list(self.services.values())

    def start_gateway(self) -> None:
        """Start the gateway for all replicas."""
        self.gateway.configuration = self.gateway_configuration(self.gateway.port)
        self.gateway.start()

    def gateway_configuration(self, port: int) -> str:
        """The configuration of a gateway that divides requests among the first replicas."""
        owners, replicas = path_owners(public_routes()), self.started_first()
        return configuration(
            owners,
            listen=f"{HOST}:{port}",
            static=str(self.folder),
            addresses={
                service: [f"{HOST}:{each.port}" for each in replicas if each.service == service]
                for service in Service
                if service in owners.values()
            },
            limits_factor=self._limits_factor,
        )

    def configure(self) -> None:
        """Give every service the addresses of the others."""
        for name, process in self.services.items():
            at = Addresses(
                mongo_url=(
                    self.database.url_for(process.service) if process.service in DATABASES else ""
                ),
                amqp_url=self._broker_for.get(name, self.broker_url(process.service)),
                public_url=self.gateway.url,
                internal_urls={
                    service: [other.internal_url for other in self.replicas_of(service)]
                    for service in Service
                },
                smtp_host=HOST,
                smtp_port=self.smtp_port,
            )
            options = {"trusted_proxies": '["127.0.0.0/8"]'}
            if process.service == Service.IDENTITY:
                options["answer_step_seconds"] = "0.05"  # a test's users sign up all at once
            options |= self._options.get(process.service, {})
            process.configure(self.secrets, at, options)

    def stop(self) -> None:
        """Stop everything, the gateway first and the servers last."""
        self.gateway.stop()
        with ThreadPoolExecutor() as threads:
            list(threads.map(_stop, self.services.values()))
            list(threads.map(_kill, (self.mail, self.broker, self.database)))

    def database_url(self) -> str:
        """The address of its database for the administrator."""
        return str(self.database.url)

    def logs(self) -> list[Path]:
        """What the services write, and the mail catcher."""
        return [process.log for process in (*self.services.values(), self.mail)]

    def internal_urls(self) -> list[str]:
        """The internal address of each replica."""
        return [process.internal_url for process in self.services.values()]

    def create_client(self, **bounds: object) -> Mapping[str, str]:
        """Create a service client with the operator's key."""
        [identity, *_] = self.replicas_of("identity")
        body = {
            "name": "platform",
            "scopes": ["authz:check", "resources:write", "members:provision", "usage:write"],
            **bounds,
        }
        request = urllib.request.Request(
            f"{identity.internal_url}/internal/admin/service-clients",
            data=json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {self.secrets.admin_key}",
                "Content-Type": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            made: Mapping[str, str] = json.load(answer)
        return made

    def deployment(self) -> Deployment:
        """The addresses, with a new service client."""
        client = self.create_client()
        return Deployment(
            gateway=self.gateway.url,
            mail=self.mail.url,
            client_id=client["id"],
            client_secret=client["secret"],
            authz=tuple(process.url for process in self.replicas_of("authz")),
            operator=Operator(
                self.replicas_of("team")[0].internal_url,
                self.replicas_of("identity")[0].internal_url,
                self.secrets.admin_key,
            ),
        )
