"""Registered resources: what a service of the platform says of them, and how their owner changes.

What is registered counts in every check. The caller of the check cannot say otherwise.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from rolecall import CONTROL_PERMISSIONS
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ResourceObject
from shared.contracts.team_resources import RegisteredItem
from shared.ids import AccountId, ProjectId, UserId
from shared.problems import Invalid, Refusal, RefusalKind

Property = str | int | float | bool
ResourceKey = tuple[str, str]
"""The type of a resource, and its id."""

MAX_ERRORS = 20
OWN_TYPES = frozenset(name.partition(":")[0] for name in CONTROL_PERMISSIONS)
"""The types of Rolecall's own resources, which no other service registers."""


class ResourceLimit(Refusal):
    """Every replica of authz holds every registered resource, so their number is bounded."""

    kind = RefusalKind.CONFLICT
    code = "resource-limit"
    detail = "An account may have {limit} registered resources at most. Delete some first."


class ResourceProjectUnknown(Refusal):
    """A resource is registered in a project of its account, or in none."""

    kind = RefusalKind.INVALID
    code = "project-unknown"
    detail = "The account has no project {project_id}. Name one of its projects, or none."

    def __init__(self, project_id: ProjectId) -> None:
        message = "Name a project of the account, or none."
        super().__init__(errors=[("/project_id", message)], project_id=project_id)


class NewOwnerNotMember(Refusal):
    """A resource is given to members only. Who owns it already keeps it after leaving."""

    kind = RefusalKind.INVALID
    code = "owner-not-a-member"
    detail = "The user {owner_id} is not a member of the account. Name a member, or no owner."

    def __init__(self, owner_id: UserId, *, pointer: str) -> None:
        super().__init__(errors=[(pointer, "Name a member of the account.")], owner_id=owner_id)


class RegistrationStatus(StrEnum):
    """What a registration did with one resource."""

    REGISTERED = "registered"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class RegisteredResource:
    """A resource of the account, as a service of the platform registered it."""

    account_id: AccountId
    type: str
    rid: str
    project_id: ProjectId | None = None
    owner_id: UserId | None = None
    properties: Mapping[str, Property] = field(default_factory=dict)
    registered_at: datetime

    @property
    def key(self) -> ResourceKey:
        """Its type and its id: they name it in the account."""
        return self.type, self.rid

    def policy_object(self) -> PolicyObject:
        """What authz knows of the resource."""
        state = ResourceObject(
            type=self.type,
            id=self.rid,
            project_id=self.project_id,
            owner_id=self.owner_id,
            properties=dict(sorted(self.properties.items())),
        )
        return self._policy_object(state)

    def gone(self) -> PolicyObject:
        """The resource is not registered any more."""
        return self._policy_object(None)

    def _policy_object(self, state: ResourceObject | None) -> PolicyObject:
        return PolicyObject(
            kind=PolicyObjectKind.RESOURCE,
            id=f"{self.type}/{self.rid}",
            account_id=self.account_id,
            state=None if state is None else state.model_dump(mode="json"),
        )

    def item(self) -> RegisteredItem:
        """The resource as a fact names it."""
        return RegisteredItem(
            type=self.type, id=self.rid, project_id=self.project_id, owner_id=self.owner_id
        )


@dataclass(frozen=True, kw_only=True)
class ResourceFilter:
    """Which of an account's resources are meant; None excludes none."""

    types: Collection[str] | None = None
    project_id: ProjectId | None = None
    owner_id: UserId | None = None


@dataclass(frozen=True, kw_only=True)
class ResourceChange:
    """A resource as it was, if it was registered, and as it is now."""

    before: RegisteredResource | None
    after: RegisteredResource


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What a registration may name, and whether the account may have more resources.

    `projects` and `members` are those of the named ones that the account has.
    """

    projects: Collection[ProjectId]
    members: Collection[UserId]
    count: int
    limit: int

    def after(self, change: ResourceChange | None) -> "Surroundings":
        """The same after a registration."""
        added = change is not None and change.before is None
        return replace(self, count=self.count + 1) if added else self


def register(
    wanted: RegisteredResource, *, present: RegisteredResource | None, around: Surroundings
) -> ResourceChange | None:
    """Register a resource, in place of the `present` one; None if that is the same already.

    Raises:
        ResourceProjectUnknown: the account has no such project.
        NewOwnerNotMember: the owner is another one than before, and not a member.
        ResourceLimit: it is new, and the account has as many as it may.
    """
    owner = None if present is None else present.owner_id
    if wanted.project_id is not None and wanted.project_id not in around.projects:
        raise ResourceProjectUnknown(wanted.project_id)
    given = wanted.owner_id
    if given is not None and given != owner and given not in around.members:
        raise NewOwnerNotMember(given, pointer="/owner_id")
    if present is not None:
        wanted = replace(wanted, registered_at=present.registered_at)
        if _form(wanted) == _form(present):
            return None
    elif around.count >= around.limit:
        raise ResourceLimit(limit=around.limit)
    return ResourceChange(before=present, after=wanted)


def require_registrable(keys: Sequence[ResourceKey], *, pointers: Sequence[str]) -> None:
    """Check that one request names each resource once, and none of Rolecall's own.

    Raises:
        Invalid: with a pointer to each that it may not name.
    """
    errors, seen = [], set()
    for key, pointer in zip(keys, pointers, strict=True):
        if key[0] in OWN_TYPES:
            message = "This type is Rolecall's own. Register resources of your own types."
            errors.append((f"{pointer}/type", message))
        elif key in seen:
            errors.append((pointer, "This resource is there twice. Send each once."))
        seen.add(key)
    if errors:
        raise Invalid(errors=errors[:MAX_ERRORS])


def reassigned(resource: RegisteredResource, to: UserId) -> ResourceChange:
    """Give the resource another owner."""
    return ResourceChange(before=resource, after=replace(resource, owner_id=to))


def _form(resource: RegisteredResource) -> str:
    """The resource as text: in Python `True` and `1.0` equal `1`."""
    return resource.policy_object().model_dump_json()
