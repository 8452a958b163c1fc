"""The collections of team in MongoDB."""

from services.team.domain.account_access import AccessRows
from services.team.store.accounts import AccountRows
from services.team.store.catalogs import CatalogRows, catalog_object
from services.team.store.invitation_limits import InvitationLimitRows
from services.team.store.invitation_mails import InvitationMailRows
from services.team.store.invitations import InvitationRows
from services.team.store.members import MemberRows
from services.team.store.overrides import OverrideRows
from services.team.store.projects import ProjectRows
from services.team.store.snapshot import PolicySnapshot
from shared.ids import AccountId, ProjectId, UserId
from shared.mongo import Database, DbSession

__all__ = ["PolicySnapshot", "Store", "catalog_object"]


class Store(
    AccountRows,
    MemberRows,
    ProjectRows,
    OverrideRows,
    InvitationRows,
    InvitationLimitRows,
    InvitationMailRows,
    CatalogRows,
):
    """Every collection of team; a method names the account or is about a user or token."""

    def __init__(self, database: Database) -> None:
        AccountRows.__init__(self, database)
        MemberRows.__init__(self, database)
        ProjectRows.__init__(self, database)
        OverrideRows.__init__(self, database)
        InvitationRows.__init__(self, database)
        InvitationLimitRows.__init__(self, database)
        InvitationMailRows.__init__(self, database)
        CatalogRows.__init__(self, database)

    async def access_rows(
        self,
        account_id: AccountId,
        user_id: UserId,
        *,
        project_id: ProjectId | None = None,
        session: DbSession | None = None,
    ) -> AccessRows | None:
        """What the decision about a member's request needs; `None` without account or member."""
        account = await self.account(account_id, session)
        membership = await self.member(account_id, user_id, session)
        if account is None or membership is None:
            return None
        project = None
        if project_id is not None:
            project = await self.project(account_id, project_id, session)
        return AccessRows(
            account=account,
            catalog=await self.catalog_of(account),
            membership=membership,
            overrides=await self.overrides_of(account_id, user_id, session),
            project=project,
        )
