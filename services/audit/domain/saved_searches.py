"""Saved searches: filters of the audit log with a name, of one member or of all readers."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from shared.contracts import audit_searches as facts
from shared.contracts.facts import Fact, Payload, ResourceRef
from shared.ids import AccountId, SearchId, UserId
from shared.problems import Refusal, RefusalKind

MAX_OF_MEMBER = 50
"""The searches that a member may have made, shared ones among them."""
MAX_SHARED = 100
"""The shared searches of an account."""


class TooManySearches(Refusal):
    """The member, or the account, has as many saved searches as it may have."""

    kind = RefusalKind.CONFLICT
    code = "too-many-searches"
    detail = "{holder} has {limit} saved searches at most. Delete one that you do not need."


@dataclass(frozen=True, kw_only=True)
class SavedSearch:
    """A search, as its filters name it."""

    id: SearchId
    account_id: AccountId
    created_by: UserId
    created_at: datetime
    name: str
    filters: Mapping[str, str]
    """As the query of a search has them."""
    shared: bool = False
    """Whether every reader of the account's log sees it."""
    changes: int = 0
    """Counts the changes; a write names the one that it read."""

    def is_seen_by(self, user_id: UserId) -> bool:
        """Return whether a reader of the log sees it."""
        return self.shared or self.created_by == user_id

    def shown(self) -> dict[str, Any]:
        """Return the search as an audit record compares it."""
        return {"name": self.name, "filters": dict(self.filters), "shared": self.shared}


@dataclass(frozen=True, kw_only=True)
class SearchChange:
    """What a member changes; what is None stays."""

    name: str | None = None
    filters: Mapping[str, str] | None = None
    shared: bool | None = None


def require_room(
    search: SavedSearch, *, of_member: int, shared: int, before: SavedSearch | None = None
) -> None:
    """Check that one more search may be saved.

    Raises:
        TooManySearches: the member or the account has as many as it may have.
    """
    if before is None and of_member >= MAX_OF_MEMBER:
        raise TooManySearches(holder="A member", limit=MAX_OF_MEMBER)
    joins_them = search.shared and (before is None or not before.shared)
    if joins_them and shared >= MAX_SHARED:
        raise TooManySearches(holder="An account", limit=MAX_SHARED)


def created(search: SavedSearch) -> Fact:
    """Record that a search was saved."""
    return _fact(search, facts.SavedSearchCreated(**_names(search)), after=search.shown())


def changed(search: SavedSearch, wanted: SearchChange) -> tuple[SavedSearch, Fact | None]:
    """Change a search; without a fact if it is as wanted already."""
    after = replace(
        search,
        name=search.name if wanted.name is None else wanted.name,
        filters=search.filters if wanted.filters is None else wanted.filters,
        shared=search.shared if wanted.shared is None else wanted.shared,
    )
    if after == search:
        return search, None
    after = replace(after, changes=search.changes + 1)
    payload = facts.SavedSearchChanged(**_names(after))
    return after, _fact(after, payload, before=search.shown(), after=after.shown())


def deleted(search: SavedSearch) -> Fact:
    """Record that a search was deleted."""
    return _fact(search, facts.SavedSearchDeleted(**_names(search)), before=search.shown())


def _names(search: SavedSearch) -> dict[str, Any]:
    return {"search_id": search.id, "shared": search.shared}


def _fact(search: SavedSearch, payload: Payload, **shown: Any) -> Fact:
    resource = ResourceRef(type="saved_search", id=search.id, name=search.name)
    return Fact(payload=payload, resource=resource, account_id=search.account_id, **shown)
