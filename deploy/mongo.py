"""The step that makes a new MongoDB a replica set of one, which transactions need."""

import os
import sys
import time

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

READY_SECONDS = 120.0
ALREADY_INITIALIZED_CODE = 23


def initiate(url: str, *, host: str) -> None:
    """Initiate the replica set if necessary, and wait until it accepts writes.

    Raises:
        TimeoutError: the server does not accept writes within two minutes.
    """
    deadline = time.monotonic() + READY_SECONDS
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=2000) as client:
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


if __name__ == "__main__":
    name = os.environ.get("MONGO_HOST", "mongo:27017")
    initiate(f"mongodb://{name}/?directConnection=true", host=name)
