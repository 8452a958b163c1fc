"""How an account moves to another catalog: everything that the catalog gives a meaning to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rolecall import CompiledCatalog, Grants
from services.team.domain import overrides
from services.team.domain.account_access import AccountAccess
from services.team.domain.accounts import Account
from services.team.domain.authority import require_to_give, require_to_give_grants
from services.team.domain.catalog_mapping import CatalogMapping, Translator, same_catalog
from services.team.domain.catalog_texts import translations
from services.team.domain.catalog_translation import translate_overrides, translate_roles
from services.team.domain.custom_roles import CustomRole
from services.team.domain.guardrails import names_what_is_there
from services.team.domain.invitations import Invitation
from services.team.domain.members import Membership, change_role
from services.team.domain.overrides import ProjectOverride
from services.team.domain.projects import Project
from services.team.domain.resource_types import without_permissions
from services.team.domain.truncated_ids import truncated_ids
from shared.contracts import team_catalogs
from shared.contracts.facts import Fact
from shared.ids import ProjectId
from shared.problems import Refusal, RefusalKind

MAX_CHANGED_OVERRIDES = 1_000
"""Each is a row of the journal in the one transaction of a move."""


class CatalogTooSmall(Refusal):
    """A limit of the catalog is never exceeded (`Nv12`)."""

    kind = RefusalKind.CONFLICT
    code = "catalog-too-small"
    detail = (
        "The catalog {catalog} allows {limit} members and open invitations besides the owner, and"
        " the account has {present}. Remove members or delete invitations first."
    )


class GuardrailsOfThisCatalog(Refusal):
    """A guardrail that names what its catalog does not have would hold of no one (`B10`)."""

    kind = RefusalKind.CONFLICT
    code = "guardrails-of-this-catalog"
    detail = (
        "The guardrails {names} name roles or permissions that have no certain counterpart in the"
        " catalog {catalog}. Delete them first, and declare them anew after the move."
    )

    def __init__(self, *, names: list[str], catalog: str) -> None:
        super().__init__(names=[f"“{name}”" for name in names], catalog=catalog)
        self.members = {"names": names, "catalog": catalog}


class MoveTooLarge(Refusal):
    """A move is one transaction, so the number of overrides that it changes is bounded."""

    kind = RefusalKind.CONFLICT
    code = "move-too-large"
    detail = (
        "The move would change {overrides} overrides, and one move changes {limit} at most. Remove"
        " overrides that are not needed any more first."
    )


@dataclass(frozen=True, kw_only=True)
class MovableRows:
    """Everything of an account that its catalog gives a meaning to."""

    account: Account
    owner: Membership
    others: Sequence[Membership]
    invitations: Sequence[Invitation]
    """Pending and expired ones."""
    overrides: Sequence[ProjectOverride]
    projects: Mapping[ProjectId, Project]
    resource_types: Collection[str] = ()
    """Of registered resources, and those to which the account's service clients are bound."""


@dataclass(frozen=True, kw_only=True)
class CatalogMove:
    """The account in its new catalog, what changed with it, and the facts."""

    account: Account
    owner: Membership
    members: tuple[Membership, ...]
    invitations: tuple[Invitation, ...]
    overrides: tuple[ProjectOverride, ...]
    ended_overrides: tuple[ProjectOverride, ...]
    ended_roles: tuple[CustomRole, ...]
    given_roles: tuple[str, ...]
    given_levels: Grants
    resource_types_lost: tuple[str, ...]
    facts: tuple[Fact, ...]


def move(
    rows: MovableRows,
    *,
    old: CompiledCatalog,
    new: CompiledCatalog,
    mapping: CatalogMapping,
    by_platform: bool,
    now: datetime,
) -> CatalogMove:
    """Move the account from `old`, which has its custom roles, to `new`.

    Whether the account is personal or a team stays, and invitations keep their end.

    Raises:
        Invalid: the mapping names what a catalog does not have.
        MappingNeeded: something in use has no counterpart.
        GuardrailsOfThisCatalog: a guardrail would say nothing any more.
        CatalogTooSmall, MoveTooLarge, RolesTooLarge: a limit stands against it.
    """
    translator = Translator(old, new, mapping)
    account = rows.account
    roles = translate_roles(account.roles, translator, now=now)
    kept = {role.role_id for role in roles}
    member_roles = [
        translator.role(one.role, held_by="members", kept=one.role in kept) for one in rows.others
    ]
    invitation_roles = [
        translator.role(one.role, held_by="pending invitations", kept=one.role in kept)
        for one in rows.invitations
    ]
    changed_overrides, ended = translate_overrides(rows.overrides, translator, now=now)
    translator.finish()
    own = new.with_roles({role.role_id: role for role in roles})
    require_guardrails(account, own, same=same_catalog(old, new))
    _require_seats(rows, new, now=now)
    if len(changed_overrides) + len(ended) > MAX_CHANGED_OVERRIDES:
        raise MoveTooLarge(
            overrides=len(changed_overrides) + len(ended), limit=MAX_CHANGED_OVERRIDES
        )
    moved = replace(account, catalog=new.id, roles=roles)
    owner = replace(rows.owner, role=new.catalog.owner_role)
    members, facts = _members(rows, member_roles, own, same=same_catalog(old, new))
    facts += _override_facts(rows, changed_overrides, ended, new)
    invitations = [
        replace(one, role=role)
        for one, role in zip(rows.invitations, invitation_roles, strict=True)
        if one.role != role
    ]
    ended_roles = tuple(role for role in account.roles if role.role_id not in kept)
    lost_types = without_permissions(new, rows.resource_types)
    done = {
        "members": len(members),
        "invitations": len(invitations),
        "overrides": len(changed_overrides),
        "overrides_ended": len(ended),
        "roles_ended": truncated_ids([role.name for role in ended_roles]),
        "resource_types_lost": list(lost_types),
    }
    moved_fact = Fact(
        payload=team_catalogs.AccountMoved(
            account_name=account.name,
            catalog=new.id,
            catalog_title=new.catalog.title,
            translations=translations(new, catalog_title=new.catalog.title),
            previous_catalog=account.catalog,
            owner_email=owner.email,
            by_platform=by_platform,
        ),
        resource=moved.ref(),
        before={"catalog": account.catalog, "owner_role": rows.owner.role},
        after={"catalog": new.id, "owner_role": owner.role, **mapping.shown(), "changed": done},
        policy_objects=(moved.policy_object(), owner.policy_object()),
    )
    return CatalogMove(
        account=moved,
        owner=owner,
        members=tuple(members),
        invitations=tuple(invitations),
        overrides=tuple(after for _, after in changed_overrides),
        ended_overrides=tuple(ended),
        ended_roles=ended_roles,
        given_roles=tuple(sorted(translator.given_roles)),
        given_levels=translator.given_levels,
        resource_types_lost=lost_types,
        facts=(*facts, moved_fact),
    )


def require_to_give_all(access: AccountAccess, moved: CatalogMove) -> None:
    """Check that the owner holds, after the move, what their mapping gives to others (`B5`).

    Raises:
        GrantsExceeded: with what they do not hold.
    """
    for role_id in moved.given_roles:
        require_to_give(access.state, access.member, role_id, now=access.now)
    given = access.catalog.role_matrix("mapping", moved.given_levels)
    require_to_give_grants(access.state, access.member, given, now=access.now)


def _members(
    rows: MovableRows, roles: Sequence[str], catalog: CompiledCatalog, *, same: bool
) -> tuple[list[Membership], list[Fact]]:
    """The members whose role is another one, each with the fact that says so.

    A role of another catalog is another one, also if it has the same id.
    """
    members, facts = [], []
    for one, role_id in zip(rows.others, roles, strict=True):
        role = catalog.role(role_id)
        if role is None or (role_id == one.role and same):
            continue
        changed, fact = change_role(
            one,
            role=role,
            catalog=catalog,
            account_name=rows.account.name,
            catalog_title=catalog.catalog.title,
        )
        members.append(changed)
        facts.append(fact)
    return members, facts


def _override_facts(
    rows: MovableRows,
    changed: Sequence[tuple[ProjectOverride, ProjectOverride]],
    ended: Sequence[ProjectOverride],
    new: CompiledCatalog,
) -> list[Fact]:
    members = {member.user_id: member for member in rows.others}
    account_name = rows.account.name
    return [
        *(
            overrides.moved(
                after,
                before=before,
                member=members[after.user_id],
                project=rows.projects[after.project_id],
                account_name=account_name,
            )
            for before, after in changed
        ),
        *(
            overrides.remove(
                one,
                member=members[one.user_id],
                project=rows.projects[one.project_id],
                account_name=account_name,
                catalog=new,
            )
            for one in ended
        ),
    ]


def require_guardrails(account: Account, new: CompiledCatalog, *, same: bool) -> None:
    """Check that every guardrail means the same in the new catalog, which has the custom roles.

    `same` tells that it is a version of the account's catalog.

    Raises:
        GuardrailsOfThisCatalog: a guardrail would say nothing any more.
    """
    lost = [
        guardrail.name
        for guardrail in account.guardrails
        if not (same and names_what_is_there(guardrail.rule, new))
    ]
    if lost:
        raise GuardrailsOfThisCatalog(names=lost, catalog=new.id)


def _require_seats(rows: MovableRows, new: CompiledCatalog, *, now: datetime) -> None:
    present = len(rows.others) + sum(one.open(now) for one in rows.invitations)
    limit = new.catalog.policies.member_limit
    if present > limit:
        raise CatalogTooSmall(catalog=new.id, limit=limit, present=present)
