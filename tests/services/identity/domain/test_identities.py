"""Linking identities, and the ways to sign in that are left, as tables."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from services.identity.domain.id_tokens import IssuedIdentity
from services.identity.domain.identities import (
    MAX_IDENTITIES,
    IdentityNotLinked,
    LastSignIn,
    LinkedBy,
    LinkedIdentity,
    TooManyIdentities,
    identity_id,
    link,
    linked,
    require_sign_in,
    trusted_address,
)
from services.identity.domain.sso_connections import EVERY_DOMAIN, SsoConnection
from shared.contracts.identity import UserIdentityLinked, UserVerified
from shared.ids import IdentityId
from tests.services.identity.domain.rows import NOON, USER

if TYPE_CHECKING:
    from services.identity.domain.users import User

CORP = SsoConnection(
    id="corp",
    label="Corp",
    issuer="https://issuer.example",
    client_id="client",
    client_secret=None,
    trusted_domains=("example.com",),
)
ISSUED = IssuedIdentity(
    issuer=CORP.issuer,
    subject="1",
    email="Ana@Example.com",
    email_verified=True,
    name="Ana",
    claims={},
)
IDENTITY = linked(ISSUED, CORP, user_id=USER.id, now=NOON)
OTHERS = [replace(IDENTITY, id=IdentityId(f"idn_{number}")) for number in range(MAX_IDENTITIES - 1)]
UNPROVED = replace(USER, verified_at=None, password_imported=True)
WITHOUT = replace(UNPROVED, password_hash=None)


@pytest.mark.rule("B16")
@pytest.mark.parametrize(
    ("user", "how", "left"),
    [
        (USER, LinkedBy.ADDRESS, ("h", False, False, True)),
        (USER, LinkedBy.USER, ("h", False, False, True)),
        (UNPROVED, LinkedBy.USER, ("h", True, False, False)),
        (UNPROVED, LinkedBy.ADDRESS, (None, False, True, True)),
        (WITHOUT, LinkedBy.ADDRESS, (None, False, False, True)),
    ],
)
def test_an_issuer_proves_an_address_and_ends_the_password_from_before(
    user: User, how: LinkedBy, left: tuple[str | None, bool, bool, bool]
) -> None:
    changed, facts = link(user, IDENTITY, (), how=how)
    taken, proved = changed.password_taken, changed.verified_at is not None
    assert (changed.password_hash, changed.password_imported, taken, proved) == left
    told = [UserIdentityLinked] if changed == user else [UserVerified, UserIdentityLinked]
    assert [type(fact.payload) for fact in facts] == told


def test_a_user_has_room_for_ten_identities() -> None:
    assert link(USER, IDENTITY, OTHERS, how=LinkedBy.USER)[0] == USER
    with pytest.raises(TooManyIdentities):
        link(USER, IDENTITY, [*OTHERS, IDENTITY], how=LinkedBy.USER)


@pytest.mark.rule("B16")
@pytest.mark.parametrize(
    ("email", "verified", "domains", "trusted"),
    [
        ("Ana@Example.com", True, ("example.com",), True),
        ("ana@example.com", True, (EVERY_DOMAIN,), True),
        ("ana@example.com", False, (EVERY_DOMAIN,), False),
        ("ana@sub.example.com", True, ("example.com",), False),
        ("ana@example.com", True, (), False),
        ("no address", True, (EVERY_DOMAIN,), False),
        (None, True, (EVERY_DOMAIN,), False),
    ],
)
def test_an_issuer_speaks_for_verified_addresses_of_its_domains(
    email: str | None,
    verified: bool,  # noqa: FBT001
    domains: tuple[str, ...],
    trusted: bool,  # noqa: FBT001
) -> None:
    issued = replace(ISSUED, email=email, email_verified=verified)
    connection = replace(CORP, trusted_domains=domains)
    if trusted:
        assert trusted_address(issued, connection).key == "ana@example.com"
        return
    with pytest.raises(IdentityNotLinked):
        trusted_address(issued, connection)


@pytest.mark.parametrize(
    ("user", "identities", "has_passkey", "enough"),
    [
        (USER, [], False, True),
        (WITHOUT, [IDENTITY], False, True),
        (WITHOUT, [], True, True),
        (WITHOUT, [], False, False),
    ],
)
def test_a_user_keeps_one_way_to_sign_in(
    user: User,
    identities: list[LinkedIdentity],
    has_passkey: bool,  # noqa: FBT001
    enough: bool,  # noqa: FBT001
) -> None:
    if enough:
        require_sign_in(user, identities, has_passkey=has_passkey)
        return
    with pytest.raises(LastSignIn):
        require_sign_in(user, identities, has_passkey=has_passkey)


def test_issuer_and_subject_cannot_be_divided_in_another_way() -> None:
    assert identity_id("https://a.example/1", "2") != identity_id("https://a.example/", "12")
    assert identity_id("https://a.example", "1") != identity_id("https://b.example", "1")
