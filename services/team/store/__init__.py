"""The collections of team in MongoDB."""

import asyncio
import contextlib

from services.team.domain.account_access import AccessRows, AccountUserRows
from services.team.domain.account_policy import AccountPolicy, account_policy
from services.team.domain.accounts import Account
from services.team.domain.override_scope import OverrideScope
from services.team.domain.overrides import ProjectOverride
from services.team.store.account_deletion import DeletionRows
from services.team.store.accounts import AccountRows
from services.team.store.catalogs import CatalogRows
from services.team.store.former_members import FormerMemberRows
from services.team.store.invitation_limits import InvitationLimitRows
from services.team.store.invitation_mails import InvitationMailRows
from services.team.store.invitations import InvitationRows
from services.team.store.member_list import MemberListRows
from services.team.store.members import MemberRows
from services.team.store.once_members import OnceMemberRows
from services.team.store.overrides import OverrideRows
from services.team.store.owners import OwnerRows
from services.team.store.projects import ProjectRows
from services.team.store.resources import ResourceRows
from services.team.store.snapshot import PolicySnapshot
from shared.ids import AccountId, ProjectId, UserId
from shared.mongo import Database, DbSession, one_after_another

__all__ = ["PolicySnapshot", "Store"]


class Store(
    AccountRows,
    MemberRows,
    MemberListRows,
    FormerMemberRows,
    OnceMemberRows,
    ProjectRows,
    OverrideRows,
    ResourceRows,
    OwnerRows,
    InvitationRows,
    InvitationLimitRows,
    InvitationMailRows,
    CatalogRows,
    DeletionRows,
):
    """Every collection of team; a method names the account or is about a user or token."""

    def __init__(self, database: Database) -> None:
        AccountRows.__init__(self, database)
        MemberRows.__init__(self, database)
        MemberListRows.__init__(self, database)
        FormerMemberRows.__init__(self, database)
        OnceMemberRows.__init__(self, database)
        ProjectRows.__init__(self, database)
        OverrideRows.__init__(self, database)
        ResourceRows.__init__(self, database)
        OwnerRows.__init__(self, database)
        InvitationRows.__init__(self, database)
        InvitationLimitRows.__init__(self, database)
        InvitationMailRows.__init__(self, database)
        CatalogRows.__init__(self, database)
        DeletionRows.__init__(self, database)

    async def account_policy(
        self, account: Account, scope: OverrideScope, session: DbSession | None = None
    ) -> AccountPolicy:
        """What decides in the account, whose row is given; of the overrides those of `scope`."""
        account_id = account.account_id
        members = await self.members(account_id, session)
        projects = await self.projects(account_id, session)
        overrides = await self._overrides_within(account_id, scope, session)
        return account_policy(account, members, projects, overrides)

    async def _overrides_within(
        self, account_id: AccountId, scope: OverrideScope, session: DbSession | None
    ) -> list[ProjectOverride]:
        if scope.everything:
            return await self.overrides_of_account(account_id, session)
        found: list[ProjectOverride] = []
        if scope.users:
            by_user = await self.overrides_of_each(account_id, scope.users, session)
            found += [override for each in by_user.values() for override in each]
        for project_id in sorted(scope.projects):
            found += await self.overrides_in(account_id, project_id, session)
        return found

    async def access_rows(
        self,
        account_id: AccountId,
        user_id: UserId,
        *,
        project_id: ProjectId | None = None,
        named: UserId | None = None,
        session: DbSession | None = None,
    ) -> AccessRows | None:
        """What the decision about a member's request needs; `None` without account or member.

        Both members are read together: the one who acts, and the user `named`. A session makes one
        read at a time; without one the reads run beside each other.
        """
        users = {user_id} if named is None else {user_id, named}
        with contextlib.nullcontext() if session is None else one_after_another():
            account, members, overrides = await asyncio.gather(
                self.account(account_id, session),
                self.members_among(account_id, users, session),
                self.overrides_of_each(account_id, users, session),
            )
        if account is None or user_id not in members:
            return None
        project = None
        if project_id is not None:
            project = await self.project(account_id, project_id, session)
        return AccessRows(
            account=account,
            catalog=await self.catalog_of(account),
            membership=members[user_id],
            overrides=overrides[user_id],
            project=project,
            others={
                user: AccountUserRows(membership=members.get(user), overrides=overrides[user])
                for user in users - {user_id}
            },
        )
