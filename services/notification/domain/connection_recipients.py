"""The recipients of mails about the connections of accounts, and about who joins by them."""

from services.notification.domain.catalog_words import catalog_words
from services.notification.domain.messages import MessageKind
from services.notification.domain.notices import Notice, NoticeOf, actor_word
from services.notification.domain.wording import stored_moment
from shared.contracts import identity_connections, team_connections
from shared.contracts.facts import Row


def _joined(fact: team_connections.MemberJoinedByConnection, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.ADDED,
        about=fact.user_id,
        to=fact.email,
        user_id=fact.user_id,
        words={
            "account": fact.account_name,
            "name": fact.name,
            "ends": "",
            "through": fact.connection_label,
        }
        | catalog_words(fact, role="role_title"),
    )


def _refused(fact: team_connections.JoinRefused, row: Row) -> Notice | None:
    if not fact.manager_emails:  # a problem of the user alone
        return None
    first, *others = dict.fromkeys(fact.manager_emails)
    return Notice(
        kind=MessageKind.JOIN_REFUSED,
        about=fact.connection_id,
        to=first,
        also=tuple(others),
        words={
            "account": fact.account_name,
            "label": fact.connection_label,
            "member": fact.name,
            "email": fact.email,
            "problem": fact.problem,
        },
    )


def _changed(event: str) -> NoticeOf:
    def notice(
        fact: identity_connections.SsoConnectionCreated
        | identity_connections.SsoConnectionChanged
        | identity_connections.SsoDomainProved
        | identity_connections.SsoDomainLost
        | identity_connections.SsoConnectionDeleted,
        row: Row,
    ) -> Notice | None:
        if not fact.manager_emails:  # of a version that sent no mail, or team was away
            return None
        first, *others = dict.fromkeys(fact.manager_emails)
        return Notice(
            kind=MessageKind.SSO_CONNECTION,
            about=fact.connection_id,
            to=first,
            also=tuple(others),
            words={
                "account": fact.account_name,
                "event": event,
                "label": fact.label,
                "joins": "" if fact.join_role is None else "yes",
                "changed_at": stored_moment(row.occurred_at),
            }
            | actor_word(row),
        )

    return notice


ROWS = (
    (team_connections.MemberJoinedByConnection, _joined),
    (team_connections.JoinRefused, _refused),
    (identity_connections.SsoConnectionCreated, _changed("created")),
    (identity_connections.SsoConnectionChanged, _changed("changed")),
    (identity_connections.SsoDomainProved, _changed("proved")),
    (identity_connections.SsoDomainLost, _changed("lost")),
    (identity_connections.SsoConnectionDeleted, _changed("deleted")),
)
"""Fact type → the function that names the recipients and the words of the mail."""
