"""The recipients of mails about memberships."""

from services.notification.domain.catalog_words import catalog_words
from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice, NoticeOf, actor_word
from services.notification.domain.wording import stored_moment
from shared.contracts import team, team_members, team_provisioning
from shared.contracts.facts import Payload, Row
from shared.contracts.registry import payload_of


def _member_left(fact: team.MemberLeft, row: Row) -> Notice | None:
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


def _added(fact: team_provisioning.MemberProvisioned, row: Row) -> Notice | None:
    if not fact.notify:
        return None
    ends = fact.expires_at
    return Notice(
        kind=MessageKind.ADDED,
        about=fact.user_id,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "ends": "" if ends is None else stored_moment(ends),
        }
        | catalog_words(fact, role="role_title"),
    )


def _role_changed(fact: team.MemberRoleChanged, row: Row) -> Notice | None:
    if fact.by_transfer or not fact.notify:
        return None
    return Notice(
        kind=MessageKind.ROLE_CHANGED,
        about=fact.user_id,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "signs_in_again": "yes" if fact.ends_sessions else "",
        }
        | catalog_words(fact, role="role_title", new_catalog="catalog_title")
        | actor_word(row),
    )


def _removed(fact: team.MemberRemoved, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.REMOVED,
        about=fact.user_id,
        to=fact.email,
        user_id=fact.user_id,
        words={"account": fact.account_name, "name": fact.name}
        | actor_word(row)
        | ({"left": "yes"} if row.actor.id == fact.user_id else {})
        | ({"reverted": "yes"} if fact.reverted else {}),
    )


def _membership_end(fact: team_members.MemberEndSet, row: Row) -> Notice | None:
    if not fact.notify:
        return None
    ends = fact.expires_at
    return Notice(
        kind=MessageKind.MEMBERSHIP_END,
        about=f"{fact.user_id}/end",
        to=fact.email,
        user_id=fact.user_id,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "ends": "" if ends is None else stored_moment(ends),
        }
        | actor_word(row),
    )


def _suspended(fact: team_members.MemberSuspended, row: Row) -> Notice:
    return _of_status(MessageKind.SUSPENDED, fact, row)


def _resumed(fact: team_members.MemberResumed, row: Row) -> Notice:
    return _of_status(MessageKind.RESUMED, fact, row)


def _of_status(
    kind: MessageKind, fact: team_members.MemberSuspended | team_members.MemberResumed, row: Row
) -> Notice:
    return Notice(
        kind=kind,
        about=f"{fact.user_id}/status",
        to=fact.email,
        user_id=fact.user_id,
        words={"account": fact.account_name, "name": fact.name} | actor_word(row),
    )


def ended_membership(row: Row) -> team.MemberRemoved | team.MemberLeft | None:
    """The fact, if it ends a membership: mails about it are not sent now."""
    fact = payload_of(row)
    return fact if isinstance(fact, team.MemberRemoved | team.MemberLeft) else None


ROWS: tuple[tuple[type[Payload], NoticeOf], ...] = (
    (team.MemberLeft, _member_left),
    (team_provisioning.MemberProvisioned, _added),
    (team.MemberRoleChanged, _role_changed),
    (team_members.MemberEndSet, _membership_end),
    (team_members.MemberSuspended, _suspended),
    (team_members.MemberResumed, _resumed),
    (team.MemberRemoved, _removed),
)
"""Each fact about a membership that causes a mail."""
