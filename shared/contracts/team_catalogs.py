"""The facts that team records when an account moves to another catalog."""

from typing import ClassVar

from shared.contracts.facts import NO_TRANSLATIONS, Payload, Translations


class AccountMoved(Payload):
    """An account moved to another catalog, or to another version of its catalog."""

    type: ClassVar[str] = "team.account.moved.v1"
    account_name: str
    catalog: str
    catalog_title: str
    translations: Translations = NO_TRANSLATIONS
    previous_catalog: str
    owner_email: str
    by_platform: bool
    """The platform moved it, and not its owner."""


class OverrideMoved(Payload):
    """An override got the levels of another catalog, because its account moved there."""

    type: ClassVar[str] = "team.override.moved.v1"
    account_name: str
    project_id: str
    project_name: str
    user_id: str


FACTS: tuple[type[Payload], ...] = (AccountMoved, OverrideMoved)
