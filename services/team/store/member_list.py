"""The list of members and invitations: which documents a page asks for, and their counts."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from rolecall import MembershipStatus
from services.team.domain.invitations import Invitation, InvitationStatus
from services.team.domain.member_list import (
    UNKNOWN_ROLE,
    MemberListField,
    MemberListQuery,
    MemberListStatus,
)
from services.team.domain.members import Membership
from services.team.store.list_pages import ListPages, Part
from services.team.store.places import of_account
from shared.documents import read
from shared.ids import AccountId
from shared.mongo import Collection, Database, Document, majority
from shared.names import name_key

_MEMBER_FIELDS = {
    MemberListField.NAME: "name_key",
    MemberListField.EMAIL: "address_key",
    MemberListField.SINCE: "joined_at",
    MemberListField.LAST_ACTIVE: "last_active_at",
}
_INVITATION_FIELDS = {
    MemberListField.NAME: "name_key",
    MemberListField.EMAIL: "name_key",
    MemberListField.SINCE: "created_at",
}
_PENDING: Document = {"status": InvitationStatus.PENDING.value}


class MemberListRows:
    """The collections `members` and `invitations`, as the list shows them."""

    def __init__(self, database: Database) -> None:
        self._listed_members = majority(database, "members")
        self._listed_invitations = majority(database, "invitations")
        self._member_pages = ListPages(self._listed_members, key="user_id")
        self._invitation_pages = ListPages(self._listed_invitations, key="_id")

    async def list_members(
        self, account_id: AccountId, query: MemberListQuery, *, now: datetime
    ) -> list[Membership]:
        """The first members of the page, `query.limit` at most."""
        of_status = _members_of(query.status, now)
        if of_status is None:
            return []
        wanted = [of_status, _of_role(query), _containing(query, "name_key", "address_key")]
        parts = _parts(query, _MEMBER_FIELDS)
        rows = await self._member_pages.read(of_account(account_id), wanted, parts, query)
        return [read(Membership, row) for row in rows]

    async def list_invitations(
        self, account_id: AccountId, query: MemberListQuery, *, now: datetime
    ) -> list[Invitation]:
        """The first pending and expired invitations of the page, `query.limit` at most."""
        of_status = _invitations_of(query.status, now)
        if of_status is None:
            return []
        wanted = [of_status, _of_role(query), _containing(query, "name_key")]
        parts = _parts(query, _INVITATION_FIELDS)
        begin = {**of_account(account_id), **_PENDING}
        rows = await self._invitation_pages.read(begin, wanted, parts, query)
        return [read(Invitation, row) for row in rows]

    async def count_statuses(
        self, account_id: AccountId, *, now: datetime
    ) -> dict[MemberListStatus, int]:
        """How many members and invitations of each status the account has."""
        counts = dict.fromkeys(MemberListStatus, 0)
        for status in MemberListStatus:
            for collection, wanted in (
                (self._listed_members, _members_of(status, now)),
                (self._listed_invitations, _invitations_of(status, now)),
            ):
                if wanted is not None:
                    counts[status] += await _count(collection, account_id, wanted)
        return counts


def member_fields(row: Document) -> Document:
    """What the list needs of a member's document: folded copies, and a last activity.

    To join is an activity.
    """
    active = row.get("last_active_at") or row["joined_at"]
    return {
        "name_key": name_key(row["name"]),
        "address_key": name_key(row["email"]),
        "last_active_at": active,
    }


def invitation_fields(row: Document, *, now: datetime | None = None) -> Document:
    """What the list needs of an invitation's document, and since when it is over.

    Without `now`, that is unknown for an invitation that is not pending: it counts as over when its
    time was, or else from its creation on.
    """
    over_at = row["expires_at"]
    if row["status"] != InvitationStatus.PENDING.value:
        over_at = now or over_at or row["created_at"]
    return {"name_key": name_key(row["email"]), "over_at": over_at}


LIST_FIELDS: Mapping[str, Callable[[Document], Document]] = {
    "members": member_fields,
    "invitations": invitation_fields,
}
"""What documents of earlier versions get, by collection."""


def _members_of(status: MemberListStatus | None, now: datetime) -> Document | None:
    """The members with a status; `None` if no member has it."""
    active, suspended = MembershipStatus.ACTIVE.value, MembershipStatus.SUSPENDED.value
    match status:
        case None:
            return {}
        case MemberListStatus.ACTIVE:
            return {"status": active, "expires_at": {"$not": {"$lte": now}}}
        case MemberListStatus.EXPIRED:
            return {"status": active, "expires_at": {"$lte": now}}
        case MemberListStatus.SUSPENDED:
            return {"status": suspended}
        case MemberListStatus.INVITED:
            return None


def _invitations_of(status: MemberListStatus | None, now: datetime) -> Document | None:
    """The pending invitations with a status; `None` if no invitation has it."""
    match status:
        case None:
            return {}
        case MemberListStatus.INVITED:
            return {"expires_at": {"$not": {"$lte": now}}}
        case MemberListStatus.EXPIRED:
            return {"expires_at": {"$lte": now}}
        case _:
            return None


def _of_role(query: MemberListQuery) -> Document:
    """The rows with the role: a scan, of this account's rows alone."""
    return {} if query.role is None else {"role": query.role}


def _containing(query: MemberListQuery, *fields: str) -> Document:
    """The rows with the text in one of the fields: a scan, of this account's rows alone."""
    if not query.text:
        return {}
    pattern = {"$regex": re.escape(query.text)}
    return {"$or": [{field: pattern} for field in fields]}


def _parts(query: MemberListQuery, fields: Mapping[MemberListField, str]) -> list[Part]:
    """The parts of the list in ascending order; rows without the field have no value in it."""
    if query.field is not MemberListField.ROLE:
        return [Part(fields.get(query.field))]
    titles: dict[str, list[str]] = {}
    for title, role_id in sorted((title, one) for one, title in query.role_keys.items()):
        titles.setdefault(title, []).append(role_id)
    parts = [
        Part(value=title, key={"role": {"$in": role_ids}}) for title, role_ids in titles.items()
    ]
    unknown = {"role": {"$nin": list(query.role_keys)}}
    return [*parts, Part(value=UNKNOWN_ROLE, wanted=unknown)]


async def _count(collection: Collection, account_id: AccountId, wanted: Document) -> int:
    begin = of_account(account_id)
    if collection.name == "invitations":
        begin |= _PENDING
    stages: list[Document] = [{"$match": begin}, {"$match": wanted}, {"$count": "rows"}]
    found = await collection.aggregate(stages).to_list(1)
    return int(found[0]["rows"]) if found else 0
