"""The events of the policy stream: their text, and what of a policy object they tell.

Only what a decision needs is told: no name, no address, and no resource of a type to which the
service client is not bound.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from pydantic import BaseModel

from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ServiceClientObject
from shared.http.server_events import server_event

_FIELDS: Mapping[PolicyObjectKind, tuple[str, ...]] = {
    PolicyObjectKind.ACCOUNT: (
        "kind",
        "status",
        "owner_user_id",
        "catalog",
        "require_second_factor",
    ),
    PolicyObjectKind.MEMBER: ("membership_id", "role", "status", "expires_at", "attributes"),
    PolicyObjectKind.PROJECT: (),
    PolicyObjectKind.OVERRIDE: (
        "project_id",
        "user_id",
        "membership_id",
        "grants",
        "expires_at",
    ),
    PolicyObjectKind.RESOURCE: ("project_id", "owner_id", "properties"),
    PolicyObjectKind.CATALOG: ("content",),
}


class StreamEnd(StrEnum):
    """Why the replica ended a stream; the reader opens another one."""

    DRAINING = "draining"
    """This replica stops; another one goes on."""
    RELOADED = "reloaded"
    """Team has another history, so everything is told anew."""
    CLIENT_CHANGED = "client-changed"
    """The service client was deleted, or is bound to other accounts or types now."""
    TOKEN_REVOKED = "token-revoked"  # noqa: S105 - the name of a reason
    """The access token that opened the stream, or the key that signed it, was revoked."""
    STALE = "stale"
    """This replica does not hold its leases."""
    TOO_SLOW = "too-slow"
    """The reader is further behind than the replica keeps changes."""


@dataclass(frozen=True, slots=True)
class StreamScope:
    """What a stream tells: these accounts and resources of these types; `None` bounds nothing."""

    account_ids: frozenset[str] | None
    resource_types: frozenset[str] | None

    @classmethod
    def of(cls, client: ServiceClientObject, account_id: str | None) -> "StreamScope":
        """What this client may read, or the part of one account."""
        bound = client.account_ids if account_id is None else (account_id,)
        types = client.resource_types
        return cls(
            None if bound is None else frozenset(bound),
            None if types is None else frozenset(types),
        )

    @property
    def tag(self) -> str:
        """A text that differs from that of every other scope."""
        parts = [None if each is None else sorted(each) for each in self._sets()]
        return sha256(json.dumps(parts).encode()).hexdigest()[:16]

    def covers_account(self, account_id: str) -> bool:
        """Return whether objects of this account are told."""
        return self.account_ids is None or account_id in self.account_ids

    def covers(self, kind: PolicyObjectKind, object_id: str, account_id: str) -> bool:
        """Return whether this object of an account is told."""
        if kind is PolicyObjectKind.CATALOG or kind not in _FIELDS:
            return False
        if not self.covers_account(account_id):
            return False
        return (
            kind is not PolicyObjectKind.RESOURCE
            or self.resource_types is None
            or object_id.partition("/")[0] in self.resource_types
        )

    def described(self) -> dict[str, list[str] | None]:
        """The scope as the first event tells it."""
        accounts, types = self._sets()
        return {
            "account_ids": None if accounts is None else sorted(accounts),
            "resource_types": None if types is None else sorted(types),
        }

    def _sets(self) -> tuple[frozenset[str] | None, frozenset[str] | None]:
        return self.account_ids, self.resource_types


def account_of(policy_object: PolicyObject) -> str:
    """The account that an object belongs to."""
    account_id = policy_object.account_id
    return policy_object.id if account_id is None else account_id


def told(kind: PolicyObjectKind, object_id: str, account_id: str, state: Any) -> dict[str, Any]:
    """What an event tells of one object; `state` is a record, a mapping, or `None`: it is gone."""
    content: dict[str, Any] | None = None
    if state is not None:
        content = {name: _field(state, name) for name in _FIELDS[kind]}
        content = {name: value for name, value in content.items() if value not in (None, {}, False)}
        if kind is PolicyObjectKind.ACCOUNT:
            roles = _field(state, "roles") or {}
            content["roles"] = {each: _field(role, "grants") for each, role in roles.items()}
    return {"kind": kind.value, "id": object_id, "account_id": account_id, "state": content}


def told_of_change(
    objects: Iterable[PolicyObject], scope: StreamScope, *, follows: Callable[[str], bool]
) -> list[dict[str, Any]]:
    """What of a change is told in a scope, with the catalogs that `follows` names."""
    return [
        told(each.kind, each.id, account_of(each), each.state)
        for each in objects
        if scope.covers(each.kind, each.id, account_of(each))
        or (each.kind is PolicyObjectKind.CATALOG and follows(each.id))
    ]


def event(name: str, content: Mapping[str, Any], *, event_id: str | None = None) -> bytes:
    """The text of one server-sent event."""
    data = json.dumps(content, separators=(",", ":"), default=_written)
    return server_event(name, data, event_id=event_id)


def _field(state: Any, name: str) -> Any:
    return state.get(name) if isinstance(state, Mapping) else getattr(state, name, None)


def _written(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no form in an event")
