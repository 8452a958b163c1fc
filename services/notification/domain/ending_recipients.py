"""Who receives which mail when an account is suspended, deleted or comes back, or shuts out."""

from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice, NoticeOf, actor_word
from services.notification.domain.wording import stored_moment
from shared.contracts import team_endings
from shared.contracts.facts import Payload, Row


def _account_suspended(fact: team_endings.AccountSuspended, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.ACCOUNT_SUSPENDED,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        words={
            "account": fact.account_name,
            "name": fact.owner_name,
            "explanation": fact.explanation,
        },
    )


def _account_resumed(fact: team_endings.AccountResumed, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.ACCOUNT_RESUMED,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        words={"account": fact.account_name, "name": fact.owner_name},
    )


def _account_deleted(fact: team_endings.AccountDeletionRequested, row: Row) -> Notice | None:
    if fact.by_erasure:  # the owner gets another mail
        return None
    return Notice(
        kind=MessageKind.ACCOUNT_DELETED,
        about=row.account_id,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        words={
            "account": fact.account_name,
            "name": fact.owner_name,
            "deletes_at": stored_moment(fact.deletes_at),
            "members": "yes" if fact.members else "",
            "personal": "" if fact.personal_account_id is None else "yes",
        },
    )


def _account_restored(fact: team_endings.AccountRestored, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.ACCOUNT_RESTORED,
        about=row.account_id,
        to=fact.owner_email,
        user_id=fact.owner_user_id,
        words={
            "account": fact.account_name,
            "name": fact.owner_name,
            "members": "yes" if fact.members else "",
        },
    )


def _members_informed(fact: team_endings.AccountMembersInformed, row: Row) -> Notice:
    first, *others = fact.emails
    ended = fact.about == "deletion"
    return Notice(
        kind=MessageKind.ACCESS_ENDED if ended else MessageKind.ACCESS_RESTORED,
        about=row.account_id,
        to=first,
        also=tuple(others),
        words={"account": fact.account_name} | actor_word(row),
    )


def _members_shut_out(fact: team_endings.AccountMembersShutOut, row: Row) -> Notice:
    first, *others = fact.emails
    return Notice(
        kind=MessageKind.SECOND_FACTOR_DEMANDED,
        about=f"{row.account_id}/second-factor",
        to=first,
        also=tuple(others),
        words={"account": fact.account_name} | actor_word(row),
    )


ROWS: tuple[tuple[type[Payload], NoticeOf], ...] = (
    (team_endings.AccountSuspended, _account_suspended),
    (team_endings.AccountResumed, _account_resumed),
    (team_endings.AccountDeletionRequested, _account_deleted),
    (team_endings.AccountRestored, _account_restored),
    (team_endings.AccountMembersInformed, _members_informed),
    (team_endings.AccountMembersShutOut, _members_shut_out),
)
