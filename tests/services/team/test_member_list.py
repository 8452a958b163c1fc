"""The list of members and invitations: each page equals the same part of the whole list."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from rolecall import CompiledCatalog, Delivery, MembershipStatus, load_catalog
from services.team.domain.account_access import AccessRows, authorize
from services.team.domain.invitations import Invitation, InvitationStatus
from services.team.domain.member_list import (
    MemberListField,
    MemberListQuery,
    MemberListRow,
    MemberListStatus,
    invitation_row,
    member_row,
    role_keys,
)
from services.team.migrations import MEMBER_LIST
from services.team.store import Store
from services.team.use_cases import member_list
from shared.ids import InvitationId, new_id
from shared.indexes import build_indexes
from shared.mongo import connect, transact
from shared.names import name_key
from tests.patience import PATIENT
from tests.services.team.memory import ACCOUNT, START, Memory, memory, user_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from services.team.domain.account_access import AccountAccess
    from shared.mongo import DbSession


STANDARD = CompiledCatalog(load_catalog("standard"))
DAY = timedelta(days=1)
NAMES = ["Zoë", "bert", "Ana", "Ana", "\uff21na Ma", "Ωmega", "(.*)", "Owner's owner"]
ROLES = ["viewer", "admin", "viewer", "gone", "developer", "viewer", "basic", "admin"]


@dataclass
class Listed:
    """An account with members and invitations in a database, and all rows of its list."""

    world: Memory
    access: AccountAccess
    rows: list[MemberListRow]

    async def page(
        self,
        field: MemberListField,
        after: tuple[str, str] | None,
        limit: int,
        *,
        descending: bool = False,
        text: str = "",
        status: MemberListStatus | None = None,
        role: str | None = None,
    ) -> tuple[list[str], tuple[str, str] | None]:
        page = await member_list.search(
            self.world.ctx,
            self.access,
            text=text,
            status=status,
            role=role,
            field=field,
            descending=descending,
            after=after,
            limit=limit,
        )
        return [row_id(row) for row in page.rows], page.following


def row_id(row: MemberListRow) -> str:
    return row.user_id or row.invitation_id or ""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def listed(mongo_url: str) -> AsyncIterator[Listed]:
    client = connect(mongo_url, app_name="tests", timeouts=PATIENT)
    database = client[new_id("test")]
    await build_indexes(database, *MEMBER_LIST)
    store, world = Store(database), memory(STANDARD)
    owner = world.store.memberships[user_id("owner")]
    access = authorize(
        AccessRows(account=world.store.rows[ACCOUNT], catalog=STANDARD, membership=owner),
        "member:view",
        now=START,
    )
    members = [replace(owner, last_active_at=START)]
    for number, (name, role) in enumerate(zip(NAMES, ROLES, strict=True)):
        members.append(
            replace(
                world.add(f"m{number}", role),
                name=name,
                email=f"M{number % 3}.{number}@Bücher.example",
                joined_at=START - number % 3 * DAY,
                last_active_at=START - number % 4 * DAY,
                status=MembershipStatus.SUSPENDED if number == 1 else MembershipStatus.ACTIVE,
                expires_at=START if number in {1, 2} else None,
            )
        )
    pending = [
        Invitation(
            account_id=ACCOUNT,
            invitation_id=InvitationId(f"inv_{number}"),
            email=f"Guest{number % 2}.{number}@other.example",
            email_key=f"guest{number}",
            role="viewer" if number % 2 else "developer",
            delivery=Delivery.EMAIL,
            inviter_user_id=owner.user_id,
            inviter_name="Owner",
            inviter_email="owner@example.com",
            created_at=START - number % 3 * DAY,
            expires_at=[None, START, START + DAY][number % 3],
        )
        for number in range(7)
    ]
    closed = replace(
        pending[0], invitation_id=InvitationId("inv_9"), status=InvitationStatus.ACCEPTED
    )

    async def work(session: DbSession) -> None:
        for member in members:
            await store.insert_member(member, rev=1, session=session)
        for invitation in (*pending, closed):
            await store.insert_invitation(invitation, now=START, session=session)

    await transact(client, work)
    world.ctx = replace(world.ctx, store=store)
    yield Listed(
        world=world,
        access=access,
        rows=[
            *(member_row(access, member) for member in members),
            *(invitation_row(access, invitation) for invitation in pending),
        ],
    )
    client.close()


def expected(
    listed: Listed,
    field: MemberListField,
    *,
    descending: bool,
    text: str = "",
    status: MemberListStatus | None = None,
    role: str | None = None,
) -> list[str]:
    """The whole list, searched and sorted in memory."""
    query = MemberListQuery(
        field=field, descending=descending, limit=0, role_keys=role_keys(listed.access)
    )
    wanted = name_key(text.strip())
    found = [
        row
        for row in listed.rows
        if status in (None, row.status)
        and role in (None, row.role)
        and (wanted in name_key(row.email) or wanted in name_key(row.name or ""))
    ]
    found.sort(key=lambda row: row.place(query), reverse=descending)
    return [row_id(row) for row in found]


@pytest.mark.rule("Ro13", "Nv15")
@pytest.mark.parametrize("field", MemberListField)
@pytest.mark.parametrize("order", ["up", "down"])
async def test_pages_of_any_size_give_the_whole_list_in_order(
    listed: Listed, field: MemberListField, order: str
) -> None:
    descending = order == "down"
    whole = expected(listed, field, descending=descending)
    assert len(whole) == len(NAMES) + 1 + 7
    for limit in (1, 2, 5, len(whole) - 1, len(whole), 50):
        seen: list[str] = []
        after = None
        while True:
            rows, after = await listed.page(field, after, limit, descending=descending)
            seen += rows
            if after is None:
                break
            assert len(rows) == limit
            assert len(seen) < len(whole)
        assert seen == whole, limit


@pytest.mark.rule("Ro13")
async def test_the_list_is_searched_by_text_and_status(listed: Listed) -> None:
    texts = ["", "ANA", " zoe\u0308 ", "BÜCHER", "guest1", ".*", "m1.", "owner", "nothing"]
    for text, status in product(texts, [None, *MemberListStatus]):
        found, after = await listed.page(MemberListField.NAME, None, 50, text=text, status=status)
        whole = expected(listed, MemberListField.NAME, descending=False, text=text, status=status)
        assert (found, after) == (whole, None), (text, status)


async def test_the_list_is_searched_by_role_in_each_order(listed: Listed) -> None:
    roles = {row.role for row in listed.rows}
    assert len(roles) > 1
    for role, field in product([*roles, "role_none"], MemberListField):
        whole = expected(listed, field, descending=False, role=role)
        first, after = await listed.page(field, None, 1, role=role)
        rest, end = ([], None) if after is None else await listed.page(field, after, 50, role=role)
        assert (first + rest, end) == (whole, None), (role, field)


async def test_the_counts_are_those_of_the_statuses(listed: Listed) -> None:
    counts = await member_list.count(listed.world.ctx, listed.access)
    assert counts == {
        status: sum(row.status is status for row in listed.rows) for status in MemberListStatus
    }
    assert all(counts.values())
