"""Do journals, audit log, mails and memberships tell the same story?"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from services.notification.domain import messages_of
from shared.contracts.facts import Row
from shared.contracts.topology import AUDIT, IDENTITY, NOTIFICATION, SOURCES, TEAM
from shared.inbox import caller_for
from tests.faults.families import Ledger

INBOXES = {
    "identity": IDENTITY.sources,
    "team": TEAM.sources,
    "notification": NOTIFICATION.sources,
    "audit": AUDIT.sources,
}


class Books:
    """The databases of all services, read and never written."""

    def __init__(self, url: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)
        self._rows: dict[str, list[Row]] = {}

    def close(self) -> None:
        """Let go of the server."""
        self._client.close()

    def unsettled(self) -> list[str]:
        """What is still under way: rows to publish, to record, to hear of; mails to send."""
        heads: dict[str, dict[int, int]] = {source: self._heads(source) for source in SOURCES}
        told = sum(sum(shards.values()) for shards in heads.values())
        recorded = self._database("audit")["records"].count_documents({})
        waiting = self._database("notification")["messages"].count_documents({"open": True})
        unsent = {
            source: self._database(source)["journal"].count_documents({"sent": False})
            for source in SOURCES
        }
        deaf = [
            f"{service} has not heard all of {source}"
            for service, sources in INBOXES.items()
            for source in sources
            if self._heard(service, source) != heads[source]
        ]
        # What is told while this is being read may show in a later answer and not in an earlier.
        growing = [source for source in SOURCES if self._heads(source) != heads[source]]
        return [
            *([f"{recorded} of {told} rows recorded"] if recorded != told or not told else []),
            *([f"{waiting} mails wait"] if waiting else []),
            *(f"{source}: {rows} rows unsent" for source, rows in unsent.items() if rows),
            *deaf,
            *(f"{source} tells more" for source in growing),
        ]

    def faults(self, ledger: Ledger, *, caught: list[str]) -> list[str]:
        """Everything that does not agree; `caught` are the ids of the mails on the wire."""
        self._rows = {
            source: [
                Row.from_event(stored["event"].encode())
                for stored in self._database(source)["journal"].find({})
            ]
            for source in SOURCES
        }
        return [
            *self._gaps(),
            *self._audit_faults(),
            *self._mail_faults(caught),
            *self._receipt_faults(),
            *self._policy_faults(ledger),
        ]

    def sent_then_withdrawn(self, caught: list[str]) -> int:
        """Mails on the wire whose sending was not noted before their link was used."""
        return len(set(caught) & self._messages()["withdrawn"])

    def size(self) -> str:
        """How much was compared."""
        rows = ", ".join(f"{source} {len(rows)}" for source, rows in self._rows.items())
        return f"rows: {rows}; messages: {sum(map(len, self._messages().values()))}"

    def _database(self, service: str) -> Database[dict[str, Any]]:
        return self._client[f"rolecall_{service}"]

    def _heads(self, source: str) -> dict[int, int]:
        found = self._database(source)["heads"].find({"seq": {"$gt": 0}})
        return {head["_id"]: head["seq"] for head in found}

    def _heard(self, service: str, source: str) -> dict[int, int]:
        mark = self._database(service)["inbox_marks"].find_one({"_id": source}) or {"low": {}}
        return {int(shard): low for shard, low in mark["low"].items()}

    def _gaps(self) -> list[str]:
        faults = []
        for source, rows in self._rows.items():
            heads = self._heads(source)
            found: dict[int, list[int]] = {}
            for row in rows:
                found.setdefault(row.shard, []).append(row.seq)
            for shard in sorted({*heads, *found}):
                wanted = list(range(1, heads.get(shard, 0) + 1))
                if sorted(found.get(shard, [])) != wanted:
                    faults.append(f"{source}, shard {shard}: {len(wanted)} is not what is there")
            parts = Counter(row.change_id for row in rows)
            torn = [row.change_id for row in rows if parts[row.change_id] != row.parts]
            faults += [f"{source}: {change} is torn" for change in torn]
        return faults

    def _audit_faults(self) -> list[str]:
        records = {
            record["_id"] for record in self._database("audit")["records"].find({}, {"_id": 1})
        }
        told = [row.id for rows in self._rows.values() for row in rows]
        put_aside = [
            f"{service}: {aside['_id']} put aside: {aside['error']}"
            for service in INBOXES
            for aside in self._database(service)["inbox_dead"].find({})
        ]
        doubtful = self._database("audit")["equivocations"].count_documents({})
        return [
            *_difference("rows", told, "records", records),
            *(
                [f"{len(told)} rows have {len(set(told))} ids"]
                if len(set(told)) < len(told)
                else []
            ),
            *put_aside,
            *([f"{doubtful} equivocations"] if doubtful else []),
        ]

    def _messages(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {"sent": set(), "withdrawn": set()}
        for message in self._database("notification")["messages"].find({}, {"status": 1}):
            found.setdefault(message["status"], set()).add(message["_id"])
        return found

    def _mail_faults(self, caught: list[str]) -> list[str]:
        messages = self._messages()
        expected = [
            message.id
            for rows in self._rows.values()
            for row in rows
            for message in messages_of(
                row, caller=caller_for(row, service="notification"), now=datetime.now(UTC)
            )
        ]
        noted = {
            str(row.data["message_id"])
            for row in self._rows["notification"]
            if row.action == "message.sent"
        }
        on_the_wire = set(caught) - messages["withdrawn"]
        return [
            *_difference("mails to expect", expected, "messages", set().union(*messages.values())),
            *_difference("mails on the wire", on_the_wire, "messages sent", messages["sent"]),
            *_difference("messages noted as sent", noted, "messages sent", messages["sent"]),
            *(f"messages {status}" for status in set(messages) - {"sent", "withdrawn"}),
        ]

    def _receipt_faults(self) -> list[str]:
        """A receipt (of the inbox, or of a change in force) without its row."""
        positions = {row.position for rows in self._rows.values() for row in rows}
        names = {".".join(str(part) for part in position) for position in positions}
        return [
            f"{service}.{collection} has {receipt['_id']}, which no journal has"
            for service in INBOXES
            for collection in ("inbox", "receipts")
            for receipt in self._database(service)[collection].find({}, {"_id": 1})
            if receipt["_id"] not in names
        ]

    def _policy_faults(self, ledger: Ledger) -> list[str]:
        team = self._database("team")
        members = {
            ((member["account_id"], member["user_id"]), member["role"])
            for member in team["members"].find({})
        }
        invitations = {(one["_id"], one["status"]) for one in team["invitations"].find({})}
        return [
            *_difference("memberships told", ledger.members.items(), "there", members),
            *_difference("invitations told", ledger.invitations.items(), "there", invitations),
        ]


def _difference(left: str, these: Iterable[Any], right: str, those: Iterable[Any]) -> list[str]:
    these, those = set(these), set(those)
    return [
        *(f"{left}, not {right}: {one}" for one in sorted(these - those, key=str)),
        *(f"{right}, not {left}: {one}" for one in sorted(those - these, key=str)),
    ]
