"""Recipients: who receives which mail because of which fact."""

from datetime import datetime

from services.notification.domain import (
    address_recipients,
    audit_recipients,
    connection_recipients,
    ending_recipients,
    factor_recipients,
    identity_recipients,
    member_recipients,
    ownership_recipients,
)
from services.notification.domain.catalog_words import catalog_words
from services.notification.domain.messages import Message, MessageKind, message_id
from services.notification.domain.notices import Notice, actor_word, notices
from services.notification.domain.wording import stored_moment
from shared.contracts import (
    audit,
    audit_retention,
    notification_webhooks,
    team,
    team_catalogs,
    team_resources,
)
from shared.contracts.calls.team import InvitationLinkRequest
from shared.contracts.facts import Caller, Row
from shared.contracts.registry import payload_of
from shared.locales import DEFAULT_LOCALE, known_locale


def messages_of(row: Row, *, caller: Caller, now: datetime) -> tuple[Message, ...]:
    """The messages that follow from a fact; most facts have none.

    Raises:
        ValueError: the row's data do not fit the type of its fact.
    """
    notice_of = RECIPIENTS.get(row.type)
    if notice_of is None:
        return ()
    notice = notice_of(payload_of(row), row)
    if notice is None:
        return ()
    return tuple(
        Message(
            id=message_id(row.id, notice.kind, recipient),
            kind=notice.kind,
            recipient=recipient,
            account_id=row.account_id,
            user_id=notice.user_id if recipient == notice.to else None,
            caller=caller,
            created_at=now,
            locale=known_locale(notice.locale or DEFAULT_LOCALE),
            language_of=notice.language_of,
            words=notice.words,
            expires_at=notice.expires_at,
            link=notice.link,
            about=notice.about,
        )
        for recipient in (notice.to, *notice.also)
    )


def _invitation(fact: team.InvitationCreated | team.InvitationResent, row: Row) -> Notice | None:
    if fact.delivery != "email" or fact.withheld:
        return None
    return Notice(
        kind=MessageKind.INVITATION,
        to=fact.email,
        language_of=row.actor.id,
        words={
            "account": fact.account_name,
            "inviter": fact.inviter_name,
            "email": fact.email,
        }
        | catalog_words(fact, role="role_title"),
        expires_at=fact.expires_at,
        link=InvitationLinkRequest(
            kind="invitation", id=fact.invitation_id, generation=fact.generation
        ),
    )


def _invitation_accepted(fact: team.InvitationAccepted, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.INVITATION_ACCEPTED,
        about=fact.invitation_id,
        to=fact.inviter_email,
        user_id=fact.inviter_user_id,
        words={
            "account": fact.account_name,
            "member": fact.name,
            "email": fact.email,
        }
        | catalog_words(fact, role="role_title" if fact.role_title else "role"),
    )


def _invitation_declined(fact: team.InvitationDeclined, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.INVITATION_DECLINED,
        about=fact.invitation_id,
        to=fact.inviter_email,
        user_id=fact.inviter_user_id,
        words={"account": fact.account_name, "email": fact.email},
    )


def _invitation_passed(fact: team.InvitationPassed, row: Row) -> Notice | None:
    if not fact.to_email:  # of a version that sent no mail
        return None
    return Notice(
        kind=MessageKind.INVITATION_PASSED,
        about=fact.invitation_id,
        to=fact.to_email,
        user_id=fact.to_user_id,
        words={
            "account": fact.account_name,
            "member": fact.made_by_name,
            "email": fact.email,
        }
        | catalog_words(fact, role="role_title"),
    )


def _invitation_bounced(fact: team.InvitationBounced, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.INVITATION_BOUNCED,
        about=fact.invitation_id,
        to=fact.inviter_email,
        user_id=fact.inviter_user_id,
        words={
            "account": fact.account_name,
            "email": fact.email,
            "resend_offered": "yes" if fact.resend_offered else "",
            "because": fact.because or "",
        },
    )


def _override_set(fact: team.OverrideSet, row: Row) -> Notice:
    return Notice(
        kind=MessageKind.OVERRIDE_SET,
        about=fact.project_id,
        to=fact.email,
        user_id=fact.user_id,
        words=_project(fact) | actor_word(row),
        expires_at=fact.expires_at,
    )


def _override_removed(fact: team.OverrideRemoved, row: Row) -> Notice | None:
    if fact.by_transfer:
        return None
    return Notice(
        kind=MessageKind.OVERRIDE_REMOVED,
        about=fact.project_id,
        to=fact.email,
        user_id=fact.user_id,
        words=_project(fact) | actor_word(row),
    )


def _resources_given(fact: team_resources.ResourcesReassigned, row: Row) -> Notice | None:
    """Only the first fact of a change has the address; a member who took them knows."""
    if not fact.email or row.actor.id == fact.to_user_id:
        return None
    return Notice(
        kind=MessageKind.RESOURCES_GIVEN,
        about=fact.from_user_id,
        to=fact.email,
        user_id=fact.to_user_id,
        words={"account": fact.account_name, "name": fact.name, "former": fact.from_name}
        | actor_word(row),
    )


def _account_moved(fact: team_catalogs.AccountMoved, row: Row) -> Notice | None:
    if not fact.by_platform:  # the owner did it
        return None
    return Notice(
        kind=MessageKind.ACCOUNT_MOVED,
        to=fact.owner_email,
        words={"account": fact.account_name} | catalog_words(fact, catalog="catalog_title"),
    )


def _webhook_disabled(fact: notification_webhooks.WebhookDisabled, row: Row) -> Notice | None:
    if not fact.manager_emails:
        return None
    first, *others = dict.fromkeys(fact.manager_emails)
    return Notice(
        kind=MessageKind.WEBHOOK_DISABLED,
        about=fact.webhook_id,
        to=first,
        also=tuple(others),
        words={
            "account": fact.account_name,
            "webhook_id": fact.webhook_id,
            "description": fact.description,
            "host": fact.host,
            "gone": "yes" if fact.because == "gone" else "",
        },
    )


def _audit_checkpoint(fact: audit.CheckpointPublished, row: Row) -> Notice | None:
    if not fact.manager_emails:
        return None
    first, *others = dict.fromkeys(fact.manager_emails)
    origin, size, root, _, signature = fact.checkpoint.split("\n", 5)[:5]
    return Notice(
        kind=MessageKind.AUDIT_CHECKPOINT,
        to=first,
        also=tuple(others),
        words={
            "account": fact.account_name,
            "origin": origin,
            "size": size,
            "root": root,
            "signature": signature,
        },
    )


def _audit_retention(fact: audit_retention.RetentionChanged, row: Row) -> Notice | None:
    if not fact.manager_emails:
        return None
    first, *others = dict.fromkeys(fact.manager_emails)
    waits = fact.in_force_at > row.occurred_at
    return Notice(
        kind=MessageKind.AUDIT_RETENTION,
        about=f"{row.account_id}/audit-retention",
        to=first,
        also=tuple(others),
        words={
            "account": fact.account_name,
            "days": "" if fact.days is None else str(fact.days),
            "until": stored_moment(fact.in_force_at) if waits else "",
        }
        | actor_word(row),
    )


def _project(fact: team.OverrideSet | team.OverrideRemoved) -> dict[str, str]:
    """The account, the project, and what the account's catalog calls a project."""
    return {
        "account": fact.account_name,
        "project": fact.project_name,
    } | catalog_words(fact, project_word="project_word")


RECIPIENTS = notices(
    *factor_recipients.ROWS,
    *member_recipients.ROWS,
    *ownership_recipients.ROWS,
    *identity_recipients.ROWS,
    *connection_recipients.ROWS,
    (team.InvitationCreated, _invitation),
    (team.InvitationResent, _invitation),
    (team.InvitationAccepted, _invitation_accepted),
    (team.InvitationDeclined, _invitation_declined),
    (team.InvitationPassed, _invitation_passed),
    (team.InvitationBounced, _invitation_bounced),
    (team.OverrideSet, _override_set),
    (team.OverrideRemoved, _override_removed),
    (team_resources.ResourcesReassigned, _resources_given),
    (team_catalogs.AccountMoved, _account_moved),
    (notification_webhooks.WebhookDisabled, _webhook_disabled),
    (audit.CheckpointPublished, _audit_checkpoint),
    (audit_retention.RetentionChanged, _audit_retention),
    *address_recipients.ROWS,
    *audit_recipients.ROWS,
    *ending_recipients.ROWS,
)
"""Fact type → the function that names the recipient and the words of the mail (Ci1, Nv14, Ro15)."""
