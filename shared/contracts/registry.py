"""Which fact types exist, and which class reads each one's data?"""

from shared.contracts import audit, identity, notification, team
from shared.contracts.facts import Payload, Row

SOURCES: dict[str, tuple[type[Payload], ...]] = {
    "identity": identity.FACTS,
    "team": team.FACTS,
    "notification": notification.FACTS,
    "audit": audit.FACTS,
}

FACT_TYPES: dict[str, type[Payload]] = {
    fact.type: fact for facts in SOURCES.values() for fact in facts
}


def payload_of(row: Row) -> Payload | None:
    """The row's data in its class; `None` for a type that this version does not know.

    Raises:
        pydantic.ValidationError: the data do not fit the class.
    """
    known = FACT_TYPES.get(row.type)
    return None if known is None else known.model_validate(row.data)
