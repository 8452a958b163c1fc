"""Provisioning: what a service client of the platform says about a user, and what it changes.

The client's word counts for the users that it has made itself. A user who was there before is
linked to the client's external id, and nothing about them changes: neither the password nor the
name, and no status.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from services.identity.domain.imported_passwords import hash_fault
from services.identity.domain.sign_up import check_registration
from services.identity.domain.users import User, payload_fields, rename, user_fact
from shared.addresses import Address
from shared.contracts.facts import Fact
from shared.contracts.identity import (
    UserLinked,
    UserPasswordImported,
    UserProvisioned,
    UserVerified,
)
from shared.contracts.refusals import RepeatedInBatch
from shared.ids import AccountId, ClientId, UserId
from shared.problems import Invalid, Refusal, RefusalKind

USERS_PER_BATCH = 1000


class ClientBound(Refusal):
    """A client that is bound to accounts provisions no users: users belong to no account.

    The answer tells whether an address has a user, and a password can come with it. Only a client
    of the whole platform is trusted with both.
    """

    kind = RefusalKind.DENIED
    code = "client-bound"
    detail = (
        "This service client is bound to accounts, and users belong to none. Use an unbound client:"
        " one that was created without accounts."
    )


class OtherAddress(Refusal):
    """The external id is that of a user with another address."""

    kind = RefusalKind.CONFLICT
    code = "other-address"
    detail = (
        "The user of this external id has another address. An address is not changed by"
        " provisioning: send the earlier address, or use another external id."
    )


class OtherExternalId(Refusal):
    """The user of the address has another external id of the same client."""

    kind = RefusalKind.CONFLICT
    code = "other-external-id"
    detail = (
        "You know the user of this address by another external id. Send that one, or another"
        " address."
    )


class UserOutcome(StrEnum):
    """What became of one entry."""

    CREATED = "created"
    UPDATED = "updated"
    LINKED = "linked"
    UNCHANGED = "unchanged"
    NOT_DONE = "not_done"
    """The time of the request was over before, or other requests changed the user each time."""


@dataclass(frozen=True, kw_only=True)
class UserEntry:
    """What a client sends about one user."""

    external_id: str
    email: str
    name: str
    email_verified: bool
    password_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class UserClaim:
    """What a client says about one user, after its checks."""

    external_id: str
    address: Address
    name: str
    email_verified: bool
    password_hash: str | None = None


@dataclass(frozen=True, kw_only=True)
class KnownUsers:
    """What is stored about one claim: the user of the external id, and that of the address."""

    linked: User | None = None
    holder: User | None = None
    holder_external_id: str | None = None
    """The client's own external id of the user of the address."""


@dataclass(frozen=True, kw_only=True)
class ProvisionedUser:
    """The user of a claim, as the claim leaves them.

    `before` is `None` for a new user. `links` tells that the external id is new. `ignored` are the
    parts of the claim that do not count for this user.
    """

    status: UserOutcome
    before: User | None
    user: User
    links: bool = False
    ignored: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()


def check_entry(entry: UserEntry) -> UserClaim:
    """Check one entry.

    A password counts only with a verified address. Otherwise a stranger's password would wait for
    the day on which the owner of the address proves it.

    Raises:
        Invalid: it names every field that is wrong.
    """
    faults: list[tuple[str, str]] = []
    registration = None
    try:
        registration = check_registration(email=entry.email, name=entry.name)
    except Invalid as invalid:
        faults += [(error.pointer, error.message) for error in invalid.errors]
    if entry.password_hash is not None:
        if not entry.email_verified:
            faults.append(("/password_hash", _NEEDS_VERIFIED))
        elif fault := hash_fault(entry.password_hash):
            faults.append(("/password_hash", fault))
    if registration is None or faults:
        raise Invalid(errors=faults)
    return UserClaim(
        external_id=entry.external_id,
        address=registration.address,
        name=registration.name,
        email_verified=entry.email_verified,
        password_hash=entry.password_hash,
    )


def check_batch(entries: Sequence[UserEntry]) -> list[UserClaim | Refusal]:
    """Check each entry of one request; two about the same user contradict each other."""
    external_ids: set[str] = set()
    addresses: set[str] = set()
    checked: list[UserClaim | Refusal] = []
    for entry in entries:
        try:
            claim = check_entry(entry)
        except Invalid as invalid:
            checked.append(invalid)
            continue
        if claim.external_id in external_ids:
            checked.append(RepeatedInBatch(field="external id"))
        elif claim.address.key in addresses:
            checked.append(RepeatedInBatch(field="address"))
        else:
            checked.append(claim)
        external_ids.add(claim.external_id)
        addresses.add(claim.address.key)
    return checked


def provision(
    claim: UserClaim,
    known: KnownUsers,
    *,
    client_id: ClientId,
    user_id: UserId,
    account_id: AccountId,
    now: datetime,
) -> ProvisionedUser:
    """Make, link or update the user of a claim; the ids are for a new one.

    The same claim again changes nothing.

    Raises:
        OtherAddress, OtherExternalId: the claim contradicts what the client said before.
    """
    if known.linked is not None:
        if known.linked.email_key != claim.address.key:
            raise OtherAddress
        return _update(claim, known.linked, client_id=client_id, now=now)
    if known.holder_external_id is not None:
        raise OtherExternalId
    if known.holder is not None:
        return _link(claim, known.holder, client_id=client_id)
    return _create(claim, client_id=client_id, user_id=user_id, account_id=account_id, now=now)


def _create(
    claim: UserClaim, *, client_id: ClientId, user_id: UserId, account_id: AccountId, now: datetime
) -> ProvisionedUser:
    user = User(
        id=user_id,
        email=claim.address.typed,
        email_key=claim.address.key,
        name=claim.name,
        password_hash=claim.password_hash,
        password_imported=claim.password_hash is not None,
        account_id=account_id,
        created_at=now,
        verified_at=now if claim.email_verified else None,
        provisioned_by=client_id,
    )
    payload = UserProvisioned(
        **payload_fields(user),
        client_id=client_id,
        external_id=claim.external_id,
        verified=claim.email_verified,
    )
    fact = user_fact(
        user,
        payload,
        after={
            "email": user.email,
            "name": user.name,
            "external_id": claim.external_id,
            "email_verified": "yes" if claim.email_verified else "no",
            "password": "no" if claim.password_hash is None else "imported",
        },
    )
    return ProvisionedUser(
        status=UserOutcome.CREATED, before=None, user=user, links=True, facts=(fact,)
    )


def _link(claim: UserClaim, user: User, *, client_id: ClientId) -> ProvisionedUser:
    payload = UserLinked(**payload_fields(user), client_id=client_id, external_id=claim.external_id)
    fact = user_fact(user, payload, after={"external_id": claim.external_id})
    return ProvisionedUser(
        status=UserOutcome.LINKED,
        before=user,
        user=user,
        links=True,
        ignored=_not_taken(claim),
        facts=(fact,),
    )


def _update(claim: UserClaim, user: User, *, client_id: ClientId, now: datetime) -> ProvisionedUser:
    if user.provisioned_by != client_id:
        return ProvisionedUser(
            status=UserOutcome.UNCHANGED, before=user, user=user, ignored=_not_taken(claim)
        )
    changed, facts = rename(user, claim.name)
    ignored: tuple[str, ...] = ()
    if claim.email_verified and changed.verified_at is None:
        changed = replace(changed, verified_at=now)
        facts += (user_fact(changed, UserVerified(**payload_fields(changed))),)
    if claim.password_hash is not None and claim.password_hash != changed.password_hash:
        if _counts_password(changed):
            changed = replace(changed, password_hash=claim.password_hash, password_imported=True)
            imported = UserPasswordImported(**payload_fields(changed), client_id=client_id)
            facts += (user_fact(changed, imported),)
        else:
            ignored = ("password_hash",)
    return ProvisionedUser(
        status=UserOutcome.UPDATED if facts else UserOutcome.UNCHANGED,
        before=user,
        user=changed,
        ignored=ignored,
        facts=facts,
    )


def _counts_password(user: User) -> bool:
    """Whether a password of the client counts: until the user signs in, sets one or loses it.

    A thief may know each one of the client, not only the hash that was taken away.
    """
    return user.password_imported or (user.password_hash is None and not user.password_taken)


def _not_taken(claim: UserClaim) -> tuple[str, ...]:
    """The parts of a claim that count for no user but the client's own; the same for each."""
    password = () if claim.password_hash is None else ("password_hash",)
    return ("name", "email_verified", *password)


_NEEDS_VERIFIED = (
    "A password is imported only with an address that you know to be the user's. Send"
    " `email_verified: true`, or leave the password out."
)
