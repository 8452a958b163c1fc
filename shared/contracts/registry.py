"""The types of all facts, and the class of each."""

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
from shared.contracts.facts import Payload, Row
from shared.contracts.topology import Service

FACTS_OF: dict[str, tuple[type[Payload], ...]] = {
    Service.IDENTITY: (
        *identity.FACTS,
        *identity_addresses.FACTS,
        *identity_passkeys.FACTS,
        *identity_connections.FACTS,
        *identity_erasure.FACTS,
        *upkeep.facts_of(Service.IDENTITY),
    ),
    Service.TEAM: (
        *team.FACTS,
        *team_catalogs.FACTS,
        *team_resources.FACTS,
        *team_endings.FACTS,
        *team_ownership.FACTS,
        *team_members.FACTS,
        *team_guardrails.FACTS,
        *team_provisioning.FACTS,
        *team_connections.FACTS,
        *upkeep.facts_of(Service.TEAM),
    ),
    Service.NOTIFICATION: (
        *notification.FACTS,
        *notification_webhooks.FACTS,
        *upkeep.facts_of(Service.NOTIFICATION),
    ),
    Service.AUDIT: (
        *audit.FACTS,
        *audit_retention.FACTS,
        *audit_searches.FACTS,
        *audit_erasure.FACTS,
        *audit_streams.FACTS,
        *upkeep.facts_of(Service.AUDIT),
    ),
}

FACT_TYPES: dict[str, type[Payload]] = {
    fact.type: fact for facts in FACTS_OF.values() for fact in facts
}


def payload_of(row: Row) -> Payload | None:
    """Read the row's data in its class; `None` for a type that this version does not know.

    Raises:
        pydantic.ValidationError: the data does not fit the class.
    """
    known = FACT_TYPES.get(row.type)
    return None if known is None else known.model_validate(row.data)
