"""The facts of audit about saved searches: filters of the audit log that have a name."""

from typing import ClassVar

from shared.contracts.facts import Payload


class _SavedSearch(Payload):
    search_id: str
    shared: bool
    """Whether every reader of the account's log sees it."""


class SavedSearchCreated(_SavedSearch):
    """A member saved a search of the audit log."""

    type: ClassVar[str] = "audit.saved_search.created.v1"


class SavedSearchChanged(_SavedSearch):
    """The name or the filters of a saved search changed, or who sees it."""

    type: ClassVar[str] = "audit.saved_search.changed.v1"


class SavedSearchDeleted(_SavedSearch):
    """A saved search was deleted."""

    type: ClassVar[str] = "audit.saved_search.deleted.v1"


FACTS: tuple[type[Payload], ...] = (SavedSearchCreated, SavedSearchChanged, SavedSearchDeleted)
