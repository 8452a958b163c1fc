"""All documents of a product of an earlier release: written once, read into new databases.

Those of 0.1.0 were written while `make run` of it ran, after its `make demo` with two reports of
each kind, the removal of a member and a registered resource. Its keys open nothing else.
"""

import lzma
from pathlib import Path
from typing import Any

from bson import json_util
from pymongo import MongoClient

from deploy.configuration import Secrets
from deploy.migrate import SERVICES, run
from deploy.mongo import DATABASES, USERS
from deploy.passwords import derive
from deploy.private_files import write_private
from tests.e2e.one_process import OneProcess
from tests.servers import UnmeasuredSecantusdb
from tests.support.journal_keys import signer

FILES = ("secrets.json", "client.json")
"""What belongs to the data."""


def write_documents(product: OneProcess, file: Path) -> None:
    """Write the documents of a running product, and the files of secrets beside them."""
    with MongoClient[dict[str, Any]](product.database_url(), tz_aware=True) as client:
        databases = {
            name: {
                collection: list(client[name][collection].find({}))
                for collection in sorted(client[name].list_collection_names())
            }
            for name in DATABASES.values()
        }
    kept = {
        "files": {name: (product.data / name).read_text() for name in FILES},
        "databases": databases,
    }
    file.write_bytes(lzma.compress(json_util.dumps(kept).encode(), preset=9))


async def read_documents(file: Path, product: OneProcess) -> None:
    """Give a product that has not been started these documents, with the indexes of then."""
    kept = _read(file)
    product.data.mkdir(parents=True, mode=0o700)
    for name, text in kept["files"].items():
        write_private(product.data / name, text)
    secrets = Secrets.load_or_create(product.data / FILES[0])
    server = UnmeasuredSecantusdb(product.data / "database")
    server.start_with_users(derive(secrets.admin_key, USERS))
    try:
        for service, (_, steps) in SERVICES.items():
            known = kept["databases"][DATABASES[service]]["migrations"]
            before = steps(signer(service))[: len(known)]
            await run(server.url, DATABASES[service], before, service=service)
        with MongoClient[dict[str, Any]](server.url, tz_aware=True) as client:
            for name, collections in kept["databases"].items():
                for collection, documents in collections.items():
                    client[name][collection].delete_many({})  # what the steps have noted
                    if documents:
                        client[name][collection].insert_many(documents)
    finally:
        server.stop()


def migrations_of(product: OneProcess) -> dict[str, set[int]]:
    """The steps that each database of a running product has had."""
    with MongoClient[dict[str, Any]](product.database_url()) as client:
        return {
            service: {row["_id"] for row in client[name]["migrations"].find({})} - {"lock"}
            for service, name in DATABASES.items()
        }


def _read(file: Path) -> dict[str, Any]:
    kept: dict[str, Any] = json_util.loads(lzma.decompress(file.read_bytes()))
    return kept
