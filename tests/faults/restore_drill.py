"""Databases that are set back to an earlier moment than the others, by the operations page."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from operator import methodcaller
from typing import TYPE_CHECKING, Any

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from deploy.mongo import DATABASES
from shared.contracts.topology import QUEUES, SOURCES, Service
from tests.e2e.processes import ROOT, Processes
from tests.faults.stored_data import StoredData

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from pymongo.database import Database

OPERATOR = "Ana"
REASON = "A drill: a broken disk."
CHECKPOINTS = "checkpoints"
LOST = "A source was restored. It lost rows that were applied here."
Place = tuple[str, int, int]
"""Epoch, shard and sequence of a row."""


class DrilledProduct(Processes):
    """Two replicas of authz, and an audit log whose checkpoints are also in a folder."""

    def __init__(self, folder: Path) -> None:
        audit = {"checkpoint_folder": str(folder / CHECKPOINTS)}
        identity = {"mails_per_ip": "100000", "logins_per_ip": "100000"}
        options = {"audit": audit, "identity": identity}
        super().__init__(folder, replicas={"authz": 2}, options=options)


@dataclass
class Journals:
    """The rows of each journal at one moment: id → place."""

    rows: dict[str, dict[str, Place]]

    def after(self, earlier: Journals, source: str) -> set[str]:
        """The ids of rows that an earlier moment does not have."""
        return set(self.rows[source]) - set(earlier.rows[source])


@dataclass
class RestoredDatabases:
    """The databases of a product: a copy of some at one moment, and what is in all of them now."""

    product: DrilledProduct
    copies: dict[str, dict[str, list[RawBSONDocument]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Connect as the administrator."""
        url = self.product.database_url()
        self._raw: MongoClient[RawBSONDocument] = MongoClient(url, document_class=RawBSONDocument)
        self._client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)

    def close(self) -> None:
        """Close the connections."""
        self._raw.close()
        self._client.close()

    def of(self, service: str) -> Database[dict[str, Any]]:
        """The database of a service."""
        return self._client[DATABASES[Service(service)]]

    def copy(self, services: Collection[str]) -> None:
        """Copy all documents of these databases. Nothing may be changing at the moment."""
        self.copies = {service: dict(self._documents(service)) for service in services}

    def stop(self) -> None:
        """Stop every service, as the page says."""
        with ThreadPoolExecutor() as threads:
            list(threads.map(methodcaller("stop"), self.product.services.values()))

    def restore(self) -> None:
        """Do the rest that the page says: put back, empty the queues, begin epochs, start."""
        with ThreadPoolExecutor() as threads:
            for service, collections in self.copies.items():
                self._put_back(service, collections)
            for service in DATABASES:
                self.product.broker.control("purge_queue", QUEUES[Service(service)].name)
            for service in self.copies:
                self._begin_epoch(service)
            list(threads.map(methodcaller("start"), self.product.services.values()))

    def journals(self) -> Journals:
        """All rows that the sources have, those of former epochs included."""
        return Journals({source: dict(self._rows(source)) for source in SOURCES})

    def recorded(self) -> set[str]:
        """The ids of all records of the audit log."""
        return {one["_id"] for one in self.of("audit")["records"].find({}, {"_id": 1})}

    def messages(self) -> set[str]:
        """The ids of all mails."""
        return {one["_id"] for one in self.of("notification")["messages"].find({}, {"_id": 1})}

    def members(self, account: str) -> set[str]:
        """The users that are members of an account."""
        found = self.of("team")["members"].find({"account_id": account})
        return {one["user_id"] for one in found}

    def inconsistent(self) -> set[str]:
        """The logs that do not continue their checkpoints."""
        return {one["_id"] for one in self.of("audit")["trees"].find({"inconsistent": True})}

    def told(self, service: str) -> list[dict[str, Any]]:
        """What the audit log says about restores of a service."""
        wanted = {"action": "journal.restored", "resource_id": service}
        return list(self.of("audit")["records"].find(wanted))

    def put_aside(self) -> list[str]:
        """The facts that some service gave up, and the rows whose digests differ."""
        dead = [one["_id"] for name in SOURCES for one in self.of(name)["inbox_dead"].find({})]
        return dead + [one["_id"] for one in self.of("audit")["equivocations"].find({})]

    def waiting(self) -> list[str]:
        """What is still in progress, and which rows have no record yet."""
        data = StoredData(self.product.database_url())
        try:
            waits = [wait for wait in data.unsettled() if not wait.endswith("rows recorded")]
        finally:
            data.close()
        recorded = self.recorded()
        for source, rows in self.journals().rows.items():
            missing = set(rows) - recorded
            waits += [f"{len(missing)} rows of {source} without a record"] if missing else []
        return waits

    def _documents(self, service: str) -> Iterator[tuple[str, list[RawBSONDocument]]]:
        database = self._raw[DATABASES[Service(service)]]
        for name in database.list_collection_names():
            yield name, list(database[name].find({}))

    def _put_back(self, service: str, collections: dict[str, list[RawBSONDocument]]) -> None:
        database = self._raw[DATABASES[Service(service)]]
        for name in {*database.list_collection_names(), *collections}:
            database[name].delete_many({})
            if documents := collections.get(name):
                database[name].insert_many(documents)

    def _begin_epoch(self, service: str) -> None:
        """Run the operator's command."""
        url = self.product.database_url()
        command = [sys.executable, "-m", "rolecall.cli", "admin", "after-restore", service]
        given = ["--mongo-url", url, "--reason", REASON, "--as", OPERATOR, "--yes"]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT}:{ROOT / 'sdk'}"}
        subprocess.run([*command, *given], check=True, env=environment, capture_output=True)

    def _rows(self, source: str) -> Iterator[tuple[str, Place]]:
        for name in ("journal", "journal_before_restore"):
            for stored in self.of(source)[name].find({}):
                event = json.loads(stored["event"])
                row = event["data"]
                yield event["id"], (row["epoch"], row["shard"], row["seq"])


def lost_as_logged(product: Processes, service: str, *, since: int) -> int:
    """How many rows a service says it had applied that their source has no more."""
    [process, *_] = product.replicas_of(service)
    lines = process.log.read_bytes()[since:].decode().splitlines()
    said = [json.loads(line) for line in lines if LOST in line]
    return sum(int(one["rows"]) for one in said)


async def in_thread(call: Any, *given: Any) -> Any:
    """Run what blocks beside the loop."""
    return await asyncio.to_thread(call, *given)
