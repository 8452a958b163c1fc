"""A comparison of all stored data: journals, audit log, mails and memberships."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient
from pymongo.database import Database

from services.notification.domain.digests import TOLD_TOGETHER
from services.notification.domain.member_recipients import ended_membership
from services.notification.domain.messages import Message, MessageKind
from services.notification.domain.pace import MEMBERSHIP_ENDED
from services.notification.domain.recipients import messages_of
from shared.contracts.facts import Row
from shared.contracts.topology import AUDIT, IDENTITY, NOTIFICATION, SOURCES, TEAM
from shared.inbox import caller_for
from tests.faults.stored_sums import difference, usage_faults, webhook_faults
from tests.faults.team_scenario import Acknowledged

LATE = "withheld after the end of the membership"
INBOXES = {
    "identity": IDENTITY.sources,
    "team": TEAM.sources,
    "notification": NOTIFICATION.sources,
    "audit": AUDIT.sources,
}


class StoredData:
    """The databases of all services, read only."""

    def __init__(self, url: str) -> None:
        self._client: MongoClient[dict[str, Any]] = MongoClient(url, tz_aware=True)
        self._rows: dict[str, list[Row]] = {}

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def unsettled(self) -> list[str]:
        """Say what is still in progress: rows to publish, record or consume; mails to send."""
        heads: dict[str, dict[int, int]] = {source: self._heads(source) for source in SOURCES}
        written = sum(sum(shards.values()) for shards in heads.values())
        recorded = self._database("audit")["records"].count_documents({})
        # A digest waits for further mails, longer than a test does.
        open_mails = {"open": True, "kind": {"$ne": MessageKind.DIGEST}}
        waiting = self._database("notification")["messages"].count_documents(open_mails)
        unsent = {
            source: self._database(source)["journal"].count_documents({"sent": False})
            for source in SOURCES
        }
        hooks = self._database("notification")["deliveries"].count_documents({"open": True})
        behind = [
            f"{service} has not consumed all of {source}"
            for service, sources in INBOXES.items()
            for source in sources
            if self._consumed(service, source) != heads[source]
        ]
        # Rows that are written during these reads may show in a later read only.
        growing = [source for source in SOURCES if self._heads(source) != heads[source]]
        return [
            *(
                [f"{recorded} of {written} rows recorded"]
                if recorded != written or not written
                else []
            ),
            *([f"{waiting} mails wait"] if waiting else []),
            *([f"{hooks} webhook deliveries wait"] if hooks else []),
            *(f"{source}: {rows} rows unsent" for source, rows in unsent.items() if rows),
            *behind,
            *(f"{source} still writes rows" for source in growing),
        ]

    def faults(
        self, acknowledged: Acknowledged, *, caught: list[str], received: list[str]
    ) -> list[str]:
        """List everything that does not agree.

        `caught` has the ids of the mails that were sent, `received` those of webhook events.
        """
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
            *self._policy_faults(acknowledged),
            *self._address_faults(),
            *webhook_faults(self._database("notification"), self._rows, acknowledged, received),
            *usage_faults(self._database("audit"), self._rows, acknowledged),
        ]

    def sent_then_withdrawn(self, caught: list[str]) -> int:
        """Count the mails that were sent, but whose link was used before the sending was noted."""
        return len(set(caught) & self._messages()["withdrawn"])

    def size(self) -> str:
        """Say how much was compared."""
        rows = ", ".join(f"{source} {len(rows)}" for source, rows in self._rows.items())
        return f"rows: {rows}; messages: {sum(map(len, self._messages().values()))}"

    def _database(self, service: str) -> Database[dict[str, Any]]:
        return self._client[f"rolecall_{service}"]

    def _heads(self, source: str) -> dict[int, int]:
        found = self._database(source)["heads"].find({"last_seq": {"$gt": 0}})
        return {head["_id"]: head["last_seq"] for head in found}

    def _consumed(self, service: str, source: str) -> dict[int, int]:
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
                    faults.append(f"{source}, shard {shard}: the rows are not 1 to {len(wanted)}")
            parts = Counter(row.change_id for row in rows)
            incomplete = [row.change_id for row in rows if parts[row.change_id] != row.parts]
            faults += [f"{source}: {change} is not complete" for change in incomplete]
        return faults

    def _audit_faults(self) -> list[str]:
        records = {
            record["_id"] for record in self._database("audit")["records"].find({}, {"_id": 1})
        }
        written = [row.id for rows in self._rows.values() for row in rows]
        put_dead = [
            f"{service}: {dead['_id']} put aside: {dead['error']}"
            for service in INBOXES
            for dead in self._database(service)["inbox_dead"].find({})
        ]
        doubtful = self._database("audit")["equivocations"].count_documents({})
        return [
            *difference("rows", written, "records", records),
            *(
                [f"{len(written)} rows have {len(set(written))} ids"]
                if len(set(written)) < len(written)
                else []
            ),
            *put_dead,
            *([f"{doubtful} equivocations"] if doubtful else []),
        ]

    def _messages(self) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {"sent": set(), "withdrawn": set(), LATE: set()}
        for message in self._database("notification")["messages"].find({}):
            status, reply = message["status"], message.get("reply")
            if message["kind"] == MessageKind.DIGEST and message["open"]:
                continue
            if status == "withheld" and reply == TOLD_TOGETHER:
                status = "listed"
            elif status == "withheld":
                status = LATE if reply == MEMBERSHIP_ENDED else f"withheld: {reply}"
            found.setdefault(status, set()).add(message["_id"])
        return found

    def _expected_messages(self) -> list[tuple[Row, Message]]:
        """Every mail that the rows cause, with its row."""
        return [
            (row, message)
            for rows in self._rows.values()
            for row in rows
            for message in messages_of(
                row, caller=caller_for(row, service="notification"), now=datetime.now(UTC)
            )
        ]

    def _too_early(self, late: set[str], expected: list[tuple[Row, Message]]) -> list[str]:
        """Name mails that were withheld although no later row ends the recipient's membership.

        After a kill a row may arrive behind the removal that follows it; its mail is not sent then.
        """
        ends = {
            (row.account_id, ended.email): row.seq
            for row in self._rows["team"]
            if (ended := ended_membership(row)) is not None
        }
        return [
            f"{message.kind} {message.id} was withheld, and its recipient is a member"
            for row, message in expected
            if message.id in late and row.seq >= ends.get((row.account_id, message.recipient), 0)
        ]

    def _mail_faults(self, caught: list[str]) -> list[str]:
        messages = self._messages()
        expected = self._expected_messages()
        noted = {
            str(row.data["message_id"])
            for row in self._rows["notification"]
            if row.action == "message.sent"
        }
        # A digest that came due meanwhile is on the wire before its status says so.
        on_the_wire = set(caught) - messages["withdrawn"] - self._digests(open=True)
        return [
            *difference(
                "mails to expect",
                [message.id for _, message in expected],
                "messages",
                set().union(*messages.values()) - self._digests(),
            ),
            *self._lost_of_digests(),
            *self._too_early(messages[LATE], expected),
            *difference("mails on the wire", on_the_wire, "messages sent", messages["sent"]),
            *difference("messages noted as sent", noted, "messages sent", messages["sent"]),
            *(
                f"messages {status}"
                for status in set(messages) - {"sent", "withdrawn", "listed", LATE}
            ),
        ]

    def _digests(self, **wanted: bool) -> set[str]:
        messages = self._database("notification")["messages"]
        return {each["_id"] for each in messages.find({"kind": MessageKind.DIGEST, **wanted})}

    def _lost_of_digests(self) -> list[str]:
        """Messages that a digest is to tell, and that have none."""
        messages, digests = self._database("notification")["messages"], self._digests()
        told = messages.find({"$or": [{"status": "listed"}, {"reply": TOLD_TOGETHER}]})
        return [f"{one['_id']} has no digest" for one in told if one["digest"] not in digests]

    def _receipt_faults(self) -> list[str]:
        """Find receipts (of the inbox, or of a change in force) without a row."""
        positions = {row.position for rows in self._rows.values() for row in rows}
        names = {".".join(str(part) for part in position) for position in positions}
        return [
            f"{service}.{collection} has {receipt['_id']}, which no journal has"
            for service in INBOXES
            for collection in ("inbox", "receipts")
            for receipt in self._database(service)[collection].find({}, {"_id": 1})
            if receipt["_id"] not in names
        ]

    def _address_faults(self) -> list[str]:
        """Find addresses without their user, with two of them, or of which identity has no note."""
        identity = self._database("identity")
        users = [(user["email_key"], user["_id"]) for user in identity["users"].find({})]
        addresses = [(one["_id"], one["user_id"]) for one in identity["addresses"].find({})]
        doubled = [key for key, users in Counter(key for key, _ in users).items() if users > 1]
        return [
            *difference("addresses of users", users, "addresses", addresses),
            *(f"{key} has several users" for key in doubled),
        ]

    def _policy_faults(self, acknowledged: Acknowledged) -> list[str]:
        team = self._database("team")
        members = {
            ((member["account_id"], member["user_id"]), member["role"])
            for member in team["members"].find({})
        }
        invitations = {(one["_id"], one["status"]) for one in team["invitations"].find({})}
        return [
            *difference(
                "memberships acknowledged", acknowledged.members.items(), "stored", members
            ),
            *difference(
                "invitations acknowledged", acknowledged.invitations.items(), "stored", invitations
            ),
        ]
