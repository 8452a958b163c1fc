"""Signing keys: the states of a key, which one signs, which are published, and when they change.

A key is published as the next one long before it signs, so that every verifier has fetched it. A
retired key stays published until the last token that it signed is over. A revoked key is refused
everywhere at once, and for good.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rolecall.client.access_tokens import ACCESS_SECONDS
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.contracts.identity import (
    SigningKeyActivated,
    SigningKeyCreated,
    SigningKeyRetired,
    SigningKeyRevoked,
)
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, SigningKeyObject
from shared.ids import KeyId
from shared.problems import Refusal, RefusalKind

RETIRED_PUBLISHED = timedelta(seconds=ACCESS_SECONDS + 60)
"""The longest token, and a minute for a replica that learns late that the key is retired."""


class KeyState(StrEnum):
    """The states of a key; `TRANSITIONS` says which follow."""

    NEXT = "next"
    ACTIVE = "active"
    RETIRED = "retired"
    REVOKED = "revoked"


TRANSITIONS: dict[KeyState, frozenset[KeyState]] = {
    KeyState.NEXT: frozenset({KeyState.ACTIVE, KeyState.REVOKED}),
    KeyState.ACTIVE: frozenset({KeyState.RETIRED, KeyState.REVOKED}),
    KeyState.RETIRED: frozenset({KeyState.REVOKED}),
    KeyState.REVOKED: frozenset(),
}


class KeyTooYoung(Refusal):
    """The next key was not published long enough: a verifier may not know it yet."""

    kind = RefusalKind.CONFLICT
    code = "key-too-young"
    detail = (
        "The next signing key was not published long enough for every service to know it."
        " Rotate again in {seconds} seconds, or revoke the key that must not sign any more."
    )


class KeyUnknown(Refusal):
    """There is no signing key of this id that could be revoked."""

    kind = RefusalKind.NOT_FOUND
    code = "key-unknown"
    detail = "There is no such signing key, or it is over. List the signing keys to see which are."


@dataclass(frozen=True, kw_only=True)
class SealedKey:
    """A signing key as it is stored; `number` counts the keys from 1 and is unique.

    `sealed` is the private key, encrypted: the database alone cannot sign. `state_since` is `None`
    in a key of an earlier version, which had one key.
    """

    id: KeyId
    number: int
    public: str
    sealed: bytes
    created_at: datetime
    state: KeyState = KeyState.ACTIVE
    state_since: datetime | None = None
    rev: int = 0

    @property
    def since(self) -> datetime:
        """When the key came into its state."""
        return self.created_at if self.state_since is None else self.state_since

    def published(self, now: datetime) -> bool:
        """Return whether verifiers are told of the key."""
        match self.state:
            case KeyState.REVOKED:
                return False
            case KeyState.RETIRED:
                return now < self.since + RETIRED_PUBLISHED
        return True


def signing_key(keys: Iterable[SealedKey]) -> SealedKey | None:
    """Return the key that signs: the newest active one."""
    return max(_in(KeyState.ACTIVE, keys), key=lambda key: key.number, default=None)


def next_key(keys: Iterable[SealedKey]) -> SealedKey | None:
    """Return the key that signs after the active one."""
    return max(_in(KeyState.NEXT, keys), key=lambda key: key.number, default=None)


def is_due(keys: Sequence[SealedKey], *, now: datetime, age: timedelta, lead: timedelta) -> bool:
    """Return whether the active key has its age, and the next one may take its place."""
    signing, following = signing_key(keys), next_key(keys)
    return (
        signing is not None
        and following is not None
        and now >= signing.since + age
        and now >= following.created_at + lead
    )


def move(key: SealedKey, state: KeyState, *, now: datetime, rev: int) -> tuple[SealedKey, Fact]:
    """Bring a key into its following state."""
    if state not in TRANSITIONS[key.state]:
        raise ValueError(f"a signing key does not become {state} from {key.state}")
    moved = replace(key, state=state, state_since=now, rev=rev)
    return moved, _fact(moved)


def rotation(
    keys: Sequence[SealedKey], *, now: datetime, lead: timedelta
) -> list[tuple[SealedKey, KeyState]]:
    """Say which keys change when the next one takes the place of the active one.

    Raises:
        KeyTooYoung: a verifier may not know the next key yet.
    """
    following = next_key(keys)
    if following is None:
        raise KeyTooYoung(seconds=int(lead.total_seconds()) + 1)
    left = following.created_at + lead - now
    if left > timedelta(0):
        raise KeyTooYoung(seconds=int(left.total_seconds()) + 1)
    return [
        *((key, KeyState.RETIRED) for key in _in(KeyState.ACTIVE, keys)),
        (following, KeyState.ACTIVE),
    ]


def revocation(keys: Sequence[SealedKey], kid: KeyId | None) -> list[tuple[SealedKey, KeyState]]:
    """Say which keys change when one is revoked at once, or all of them.

    If no active key is left, the next one signs, although a verifier may not know it yet.

    Raises:
        KeyUnknown: there is no such key, or it was revoked before.
    """
    gone = [
        key for key in keys if kid in {None, key.id} and KeyState.REVOKED in TRANSITIONS[key.state]
    ]
    if not gone:
        raise KeyUnknown
    left = [key for key in keys if key not in gone]
    changes = [(key, KeyState.REVOKED) for key in gone]
    following = next_key(left)
    if not _in(KeyState.ACTIVE, left) and following is not None:
        changes.append((following, KeyState.ACTIVE))
    return changes


def wanted_state(keys: Iterable[SealedKey]) -> KeyState | None:
    """Return the state of the key that is missing; `None`: none is."""
    states = {key.state for key in keys}
    return next((each for each in (KeyState.ACTIVE, KeyState.NEXT) if each not in states), None)


def created(key: SealedKey) -> Fact:
    """Make the fact that a signing key was created."""
    return Fact(payload=SigningKeyCreated(kid=key.id), resource=_resource(key))


def policy_object(key: SealedKey) -> PolicyObject:
    """Return a revoked key as those who follow identity know it."""
    state = SigningKeyObject(revoked_at=key.since)
    return PolicyObject(
        kind=PolicyObjectKind.SIGNING_KEY,
        id=key.id,
        rev=key.rev,
        state=state.model_dump(mode="json"),
    )


_FACTS: dict[KeyState, type[Payload]] = {
    KeyState.ACTIVE: SigningKeyActivated,
    KeyState.RETIRED: SigningKeyRetired,
    KeyState.REVOKED: SigningKeyRevoked,
}


def _fact(key: SealedKey) -> Fact:
    return Fact(
        payload=_FACTS[key.state].model_validate({"kid": key.id}),
        resource=_resource(key),
        policy_objects=(policy_object(key),) if key.state is KeyState.REVOKED else (),
    )


def _resource(key: SealedKey) -> ResourceRef:
    return ResourceRef(type="signing_key", id=key.id)


def _in(state: KeyState, keys: Iterable[SealedKey]) -> list[SealedKey]:
    return [key for key in keys if key.state is state]
