"""What team answers about the past of an account."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from shared.contracts.calls.history import (
    PAST_BEARERS,
    PAST_POLICY,
    NamedObject,
    PastBearersRequest,
    PastPolicy,
    PastPolicyRequest,
)
from shared.contracts.policy_objects import PolicyObjectKind
from shared.ids import new_id

if TYPE_CHECKING:
    from tests.services.team.running import Account, Person, Team

HOUR = timedelta(hours=1)


async def past(account: Account, person: Person, at: datetime) -> PastPolicy:
    """The account and the membership of a person as they were."""
    names = (
        NamedObject(kind=PolicyObjectKind.ACCOUNT, id=account.id),
        NamedObject(kind=PolicyObjectKind.MEMBER, id=person.user_id),
    )
    request = PastPolicyRequest(account_id=account.id, at=at, objects=names)
    return await account.team.callers["authz"].call(PAST_POLICY, "team", request)


def shown(answer: PastPolicy) -> dict[str, str]:
    """The roles of members, the statuses of accounts, and the catalogs of an answer."""
    return {
        str(each.kind): str(each.state.get("role") or each.state.get("status") or each.id)
        for each in answer.items
        if each.state is not None
    }


@pytest.mark.rule("B15")
async def test_the_past_of_a_member_is_what_the_journal_says(team: Team) -> None:
    began = team.clock.now()
    team.clock.move(60)
    account = await team.account()
    team.clock.move(60)
    alone = team.clock.now()
    team.clock.move(60)
    member = await account.join("viewer")
    path = f"{account.path}/members/{member.user_id}"
    joined = team.clock.now()
    team.clock.move(60)
    (await account.owner.send("PATCH", path, {"role": "developer"})).expect(200)
    changed = team.clock.now()
    team.clock.move(60)
    (await account.owner.send("DELETE", path)).expect(204)

    then = {at: await past(account, member, at) for at in (began, alone, joined, changed)}
    assert shown(then[began]) == {}
    assert then[began].revision is None
    assert set(shown(then[alone])) == {"account", "catalog"}
    assert shown(then[joined])["member"] == "viewer"
    assert shown(then[changed])["member"] == "developer"
    assert "member" not in shown(await past(account, member, team.clock.now()))
    assert then[joined].revision != then[changed].revision
    [catalog] = [each for each in then[alone].items if each.kind is PolicyObjectKind.CATALOG]
    assert catalog.id.startswith("standard@")


async def test_an_account_that_never_was_has_no_past(team: Team) -> None:
    account = await team.account()
    person = await team.person()
    other = type(account)(team=team, id=new_id("acc"), owner=person)
    answer = await past(other, person, team.clock.now())
    assert (answer.items, answer.revision) == ((), None)
    named = PastBearersRequest(account_id=other.id, at=team.clock.now(), external_id="emp-7")
    bearers = await team.callers["authz"].call(PAST_BEARERS, "team", named)
    assert bearers.user_ids == ()
