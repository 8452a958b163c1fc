"""The members whom a check names by external ids, as its subject and as the owner."""

import dataclasses

from msgspec.structs import replace

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


def with_named_owner(
    check: PermissionCheck, external_ids: ExternalIds, *, own: bool
) -> PermissionCheck:
    """The check with the user id of the owner; `own`: its subject asks it.

    A subject who asks learns of no external id but their own.
    """
    sent, account_id = check.resource.owner_id, check.account_id
    if sent is None or account_id is None:
        return check
    owner_id = external_ids.user(account_id, sent)
    if owner_id == sent or (own and owner_id != check.user_id):
        return check
    return owned_by(check, owner_id)


def owned_by(check: PermissionCheck, owner_id: str) -> PermissionCheck:
    """The check with this owner, whom conditions find there as well."""
    properties = {**check.given.resource, "owner_id": owner_id}
    return replace(
        check,
        resource=dataclasses.replace(check.resource, owner_id=owner_id),
        given=dataclasses.replace(check.given, resource=properties),
    )


def require_owner(owner_id: str | None, *, shared: bool, pointer: str = OWNER) -> None:
    """Refuse an owner who is named by a text that names no member.

    Raises:
        Invalid: it is neither a user's id nor the external id of one member.
    """
    if owner_id is not None and not is_user_id(owner_id):
        raise Invalid(errors=[(pointer, SHARED_OWNER if shared else NO_OWNER)])
