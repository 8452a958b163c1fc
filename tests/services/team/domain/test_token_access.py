"""What a member may do by an API token: its restriction, and the refusals that name it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from rolecall import CompiledCatalog, Restriction
from services.team.domain.account_access import (
    AccessRows,
    AccountAccess,
    authorize,
    visible_projects,
)
from shared.auth.api_token_refusals import TokenRestricted
from shared.auth.principals import ApiTokenPrincipal
from shared.ids import TokenId
from shared.problems import NotFound, PermissionMissing
from tests.sdk.accounts import STANDARD, without_api_tokens
from tests.services.team.memory import ACCOUNT, START, Memory, memory

if TYPE_CHECKING:
    from shared.problems import Refusal

READING = Restriction(read_only=True)
INSTANCES = Restriction(levels=frozenset({("instance", "view")}))


def acting(
    permission: str,
    restriction: Restriction | None,
    *,
    role: str = "admin",
    catalog: CompiledCatalog = STANDARD,
) -> AccountAccess:
    """Authorize a member by a token with this restriction."""
    world: Memory = memory(STANDARD)
    membership = world.add("bea", role)
    token = ApiTokenPrincipal(
        token_id=TokenId("tok_1"),
        user_id=membership.user_id,
        account_id=ACCOUNT,
        membership_id=membership.membership_id,
        expires_at=START + timedelta(days=1),
        restriction=restriction,
    )
    rows = AccessRows(account=world.store.rows[ACCOUNT], catalog=catalog, membership=membership)
    return authorize(rows, permission, now=START, token=token)


@pytest.mark.rule("B2", "Ci10")
@pytest.mark.parametrize(
    ("role", "permission", "restriction", "refusal"),
    [
        ("admin", "project:create", READING, TokenRestricted),
        ("admin", "member:view", INSTANCES, TokenRestricted),
        ("viewer", "project:create", READING, PermissionMissing),
        ("viewer", "project:create", None, PermissionMissing),
    ],
)
def test_a_refusal_says_whether_the_restriction_or_the_role_lacks_it(
    role: str, permission: str, restriction: Restriction | None, refusal: type[Refusal]
) -> None:
    with pytest.raises(PermissionMissing) as refused:
        acting(permission, restriction, role=role)
    assert type(refused.value) is refusal
    assert refused.value.members["permission"] == permission


@pytest.mark.rule("B2")
def test_projects_that_only_the_token_does_not_reach_are_restricted() -> None:
    with pytest.raises(TokenRestricted):
        visible_projects(acting("account:view", INSTANCES), [], "project:view")
    assert visible_projects(acting("account:view", READING), [], "project:view") == []
    with pytest.raises(PermissionMissing) as refused:
        visible_projects(acting("account:view", READING, role="billing"), [], "instance:write")
    assert type(refused.value) is PermissionMissing


@pytest.mark.rule("Ci11")
def test_no_token_acts_under_a_catalog_without_tokens() -> None:
    with pytest.raises(NotFound):
        acting("account:view", None, catalog=without_api_tokens())
