"""Logs with seals, as tests make them: records, their lines, and the tree in the plainest way."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from functools import cache
from typing import TYPE_CHECKING, Any

from rolecall.audit.notes import Checkpoint
from rolecall.audit.sealed import commitments, encoded, leaf_of, personal_values
from rolecall.audit.trees import siblings
from rolecall.audit.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Mapping

ORIGIN = "iam.example.com/audit/acc_1"


def sha(data):
    return hashlib.sha256(data).digest()


def plain_root(leaves):
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha(b"\x01" + plain_root(leaves[:k]) + plain_root(leaves[k:]))


def record(number: int, chance: random.Random) -> dict[str, Any]:
    """A record of an audit log, with what may be absent absent now and then."""
    maybe = lambda value: value if chance.random() < 0.7 else None  # noqa: E731
    return {
        "id": f"evt_{number:06d}",
        "account_id": "acc_1",
        "account_rev": number + 1,
        "occurred_at": "2026-11-27T07:00:00.000Z",
        "recorded_at": "2026-11-27T07:00:01.250Z",
        "actor": {
            "type": "user",
            "id": f"usr_{chance.randrange(5)}",
            "name": maybe(chance.choice(["Ada", "Zoë \U0001f600", "李"])),
            "email": maybe("ada@example.com"),
            "session_id": maybe("ses_1"),
            "token_id": None,
            "on_behalf_of": None,
        },
        "action": chance.choice(["member.removed", "instance.resized"]),
        "resource": {"type": "member", "id": f"usr_{number}", "name": maybe("Bob")},
        "project_id": maybe("prj_1"),
        "outcome": "succeeded",
        "before": maybe({"role": "admin", "size": 1.5}),
        "after": maybe({"role": "developer", "tags": ["a", None, {"b": True}], "é": 2**60}),
        "reason": maybe("left the team"),
        "request_id": f"req_{number}",
        "trace_id": maybe("0af7651916cd43dd8448eb211c80319c"),
        "ip": maybe("192.0.2.7"),
        "user_agent": maybe("curl/8"),
        "change_id": f"chg_{number}",
        "position": {"source": "team", "epoch": "e1", "shard": 3, "seq": number + 1},
    }


class Log:
    """A log of random records, with the salts of each."""

    def __init__(
        self,
        size: int,
        *,
        seed: int = 1,
        minutes: int = 1,
        told: Mapping[int, Mapping[str, Any]] | None = None,
    ) -> None:
        """Make `size` records; their times are in any order, within some minutes.

        `told` has what single records say instead of something random.
        """
        chance = random.Random(seed)
        self.records = [
            record(number, chance) | dict((told or {}).get(number, {})) for number in range(size)
        ]
        for each in self.records if minutes > 1 else ():
            each["occurred_at"] = f"2026-11-27T07:{chance.randrange(minutes):02}:00.000Z"
        self.salts = [
            {path: chance.randbytes(16) for path in personal_values(each)} for each in self.records
        ]
        self.leaves = [
            leaf_of(each, commitments(personal_values(each), salts))
            for each, salts in zip(self.records, self.salts, strict=True)
        ]

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        leaves = self.leaves[:size]
        return Checkpoint(ORIGIN, len(leaves), plain_root(leaves))

    def lines(self, size: int | None = None) -> list[str]:
        """The whole export for the tree of `size` leaves."""
        leaves = self.leaves[:size]
        walk, lines = Walk(len(leaves)), []
        for index in range(len(leaves)):
            _, beside = walk.to(index)
            path = [encoded(plain_root(leaves[low:high])) for low, high in beside]
            salts = {name: encoded(salt) for name, salt in self.salts[index].items()}
            seal = {"index": index, "salts": salts, "path": path}
            lines.append(json.dumps(self.records[index] | {"seal": seal}, ensure_ascii=False))
        return lines

    def export(self, size: int | None = None, *, note: str | None = None) -> list[str]:
        """An export of all records, by their time, with proofs to the tree of `size` leaves."""
        leaves = self.leaves[:size]
        lines = []
        for index, each in sorted(enumerate(self.records), key=lambda pair: order(pair[1])):
            seal = None
            if index < len(leaves):
                beside = siblings(index, (0, len(leaves)))
                proof = [encoded(self.node(low, high)) for low, high in beside]
                salts = {name: encoded(salt) for name, salt in self.salts[index].items()}
                seal = {"index": index, "salts": salts, "proof": proof}
            lines.append({"type": "record", **each, "seal": seal})
        head: dict[str, Any] = {
            "type": "export",
            "account_id": "acc_1",
            "complete_until": "2026-11-27T09:00:00.000Z",
            "filters": {},
            "after": None,
            "size": len(leaves),
            "checkpoint": note,
        }
        last = {"type": "end", "records": len(lines)}
        return [json.dumps(each, ensure_ascii=False) for each in (head, *lines, last)]

    @cache  # noqa: B019 - for the few logs of a test
    def node(self, low: int, high: int) -> bytes:
        root: bytes = plain_root(self.leaves[low:high])
        return root


def order(record):
    return record["occurred_at"], record["position"]["seq"]


def erased(line: str, path: str) -> str:
    """The line without a personal value and its salt: the commitment to it is left."""
    content = json.loads(line)
    outer, _, inner = path.partition(".")
    holder = content[outer] if inner else content
    value = holder[inner or outer]
    salt = base64.b64decode(content["seal"]["salts"].pop(path))
    if outer in {"before", "after"}:
        del holder[inner]
    else:
        holder[inner or outer] = None
    content["seal"].setdefault("erased", {})[path] = sha(salt + plain_json(value)).hex()
    return json.dumps(content)


def plain_json(value):
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
