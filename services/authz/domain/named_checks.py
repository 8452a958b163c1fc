"""The members whom a check names by external ids, as its subject and as the owner."""

from msgspec.structs import replace

from rolecall import AnyGiven, AnyResource
from services.authz.domain.asked import AskedProperties, AskedResource
from services.authz.domain.checks import PermissionCheck
from services.authz.domain.external_ids import USER_PREFIX, ExternalIds
from shared.ids import is_id
from shared.problems import Invalid

OWNER = "/resource/properties/owner_id"
NO_OWNER = (
    "No member of the account has this external id. Name the owner by the user id, or by the"
    " external id of one member."
)
SHARED_OWNER = "Two members of the account have this external id. Name the owner by the user id."


def is_user_id(name: str) -> bool:
    """Return whether the text is a user's own id."""
    return is_id(name, USER_PREFIX)


def named_owner(
    external_ids: ExternalIds, account_id: str | None, sent: str | None, oneself: str | None
) -> str | None:
    """The owner whom a check of this account means; `oneself` is its subject if they ask it.

    A subject who asks learns of no external id but their own.
    """
    if sent is None or account_id is None:
        return sent
    owner_id = external_ids.user(account_id, sent)
    return sent if oneself is not None and owner_id != oneself else owner_id


def with_named_owner(
    check: PermissionCheck, external_ids: ExternalIds, *, own: bool
) -> PermissionCheck:
    """The check with the user id of the owner; `own`: its subject asks it."""
    sent = check.resource.owner_id
    owner_id = named_owner(external_ids, check.account_id, sent, check.user_id if own else None)
    return check if owner_id == sent or owner_id is None else owned_by(check, owner_id)


def owned_by(check: PermissionCheck, owner_id: str) -> PermissionCheck:
    """The check with this owner."""
    resource, given = owned(check.resource, check.given, owner_id)
    return replace(check, resource=resource, given=given)


def owned(
    resource: AnyResource, given: AnyGiven, owner_id: str
) -> tuple[AskedResource, AskedProperties]:
    """The resource with this owner, whom conditions find in the properties as well."""
    return (
        AskedResource(resource.id, owner_id, resource.project_id, resource.properties),
        AskedProperties(
            given.subject, {**given.resource, "owner_id": owner_id}, given.action, given.context
        ),
    )


def require_owner(owner_id: str | None, *, shared: bool, pointer: str = OWNER) -> None:
    """Refuse an owner who is named by a text that names no member.

    Raises:
        Invalid: it is neither a user's id nor the external id of one member.
    """
    if owner_id is not None and not is_user_id(owner_id):
        raise Invalid(errors=[(pointer, SHARED_OWNER if shared else NO_OWNER)])
