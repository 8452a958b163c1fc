"""Ended sessions in the policy stream: by user, and in pieces."""

import json
from dataclasses import replace

import pytest

from services.authz.use_cases import policy_stream as use_case
from shared.auth.principals import ClientPrincipal
from shared.following.sign_in_state import SignInState
from shared.ids import ClientId
from tests.services.authz.histories import (
    BOUND_CLIENT,
    CLIENT,
    CY,
    DI,
    OTHER_ACCOUNT,
    account,
    ended,
    member,
    service_client,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class NeverWalked(SignInState):
    """A state whose ended sessions may be asked for by user only."""

    def ended_sessions(self):
        """Fail: this is a walk over the ended sessions of everyone."""
        pytest.fail("The ended sessions of all users were listed.")


def sessions_in(piece: bytes) -> tuple[list[str], bool] | None:
    """The sessions of an event that some have ended, and whether the event has a number."""
    lines = dict(line.split(": ", 1) for line in piece.decode().splitlines() if ": " in line)
    if lines["event"] != "session.ended":
        return None
    return json.loads(lines["data"])["sessions"], "id" in lines


async def until_ready(pieces):
    """The pieces of a stream up to the event that the state is whole."""
    found = []
    async for piece in pieces:
        found.append(piece)
        if b"event: ready" in piece:
            return found
    pytest.fail("The stream ended.")


@pytest.mark.rule("T19")
async def test_a_bound_reader_is_told_without_a_walk_over_all_ended_sessions(world):
    world.team.write(account(OTHER_ACCOUNT, owner=CY), member(CY, "owner", OTHER_ACCOUNT))
    bound = service_client(BOUND_CLIENT, account_ids=[OTHER_ACCOUNT])
    known = NeverWalked()
    known.put(
        each.model_copy(update={"rev": 1})
        for each in (bound, ended("ses_1"), ended("ses_c", user_id=CY), ended("ses_d", user_id=DI))
    )
    client = ClientPrincipal(client_id=ClientId(BOUND_CLIENT), scopes=frozenset({"authz:check"}))
    async with world.replica() as service:
        ctx = replace(service.public._ctx, sign_ins=known)
        pieces = use_case.open_stream(ctx, client, account_id=None, after=None)
        told = filter(None, map(sessions_in, await until_ready(pieces)))
        assert list(told) == [(["ses_c"], False)]
        ctx.feed.changed([member(DI, "developer", OTHER_ACCOUNT)])
        events = (sessions_in(piece) async for piece in pieces)
        assert await anext(each async for each in events if each) == (["ses_d"], False)


async def test_many_ended_sessions_are_told_in_pieces_of_which_the_last_counts(world):
    first, later = (
        [ended(f"ses_{each}").model_copy(update={"rev": 1}) for each in range(begin, begin + 450)]
        for begin in (0, 1000)
    )
    known = SignInState()
    known.put([service_client().model_copy(update={"rev": 1}), *first])
    client = ClientPrincipal(client_id=ClientId(CLIENT), scopes=frozenset({"authz:check"}))
    async with world.replica() as service:
        ctx = replace(service.public._ctx, sign_ins=known)
        pieces = use_case.open_stream(ctx, client, account_id=None, after=None)
        with_state = [each for each in map(sessions_in, await until_ready(pieces)) if each]
        ctx.feed.changed(later)
        with_change: list[tuple[list[str], bool]] = []
        while sum(len(some) for some, _ in with_change) < 450:
            if (told := sessions_in(await anext(pieces))) is not None:
                with_change.append(told)
        for objects, events in ((first, with_state), (later, with_change)):
            assert [len(some) for some, _ in events] == [200, 200, 50]
            assert {each for some, _ in events for each in some} == {each.id for each in objects}
        assert [numbered for _, numbered in with_state + with_change] == [False] * 5 + [True]
