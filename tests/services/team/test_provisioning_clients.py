"""Tests of who may provision members, on a real team: a client and the accounts it is bound to."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from services.team.use_cases.provisioning import MEMBERS_PER_WRITE
from shared.auth.access_tokens import client_claims, sign_access_token
from shared.auth.principals import ClientPrincipal
from shared.contracts.policy_objects import PolicyObject, PolicyObjectKind, ServiceClientObject
from shared.ids import AccountId, ClientId, new_id
from tests.services.team.running import KID, SIGNING_KEY
from tests.support.service import ISSUER, Answered

if TYPE_CHECKING:
    from tests.services.team.running import Account, Team


async def token_of(
    team: Team, account_ids: tuple[str, ...] | None, scope: str = "members:provision"
) -> str:
    """The access token of a new service client."""
    client_id = ClientId(new_id("cli"))
    state = ServiceClientObject(name="sync", scopes=(scope,), account_ids=account_ids)
    await team.identity.source.change(
        PolicyObject(
            kind=PolicyObjectKind.SERVICE_CLIENT,
            id=client_id,
            state=state.model_dump(mode="json"),
        )
    )
    bound = None if account_ids is None else frozenset(map(AccountId, account_ids))
    client = ClientPrincipal(client_id=client_id, scopes=frozenset({scope}), account_ids=bound)
    claims = client_claims(issuer=ISSUER, client=client, now=team.clock.now())
    return sign_access_token(SIGNING_KEY, KID, claims)


async def provision(team: Team, account_id: str, token: str, *members: dict[str, Any]) -> Answered:
    path = f"/v1/accounts/{account_id}/provisioning/members"
    return await team.send("POST", path, {"members": list(members)}, token=token)


def entries(team: Team, count: int) -> list[dict[str, Any]]:
    return [{"user_id": team.stranger().user_id, "role": "basic"} for _ in range(count)]


async def test_a_client_provisions_the_accounts_that_it_is_bound_to(team: Team) -> None:
    first, second, other = [await team.account() for _ in range(3)]
    [entry] = entries(team, 1)
    two = await token_of(team, (first.id, second.id))
    for bound, account, status, code in (
        (two, first, 200, None),
        (two, second, 200, None),
        (two, other, 403, "account-not-bound"),
        (await token_of(team, ()), first, 403, "account-not-bound"),
        (await token_of(team, None), other, 200, None),
        (await token_of(team, None, "authz:check"), other, 403, "scope-missing"),
    ):
        answer = await provision(team, account.id, bound, entry)
        assert (answer.status, answer.code if status != 200 else None) == (status, code)
    unknown = await provision(team, new_id("acc"), await token_of(team, None), entry)
    assert unknown.status == 404
    refused = await first.owner.send(
        "POST", f"{first.path}/provisioning/members", {"members": [entry]}
    )
    assert refused.status == 403
    assert await team.rows("request.refused") == []


async def test_many_members_arrive_while_the_account_changes(team: Team) -> None:
    account = await team.account()
    token = await token_of(team, None)
    wanted = entries(team, 2 * MEMBERS_PER_WRITE + 1)

    async def rename(name: str) -> None:
        (await account.owner.send("PATCH", account.path, {"name": name})).expect(200)

    twice = await asyncio.gather(
        provision(team, account.id, token, *wanted),
        provision(team, account.id, token, *wanted),
        *(rename(f"Engines {number}") for number in range(3)),
    )

    statuses = [
        [one["status"] for one in answer.expect(200)["results"]]
        for answer in twice
        if answer is not None
    ]
    assert all(sorted(pair) == ["added", "unchanged"] for pair in zip(*statuses, strict=True))
    told = await team.rows("member.provisioned")
    assert len(told) == len(wanted) == len({row.resource.id for row in told})
    assert max(row.parts for row in told) <= MEMBERS_PER_WRITE
    assert await members_of(account) == len(wanted) + 1


async def members_of(account: Account) -> int:
    return await account.team.database["members"].count_documents({"account_id": account.id})


async def test_requests_at_the_same_moment_share_the_last_seats(team: Team) -> None:
    account = await team.account("novita")
    token = await token_of(team, None)
    requests = [entries(team, 70) for _ in range(3)]
    answers = await asyncio.gather(
        *(provision(team, account.id, token, *wanted) for wanted in requests)
    )
    statuses = [one["status"] for each in answers for one in (each.expect(200) or {})["results"]]
    assert (statuses.count("added"), statuses.count("refused")) == (200, 10)
    assert await members_of(account) == 201
