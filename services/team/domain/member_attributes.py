"""A member's attributes: their bounds, and who may change one that a condition tests."""

import json
import re
from collections.abc import Mapping, Sequence

from rolecall import is_conditional, resting_on, settled
from rolecall.core.json_values import same_json
from services.team.domain.account_access import AccountAccess
from services.team.domain.authority import (
    override_grants,
    require_end,
    require_to_give_grants,
    require_to_grant,
    role_grants,
)
from services.team.domain.members import Attribute, Membership
from services.team.domain.overrides import ProjectOverride
from shared.problems import Invalid

MAX_ATTRIBUTES = 32
MAX_TEXT_CHARACTERS = 256
MAX_ATTRIBUTES_BYTES = 4 * 1024
"""Of all attributes of one member as JSON; every replica of authz holds them in memory."""
_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")


def check_attributes(attributes: Mapping[str, Attribute]) -> None:
    """Check the keys, the values and the size.

    Raises:
        Invalid: with a pointer to each attribute that does not fit.
    """
    errors = [(f"/attributes/{_escaped(key)}", _KEY_FAULT) for key in attributes if not _fits(key)]
    errors += [
        (f"/attributes/{key}", f"A text may have {MAX_TEXT_CHARACTERS} characters.")
        for key, value in attributes.items()
        if _fits(key) and isinstance(value, str) and len(value) > MAX_TEXT_CHARACTERS
    ]
    if len(attributes) > MAX_ATTRIBUTES:
        errors.append(("/attributes", f"A member may have {MAX_ATTRIBUTES} attributes."))
    if len(json.dumps(dict(attributes)).encode()) > MAX_ATTRIBUTES_BYTES:
        errors.append(
            ("/attributes", f"The attributes may have {MAX_ATTRIBUTES_BYTES} bytes as JSON.")
        )
    if errors:
        raise Invalid(errors=errors)


def require_to_set(
    access: AccountAccess,
    member: Membership,
    all_overrides: Sequence[ProjectOverride],
    attributes: Mapping[str, Attribute],
) -> None:
    """Check that the caller may give what the changed attributes can decide (`B5`).

    That is what the account's roles and overrides grant under conditions that test a changed
    attribute. All of them count: the member could have another role next, and be given what another
    member's override grants. The caller must hold the grants without those tests, or meet the
    tests, so no member makes a condition true for themselves. `all_overrides` are those of the
    account.

    Raises:
        GrantsExceeded: the caller does not hold such a grant.
        EndExceeded: the caller's own membership ends before the member's.
    """
    changed = _changed(member.attributes, attributes)
    giver, now, ends = settled(access.member), access.now, False
    for role in access.catalog.all_roles():
        given = resting_on(role_grants(access.state, role.id), changed)
        require_to_give_grants(access.state, giver, given, now=now)
        ends = ends or not given.empty
    for override in all_overrides:
        if override.expired(now) or not _has_condition(override):
            continue
        given = resting_on(override_grants(access.catalog, override), changed)
        if given.empty:
            continue
        require_to_grant(access.state, giver, override.project_id, given, now=now, until=None)
        ends = True
    if ends:
        require_end(access.member, member.expires_at)


def _has_condition(override: ProjectOverride) -> bool:
    held = (one for levels in override.grants.values() for one in levels.values())
    return any(map(is_conditional, held))


def _changed(before: Mapping[str, Attribute], after: Mapping[str, Attribute]) -> frozenset[str]:
    """The attributes that are new, gone or different."""
    return frozenset(
        name
        for name in {*before, *after}
        if name not in before or name not in after or not same_json(before[name], after[name])
    )


def _fits(key: str) -> bool:
    return _KEY.fullmatch(key) is not None


def _escaped(key: str) -> str:
    """The key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


_KEY_FAULT = (
    "A key begins with a letter a-z and has up to 64 of the characters a-z, 0-9 and underscore."
)
