"""The step that makes a new MongoDB a replica set of one, with a user for each service.

It runs on the database's own address 127.0.0.1. While a server has no user, only from there may the
first one be created, also on data of a version without users.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.contracts.topology import Service

READY_SECONDS = 120.0
ALREADY_INITIALIZED_CODE = 23
AUTHENTICATION_FAILED_CODE = 18
USER_EXISTS_CODE = 51003
ADMIN = "rolecall-admin"
"""The user for operators; no service has its password."""
DATABASES: Mapping[str, str] = {
    service: f"rolecall_{service}" for service in Service if service is not Service.AUTHZ
}
"""The database of each service that has one."""
USERS = (ADMIN, *DATABASES)

Client = MongoClient[dict[str, object]]


def initiate(url: str, *, host: str) -> None:
    """Initiate the replica set if necessary, and wait until it accepts writes.

    Raises:
        TimeoutError: the server does not accept writes within two minutes.
    """
    deadline = time.monotonic() + READY_SECONDS
    with Client(url, serverSelectionTimeoutMS=2000) as client:
        while time.monotonic() < deadline:
            try:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return
                members = [{"_id": 0, "host": host}]
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            except OperationFailure as problem:
                if problem.code != ALREADY_INITIALIZED_CODE:
                    sys.stderr.write(f"The replica set is not ready yet: {problem}\n")
            except PyMongoError as problem:
                sys.stderr.write(f"The replica set is not ready yet: {problem}\n")
            time.sleep(0.5)
    raise TimeoutError(f"{url} does not accept writes after {READY_SECONDS:.0f} seconds.")


def create_users(url: str, passwords: Mapping[str, str]) -> None:
    """Give the administrator and each service a user; existing ones get these passwords and roles.

    `url` names no user. Each service may read and write its own database, and nothing else.

    Raises:
        OperationFailure: the server has users, and the administrator has another password.
    """
    with Client(
        url, username=ADMIN, password=passwords[ADMIN], authSource="admin"
    ) as administrator:
        try:
            administrator.admin.command("usersInfo", ADMIN)
        except OperationFailure as problem:
            if problem.code != AUTHENTICATION_FAILED_CODE:
                raise
            with Client(url) as client:
                client.admin.command(_user("createUser", ADMIN, passwords, ["root"]))
        for service, database in DATABASES.items():
            roles = [{"role": "readWrite", "db": database}]
            try:
                administrator.admin.command(_user("createUser", service, passwords, roles))
            except OperationFailure as problem:
                if problem.code != USER_EXISTS_CODE:
                    raise
                administrator.admin.command(_user("updateUser", service, passwords, roles))


def _user(
    command: str, name: str, passwords: Mapping[str, str], roles: Sequence[object]
) -> dict[str, object]:
    return {command: str(name), "pwd": passwords[name], "roles": list(roles)}


if __name__ == "__main__":
    local = "mongodb://127.0.0.1:27017/?directConnection=true"
    initiate(local, host=os.environ.get("MONGO_HOST", "mongo:27017"))
    file = os.environ.get("MONGO_PASSWORDS_FILE")
    passwords = Path(file).read_text() if file else os.environ["MONGO_PASSWORDS"]
    create_users(local, json.loads(passwords))
