"""The facts that team records about registered resources."""

from typing import ClassVar

from shared.contracts.facts import Payload
from shared.contracts.policy_objects import Contract


class RegisteredItem(Contract):
    """A registered resource, as a fact names it."""

    type: str
    id: str
    project_id: str | None = None
    owner_id: str | None = None


class ResourcesRegistered(Payload):
    """Resources were registered, or got other properties, another owner or another project."""

    type: ClassVar[str] = "team.resource.registered.v1"
    resources: tuple[RegisteredItem, ...]


class ResourceDeleted(Payload):
    """A registered resource was deleted: checks of it rest on what the caller says again."""

    type: ClassVar[str] = "team.resource.deleted.v1"
    resource: RegisteredItem


class ResourcesReassigned(Payload):
    """Resources of one user belong to another member, whom a mail tells.

    The first fact of a change has the address and the names; in further ones they are empty.
    """

    type: ClassVar[str] = "team.resource.reassigned.v1"
    from_user_id: str
    to_user_id: str
    resources: tuple[RegisteredItem, ...]
    account_name: str = ""
    email: str = ""
    name: str = ""
    from_name: str = ""
    """Empty for a user who is not a member any more."""


FACTS: tuple[type[Payload], ...] = (ResourcesRegistered, ResourceDeleted, ResourcesReassigned)
