"""API tokens as subjects: explanations of their checks, and their denials on the way to audit."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.auth.api_tokens import digest_of, new_api_token, token_id_of
from tests.sdk.accounts import without_api_tokens
from tests.services.authz.conftest import TIMEOUTS, World, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    CY,
    MEMBERSHIP,
    SESSION,
    STANDARD,
    account,
    api_token,
    catalog,
    member,
)
from tests.waiting import wait_for

EXPLAIN, BATCH = "/v1/authz/explain", "/access/v1/evaluations"
HASTY = replace(TIMEOUTS, denials=0.01)
WHOLE, READING, FORMER = (new_api_token(shard) for shard in (1, 2, 3))


def id_of(secret: str) -> str:
    return token_id_of(digest_of(secret))


def asking(secret: str, permission: str, **properties: Any) -> dict[str, Any]:
    """A check of an API token."""
    subject = {"type": "api_token", "id": id_of(secret)}
    return evaluation(BO, permission, **properties) | {"subject": subject}


async def explained(
    world: World, authz: Any, body: dict[str, Any], token: str | None = None
) -> Any:
    return await world.post(authz, body, path=EXPLAIN, token=token)


def denying(found: Any) -> tuple[str, str]:
    [step] = [one for one in found.body["steps"] if one["result"] == "does-not-hold"]
    return step["id"], step["text"]


@pytest.fixture
def tokens(world: World) -> None:
    world.team.write(member(BO, "developer", membership_id=MEMBERSHIP))
    world.identity.write(
        api_token(WHOLE),
        api_token(READING, read_only=True),
        api_token(FORMER, membership_id=f"mem_{8:032x}"),
    )


@pytest.mark.rule("B2", "B7", "Ci10")
@pytest.mark.usefixtures("tokens")
async def test_a_check_of_a_token_is_explained_to_a_client(world: World) -> None:
    async with world.replica() as authz:
        for secret in (WHOLE, READING, FORMER, new_api_token(4)):
            for permission in ("instance:view", "instance:write", "balance:view"):
                body = asking(secret, permission)
                said = await world.post(authz, body)
                why = await explained(world, authz, body)
                assert {name: why.body[name] for name in said.body} == said.body
        allowed = (await explained(world, authz, asking(WHOLE, "instance:write"))).body
        assert (allowed["decision"], allowed["steps"][-1]["id"]) == (True, "token")
        restricted = await explained(world, authz, asking(READING, "instance:write"))
        step, text = denying(restricted)
        assert (step, text.endswith("leaves this out: it only reads.")) == ("token", True)
        assert restricted.body["would_allow"]["text"].startswith("Use an API token whose")
        assert restricted.body["would_allow"]["roles"] == []
        former = await explained(world, authz, asking(FORMER, "instance:write"))
        assert denying(former)[0] == "membership"
        unknown = await explained(world, authz, asking(new_api_token(4), "instance:write"))
        step, text = denying(unknown)
        assert (step, text.startswith("There is no such API token")) == ("token", True)
        past = asking(WHOLE, "instance:write") | {"context": {"at": "2026-02-01T00:00:00Z"}}
        assert denying(await explained(world, authz, past))[1].startswith("What API tokens could")


@pytest.mark.rule("B7")
@pytest.mark.rule("B2")
@pytest.mark.usefixtures("tokens")
async def test_a_token_in_the_place_of_an_id_is_refused_and_not_repeated(world: World) -> None:
    """Of each type, alone and in a batch; a part of one gets the same hint."""
    async with world.replica() as authz:
        for kind in ("api_token", "user"):
            pasted = evaluation(BO, "instance:view") | {"subject": {"type": kind, "id": WHOLE}}
            batch = {"evaluations": [pasted, asking(WHOLE, "instance:view")]}
            for path, body in ((None, pasted), (EXPLAIN, pasted), (BATCH, batch)):
                options = {} if path is None else {"path": path}
                found = await world.post(authz, body, **options)
                assert WHOLE not in str(found.body)
                if path == BATCH:
                    failed, allowed = found.body["evaluations"]
                    assert (failed["decision"], allowed["decision"]) == (False, True)
                    assert failed["context"]["error"]["status"] == 400
                else:
                    [error] = found.body["errors"]
                    assert (found.status, error["pointer"]) == (400, "/subject/id")
                    assert "Send its id, which begins with tok_" in error["message"]
        part = evaluation(BO, "instance:view")
        part["subject"] = {"type": "api_token", "id": WHOLE[:-4]}
        found = await explained(world, authz, part)
        assert denying(found)[1].startswith("This is an API token itself.")
        assert WHOLE[:-4] not in str(found.body)


@pytest.mark.usefixtures("tokens")
async def test_members_ask_about_tokens_of_members_they_may_see(world: World) -> None:
    world.team.write(member(CY, "basic"))
    async with world.replica() as authz:
        body = asking(READING, "instance:write")
        for user, status in ((BO, 200), (ANA, 200), (CY, 200)):
            token = world.user_token(user, SESSION)
            found = await explained(world, authz, body, token)
            assert found.status == status, user
            assert found.body["context"]["reason"] == "token-restricted"
        stranger = world.user_token("usr_" + "e" * 32, SESSION)
        refused = await explained(world, authz, body, stranger)
        assert (refused.status, refused.body["code"]) == (403, "other-subject")


@pytest.mark.rule("B2")
@pytest.mark.usefixtures("tokens")
async def test_a_search_finds_what_the_token_reaches(world: World) -> None:
    async with world.replica() as authz:
        path, found = "/access/v1/search/action", {}
        for secret in (WHOLE, READING, FORMER, new_api_token(4)):
            body = asking(secret, "instance:view")
            said = await world.post(authz, body | {"action": None}, path=path)
            found[secret] = {one["name"] for one in said.body["results"]}
        assert found[READING] == {"view"}
        assert found[WHOLE] > {"view", "write"}
        assert found[FORMER] == set()
        body = asking(WHOLE, "instance:view")
        of_type = body | {"subject": {"type": "api_token"}}
        said = await world.post(authz, of_type, path="/access/v1/search/subject")
        assert (said.body["results"], said.body["context"]["reason"]) == ([], "subject-unknown")


@pytest.mark.rule("B15")
@pytest.mark.usefixtures("tokens")
async def test_the_denial_of_a_token_names_the_token(world: World) -> None:
    async with world.replica(timeouts=HASTY, allow_samples={"instance:view": 1}) as authz:
        await world.post(authz, asking(READING, "instance:write"))
        await world.post(authz, asking(READING, "instance:view"))
        await world.check(authz, BO, "balance:view")
        inside = {"user_id": BO, "session_id": "", "token_id": id_of(READING)}
        asked = inside | {"account_id": ACCOUNT, "permission": "project:create"}
        await world.ask_inside(authz, asked)

        async def told() -> bool:
            return len(world.audit.denials) == 3 and len(world.audit.allows) == 1

        await wait_for(told, what="the denials and the allow")
        shown = {(one.user_id, one.permission): one.token_id for one in world.audit.denials}
        assert shown == {
            (BO, "instance:write"): id_of(READING),
            (BO, "project:create"): id_of(READING),
            (BO, "balance:view"): None,
        }
        assert [one.token_id for one in world.audit.allows] == [id_of(READING)]


@pytest.mark.rule("Ci11")
@pytest.mark.usefixtures("tokens")
async def test_tokens_end_where_the_catalog_has_none(world: World) -> None:
    async with world.replica() as authz:
        body = asking(WHOLE, "instance:view")
        assert (await world.post(authz, body)).body["decision"] is True
        bare = catalog(STANDARD.id)
        content = without_api_tokens().catalog.to_mapping()
        await world.team.change(
            bare.model_copy(update={"id": "bare", "state": {"content": content}})
        )
        await world.team.change(account(catalog="bare"))

        async def moved() -> bool:
            return (await world.post(authz, body)).body["decision"] is False

        await wait_for(moved, what="the other catalog")
        assert (await world.check(authz, BO, "instance:view")).body["decision"] is True
        inside = {"user_id": BO, "session_id": "ses_1", "account_id": ACCOUNT}
        for permission in ("api_token:view", "api_token:manage"):
            found = await world.ask_inside(authz, inside | {"permission": permission})
            assert found.body["reason"] == "permission-unknown"
