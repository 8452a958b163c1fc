"""A member is ordinary only if nothing but the role decides about them."""

from typing import Any

import pytest

from rolecall import Subject, active_member, ordinary_member
from services.authz.domain.checks import member_of
from services.authz.domain.policy_state import PolicyState
from tests.services.authz.histories import (
    ACCOUNT,
    ANA,
    BO,
    NOON,
    STANDARD,
    account,
    catalog,
    member,
)

NOW = int(NOON.timestamp() * 1000)
LATER = NOON.replace(year=NOON.year + 1).isoformat()


@pytest.mark.parametrize(
    ("of_account", "of_member", "ordinary"),
    [
        ({}, {}, True),
        ({"status": "suspended"}, {}, False),
        ({"status": "deleting"}, {}, False),
        ({"require_second_factor": True}, {}, False),
        ({}, {"status": "suspended"}, False),
        ({}, {"expires_at": NOON.isoformat()}, False),
        ({}, {"expires_at": LATER}, False),
        ({}, {"attributes": {"team": "blue"}}, False),
    ],
)
def test_only_the_role_decides_about_an_ordinary_member(
    of_account: dict[str, Any], of_member: dict[str, Any], *, ordinary: bool
) -> None:
    state = PolicyState()
    told = (catalog(STANDARD.id), account(**of_account), member(BO, "developer", **of_member))
    state.put(each.model_copy(update={"rev": 1}) for each in told)
    known = state.account(ACCOUNT)
    assert known is not None
    found = ordinary_member(known, BO)
    assert (found is not None) is ordinary
    assert ordinary_member(known, ANA) is None
    for user_id in (BO, ANA):
        subject = Subject(user_id, second_factor=True)
        sought = member_of(known, user_id, sign_in_denial=None, now=NOW)
        assert sought == active_member(known, subject, now=NOW)
