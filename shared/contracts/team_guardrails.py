"""The facts that team records about guardrails."""

from typing import ClassVar

from shared.contracts.facts import Payload


class _Guardrail(Payload):
    guardrail_id: str
    name: str
    kind: str
    """What the rule says: `minimum_holders`, `only_roles` or `never`."""


class GuardrailCreated(_Guardrail):
    """An account declared a rule about itself (B10)."""

    type: ClassVar[str] = "team.guardrail.created.v1"


class GuardrailDeleted(_Guardrail):
    """An account gave a rule about itself up."""

    type: ClassVar[str] = "team.guardrail.deleted.v1"


FACTS: tuple[type[Payload], ...] = (GuardrailCreated, GuardrailDeleted)
