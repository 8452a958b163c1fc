"""Tests of a client that asks the right group of replicas at once, as an answer named it."""

import pytest

from rolecall.aio import Check
from rolecall.core.groups import group_of_account
from tests.sdk.faulty import ALLOW, client, faulty_rolecall, write

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
NAMES = [f"acc_{number:032x}" for number in range(50)]
SECOND, OTHER = (next(n for n in NAMES if group_of_account(n, 3) == group) for group in (2, 1))


def named(group):
    async def answer(writer):
        write(writer, 200, ALLOW, Rolecall_Group=group)

    return answer


@pytest.fixture
async def server():
    async with faulty_rolecall() as running:
        yield running


def groups(server):
    return [each.headers.get("rolecall-group") for each in server.asked if "access" in each.path]


async def test_a_client_asks_the_group_of_an_account_once_it_knows_their_number(server):
    server.answers[EVALUATION] = [(200, ALLOW), named("2/3"), (200, ALLOW)]
    async with client(server, timeout=30.0) as rc:
        for account in (SECOND, SECOND, SECOND, OTHER, None):
            await rc.check("usr_b", "instance:delete", account=account)
    assert groups(server) == [None, None, "2/3", "1/3", None]


async def test_a_batch_names_a_group_only_if_all_of_it_is_of_one(server):
    server.answers[EVALUATION] = named("1/3")
    server.answers[EVALUATIONS] = 200, {"evaluations": [ALLOW, ALLOW]}
    async with client(server, timeout=30.0) as rc:
        await rc.check("usr_b", "instance:delete", account=OTHER)
        for accounts in ((SECOND, SECOND), (SECOND, OTHER), (SECOND, None)):
            checks = [
                Check(subject="usr_b", permission="instance:delete", account=each)
                for each in accounts
            ]
            await rc.check_many(checks)
    assert groups(server) == [None, "2/3", None, None]


@pytest.mark.parametrize("text", ["", "2", "0/3", "2/0", "2/65", "2/3/4", "x/y", "02/3"])
async def test_a_group_that_cannot_be_is_not_believed(server, text):
    server.answers[EVALUATION] = named(text)
    async with client(server, timeout=30.0) as rc:
        for _ in range(2):
            await rc.check("usr_b", "instance:delete", account=SECOND)
    assert groups(server) == [None, None]
