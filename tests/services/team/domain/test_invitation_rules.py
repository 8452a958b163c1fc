"""Creating, resending, accepting and handing over invitations: tables, without a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from rolecall import AccountKind, AccountStatus, CompiledCatalog, Delivery, load_catalog
from services.team.domain import invitation_acceptance, invitation_resend, invitations
from services.team.domain.account_access import AccessRows, AccountAccess, authorize
from services.team.domain.accounts import NotATeam
from services.team.domain.authority import GrantsExceeded, member_state
from services.team.domain.invitation_acceptance import (
    AlreadyJoined,
    Invitee,
    Inviter,
    check_mailable,
    require_open_link,
)
from services.team.domain.invitation_handover import hand_over
from services.team.domain.invitation_limits import (
    WINDOW,
    InvitationRateLimited,
    quota,
    rate_limited,
)
from services.team.domain.invitation_resend import ResendNotOffered
from services.team.domain.invitations import (
    MAX_WRONG_CODES,
    AlreadyInvited,
    AlreadyMember,
    ExpiredInvitationThere,
    Invitation,
    InvitationContext,
    InvitationStatus,
)
from services.team.domain.members import MemberLimit, NoFreeSeat
from services.team.domain.roles import RoleUnknown
from shared.addresses import parse_address
from shared.contracts.refusals import InvitationNotValid
from shared.ids import InvitationId, MembershipId
from shared.problems import Invalid, Refusal
from tests.services.team.memory import ACCOUNT, START, Memory, memory, user_id

CATALOGS = {
    name: CompiledCatalog(load_catalog(name))
    for name in ("standard", "novita", "runos", "cloud-iam")
}
INVITATION = InvitationId("inv_" + "0c" * 16)
GUEST = parse_address("guest@example.com")
EMPTY = InvitationContext(members=0, open_invitations=0)


def access_of(world: Memory, catalog: CompiledCatalog, name: str = "owner") -> AccountAccess:
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=catalog,
        membership=world.store.memberships[user_id(name)],
    )
    return authorize(rows, "member:invite", now=START)


def invitation(**fields: Any) -> Invitation:
    given: dict[str, Any] = {
        "account_id": ACCOUNT,
        "invitation_id": INVITATION,
        "email": GUEST.typed,
        "email_key": GUEST.key,
        "role": "basic",
        "delivery": Delivery.EMAIL,
        "inviter_user_id": user_id("owner"),
        "inviter_name": "Owner",
        "inviter_email": "owner@example.com",
        "created_at": START,
        "expires_at": START + timedelta(days=7),
    }
    return Invitation(**(given | fields))


OVER = invitation(expires_at=START)
# catalog, what is asked and found, the refusal or the facts
CREATIONS: list[tuple[str, dict[str, Any], type[Refusal] | list[str]]] = [
    ("standard", {}, ["invitation.created"]),
    ("standard", {"kind": AccountKind.PERSONAL}, NotATeam),
    (
        "runos",
        {"kind": AccountKind.PERSONAL, "role": "admin"},
        ["account.converted", "invitation.created"],
    ),
    ("standard", {"role": "owner"}, RoleUnknown),
    ("standard", {"role": "none"}, RoleUnknown),
    ("cloud-iam", {"role": "viewer", "delivery": Delivery.LINK}, Invalid),
    ("standard", {"found": replace(EMPTY, is_member=True)}, AlreadyMember),
    ("standard", {"found": replace(EMPTY, pending=invitation())}, AlreadyInvited),
    (
        "standard",
        {"found": replace(EMPTY, pending=OVER)},
        ["invitation.revoked", "invitation.created"],
    ),
    ("runos", {"role": "admin", "found": replace(EMPTY, pending=OVER)}, ExpiredInvitationThere),
    (
        "novita",
        {"found": InvitationContext(members=150, open_invitations=49)},
        ["invitation.created"],
    ),
    ("novita", {"found": InvitationContext(members=150, open_invitations=50)}, MemberLimit),
]


@pytest.mark.rule("Rp4", "Ro12", "Nv12")
@pytest.mark.parametrize(("name", "asked", "expected"), CREATIONS)
def test_an_invitation_is_created_or_refused(
    name: str, asked: dict[str, Any], expected: type[Refusal] | list[str]
) -> None:
    catalog = CATALOGS[name]
    world = memory(catalog, kind=asked.get("kind", AccountKind.TEAM))

    def create() -> invitations.CreatedInvitation:
        return invitations.create(
            access_of(world, catalog),
            invitation_id=INVITATION,
            address=GUEST,
            role_id=asked.get("role", "basic"),
            delivery=asked.get("delivery"),
            context=asked.get("found", EMPTY),
        )

    if not isinstance(expected, list):
        with pytest.raises(expected):
            create()
        return
    created = create()
    told = [fact.payload.type.removeprefix("team.").removesuffix(".v1") for fact in created.facts]
    assert told == expected
    assert created.account.kind is AccountKind.TEAM
    assert (created.replaced is None) is ("invitation.revoked" not in told)


@pytest.mark.rule("B5")
def test_a_member_does_not_invite_with_a_role_above_their_own() -> None:
    catalog = CATALOGS["cloud-iam"]
    world = memory(catalog)
    world.add("ana", "admin")
    access = access_of(world, catalog, "ana")
    weaker = replace(access, member=replace(access.member, role=catalog.roles["viewer"]))
    with pytest.raises(GrantsExceeded, match="You do not hold: "):
        invitations.create(
            weaker,
            invitation_id=INVITATION,
            address=GUEST,
            role_id="operator",
            delivery=None,
            context=EMPTY,
        )


# catalog, the invitation, seats taken, the refusal or None
RESENDS: list[tuple[str, Invitation, int, type[Refusal] | None]] = [
    ("standard", invitation(), 0, None),
    ("standard", OVER, 0, None),
    ("novita", invitation(), 200, None),
    ("novita", OVER, 200, MemberLimit),
    ("novita", OVER, 199, None),
    ("runos", invitation(role="admin"), 0, ResendNotOffered),
    ("standard", invitation(role="owner"), 0, RoleUnknown),
]


@pytest.mark.rule("Ci4", "Ro12")
@pytest.mark.parametrize(("name", "sent", "taken", "refusal"), RESENDS)
def test_a_resend_makes_a_new_link_or_is_refused(
    name: str, sent: Invitation, taken: int, refusal: type[Refusal] | None
) -> None:
    catalog = CATALOGS[name]
    world = memory(catalog)
    world.add("ana", "admin")
    access = access_of(world, catalog, "ana")
    found = InvitationContext(members=taken, open_invitations=0)
    if refusal is not None:
        with pytest.raises(refusal):
            invitation_resend.resend(access, sent, context=found)
        return
    again, _ = invitation_resend.resend(access, replace(sent, wrong_codes=3), context=found)
    assert (again.generation, again.wrong_codes) == (2, 0)
    assert again.inviter_user_id == user_id("ana")
    assert again.open(START)


@pytest.mark.rule("Ci4")
@pytest.mark.parametrize("waits", [False, True])
def test_an_earlier_link_works_only_while_the_new_mail_waits(*, waits: bool) -> None:
    catalog = CATALOGS["standard"]
    access = access_of(memory(catalog), catalog)
    again = invitation()
    for _ in range(2):
        context = replace(EMPTY, mail_waits=waits)
        again, _ = invitation_resend.resend(access, again, context=context)
    assert [again.has_link(generation) for generation in range(5)] == [
        False,
        waits,
        waits,
        True,
        False,
    ]


UNUSABLE: dict[str, Invitation | None] = {
    "missing": None,
    "superseded": invitation(generation=2),
    "worn out": invitation(wrong_codes=MAX_WRONG_CODES),
    "over": OVER,
    "accepted": invitation(status=InvitationStatus.ACCEPTED),
    "declined": invitation(status=InvitationStatus.DECLINED),
    "revoked": invitation(status=InvitationStatus.REVOKED),
}


@pytest.mark.parametrize("what", UNUSABLE)
def test_an_invitation_that_cannot_be_used_is_not_valid(what: str) -> None:
    with pytest.raises(InvitationNotValid):
        require_open_link(UNUSABLE[what], 1, now=START)
    assert require_open_link(invitation(), 1, now=START) == invitation()
    assert require_open_link(invitation(expires_at=None), 1, now=START).expires_at is None


UNMAILABLE = {name: found for name, found in UNUSABLE.items() if name != "worn out"} | {
    "not mailed": invitation(delivery=Delivery.LINK)
}


@pytest.mark.parametrize("what", UNMAILABLE)
def test_a_link_that_cannot_be_used_is_not_mailed(what: str) -> None:
    with pytest.raises(InvitationNotValid):
        check_mailable(UNMAILABLE[what], generation=1, now=START)
    assert check_mailable(invitation(), generation=1, now=START) == invitation()


def test_a_suspended_account_is_not_opened() -> None:
    account = memory(CATALOGS["standard"]).store.rows[ACCOUNT]
    assert invitation_acceptance.active(account) is account
    for closed in (None, replace(account, status=AccountStatus.SUSPENDED)):
        with pytest.raises(InvitationNotValid):
            invitation_acceptance.active(closed)


# what differs from an acceptance that is in order, the refusal or None
ACCEPTANCES: list[tuple[dict[str, Any], type[Refusal] | None]] = [
    ({}, None),
    ({"invitation": invitation(expires_at=None)}, None),
    ({"invitation": OVER}, InvitationNotValid),
    ({"invitation": invitation(role="owner")}, InvitationNotValid),
    ({"invitation": invitation(role="gone")}, InvitationNotValid),
    ({"invitation": invitation(status=InvitationStatus.REVOKED)}, InvitationNotValid),
    ({"address": "guest+x@example.com"}, InvitationNotValid),
    ({"address": "Guest@EXAMPLE.com"}, None),
    ({"inviter": None}, InvitationNotValid),
    ({"inviter": "billing"}, InvitationNotValid),
    ({"inviter": "admin"}, None),
    ({"present": True}, AlreadyJoined),
    ({"members": 199}, None),
    ({"members": 200}, NoFreeSeat),
]


@pytest.mark.rule("Rp7", "Ro9", "Nv12", "Nv14", "B5")
@pytest.mark.parametrize(("differs", "refusal"), ACCEPTANCES)
def test_an_invitation_is_accepted_or_refused(
    differs: dict[str, Any], refusal: type[Refusal] | None
) -> None:
    catalog = CATALOGS["novita"]
    world = memory(catalog)
    role = differs.get("inviter", "owner")
    giver = None if role is None else replace(world.add("ana", "admin"), role=role)
    address = parse_address(differs.get("address", GUEST.typed))

    def accept() -> invitation_acceptance.Acceptance:
        return invitation_acceptance.accept(
            differs.get("invitation", invitation()),
            account=world.store.rows[ACCOUNT],
            catalog=catalog,
            invitee=Invitee(user_id=user_id("guest"), address=address, name="Guest"),
            inviter=None if giver is None else Inviter(membership=giver),
            current_membership=world.add("guest", "basic") if "present" in differs else None,
            members=differs.get("members", 0),
            membership_id=MembershipId("mem_1"),
            now=START,
        )

    if refusal is not None:
        with pytest.raises(refusal):
            accept()
        return
    accepted = accept()
    assert accepted.membership.role == "basic"
    assert accepted.invitation.status is InvitationStatus.ACCEPTED
    assert accepted.invitation.membership_id == accepted.membership.membership_id == "mem_1"


def test_a_second_acceptance_is_the_same_users_only() -> None:
    world = memory(CATALOGS["standard"])
    member = world.add("guest", "basic")
    used = invitation(status=InvitationStatus.ACCEPTED, membership_id=member.membership_id)
    assert invitation_acceptance.accepted_before(invitation(), member) is None
    assert invitation_acceptance.accepted_before(used, member) == member
    for present in (None, replace(member, membership_id=MembershipId("mem_new"))):
        with pytest.raises(InvitationNotValid):
            invitation_acceptance.accepted_before(used, present)


# the inviter's role after the change (None: gone), the actor, the new inviter (None: unchanged)
HANDOVERS: list[tuple[str | None, str, str | None]] = [
    (None, "bea", "bea"),
    (None, "cem", "owner"),
    (None, "ana", "owner"),
    ("viewer", "bea", "bea"),
    ("viewer", "ana", "owner"),
    ("admin", "bea", None),
]


@pytest.mark.rule("Rp5")
@pytest.mark.parametrize(("role", "actor", "new_inviter"), HANDOVERS)
def test_open_invitations_go_to_the_actor_or_else_to_the_owner(
    role: str | None, actor: str, new_inviter: str | None
) -> None:
    catalog = CATALOGS["standard"]
    world = memory(catalog)
    ana = world.add("ana", "admin")
    world.add("bea", "admin")
    world.add("cem", "viewer")
    opened = [invitation(inviter_user_id=ana.user_id)]
    rows = AccessRows(
        account=world.store.rows[ACCOUNT],
        catalog=catalog,
        membership=world.store.memberships[user_id(actor)],
    )
    handover = hand_over(
        authorize(rows, "account:view", now=START),
        opened,
        inviter=None if role is None else member_state(catalog, replace(ana, role=role)),
        owner=world.store.memberships[user_id("owner")],
    )
    passed = [one.inviter_user_id for one in handover.invitations]
    assert passed == ([] if new_inviter is None else [user_id(new_inviter)])
    assert len(handover.facts) == len(passed)


@pytest.mark.parametrize("limit", [1, 3])
def test_a_limit_frees_one_place_when_its_oldest_time_leaves_the_day(limit: int) -> None:
    times: list[Any] = []
    for number in range(limit):
        times = rate_limited(times, limit=limit, now=START + timedelta(hours=number))
    late = START + timedelta(hours=limit)
    with pytest.raises(InvitationRateLimited) as refused:
        rate_limited(times, limit=limit, now=late)
    wait = (START + WINDOW - late).total_seconds()
    left = quota(times, limit=limit, now=late)
    assert (refused.value.retry_after, left.reset_seconds, left.remaining) == (wait, wait, 0)
    assert len(rate_limited(times, limit=limit, now=START + WINDOW)) == limit


def test_after_the_time_that_is_told_an_invitation_has_a_place() -> None:
    """The limit may have been lowered, and a moment is seldom at a whole second."""
    times = [START + timedelta(hours=hour) for hour in range(5)]
    now = START + timedelta(hours=5, seconds=0.4)
    with pytest.raises(InvitationRateLimited) as refused:
        rate_limited(times, limit=2, now=now)
    wait = refused.value.retry_after
    assert wait == quota(times, limit=2, now=now).reset_seconds
    assert wait is not None
    with pytest.raises(InvitationRateLimited):
        rate_limited(times, limit=2, now=now + timedelta(seconds=wait - 1))
    assert len(rate_limited(times, limit=2, now=now + timedelta(seconds=wait))) == 2
