"""A process that ends itself at one of its steps: its writes to the database, and others by name.

The steps are numbered as they come: after each write that is committed, and in a soak also before
the first commit. Of a deletion of many documents there is one more, at which half of them are gone.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pymongo
from pymongo.monitoring import CommandListener, register

from tests.faults.crashes import BEFORE_COMMIT, die
from tests.lengths import SOAK

if TYPE_CHECKING:
    from pymongo.monitoring import (
        CommandFailedEvent,
        CommandStartedEvent,
        CommandSucceededEvent,
    )

WRITES = ("insert", "update", "delete", "commitTransaction")


class Dying(CommandListener):
    """Counts the steps of this process from `begin` on, and ends it at the given one."""

    def __init__(self, step: int) -> None:
        self._dies_at = step
        self._reached: int | None = None
        self._names: dict[int, str] = {}
        """The requests that are under way."""
        self._committed = False
        self._mongo_url = ""
        register(self)

    def begin(self, mongo_url: str) -> None:
        """Count from here on."""
        self._mongo_url = mongo_url
        self._reached = 0

    def reach(self, name: str) -> None:
        """Reach a step; it may be the last one."""
        if self._counts():
            _end(name)

    def _counts(self) -> bool:
        """Count a step, and return whether it is the last one."""
        if self._reached is None:
            return False
        self._reached += 1
        return self._reached == self._dies_at

    def started(self, event: CommandStartedEvent) -> None:
        """Note a write; one inside a transaction happens with its commit."""
        name = event.command_name
        if self._reached is None or name not in WRITES:
            return
        if name == "commitTransaction":
            if SOAK and not self._committed:
                self.reach(BEFORE_COMMIT)
            self._committed = True
        elif event.command.get("autocommit") is False:
            return
        elif name == "delete" and event.command["deletes"][0]["limit"] == 0:
            self._delete_half(event)
        self._names[event.request_id] = f"after {name} {event.command[name]}"

    def succeeded(self, event: CommandSucceededEvent) -> None:
        """Reach the step after a write."""
        name = self._names.pop(event.request_id, None)
        if name is not None:
            self.reach(name.replace("commitTransaction 1", "a commit"))

    def failed(self, event: CommandFailedEvent) -> None:
        """Forget a write that did not happen."""
        self._names.pop(event.request_id, None)

    def _delete_half(self, event: CommandStartedEvent) -> None:
        """Delete the newer half of the documents, where this is the step."""
        if not self._counts():
            return
        self._reached = None
        collection = event.command["delete"]
        with pymongo.MongoClient[dict[str, Any]](self._mongo_url) as client:
            stored = client[event.database_name][collection]
            found = stored.find(event.command["deletes"][0]["q"], {"_id": 1}).sort("_id", 1)
            ids = [document["_id"] for document in found]
            for one in ids[len(ids) // 2 :]:
                stored.delete_one({"_id": one})
        _end(f"half of delete {collection}")


def _end(name: str) -> None:
    sys.stdout.write(f"{name}\n")
    sys.stdout.flush()
    die()
