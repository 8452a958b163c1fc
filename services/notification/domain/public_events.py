"""Which facts are events for webhooks, and what each of them shows.

An event shows what the account's audit log shows of the fact, and those fields of its data that
`PUBLIC_EVENTS` names. A fact that is in neither table fails a test.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.contracts import (
    audit,
    audit_erasure,
    audit_retention,
    audit_searches,
    audit_streams,
    identity,
    identity_addresses,
    identity_connections,
    identity_erasure,
    identity_passkeys,
    identity_tokens,
    notification,
    notification_webhooks,
    team,
    team_catalogs,
    team_connections,
    team_endings,
    team_guardrails,
    team_members,
    team_ownership,
    team_provisioning,
    team_resources,
    upkeep,
)
from shared.contracts.facts import Payload, Row, content_time
from shared.contracts.registry import payload_of
from shared.redaction import without_secrets

_RULES = re.compile(r" \([A-Z][a-z]?\d+\)")
"""The ids of requirements, which mean nothing to a receiver."""
TEST_EVENT = "webhook.test"
"""The type of an event that only says that the webhook works."""


@dataclass(frozen=True)
class PublicEvent:
    """A fact that is an event for webhooks, and the fields of its data that the event shows."""

    fact: type[Payload]
    shows: tuple[str, ...]

    @property
    def type(self) -> str:
        """The type of the event: that of the fact without source and version."""
        return action_of(self.fact)

    @property
    def meaning(self) -> str:
        """What happened, in one sentence."""
        return _RULES.sub("", (self.fact.__doc__ or "").strip().splitlines()[0])


def action_of(fact: type[Payload]) -> str:
    """Return the name of a fact in the audit log (`member.removed`)."""
    return fact.type.split(".", 1)[1].rsplit(".v", 1)[0]


_MEMBER = ("account_name", "user_id", "email", "name", "role")
_INVITATION = ("account_name", "invitation_id", "email", "role")
_OVERRIDE = ("account_name", "project_id", "project_name", "user_id")
_OFFER = ("account_name", "owner_user_id", "owner_name", "user_id", "name")
_OWNED = ("account_name", "owner_user_id")
_CONNECTION = ("connection_id", "label", "issuer", "domain", "join_role", "rule_set_by")
_TOKEN = ("token_id", "token_name", "user_id", "name")
_WEBHOOK = ("webhook_id", "host")
_STREAM = ("stream_id", "host")

PUBLIC_EVENTS: tuple[PublicEvent, ...] = (
    PublicEvent(team.AccountRenamed, ("account_name",)),
    PublicEvent(team.AccountConverted, ("account_name", "kind", "catalog")),
    PublicEvent(
        team_catalogs.AccountMoved,
        ("account_name", "catalog", "catalog_title", "previous_catalog", "by_platform"),
    ),
    PublicEvent(team_endings.AccountReverted, (*_OWNED, "catalog")),
    PublicEvent(team_endings.AccountSuspended, (*_OWNED, "explanation")),
    PublicEvent(team_endings.AccountResumed, _OWNED),
    PublicEvent(
        team_endings.AccountDeletionRequested, (*_OWNED, "deletes_at", "members", "by_erasure")
    ),
    PublicEvent(team_endings.AccountRestored, (*_OWNED, "members")),
    PublicEvent(team_endings.AccountSecondFactorDemanded, ("account_name", "required")),
    PublicEvent(team_ownership.OwnershipOffered, (*_OFFER, "role_title", "expires_at")),
    PublicEvent(
        team_ownership.OwnershipTransferred,
        (*_OFFER, "former_owner_role", "former_owner_role_title"),
    ),
    PublicEvent(team_ownership.OwnershipDeclined, _OFFER),
    PublicEvent(team_ownership.OwnershipCancelled, _OFFER),
    PublicEvent(team_ownership.OwnershipOfferEnded, (*_OFFER, "reason")),
    PublicEvent(team.MemberJoined, (*_MEMBER, "invitation_id")),
    PublicEvent(
        team_provisioning.MemberProvisioned, (*_MEMBER, "role_title", "client_id", "expires_at")
    ),
    PublicEvent(
        team_connections.MemberJoinedByConnection,
        (*_MEMBER, "role_title", "connection_id", "connection_label", "rule_set_by"),
    ),
    PublicEvent(
        team_connections.JoinRefused,
        (*_MEMBER, "connection_id", "connection_label", "rule_set_by", "problem"),
    ),
    PublicEvent(
        team.MemberRoleChanged,
        (*_MEMBER, "previous_role", "role_title", "ends_sessions", "by_transfer"),
    ),
    PublicEvent(team_members.MemberEndSet, (*_MEMBER, "expires_at")),
    PublicEvent(team_members.MemberAttributesSet, (*_MEMBER, "attributes")),
    PublicEvent(team_members.MemberLinked, (*_MEMBER, "external_id")),
    PublicEvent(team_members.MemberSuspended, _MEMBER),
    PublicEvent(team_members.MemberResumed, _MEMBER),
    PublicEvent(team.MemberRemoved, (*_MEMBER, "reverted")),
    PublicEvent(team.MemberLeft, _MEMBER),
    PublicEvent(
        team.InvitationCreated,
        (*_INVITATION, "role_title", "inviter_name", "delivery", "expires_at"),
    ),
    PublicEvent(
        team.InvitationResent,
        (*_INVITATION, "role_title", "inviter_name", "delivery", "expires_at"),
    ),
    PublicEvent(team.InvitationRevoked, _INVITATION),
    PublicEvent(
        team.InvitationAccepted, (*_INVITATION, "role_title", "user_id", "name", "inviter_user_id")
    ),
    PublicEvent(team.InvitationDeclined, (*_INVITATION, "inviter_user_id")),
    PublicEvent(team.InvitationPassed, (*_INVITATION, "role_title", "from_user_id", "to_user_id")),
    PublicEvent(
        team.InvitationBounced, (*_INVITATION, "inviter_user_id", "resend_offered", "because")
    ),
    PublicEvent(team.ProjectCreated, ("project_id", "name")),
    PublicEvent(team.ProjectRenamed, ("project_id", "name")),
    PublicEvent(team.ProjectDeleted, ("project_id", "name")),
    PublicEvent(team.OverrideSet, (*_OVERRIDE, "expires_at")),
    PublicEvent(team.OverrideRemoved, (*_OVERRIDE, "by_transfer")),
    PublicEvent(team_catalogs.OverrideMoved, _OVERRIDE),
    PublicEvent(team.RoleCreated, ("role_id", "name")),
    PublicEvent(team.RoleChanged, ("role_id", "name")),
    PublicEvent(team.RoleDeleted, ("role_id", "name", "replacement")),
    PublicEvent(team_guardrails.GuardrailCreated, ("guardrail_id", "name", "kind")),
    PublicEvent(team_guardrails.GuardrailDeleted, ("guardrail_id", "name", "kind")),
    PublicEvent(team_resources.ResourcesRegistered, ("resources",)),
    PublicEvent(team_resources.ResourceDeleted, ("resource",)),
    PublicEvent(team_resources.ResourcesReassigned, ("from_user_id", "to_user_id", "resources")),
    PublicEvent(identity_tokens.ApiTokenCreated, (*_TOKEN, "expires_at", "restricted")),
    PublicEvent(identity_tokens.ApiTokenRevoked, (*_TOKEN, "because")),
    PublicEvent(identity_tokens.ApiTokenExpiryAnnounced, (*_TOKEN, "expires_at", "last_used_at")),
    PublicEvent(identity_connections.SsoConnectionCreated, _CONNECTION),
    PublicEvent(identity_connections.SsoConnectionChanged, (*_CONNECTION, "changed")),
    PublicEvent(identity_connections.SsoDomainProved, _CONNECTION),
    PublicEvent(identity_connections.SsoDomainLost, _CONNECTION),
    PublicEvent(identity_connections.SsoConnectionDeleted, _CONNECTION),
    PublicEvent(notification_webhooks.WebhookCreated, (*_WEBHOOK, "event_types")),
    PublicEvent(
        notification_webhooks.WebhookChanged, (*_WEBHOOK, "event_types", "enabled", "changed")
    ),
    PublicEvent(notification_webhooks.WebhookSecretRotated, (*_WEBHOOK, "previous_until")),
    PublicEvent(notification_webhooks.WebhookDisabled, (*_WEBHOOK, "because")),
    PublicEvent(notification_webhooks.WebhookDeleted, _WEBHOOK),
    PublicEvent(
        audit.CheckpointPublished, ("account_name", "origin", "size", "checkpoint", "verifier")
    ),
    PublicEvent(
        audit_retention.RetentionChanged,
        ("account_name", "days", "previous_days", "in_force_at"),
    ),
    PublicEvent(audit_streams.LogStreamCreated, (*_STREAM, "begins")),
    PublicEvent(audit_streams.LogStreamChanged, (*_STREAM, "enabled", "changed", "begins")),
    PublicEvent(audit_streams.LogStreamPaused, (*_STREAM, "name", "account_name", "because")),
    PublicEvent(audit_streams.LogStreamDeleted, _STREAM),
)
"""The events, in the order in which the documents list them."""

_OF_A_PERSON = "It is about a person's sign-in, and not about the account."
_OF_THE_PLATFORM = "It is about the platform, and of no account."
_FOR_THE_LOG = "The audit log alone shows it."
NOT_PUBLIC: Mapping[type[Payload], str] = {
    **dict.fromkeys(
        (
            *(fact for fact in identity.FACTS if fact.type.split(".")[1] in {"user", "session"}),
            identity.SignUpRequested,
            *identity_addresses.FACTS,
            *identity_passkeys.FACTS,
            *identity_erasure.FACTS,
        ),
        _OF_A_PERSON,
    ),
    **dict.fromkeys(
        (
            *(
                fact
                for fact in identity.FACTS
                if fact.type.split(".")[1] in {"service_client", "signing_key"}
            ),
            team.CatalogPublished,
            *upkeep.RESTORED.values(),
        ),
        _OF_THE_PLATFORM,
    ),
    **dict.fromkeys(
        (
            team.RequestRefused,
            notification_webhooks.WebhookTested,
            notification_webhooks.WebhookRedelivered,
            *notification.FACTS,
            *(fact for fact in audit.FACTS if fact is not audit.CheckpointPublished),
            *upkeep.REPLAYED.values(),
            *upkeep.DROPPED.values(),
            audit_retention.RecordsEnded,
            audit_erasure.RecordsErased,
            audit_streams.LogStreamTested,
            *audit_searches.FACTS,
        ),
        _FOR_THE_LOG,
    ),
    team.AccountCreated: "No account has a webhook before it is created.",
    team_endings.AccountDeleted: "The webhooks of the account end with it.",
    team_endings.AccountMembersInformed: "It only carries the addresses of mails.",
    team_endings.AccountMembersShutOut: "It only carries the addresses of mails.",
}
"""The other facts, each with the reason why no webhook receives it."""

BY_FACT_TYPE = {event.fact.type: event for event in PUBLIC_EVENTS}
EVENT_TYPES = tuple(sorted(event.type for event in PUBLIC_EVENTS))


def is_public(row: Row) -> bool:
    """Return whether a row is an event for the webhooks of its account."""
    return row.type in BY_FACT_TYPE and row.account_id is not None


def event_of(row: Row) -> dict[str, Any] | None:
    """Return the event of a row; None if no webhook receives it.

    Raises:
        ValueError: the row's data do not fit the type of its fact.
    """
    if not is_public(row):
        return None
    event = BY_FACT_TYPE[row.type]
    payload = payload_of(row)
    shown = {} if payload is None else payload.model_dump(mode="json", include={*event.shows})
    actor = row.actor.model_dump(mode="json", exclude={"session_id"})
    return {
        "type": event.type,
        "timestamp": content_time(row.occurred_at),
        "data": {
            "account_id": row.account_id,
            "account_rev": row.account_rev,
            "actor": actor,
            "resource": row.resource.model_dump(mode="json"),
            "project_id": row.project_id,
            "before": without_secrets(row.before),
            "after": without_secrets(row.after),
            "reason": without_secrets(row.reason),
            "details": without_secrets(shown),
            "request_id": row.request.request_id or None,
        },
    }


def test_event(account_id: str, webhook_id: str, *, at: datetime) -> dict[str, Any]:
    """Return an event that only says that the webhook works."""
    return {
        "type": TEST_EVENT,
        "timestamp": content_time(at),
        "data": {"account_id": account_id, "webhook_id": webhook_id},
    }


def as_body(event: Mapping[str, Any]) -> str:
    """Return the body of an event's requests; the same event always gives the same text."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
