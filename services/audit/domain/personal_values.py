"""Which values of a record are personal, and whose: by the kind of each field.

A value is of a user whom the record names by id, of the owner of a personal account, or of the
person who has an address. Names and addresses inside of other texts are found by `texts`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from services.audit.domain.records import Record

ABOUT_A_USER = frozenset({"user", "member", "notification_preferences"})
"""Types of resources whose id is that of a user."""
NOT_PERSONAL = frozenset(
    {
        *("catalog", "connection_id", "delivery", "email_verified", "expires_at", "first"),
        *("generation", "grants", "how", "inviter_user_id", "joined", "kind", "last"),
        *("membership_id", "number", "off", "offered_user_id", "one_of", "operation"),
        *("overridden", "overridden_in", "owned_resources", "owner_id", "owner_role"),
        *("owner_user_id", "password", "permission", "project_id", "proved", "records", "role"),
        *("rule_set_by", "scopes", "status", "user_id"),
    }
)
"""Members of `before` and `after` that name nothing but ids, choices, numbers and times. A member
that is not here counts as personal in a record about a user: a new one is erased."""
NAMED_BESIDE = {"owner": "owner_user_id", "offered_to": "offered_user_id"}
"""Members that are the name of a user, and the one beside each that has the id."""
NAMES_OF_USERS = frozenset({"holders", "offered_to", "owner"})
"""Members that are the names of users, and of nothing else."""


class Kind(StrEnum):
    """What a personal value is, as far as it helps to find others."""

    NAME = "name"
    ADDRESS = "address"
    OTHER = "other"


KINDS = {
    "name": Kind.NAME,
    "email": Kind.ADDRESS,
    "new_email": Kind.OTHER,  # not proved: it may be another person's
    "owner": Kind.NAME,
    "offered_to": Kind.NAME,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A value of a record, and whose it is: by one of the last three."""

    path: str
    value: Any
    kind: Kind = Kind.OTHER
    user_id: str | None = None
    home: str | None = None
    """Of the user whose personal account this is."""
    address: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a record that may name a person."""

    path: str
    value: str
    name_only: bool = False
    """Whether it is the name of a user, and of nothing else."""
    searched: bool = False
    """Whether it is what a reader of the log has searched."""


def claims(record: Record) -> Iterator[Claim]:
    """The values of a record whose owner the record itself tells."""
    subject, address = subject_of(record), _address_of(record)
    actor, request = record.actor, record.request
    acting = actor.id if actor.type == "user" else None
    if acting is not None:
        yield from _given("actor.name", actor.name, kind=Kind.NAME, user_id=acting)
        yield from _given("actor.email", actor.email, kind=Kind.ADDRESS, user_id=acting)
    if acting is not None or actor.type == "anonymous":
        # An unknown sender who acts on a user may be that user.
        of, near = acting or subject, None if acting else address
        yield from _given("ip", request.ip, user_id=of, address=near)
        yield from _given("user_agent", request.user_agent, user_id=of, address=near)
    yield from _of_resource(record, subject, address, acting)
    for outer, members in (("before", record.before), ("after", record.after)):
        for name, value in (members or {}).items():
            yield from _of_member(record, f"{outer}.{name}", name, value, members or {})


def texts(record: Record) -> Iterator[Text]:
    """The texts of a record that may name a person of whom it does not tell the id."""
    if record.resource.name is not None:
        yield Text("resource.name", record.resource.name)
    if record.reason is not None:
        yield Text("reason", record.reason)
    for outer, members in (("before", record.before), ("after", record.after)):
        for name, value in (members or {}).items():
            if name in NOT_PERSONAL:
                continue
            path = f"{outer}.{name}"
            for each in _strings(value):
                yield Text(path, each, name in NAMES_OF_USERS, searched=name == "filters")


def subject_of(record: Record) -> str | None:
    """The id of the user whom a record is about; `None` if it is about something else."""
    resource = record.resource
    if resource.type in ABOUT_A_USER:
        return resource.id
    if resource.type == "override":
        return resource.id.rpartition("/")[2]
    return None


def _address_of(record: Record) -> str | None:
    """The address that a record is about while its owner is not a user yet."""
    if record.resource.type == "invitation":
        return record.resource.name
    found = (record.after or {}).get("email") if record.resource.type == "sign_up" else None
    return found if isinstance(found, str) else None


def _of_resource(
    record: Record, subject: str | None, address: str | None, acting: str | None
) -> Iterator[Claim]:
    resource = record.resource
    match resource.type:
        case "account":
            home = resource.id
            yield from _given("resource.name", resource.name, kind=Kind.NAME, home=home)
        case "api_token":
            # Such a name tells what a person works with; it is theirs if they made the token.
            yield from _given("resource.name", resource.name, user_id=acting)
        case "override":
            yield from _given("resource.name", resource.name, user_id=subject)
        case _:
            yield from _given(
                "resource.name", resource.name, kind=Kind.NAME, user_id=subject, address=address
            )


def _of_member(
    record: Record, path: str, name: str, value: Any, beside: Mapping[str, Any]
) -> Iterator[Claim]:
    if name in NOT_PERSONAL or value is None:
        return
    kind = KINDS.get(name, Kind.OTHER)
    subject, address = subject_of(record), _address_of(record)
    if subject is not None or record.resource.type == "sign_up":
        yield from _given(path, value, kind=kind, user_id=subject, address=address)
    elif name in NAMED_BESIDE:
        of = beside.get(NAMED_BESIDE[name])
        yield from _given(path, value, kind=kind, user_id=of if isinstance(of, str) else None)
    elif name == "name" and record.resource.type == "account":
        yield from _given(path, value, kind=kind, home=record.resource.id)
    elif name == "name" and record.resource.type == "api_token":
        acting = record.actor.id if record.actor.type == "user" else None
        yield from _given(path, value, user_id=acting)


def _given(
    path: str,
    value: Any,
    *,
    kind: Kind = Kind.OTHER,
    user_id: str | None = None,
    home: str | None = None,
    address: str | None = None,
) -> Iterator[Claim]:
    if value is not None and (user_id or home or address):
        yield Claim(path=path, value=value, kind=kind, user_id=user_id, home=home, address=address)


def _strings(value: Any) -> Iterator[str]:
    """The texts in a value, also the names of members."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from _strings(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _strings(each)
