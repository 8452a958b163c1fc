"""How does a new MongoDB become a replica set of one, which transactions need?"""

import os
import sys
import time

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

SECONDS = 120
ALREADY_INITIALIZED = 23


def initiate(url: str, *, host: str) -> None:
    """Make the set if there is none, and wait until it takes writes.

    Raises:
        TimeoutError: it does not take writes within two minutes.
    """
    deadline = time.monotonic() + SECONDS
    with MongoClient[dict[str, object]](url, serverSelectionTimeoutMS=2000) as client:
        while time.monotonic() < deadline:
            try:
                if client.admin.command("hello")["isWritablePrimary"]:
                    return
                members = [{"_id": 0, "host": host}]
                client.admin.command("replSetInitiate", {"_id": "rs0", "members": members})
            except OperationFailure as problem:
                if problem.code != ALREADY_INITIALIZED:
                    sys.stderr.write(f"not yet: {problem}\n")
            except PyMongoError as problem:
                sys.stderr.write(f"not yet: {problem}\n")
            time.sleep(0.5)
    raise TimeoutError(f"{url} takes no writes")


if __name__ == "__main__":
    name = os.environ.get("MONGO_HOST", "mongo:27017")
    initiate(f"mongodb://{name}/?directConnection=true", host=name)
