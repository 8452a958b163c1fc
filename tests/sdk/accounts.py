"""The account that the tests of decisions ask about."""

from typing import Any

from rolecall import (
    ORDINARY,
    AccountKind,
    AccountState,
    AccountStatus,
    Catalog,
    CompiledCatalog,
    Member,
    MembershipTerms,
    load_catalog,
)

NOW = 1_800_000_000_000
STANDARD = CompiledCatalog(load_catalog("standard"))


def without_api_tokens():
    """The standard catalog with API tokens turned off."""
    content: Any = STANDARD.catalog.to_mapping()
    content["policies"]["features"]["api_tokens"] = False
    return CompiledCatalog(Catalog.from_mapping(content))


def member(role="developer", catalog=STANDARD, *, user_id="usr_b", **terms):
    """A member; one without special terms shares those of most members, as in a replica."""
    return Member(user_id, catalog.roles[role], MembershipTerms(**terms) if terms else ORDINARY)


def account(*members, catalog=STANDARD, **facts):
    return AccountState(
        id="acc_1",
        kind=AccountKind.TEAM,
        status=facts.pop("status", AccountStatus.ACTIVE),
        owner_user_id="usr_a",
        catalog=catalog,
        members={m.user_id: m for m in members},
        **facts,
    )
