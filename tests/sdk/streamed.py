"""The policy stream as text, written by the authz service's own words."""

import json
from typing import Any

from rolecall import Catalog, load_catalog
from rolecall.aio.event_stream import EventReader
from rolecall.aio.mirror import Mirror
from services.authz.domain.stream_events import event, told
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind

STANDARD = load_catalog("standard")


class Script:
    """Writes the events of one stream, and plays them to a mirror; `now` is the time of both."""

    def __init__(self, mirror: Mirror | None = None) -> None:
        self.mirror = Mirror() if mirror is None else mirror
        self.mirror.opened()
        self.now = 1000.0
        self.number = 0

    def text(self, name: str, *, event_id: str | None = None, **content: Any) -> bytes:
        self.number += 1
        return event(name, {"n": self.number, **content}, event_id=event_id)

    def play(self, text: bytes) -> None:
        for found in EventReader().feed(text):
            for _ in self.mirror.take(found, asked_at=self.now, now=self.now):
                pass

    def tell(self, name: str, **content: Any) -> None:
        self.play(self.text(name, **content))

    def hello(self, *, resumed: bool = False, at: float = 50.0, **scope: Any) -> bytes:
        tells = {"sessions": True, "users": True}
        known = tells | {"account_ids": None, "resource_types": None} | scope
        return self.text("hello", at=at, resumed=resumed, source="team", epoch="epo_1", **known)

    def begin(self, *objects: PolicyObject, **scope: Any) -> None:
        """A whole state and a lease of three seconds."""
        self.play(self.hello(**scope))
        self.tell("state", objects=[catalog(STANDARD), *map(as_told, objects)])
        self.tell("ready", event_id="life.tag.0")
        self.lease()

    def lease(self, *, at: float = 50.0, seconds: float = 3.0, **applied: int) -> None:
        self.tell("lease", at=at, seconds=seconds, applied=applied)

    def end(self, *session_ids: str, seconds: int = 600) -> None:
        self.tell("session.ended", sessions=session_ids, seconds=seconds)

    def disable(self, **users: bool) -> None:
        self.tell("user.disabled", users=users)

    def have_factor(self, **users: bool) -> None:
        self.tell("user.second_factor", users=users)

    def change(self, *objects: PolicyObject, shard: int = 1, seq: int = 1) -> None:
        self.tell("change", objects=[*map(as_told, objects)], shard=shard, seq=seq)


def as_told(policy_object: PolicyObject) -> dict[str, Any]:
    account_id = policy_object.account_id or policy_object.id
    found = told(policy_object.kind, policy_object.id, account_id, policy_object.state)
    plain: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return plain


def catalog(content: Catalog) -> dict[str, Any]:
    state = {"content": content.to_mapping()}
    return told(PolicyObjectKind.CATALOG, content.id, content.id, state)
