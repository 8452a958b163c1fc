"""Asks the database about itself, as the user of a service."""

import importlib
from collections import defaultdict
from datetime import UTC, datetime, timedelta

from pymongo.errors import PyMongoError

from deploy.doctor.ask_http import SECONDS, ahead_by, fault_text
from deploy.doctor.servers import SeenDatabase
from shared.mongo import Database, DatabaseAway, connect, majority
from shared.runtime.settings import ServiceSettings
from shared.timeouts import Timeouts


async def ask_database(service: str, settings: ServiceSettings) -> SeenDatabase:
    """Ask the database of a service about itself and its user."""
    url, name = settings.mongo_url.get_secret_value(), settings.mongo_database
    timeouts = Timeouts(database=SECONDS)
    try:
        client = connect(url, app_name="rolecall-doctor", timeouts=timeouts)
    except (PyMongoError, OSError, ValueError) as problem:
        return SeenDatabase(service=service, fault=fault_text(problem))
    try:
        sent = datetime.now(UTC)
        hello = await client.admin.command("hello")
        received = datetime.now(UTC)
        status = await client.admin.command("connectionStatus")
        version = (await client.admin.command("buildInfo"))["version"]
        applied = await _last_step(client[name])
        free = await _free_part(client[name])
    except (PyMongoError, DatabaseAway) as problem:
        return SeenDatabase(service=service, fault=fault_text(problem.__cause__ or problem))
    finally:
        client.close()
    users = status["authInfo"]["authenticatedUsers"]
    roles: defaultdict[str, list[str]] = defaultdict(list)
    for role in status["authInfo"]["authenticatedUserRoles"]:
        roles[role["db"]].append(role["role"])
    return SeenDatabase(
        service=service,
        name=name,
        offset=_offset(hello.get("localTime"), sent, received),
        version=version,
        replica_set="setName" in hello or hello.get("msg") == "isdbgrid",
        user=users[0]["user"] if users else None,
        roles=roles,
        free=free,
        applied=applied,
        known=known_steps(service),
    )


def _offset(told: datetime | None, sent: datetime, received: datetime) -> timedelta:
    """How far a server's clock is ahead of this machine's."""
    if told is None:
        return timedelta()
    at = told.replace(tzinfo=UTC)
    return ahead_by(at - received, at - sent)


async def _last_step(database: Database) -> int:
    wanted = {"_id": {"$type": "number"}}
    newest = majority(database, "migrations").find(wanted).sort("_id", -1).limit(1)
    return max([row["_id"] async for row in newest], default=0)


async def _free_part(database: Database) -> float | None:
    """The part of the database's disk that is free; not every server and role tells it."""
    try:
        stats = await database.command("dbStats")
    except PyMongoError:
        return None
    total = stats.get("fsTotalSize")
    return 1 - stats["fsUsedSize"] / total if total else None


def known_steps(service: str) -> int:
    """The number of migration steps that this version has for a service."""
    steps = importlib.import_module(f"services.{service}.migrations").migrations
    return len(steps(None))  # a step uses the signer only when it runs
