"""What the lists say of an invitation that cannot be accepted as it is, and what then helps."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Delivery
from services.team.domain.invitation_mails import NotMailed
from services.team.domain.invitations import MAX_WRONG_CODES, Invitation
from services.team.routes.invitation_states import not_mailed_view
from shared.contracts.notification import MessageBounced
from shared.ids import AccountId, InvitationId, UserId
from tests.services.rows import row_of

if TYPE_CHECKING:
    from shared.contracts.facts import Row
    from tests.services.team.running import Account, Team

ADDRESS = "bo@example.com"
INVITATION = Invitation(
    account_id=AccountId("acc_" + "0a" * 16),
    invitation_id=InvitationId("inv_" + "0b" * 16),
    email=ADDRESS,
    email_key=ADDRESS,
    role="basic",
    delivery=Delivery.EMAIL,
    inviter_user_id=UserId("usr_" + "0c" * 16),
    inviter_name="Ana",
    inviter_email="ana@example.com",
    created_at=datetime(2026, 11, 2, tzinfo=UTC),
    expires_at=None,
)


async def invite(account: Account, **fields: Any) -> str:
    body = {"email": ADDRESS, "role": "basic", **fields}
    answer = await account.owner.send("POST", f"{account.path}/invitations", body)
    invitation = answer.expect(201)["invitation"]
    assert (invitation["not_mailed"], invitation["locked"]) == (None, None)
    return str(invitation["id"])


async def shown(account: Account) -> dict[str, Any]:
    """The invitation of the account; both lists show the same of it."""
    [invitation] = (await account.owner.get(f"{account.path}/invitations"))["items"]
    members = (await account.owner.get(f"{account.path}/members"))["items"]
    [row] = [row for row in members if row["invitation_id"]]
    for name in ("status", "not_mailed", "locked", "resend_offered"):
        assert row[name] == invitation[name]
    return dict(invitation)


async def resend(account: Account, invitation_id: str) -> dict[str, Any]:
    path = f"{account.path}/invitations/{invitation_id}/resend"
    return dict((await account.owner.send("POST", path)).expect(200)["invitation"])


async def lock(team: Team, invitation_id: str) -> None:
    wrong = await team.proof(invitation_id) | {"code": "WRONGONE"}
    for _ in range(MAX_WRONG_CODES):
        assert (await team.send("POST", "/v1/invitations/lookup", wrong)).status == 410


def bounced(account: Account, invitation_id: str | None, generation: int | None = 1) -> Row:
    fact = MessageBounced(
        message_id="msg_1",
        kind="invitation",
        recipient=ADDRESS,
        reply="550 5.1.1 no such user",
        because="no-such-mailbox",
        invitation_id=invitation_id,
        generation=generation,
    )
    return row_of(fact, account_id=account.id)


async def test_a_locked_invitation_says_so_until_it_is_sent_again(team: Team) -> None:
    account = await team.account()
    invitation_id = await invite(account)
    await lock(team, invitation_id)
    invitation = await shown(account)
    assert (invitation["status"], invitation["resend_offered"]) == ("invited", True)
    assert invitation["locked"]["reason"] == "wrong-codes"
    assert "Send the invitation again" in invitation["locked"]["detail"]
    assert (await resend(account, invitation_id))["locked"] is None
    assert (await shown(account))["locked"] is None


async def test_where_nothing_is_sent_again_a_locked_invitation_is_replaced(team: Team) -> None:
    account = await team.account("runos")
    invitation_id = await invite(account, role="admin")
    await lock(team, invitation_id)
    invitation = await shown(account)
    assert invitation["resend_offered"] is False
    assert "Delete it and create another." in invitation["locked"]["detail"]
    assert "again" not in invitation["locked"]["detail"]


async def test_a_bounced_mail_shows_until_the_invitation_is_sent_again(team: Team) -> None:
    account = await team.account()
    invitation_id = await invite(account)
    row = bounced(account, invitation_id)
    for _ in range(2):
        await team.tell(row)
    invitation = await shown(account)
    assert invitation["not_mailed"]["reason"] == "bounced"
    assert invitation["not_mailed"]["because"] == "no-such-mailbox"
    detail = invitation["not_mailed"]["detail"]
    assert "the mailbox does not exist. Check the address." in detail
    assert "still works" not in invitation["not_mailed"]["detail"]
    [told] = await team.rows("invitation.bounced")
    assert (told.outcome, told.reason) == ("failed", "550 5.1.1 no such user")
    assert told.data["inviter_email"] == account.owner.email
    assert told.data["resend_offered"] is True

    assert (await resend(account, invitation_id))["not_mailed"] is None
    await team.tell(bounced(account, invitation_id, 1))
    assert (await shown(account))["not_mailed"] is None
    assert len(await team.rows("invitation.bounced")) == 1


@pytest.mark.parametrize("reason", NotMailed)
def test_sending_again_is_advised_only_where_it_is_offered(reason: NotMailed) -> None:
    bounced = reason is NotMailed.BOUNCED
    invitation = replace(
        INVITATION, **({"bounced_generation": 1} if bounced else {"not_mailed": reason})
    )
    details = {}
    for resend in (True, False):
        view = not_mailed_view(invitation, resend=resend)
        assert view is not None
        assert view.reason is reason
        details[resend] = view.detail
    assert "the invitation again" in details[True]
    assert "again" not in details[False]
    assert "create another" in details[False]


@pytest.mark.parametrize("of", ["another mail", "a closed invitation", "another account"])
async def test_other_bounces_mark_nothing(team: Team, of: str) -> None:
    account = await team.account()
    invitation_id = await invite(account)
    match of:
        case "another mail":
            row = bounced(account, None, None)
        case "a closed invitation":
            path = f"{account.path}/invitations/{invitation_id}"
            (await account.owner.send("DELETE", path)).expect(204)
            row = bounced(account, invitation_id)
        case _:
            row = bounced(await team.account(), invitation_id)
    await team.tell(row)
    assert await team.rows("invitation.bounced") == []


async def test_a_withheld_mail_of_a_locked_invitation_promises_no_link(team: Team) -> None:
    account = await team.account()
    invitation_id = await invite(account)
    assert (await resend(account, invitation_id))["not_mailed"] is None
    withheld = (await resend(account, invitation_id))["not_mailed"]
    assert withheld["reason"] == "mailbox-share"
    assert "still works" in withheld["detail"]
    await lock(team, invitation_id)
    invitation = await shown(account)
    assert invitation["not_mailed"]["reason"] == "mailbox-share"
    assert "still works" not in invitation["not_mailed"]["detail"]
