"""The notices about memberships."""

from services.notification.domain.messages import MessageKind
from services.notification.domain.names import format_moment
from services.notification.domain.notices import Notice, actor_words
from shared.contracts import team, team_members
from shared.contracts.facts import Row
from shared.contracts.registry import payload_of


def member_left(fact: team.MemberLeft, row: Row) -> Notice | None:
    """Tell those who manage members."""
    if not fact.manager_emails:  # of a version that sent no mail
        return None
    first, *others = dict.fromkeys(fact.manager_emails)
    return Notice(
        kind=MessageKind.MEMBER_LEFT,
        about=fact.user_id,
        to=first,
        also=tuple(others),
        words={"account": fact.account_name, "member": fact.name, "email": fact.email},
    )


def role_changed(fact: team.MemberRoleChanged, row: Row) -> Notice:
    """Tell the member."""
    return Notice(
        kind=MessageKind.ROLE_CHANGED,
        about=fact.user_id,
        to=fact.email,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "role": fact.role_title,
            "signs_in_again": "yes" if fact.ends_sessions else "",
        }
        | actor_words(row),
    )


def removed(fact: team.MemberRemoved, row: Row) -> Notice:
    """Tell the former member."""
    return Notice(
        kind=MessageKind.REMOVED,
        about=fact.user_id,
        to=fact.email,
        words={"account": fact.account_name, "name": fact.name}
        | actor_words(row)
        | ({"left": "yes"} if row.actor.id == fact.user_id else {}),
    )


def membership_end(fact: team_members.MemberEndSet, row: Row) -> Notice:
    """Tell the member when the membership ends now."""
    ends = fact.expires_at
    return Notice(
        kind=MessageKind.MEMBERSHIP_END,
        about=f"{fact.user_id}/end",
        to=fact.email,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "ends": "" if ends is None else format_moment(ends),
        }
        | actor_words(row),
    )


def suspended(fact: team_members.MemberSuspended, row: Row) -> Notice:
    """Tell the member."""
    return _of_status(MessageKind.SUSPENDED, fact, row)


def resumed(fact: team_members.MemberResumed, row: Row) -> Notice:
    """Tell the member."""
    return _of_status(MessageKind.RESUMED, fact, row)


def _of_status(
    kind: MessageKind, fact: team_members.MemberSuspended | team_members.MemberResumed, row: Row
) -> Notice:
    return Notice(
        kind=kind,
        about=f"{fact.user_id}/status",
        to=fact.email,
        words={"account": fact.account_name, "name": fact.name} | actor_words(row),
    )


def ended_membership(row: Row) -> str | None:
    """The address of a member whose membership this fact ends: mails about it are not sent now."""
    fact = payload_of(row)
    return fact.email if isinstance(fact, team.MemberRemoved | team.MemberLeft) else None
