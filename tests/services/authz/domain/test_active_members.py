"""Whose activity a check shows."""

from typing import Any

import pytest

from rolecall import AccountStatus, MembershipStatus
from services.authz.domain.checks import OF_ACTIVE_MEMBERS, PermissionCheck, decide_check
from tests.sdk.accounts import account, member

STRANGER, SUSPENDED, MEMBER = "usr_x", "usr_s", "usr_m"
MEMBERS = (
    member(user_id=MEMBER),
    member(user_id=SUSPENDED, status=MembershipStatus.SUSPENDED),
)


def shows_activity(user_id: str, **facts: Any) -> bool:
    check = PermissionCheck(user_id=user_id, account_id="acc_1", permission="instance:view")
    decision = decide_check(account(*MEMBERS, **facts), check, sign_in_denial=None, now=0)
    return decision.reason in OF_ACTIVE_MEMBERS


@pytest.mark.parametrize("status", AccountStatus)
@pytest.mark.parametrize("user_id", [STRANGER, SUSPENDED])
def test_a_check_of_no_active_member_is_never_activity(user_id: str, status: AccountStatus):
    assert not shows_activity(user_id, status=status)


def test_a_check_of_an_active_member_is_activity():
    assert shows_activity(MEMBER)
