"""The rules of provisioned passwords as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.identity.domain import address_change, identities, passwords, provisioning
from services.identity.domain.identities import LinkedBy, LinkedIdentity
from services.identity.domain.provisioning import KnownUsers, UserClaim
from services.identity.domain.users import User
from shared.addresses import parse_address
from shared.ids import AccountId, ClientId, IdentityId
from tests.services.identity.domain.rows import NOON, USER

PLATFORM = ClientId("cli_1")
NEW = parse_address("ana@new.example")
HASH, OTHER_HASH = "imported", "another"
OWN = replace(USER, provisioned_by=PLATFORM, password_hash=None)
IMPORTED = replace(OWN, password_hash=HASH, password_imported=True)
SIGNED_IN = replace(OWN, password_hash="h")
IDENTITY = LinkedIdentity(
    id=IdentityId("idn_1"),
    user_id=USER.id,
    issuer="https://issuer.example",
    subject="ana",
    connection_id="corp",
    label="Corp",
    email="ana@example.com",
    linked_at=NOON,
)


def undone(user: User) -> User:
    """The user after a change of the address and its undo."""
    changed, _ = address_change.change(user, NEW, now=NOON, session_began=NOON)
    former = address_change.check_undo(changed, generation=1, now=NOON)
    return address_change.restore(changed, former, now=NOON)[0]


def proved(user: User) -> User:
    """The user after the proof of an unproved address by an issuer."""
    unproved = replace(user, verified_at=None)
    return identities.link(unproved, IDENTITY, [], how=LinkedBy.ADDRESS)[0]


def reset(user: User) -> User:
    return passwords.change(user, "h2", by_reset=True, now=NOON)[0]


@pytest.mark.parametrize("password_hash", [HASH, OTHER_HASH])
@pytest.mark.parametrize(
    ("user", "counts"),
    [
        (OWN, True),
        (IMPORTED, True),
        (SIGNED_IN, False),
        (reset(OWN), False),
        (undone(OWN), False),
        (undone(IMPORTED), False),
        (undone(SIGNED_IN), False),
        (reset(undone(IMPORTED)), False),
        (proved(OWN), True),
        (proved(IMPORTED), False),
        (proved(SIGNED_IN), False),
    ],
)
def test_a_password_counts_until_the_user_signs_in_sets_one_or_loses_it(
    user: User,
    counts: bool,  # noqa: FBT001 - a column of the table
    password_hash: str,
) -> None:
    """After a loss also another one does not count, which a thief may have set there."""
    claim = UserClaim(
        external_id="7f3a",
        address=parse_address(user.email),
        name=user.name,
        email_verified=True,
        password_hash=password_hash,
    )
    result = provisioning.provision(
        claim,
        KnownUsers(linked=user, holder=user, holder_external_id="7f3a"),
        client_id=PLATFORM,
        user_id=user.id,
        account_id=AccountId("acc_1"),
        now=NOON,
    )
    expected = password_hash if counts else user.password_hash
    assert result.user.password_hash == expected
    assert result.ignored == (() if counts else ("password_hash",))
