"""The facts about a membership that goes on: its end, attributes, external id and suspension."""

from dataclasses import replace

from rolecall import MembershipStatus
from services.team.domain.members import Membership
from shared.contracts import team_members
from shared.contracts.facts import Fact


def suspend(member: Membership, *, account_name: str) -> tuple[Membership, Fact]:
    """Suspend the membership: every check denies, and nothing of it is lost."""
    suspended = replace(member, status=MembershipStatus.SUSPENDED)
    payload = team_members.MemberSuspended(**_payload(member, account_name))
    return suspended, _status_fact(payload, member, suspended)


def resume(member: Membership, *, account_name: str) -> tuple[Membership, Fact]:
    """Resume the membership, as it was before."""
    resumed = replace(member, status=MembershipStatus.ACTIVE)
    payload = team_members.MemberResumed(**_payload(member, account_name))
    return resumed, _status_fact(payload, member, resumed)


def set_end(
    member: Membership, changed: Membership, *, account_name: str, notify: bool = True
) -> Fact:
    """Record that the membership has another end; `changed` has it."""
    return Fact(
        payload=team_members.MemberEndSet(
            **_payload(changed, account_name), expires_at=changed.expires_at, notify=notify
        ),
        resource=member.ref(),
        before={"expires_at": member.expires_at},
        after={"expires_at": changed.expires_at},
        policy_objects=(changed.policy_object(),),
    )


def set_attributes(member: Membership, changed: Membership, *, account_name: str) -> Fact:
    """Record that the attributes were replaced; `changed` has the new ones."""
    attributes = dict(changed.attributes)
    return Fact(
        payload=team_members.MemberAttributesSet(
            **_payload(changed, account_name), attributes=attributes
        ),
        resource=member.ref(),
        before={"attributes": dict(member.attributes)},
        after={"attributes": attributes},
        policy_objects=(changed.policy_object(),),
    )


def link(member: Membership, *, external_id: str, account_name: str) -> tuple[Membership, Fact]:
    """Let the platform know the member by this id of its own."""
    linked = replace(member, external_id=external_id)
    fact = Fact(
        payload=team_members.MemberLinked(
            **_payload(linked, account_name), external_id=external_id
        ),
        resource=member.ref(),
        before={"external_id": member.external_id},
        after={"external_id": external_id},
        policy_objects=(linked.policy_object(),),
    )
    return linked, fact


def _status_fact(
    payload: team_members.MemberSuspended | team_members.MemberResumed,
    before: Membership,
    after: Membership,
) -> Fact:
    return Fact(
        payload=payload,
        resource=before.ref(),
        before={"status": before.status.value},
        after={"status": after.status.value},
        policy_objects=(after.policy_object(),),
    )


def _payload(member: Membership, account_name: str) -> dict[str, str]:
    return {
        "account_name": account_name,
        "user_id": member.user_id,
        "email": member.email,
        "name": member.name,
        "role": member.role,
    }
