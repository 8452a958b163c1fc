"""The policy objects that the records of an account were made of."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from rolecall.core.account_objects import AccountObjects
from rolecall.core.records import (
    AccountRecord,
    MemberRecord,
    OverrideRecord,
    ProjectRecord,
    ResourceRecord,
)
from shared.contracts.policy_objects import (
    AccountObject,
    Contract,
    MemberObject,
    OverrideObject,
    PolicyObjectKind,
    ProjectObject,
    ResourceObject,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def published(
    account_id: str, objects: AccountObjects
) -> Iterator[tuple[PolicyObjectKind, str, Contract]]:
    """The newest states: kind, id, and the state as it was published."""
    if objects.account is not None:
        yield PolicyObjectKind.ACCOUNT, account_id, _account(objects.account)
    for user_id, member in objects.members.items():
        yield PolicyObjectKind.MEMBER, user_id, _member(member)
    for project_id, project in objects.projects.items():
        yield PolicyObjectKind.PROJECT, project_id, _project(project)
    for of_user in objects.overrides.values():
        for override_id, override in of_user.items():
            yield PolicyObjectKind.OVERRIDE, override_id, _override(override)
    for (kind, resource_id), resource in objects.resources.items():
        yield PolicyObjectKind.RESOURCE, f"{kind}/{resource_id}", _resource(kind, resource)


def _account(account: AccountRecord) -> AccountObject:
    return AccountObject(
        kind=account.kind.value,
        status=account.status.value,
        owner_user_id=account.owner_user_id,
        catalog=account.catalog,
        roles=dict(account.roles),
        require_second_factor=account.require_second_factor,
    )


def _member(member: MemberRecord) -> MemberObject:
    """The state of a member; of its end the whole milliseconds."""
    end = member.expires_at
    return MemberObject(
        membership_id=member.membership_id,
        role=member.role_id,
        status=member.status.value,
        expires_at=None if end is None else _EPOCH + timedelta(milliseconds=end),
        attributes=dict(member.attributes),
    )


def _project(project: ProjectRecord) -> ProjectObject:
    return ProjectObject(name=project.name)


def _override(override: OverrideRecord) -> OverrideObject:
    return OverrideObject(
        project_id=override.project_id,
        user_id=override.user_id,
        membership_id=override.membership_id,
        grants=override.grants,
        expires_at=override.expires_at,
    )


def _resource(kind: str, resource: ResourceRecord) -> ResourceObject:
    return ResourceObject(
        type=kind,
        id=resource.id or "",
        project_id=resource.project_id,
        owner_id=resource.owner_id,
        properties=dict(resource.properties),
    )
