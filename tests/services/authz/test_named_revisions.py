"""Tests of checks that name a revision: what they wait for, and whom they tell about it."""

import asyncio

import pytest

from shared.contracts.facts import shard_of
from shared.timeouts import Timeouts
from tests.services.authz.conftest import TIMEOUTS, evaluation
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    BOUND_CLIENT,
    CY,
    OTHER_ACCOUNT,
    SESSION,
    account,
    member,
    service_client,
)

IMPATIENT = Timeouts(catch_up=0.0, source_call=60.0)
UNKNOWN_ACCOUNT = "acc_" + "e" * 32
FAR = 1_000_000


def revision(source, key, ahead=0):
    """The head of the shard of `key` at the source, or one that is `ahead` of it."""
    shard = shard_of(key)
    head = source.store.journal_heads.get(shard, 0)
    return f"{source.name}.{source.store.epoch}.{shard}.{max(head + ahead, 1)}"


async def ask(world, authz, named, *, user=BO, account_id=ACCOUNT, token=None):
    token = token or world.user_token(user, SESSION)
    context = {"at_least_revision": named}
    body = evaluation(user, "instance:write", context=context, account_id=account_id)
    said = await world.post(authz, body, token=token)
    return said.status, said.body.get("context") or said.body["code"]


async def ask_inside(world, authz, named, *, account_id):
    question = {"user_id": BO, "session_id": SESSION, "account_id": account_id}
    question |= {"permission": "audit_log:view", "at_least_revision": named}
    said = await world.ask_inside(authz, question)
    return said.status, said.body


@pytest.fixture
def teams(world):
    """Two accounts; BO is a member of the first one only."""
    world.team.write(account(OTHER_ACCOUNT), member(CY, "owner", OTHER_ACCOUNT))
    assert len({shard_of(each) for each in (ACCOUNT, OTHER_ACCOUNT, UNKNOWN_ACCOUNT)}) == 3
    assert shard_of(ANA) != shard_of(BO)
    return world.team


async def test_a_stranger_gets_the_same_answer_and_wait_for_each_head(world, teams):
    asked = [
        (account_id, revision(teams, account_id, ahead))
        for account_id in (OTHER_ACCOUNT, UNKNOWN_ACCOUNT)
        for ahead in (0, 1, FAR)
    ]
    async with world.replica() as authz:
        answers = [
            asyncio.create_task(form(world, authz, named, account_id=account_id))
            for form in (ask, ask_inside)
            for account_id, named in asked
        ]
        # The clock stands still, so an answer before its time is given at once.
        early, _ = await asyncio.wait(answers, timeout=0.3)
        world.clock.skip(TIMEOUTS.catch_up)
        found = await asyncio.gather(*answers)
        plain = await ask(world, authz, None, account_id=UNKNOWN_ACCOUNT)
        inside = await ask_inside(world, authz, None, account_id=UNKNOWN_ACCOUNT)
    assert not early
    assert (plain[0], plain[1]["reason"], plain[1].get("revision")) == (200, "not-a-member", None)
    assert found == [plain] * len(asked) + [inside] * len(asked)


async def test_a_user_learns_no_head_of_another_shard_by_their_own_account(world, teams):
    async with world.replica(timeouts=IMPATIENT) as authz:
        plain = await ask(world, authz, None)
        found = [
            await ask(world, authz, revision(source, key, ahead))
            for source, key in ((teams, OTHER_ACCOUNT), (world.identity, ANA))
            for ahead in (0, 1, FAR)
        ]
    assert plain[1]["reason"] == "allowed"
    assert found == [plain] * len(found)


async def test_a_refused_caller_is_refused_before_any_wait(world, teams):
    world.identity.write(service_client(BOUND_CLIENT, account_ids=[ACCOUNT]))
    bound = world.client_token(BOUND_CLIENT)
    own = world.user_token(BO, SESSION)
    async with world.replica(timeouts=IMPATIENT) as authz:
        for ahead in (0, FAR):
            named = revision(teams, OTHER_ACCOUNT, ahead)
            said = await ask(world, authz, named, account_id=OTHER_ACCOUNT, token=bound)
            assert said == (403, "account-not-bound")
            said = await ask(world, authz, named, user=CY, account_id=OTHER_ACCOUNT, token=own)
            assert said == (403, "other-subject")


async def test_members_and_clients_are_told_that_a_revision_is_missing(world, teams):
    client = world.client_token()
    async with world.replica(timeouts=IMPATIENT) as authz:
        for token in (client, world.user_token(BO, SESSION)):
            for source, key in ((teams, ACCOUNT), (world.identity, BO)):
                said = await ask(world, authz, revision(source, key, FAR), token=token)
                assert said == (503, "stale")
        for account_id in (OTHER_ACCOUNT, UNKNOWN_ACCOUNT):
            named = revision(teams, account_id, FAR)
            said = await ask(world, authz, named, account_id=account_id, token=client)
            assert said == (503, "stale")


@pytest.mark.parametrize("new", ["member", "account"])
async def test_a_new_member_who_names_the_revision_is_right(world, new):
    """The bus lost the rows; the replica asks for the heads while the check waits."""
    account_id = ACCOUNT if new == "member" else OTHER_ACCOUNT
    async with world.replica() as authz:
        world.team.mute = True
        joined = member(CY, "owner", account_id)
        if new == "account":
            world.team.write(account(account_id, owner=CY), joined)
        else:
            world.team.write(joined)
        named = revision(world.team, account_id)
        status, context = await ask(world, authz, named, user=CY, account_id=account_id)
    assert (status, context["reason"], context["revision"]) == (200, "allowed", named)
