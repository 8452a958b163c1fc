"""The five services and the console in one process.

They are the same services as in every other mode. Each keeps its own database and internal port,
facts travel through the in-process bus, and one port serves the public routes and pages of all.
"""

import asyncio
import importlib
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any

from aiohttp import ClientSession, web

from deploy.configuration import (
    Addresses,
    Secrets,
    console_environment,
    environment,
    refuse_lost,
)
from deploy.gateway.docs import CONTENT_SECURITY_POLICY, page
from deploy.local.settings import LocalSettings
from deploy.mailcatcher import MailCatcher
from deploy.mongo import DATABASES, USERS
from deploy.passwords import derive
from deploy.programs.mongodb import Secantusdb
from services.console import settings as console_settings
from services.console.app import build as build_console
from services.console.domain.places import HOME
from shared.bus.local import LocalBus
from shared.contracts.calls.leases import POLICY_SOURCES
from shared.contracts.topology import Service
from shared.http.api import Api
from shared.http.hosts import local_hosts_only
from shared.http.mounting import mount
from shared.http.openapi import document
from shared.mongo import DbClient, connect, majority
from shared.runtime.environment import FILE, SettingsT, load
from shared.runtime.listeners import Listener, listen, url_of
from shared.runtime.service import ServiceApp
from shared.timeouts import DEFAULT_TIMEOUTS, Timeouts

HOST = "127.0.0.1"
LOOPBACK = json.dumps(["127.0.0.0/8", "::1/128"])
"""Receivers of webhooks and of streams may be on this machine."""
MAIL = "mail"
"""The user at the mail catcher."""
READY_SECONDS = 60.0
LEASE_SECONDS = "30"
"""Long, because the replica and its sources are one process and fail together."""
SERVICE_OPTIONS: dict[str, dict[str, str]] = {
    Service.IDENTITY: {"lease_seconds": LEASE_SECONDS},
    Service.TEAM: {"lease_seconds": LEASE_SECONDS, "replica": "local"},
    Service.AUTHZ: {"replica": "local"},
}


def service_options(service: str, settings: LocalSettings, *, mail_password: str) -> dict[str, str]:
    """The settings of a service that it has in this runner only."""
    options = dict(SERVICE_OPTIONS.get(service, {}))
    if service == Service.TEAM:
        options |= {
            "personal_catalog": settings.personal_catalog,
            "resources_per_account": str(settings.resources_per_account),
        }
    if service == Service.NOTIFICATION:
        options |= {"smtp_username": MAIL, "smtp_password": mail_password, "pages": "true"}
        options["webhook_networks"] = LOOPBACK
    if service == Service.AUDIT:
        options["stream_networks"] = LOOPBACK
    return options


class NotReadyError(RuntimeError):
    """The product did not become ready in time; the message names the reason."""


def load_secrets(folder: Path) -> Secrets:
    """The secrets of the data in a folder; new ones while there are no data.

    Raises:
        SecretsError: the secrets of existing data are missing or damaged.
    """
    file, database = folder / "secrets.json", folder / "database"
    if any(database.glob("data/*")):
        refuse_lost(file, data=str(database), anew=f"delete {database}")
    return Secrets.load_or_create(file)


class Product:
    """Everything that `make run` starts and stops."""

    def __init__(self, settings: LocalSettings, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> None:
        self.folder = settings.data_dir.resolve()
        self.secrets = load_secrets(self.folder)
        passwords = derive(self.secrets.admin_key, (*USERS, MAIL))
        try:
            self._gateway_socket = listen(HOST, settings.port)
        except OSError as problem:
            raise NotReadyError(
                f"port {settings.port} cannot be used ({problem}). Set PORT to another port."
            ) from problem
        self.url = url_of(self._gateway_socket)
        self.public_url = settings.public_url or self.url
        self.database = Secantusdb(self.folder / "database")
        self.mail = MailCatcher(
            host=HOST,
            http_port=settings.mail_port,
            data_dir=self.folder / "mail",
            key=passwords[MAIL],
        )
        self._passwords = passwords
        self._timeouts = timeouts
        self.services: list[ServiceApp] = []
        self.variables: dict[str, str] = {}
        """Those of every service, once it is built."""
        self._settings = settings
        self._bus = LocalBus()
        self._gateway: Listener | None = None
        self._starting: asyncio.Task[None] | None = None

    def internal_url(self, service: str) -> str:
        """The internal address of a service, where operators ask it."""
        return next(one.addresses["internal"] for one in self.services if one.name == service)

    async def start(self) -> None:
        """Start everything, and return when the gateway accepts requests.

        Raises:
            NotReadyError: the product was not ready within a minute.
            ProgramError: the database could not be started.
        """
        start_database = asyncio.to_thread(self.database.start_with_users, self._passwords)
        self._starting = asyncio.create_task(start_database)
        await asyncio.gather(asyncio.shield(self._starting), self._start_mail())
        sockets: dict[str, socket] = {
            name: listen(HOST, 0) for name in (*Service, console_settings.NAME)
        }
        internal_urls = {str(name): [url_of(sockets[name])] for name in Service}
        self.services = [self._build(service, internal_urls) for service in Service]
        apis = [service.public for service in self.services]
        console = self._console()
        self.services.append(console)
        app = web.Application()
        mount(app, *apis)
        console.pages(app)
        app.middlewares.append(local_hosts_only)
        app.router.add_get("/docs", _docs_handler(apis))
        app.router.add_get("/", _to_pages)
        self._gateway = Listener(app, self._gateway_socket)
        await self._clear_leases()
        await asyncio.gather(
            *(
                service.start(internal=sockets[service.name], local_hosts=True)
                for service in self.services
            )
        )
        await self._await_ready()
        await self._gateway.start()

    async def create_client(self, name: str) -> Mapping[str, str]:
        """Create a service client, as `rolecall admin create-client` does."""
        body = {
            "name": name,
            "scopes": [
                "authz:check",
                "resources:write",
                "members:provision",
                "audit:write",
                "usage:write",
            ],
            "account_ids": None,
        }
        headers = {"Authorization": f"Bearer {self.secrets.admin_key}"}
        identity = self.internal_url(Service.IDENTITY)
        async with (
            ClientSession(headers=headers) as http,
            http.post(f"{identity}/internal/admin/service-clients", json=body) as answer,
        ):
            answer.raise_for_status()
            created = await answer.json()
        return {"id": created["id"], "secret": created["secret"]}

    async def stop(self) -> None:
        """Let running requests end, then stop everything in reverse order.

        It also works after a `start` that was cancelled halfway.
        """
        for service in self.services:
            service.drain()  # the gateway waits for its answers, and streams end by this
        if self._gateway is not None:
            await self._gateway.stop()
        for service in reversed(self.services):
            await service.stop()
        await self._bus.close()
        await self.mail.stop()
        if self._starting is not None:
            await asyncio.wait({self._starting})  # a thread cannot be cancelled
        await asyncio.to_thread(self.database.stop)

    async def _start_mail(self) -> None:
        try:
            await self.mail.start()
        except OSError as problem:
            raise NotReadyError(
                f"the mail page cannot be started ({problem})."
                " If another program uses its port, set MAIL_PORT to another one."
            ) from problem

    def _build(self, service: str, internal_urls: Mapping[str, Sequence[str]]) -> ServiceApp:
        at = Addresses(
            mongo_url=self.database.url_for(service) if service in DATABASES else "",
            amqp_url="memory://",
            public_url=self.public_url,
            internal_urls=internal_urls,
            smtp_host=self.mail.smtp_host,
            smtp_port=self.mail.smtp_port,
        )
        options = service_options(service, self._settings, mail_password=self._passwords[MAIL])
        variables = environment(service, given=self.secrets, at=at, options=options)
        self.variables |= variables
        settings = importlib.import_module(f"services.{service}.settings").Settings
        build = importlib.import_module(f"services.{service}.app").build
        loaded = _loaded(settings, variables)
        built: ServiceApp = build(loaded, bus=self._bus, timeouts=self._timeouts)
        return built

    def _console(self) -> ServiceApp:
        """The console, which sends its requests to this gateway like every other client."""
        urls = {"public_url": self.public_url, "api_url": self.url}
        options = {"design_page": "true"}
        variables = console_environment(given=self.secrets, **urls, options=options)
        self.variables |= variables
        return build_console(_loaded(console_settings.Settings, variables), timeouts=self._timeouts)

    async def _clear_leases(self) -> None:
        """Delete the lease rows of an earlier run, which would make changes wait after a crash.

        Only this runner may: the lock on the data folder proves that no earlier process lives.
        """
        client: DbClient = connect(self.database.url, app_name="local", timeouts=self._timeouts)
        try:
            for source in POLICY_SOURCES:
                await majority(client[f"rolecall_{source}"], "leases").delete_many({})
        finally:
            client.close()

    async def _await_ready(self) -> None:
        clock = asyncio.get_running_loop()
        deadline = clock.time() + READY_SECONDS
        while missing := self._missing():
            if clock.time() > deadline:
                raise NotReadyError(f"these checks still fail: {', '.join(missing)}.")
            await asyncio.sleep(0.02)

    def _missing(self) -> list[str]:
        return [
            f"{service.name}.{check}"
            for service in self.services
            for check, good in service.ready().items()
            if not good
        ]


def _loaded(settings: type[SettingsT], variables: Mapping[str, str]) -> SettingsT:
    """The settings of a service, read from these variables alone."""
    for name in variables:
        os.environ.pop(name + FILE, None)
    os.environ.update(variables)
    try:
        return load(settings)
    finally:
        for name in variables:
            del os.environ[name]


def _docs_handler(apis: Sequence[Api]) -> Any:
    @cache
    def text() -> str:
        return page(document(apis))  # at the first request: the start takes less time

    async def reply(request: web.Request) -> web.Response:
        headers = {
            "Content-Security-Policy": CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options": "nosniff",
        }
        return web.Response(text=text(), content_type="text/html", headers=headers)

    return reply


async def _to_pages(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"Location": HOME})
