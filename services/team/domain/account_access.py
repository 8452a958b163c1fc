"""Who acts in an account, and whether they hold the permission that a request needs."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from rolecall import (
    AccountState,
    AccountStatus,
    CompiledCatalog,
    Member,
    Resource,
    Subject,
    Words,
    decide,
    milliseconds,
)
from rolecall.core.restrictions import has_api_tokens, narrowed
from services.team.domain.accounts import Account
from services.team.domain.authority import account_state, member_state, require
from services.team.domain.members import Membership
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from shared.auth.account_refusals import DeletingAccount, SuspendedAccount
from shared.auth.api_token_refusals import TokenRestricted
from shared.auth.principals import ApiTokenPrincipal, ClientPrincipal
from shared.ids import ProjectId, UserId
from shared.problems import NotFound, PermissionMissing

SEE_MEMBERS = "member:view"


@dataclass(frozen=True, kw_only=True)
class AccountUserRows:
    """What is stored about one user in an account."""

    membership: Membership | None
    overrides: Sequence[ProjectOverride] = ()


@dataclass(frozen=True, kw_only=True)
class AccessRows:
    """What is stored about an account and its acting member.

    `project` is the one of the path. `others` are further users that the request names.
    """

    account: Account
    catalog: CompiledCatalog
    membership: Membership
    overrides: Sequence[ProjectOverride] = ()
    project: Project | None = None
    others: Mapping[UserId, AccountUserRows] = field(default_factory=dict)

    @property
    def users(self) -> Mapping[UserId, AccountUserRows]:
        """Everyone who was read: the acting member and the others."""
        acting = AccountUserRows(membership=self.membership, overrides=self.overrides)
        return {**self.others, self.membership.user_id: acting}


@dataclass(frozen=True, kw_only=True)
class AccountAccess:
    """The account, the acting member and the moment, after the permission was checked.

    `state` holds the acting member and the project of the path, and nothing else: what the account
    demands of sign-ins was checked. `unrestricted` is the same without the restriction of the API
    token by which the member acts, if they do.
    """

    account: Account
    catalog: CompiledCatalog
    membership: Membership
    member: Member
    state: AccountState
    now: datetime
    project: Project | None = None
    unrestricted: AccountState | None = None

    def is_owner(self, membership: Membership) -> bool:
        """Whether this is the owner's membership."""
        return membership.user_id == self.account.owner_user_id

    @property
    def sees_members(self) -> bool:
        """Whether the acting member may know who the members are."""
        return SEE_MEMBERS in self.catalog.held(self.member.role)

    @property
    def words(self) -> Words:
        """The catalog's words for a project."""
        return self.catalog.catalog.policies.words

    @property
    def named_project(self) -> Project:
        """The project that the path names.

        Raises:
            NotFound: the account has no such project.
        """
        if self.project is None:
            raise NotFound
        return self.project


@dataclass(frozen=True, kw_only=True)
class ClientAccess:
    """A service client, and an account that it is bound to."""

    client: ClientPrincipal
    account: Account


def as_owner(
    account: Account, catalog: CompiledCatalog, owner: Membership, *, now: datetime
) -> AccountAccess:
    """The access of the owner, for rules that follow from a change that no member makes."""
    member = member_state(catalog, owner)
    return AccountAccess(
        account=account,
        catalog=catalog,
        membership=owner,
        member=member,
        state=account_state(account, catalog, [member]),
        now=now,
    )


def after_change(
    access: AccountAccess,
    *,
    account: Account,
    catalog: CompiledCatalog,
    membership: Membership,
    overrides: Sequence[ProjectOverride],
) -> AccountAccess:
    """The access as it is after a change of the account's roles, for rules that follow from it."""
    after = access_of(
        account, catalog, membership, overrides, projects=access.state.projects, now=access.now
    )
    return replace(after, project=access.project)


def access_of(
    account: Account,
    catalog: CompiledCatalog,
    membership: Membership,
    overrides: Sequence[ProjectOverride] = (),
    *,
    projects: Collection[str] = (),
    now: datetime,
) -> AccountAccess:
    """The access of a member for whom no permission was checked."""
    member = member_state(catalog, membership, overrides)
    return AccountAccess(
        account=account,
        catalog=catalog,
        membership=membership,
        member=member,
        state=account_state(account, catalog, [member], projects),
        now=now,
    )


def visible_projects(
    access: AccountAccess, projects: Sequence[Project], permission: str
) -> list[Project]:
    """Those of the account's projects in which the acting member holds the permission.

    Raises:
        PermissionMissing: they hold it in none of them, nor would in a new one.
        TokenRestricted: they do, and their API token reaches none of them.
    """
    visible = seen_projects(access, projects, permission)
    if not visible and not _allowed(access, access.state, permission, None):
        if access.unrestricted is not None and _allowed_in_any(access, projects, permission):
            raise TokenRestricted(permission)
        raise PermissionMissing(permission)
    return visible


def seen_projects(
    access: AccountAccess, projects: Sequence[Project], permission: str
) -> list[Project]:
    """Those of the account's projects in which the acting member holds the permission, if any."""
    state = replace(access.state, projects=frozenset(project.project_id for project in projects))
    return [one for one in projects if _allowed(access, state, permission, one.project_id)]


def _allowed_in_any(access: AccountAccess, projects: Sequence[Project], permission: str) -> bool:
    """Whether the member would hold the permission somewhere without their API token."""
    unrestricted = access.unrestricted or access.state
    whole = replace(access, state=unrestricted)
    return bool(seen_projects(whole, projects, permission)) or _allowed(
        access, unrestricted, permission, None
    )


def _allowed(
    access: AccountAccess, state: AccountState, permission: str, project_id: ProjectId | None
) -> bool:
    subject, now = Subject(access.membership.user_id), milliseconds(access.now)
    return decide(state, subject, permission, Resource(project_id=project_id), now=now).allowed


def require_active(account: Account) -> None:
    """Check that a service client may write into the account.

    Raises:
        DeletingAccount: its owner has deleted it, or its rows are being deleted.
        SuspendedAccount: the platform has suspended it.
    """
    if account.purging or account.status is AccountStatus.DELETING:
        raise DeletingAccount
    if account.status is not AccountStatus.ACTIVE:
        raise SuspendedAccount


def authorize(
    rows: AccessRows | None,
    permission: str,
    *further: str,
    now: datetime,
    project_id: ProjectId | None = None,
    while_deleting: bool = False,
    token: ApiTokenPrincipal | None = None,
    second_factor: bool = False,
) -> AccountAccess:
    """Check that the acting member holds each permission, in the project if one is named (`Ci12`).

    An override in the project decides the project-scoped ones (`Ci9`). With `while_deleting` the
    owner is authorized in an account that is being deleted as if it were active. An API token
    narrows the member: what it does not reach, they neither hold nor give (`Ci10`, `B5`).
    `second_factor` tells whether the member has one, which the account may demand.

    Raises:
        NotFound: there is no such account or project, the caller is not a member, or the token is
            one of an earlier membership.
        SuspendedAccount, DeletingAccount: no member may do this there now.
        SecondFactorRequired: the account demands one, and the member has none.
        PermissionMissing: the caller is a member without one of the permissions.
        TokenRestricted: they hold them, and the token does not reach one.
    """
    if rows is None:
        raise NotFound
    member = member_state(rows.catalog, rows.membership, rows.overrides)
    whole = member
    if token is not None:
        if rows.membership.membership_id != token.membership_id:
            raise NotFound
        if not has_api_tokens(rows.catalog):
            raise NotFound
        member = narrowed(rows.catalog, member, token.restriction, now=milliseconds(now))
    projects = [] if rows.project is None else [rows.project.project_id]
    account = rows.account
    if while_deleting and account.status is AccountStatus.DELETING:
        is_owner = rows.membership.user_id == account.owner_user_id
        account = replace(account, status=AccountStatus.ACTIVE) if is_owner else account
    state = account_state(account, rows.catalog, [member], projects)
    unrestricted = None
    if member is not whole:
        unrestricted = account_state(account, rows.catalog, [whole], projects)
    subject = Subject(rows.membership.user_id, second_factor=second_factor)
    demanding = replace(state, require_second_factor=account.require_second_factor)
    for needed in (permission, *further):
        try:
            require(demanding, subject, needed, now=now, project_id=project_id)
        except PermissionMissing as missing:
            if unrestricted is None:
                raise
            require(unrestricted, subject, needed, now=now, project_id=project_id)
            raise TokenRestricted(needed) from missing
    return AccountAccess(
        account=rows.account,
        catalog=rows.catalog,
        membership=rows.membership,
        member=member,
        state=state,
        now=now,
        project=rows.project,
        unrestricted=unrestricted,
    )
