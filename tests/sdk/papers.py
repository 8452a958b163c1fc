"""A catalog with an entry `paper`, and checks of it, for tests of conditions."""

from collections.abc import Mapping
from typing import Any

from rolecall import (
    AccountKind,
    AccountState,
    AccountStatus,
    Catalog,
    CompiledCatalog,
    Decision,
    Given,
    Member,
    MembershipTerms,
    Resource,
    Subject,
    decide,
    load_catalog,
)
from tests.sdk.accounts import NOW

PAPER = {
    "id": "paper",
    "title": "Papers",
    "levels": [
        {"id": "view", "title": "View", "offers_self": True},
        {"id": "edit", "title": "Edit", "offers_self": True, "includes": ["view"]},
        {"id": "print", "title": "Print"},
    ],
}
STATUS, SOFT = "resource.properties.status", "action.properties.soft"
ACTIVE = {"scope": "all", "when": [{"path": STATUS, "equals": "active"}]}


def content(**grants: Any) -> dict[str, Any]:
    """A catalog's content with a role `clerk` that has these grants."""
    mapping: Any = load_catalog("standard").to_mapping() | {"name": "papers"}
    mapping["sections"].insert(0, {"id": "papers", "title": "Papers", "entries": [PAPER]})
    clerk = {"account": {"view": "all"}, **grants}
    mapping["roles"].append({"id": "clerk", "title": "Clerk", "grants": clerk})
    return dict(mapping)


PAPERS = CompiledCatalog(Catalog.from_mapping(content()))


def granted(**levels: Any) -> Any:
    """The matrix of a role with these grants on papers."""
    return PAPERS.role_matrix("clerk", PAPERS.catalog.parse_grants({"paper": levels}))


def check(
    levels: Mapping[str, Any],
    permission: str = "paper:view",
    *,
    request: Mapping[str, Any] | None = None,
) -> Decision:
    """Decide a check of a member with these grants on papers."""
    asked = {"subject_id": "usr_b", "resource_id": None, "owner_id": None} | dict(request or {})
    clerk = Member(
        asked["subject_id"],
        role=granted(**levels),
        terms=MembershipTerms(attributes=asked.get("attributes", {})),
    )
    owner_id, registered = asked["owner_id"], asked.get("registered")
    stored = {}
    if registered is not None:
        paper = Resource(asked["resource_id"], owner_id, properties=registered)
        stored["paper", asked["resource_id"]] = paper
    state = AccountState(
        id="acc_1",
        kind=AccountKind.TEAM,
        status=AccountStatus.ACTIVE,
        owner_user_id="usr_a",
        catalog=PAPERS,
        members={clerk.user_id: clerk},
        resources=stored,
    )
    parts = {name: asked.get(name, {}) for name in ("subject", "resource", "action", "context")}
    resource = Resource(asked["resource_id"], owner_id)
    subject = Subject(clerk.user_id)
    return decide(state, subject, permission, resource, now=NOW, given=Given(**parts))
