"""Which invitations are mailed: shares and allowances, and that they show nothing of others."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from shared.contracts.calls.team import INVITATION_LINK, InvitationLinkRequest
from shared.problems import Refusal, RefusalKind
from tests.lengths import length
from tests.services.team.running import running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.services.team.running import Account, Team

DAY = 24 * 3600
VICTIM = "victim@example.com"
INVITATIONS = length("INVITATIONS", short=60, soak=200)
"""To one mailbox, from ten accounts: each account alone could reach the limit of five mails."""


@pytest_asyncio.fixture(loop_scope="module")
async def strict(mongo_url: str, database_name: str) -> AsyncIterator[Team]:
    """A team with the limits that the product has by default, for three mailboxes at first."""
    async with running(
        mongo_url, database_name, mails_per_address=5, first_mails_of_account=3
    ) as team:
        yield team


async def invite(account: Account, email: str, **fields: Any) -> dict[str, Any]:
    body = {"email": email, "role": "basic", **fields}
    answer = await account.owner.send("POST", f"{account.path}/invitations", body)
    return dict(answer.expect(201)["invitation"])


async def withdraw(account: Account, invitation: dict[str, Any]) -> None:
    path = f"{account.path}/invitations/{invitation['id']}"
    (await account.owner.send("DELETE", path)).expect(204)


async def resend(account: Account, invitation: dict[str, Any]) -> dict[str, Any]:
    path = f"{account.path}/invitations/{invitation['id']}/resend"
    return dict((await account.owner.send("POST", path)).expect(200)["invitation"])


async def works(team: Team, invitation: dict[str, Any], generation: int) -> bool:
    proof = await team.proof(invitation["id"], generation)
    return (await team.send("POST", "/v1/invitations/lookup", proof)).status == 200


async def mail_outcome(team: Team, invitation: dict[str, Any], generation: int = 1) -> str:
    """What happens to the mail when notification asks for its link."""
    link = InvitationLinkRequest(kind="invitation", id=invitation["id"], generation=generation)
    try:
        await team.callers["notification"].call(INVITATION_LINK, "team", link)
    except Refusal as refusal:
        return "waits" if refusal.kind is RefusalKind.RATE_LIMITED else refusal.kind.value
    return "sent"


async def established(team: Team) -> Account:
    account = await team.account()
    for number in range(3):
        await account.join("basic", f"Member {number}")
    return account


@pytest.mark.rule("T14")
async def test_invitations_of_one_account_do_not_block_another(strict: Team) -> None:
    loud, other = await strict.account(), await strict.account()
    reasons = []
    for _ in range(5):
        invitation = await invite(loud, VICTIM)
        reasons.append(invitation["not_mailed"] and invitation["not_mailed"]["reason"])
        await mail_outcome(strict, invitation)
        await withdraw(loud, invitation)
    assert reasons == [None, None, "mailbox-share", "mailbox-share", "mailbox-share"]
    assert await mail_outcome(strict, await invite(other, VICTIM)) == "sent"


@pytest.mark.rule("T14")
async def test_a_second_mail_takes_no_first_mail_of_another_account(strict: Team) -> None:
    """Of the five places one is for second mails, and one is kept for established accounts."""
    accounts = [await strict.account() for _ in range(4)]
    first = await invite(accounts[0], VICTIM)
    outcomes = [await mail_outcome(strict, first)]
    again = await resend(accounts[0], first)
    assert again["not_mailed"] is None
    outcomes += [await mail_outcome(strict, again, generation=2)]
    outcomes += [await mail_outcome(strict, await invite(one, VICTIM)) for one in accounts[1:]]
    assert outcomes == ["sent"] * 4 + ["waits"]
    known = await established(strict)
    assert await mail_outcome(strict, await invite(known, VICTIM)) == "sent"


@pytest.mark.rule("Ci4")
@pytest.mark.rule("T14")
async def test_a_resend_that_mails_nothing_keeps_the_mailed_link(strict: Team) -> None:
    account = await strict.account()
    invitation = await invite(account, VICTIM)
    await resend(account, invitation)
    withheld = await resend(account, invitation)
    assert withheld["not_mailed"]["reason"] == "mailbox-share"
    assert "still works" in withheld["not_mailed"]["detail"]
    for rows in ("invitations", "members"):
        listed = (await account.owner.get(f"{account.path}/{rows}"))["items"]
        assert [one["not_mailed"] for one in listed if one["email"] == VICTIM] == [
            withheld["not_mailed"]
        ]
    assert await works(strict, invitation, 1) is False
    assert await works(strict, invitation, 2)
    assert await mail_outcome(strict, invitation, generation=2) == "sent", "it may be queued still"
    last = (await strict.rows("invitation.resent"))[-1]
    assert (last.data["generation"], last.data["withheld"]) == (2, True)


@pytest.mark.rule("Ci4")
@pytest.mark.rule("T14")
async def test_an_earlier_link_works_until_the_waiting_one_is_mailed(strict: Team) -> None:
    account, other = await strict.account(), await strict.account()
    invitation, others = await invite(account, VICTIM), await invite(other, VICTIM)
    for one in (invitation, others):
        assert await mail_outcome(strict, one) == "sent"
    await resend(other, others)
    assert await mail_outcome(strict, others, generation=2) == "sent"
    assert (await resend(account, invitation))["not_mailed"] is None
    assert await mail_outcome(strict, invitation, generation=2) == "waits"
    assert await works(strict, invitation, 1)
    wrong = await strict.proof(invitation["id"], 1) | {"code": "WRONGONE"}
    assert (await strict.send("POST", "/v1/invitations/lookup", wrong)).status == 410
    stored = await strict.database["invitations"].find_one({"_id": invitation["id"]})
    assert stored is not None
    assert stored["wrong_codes"] == 1
    strict.clock.move(DAY)
    assert await works(strict, invitation, 1)
    assert await mail_outcome(strict, invitation, generation=2) == "sent"
    assert await works(strict, invitation, 1) is False
    assert await works(strict, invitation, 2)


@pytest.mark.rule("T14")
async def test_an_account_cannot_see_whom_other_accounts_invited(strict: Team) -> None:
    """Even a mail that waits for its mailbox looks like any other to the account."""
    for _ in range(3):
        account = await strict.account()
        for invitation in (await invite(account, VICTIM), await invite(account, "x@example.com")):
            await mail_outcome(strict, invitation)
    curious = await strict.account()
    invited, fresh = await invite(curious, VICTIM), await invite(curious, "new@example.com")
    assert await mail_outcome(strict, invited) == "waits"
    assert await mail_outcome(strict, fresh) == "sent"
    listed = (await curious.owner.get(f"{curious.path}/invitations"))["items"]
    own = {"id", "email", "created_at", "expires_at"}
    shown = [{key: one[key] for key in one.keys() - own} for one in (invited, fresh, *listed)]
    assert all(one == shown[0] for one in shown)
    assert shown[0]["not_mailed"] is None


@pytest.mark.rule("T14")
async def test_forty_three_aliases_of_one_mailbox_get_two_mails(strict: Team) -> None:
    account = await strict.account()
    made = [await invite(account, f"j.ane+{number}@gmail.com") for number in range(43)]
    sent = [one for one in made if one["not_mailed"] is None]
    assert len(sent) == 2
    assert [await mail_outcome(strict, one) for one in sent] == ["sent", "sent"]
    assert await mail_outcome(strict, made[-1]) != "sent"
    created = await strict.rows("invitation.created")
    assert [row.data["withheld"] for row in created] == [False] * 2 + [True] * 41


@pytest.mark.rule("T14")
async def test_many_invitations_to_one_mailbox_send_five_mails(strict: Team) -> None:
    """Whichever accounts they come from, and however they are deleted in between."""
    accounts = [await strict.account() for _ in range(6)] + [
        await established(strict) for _ in range(4)
    ]
    outcomes = []
    for number in range(INVITATIONS):
        account = accounts[number % len(accounts)]
        invitation = await invite(account, f"vic.tim+{number}@gmail.com")
        outcomes.append(await mail_outcome(strict, invitation))
        await withdraw(account, invitation)
    assert outcomes.count("sent") == 5
    strict.clock.move(DAY)
    assert await mail_outcome(strict, await invite(accounts[0], "victim@gmail.com")) == "sent"


@pytest.mark.rule("T14")
async def test_new_accounts_do_not_delay_the_mail_of_an_established_one(strict: Team) -> None:
    known = await established(strict)
    newcomers = [await strict.account() for _ in range(4)]
    outcomes = [await mail_outcome(strict, await invite(one, VICTIM)) for one in newcomers]
    assert outcomes == ["sent", "sent", "sent", "waits"]
    assert await mail_outcome(strict, await invite(known, VICTIM)) == "sent"


@pytest.mark.rule("T14")
async def test_an_address_that_joined_before_is_mailed_by_its_account(strict: Team) -> None:
    known = await strict.account()
    member = await known.join("basic")
    (await known.owner.send("DELETE", f"{known.path}/members/{member.user_id}")).expect(204)
    for _ in range(3):
        await mail_outcome(strict, await invite(await strict.account(), member.email))
    assert await mail_outcome(strict, await invite(known, member.email)) == "sent"
    other = await invite(await strict.account(), member.email)
    assert await mail_outcome(strict, other) == "waits", "another account has no such right"


@pytest.mark.rule("T14")
async def test_an_invitation_that_is_sent_again_takes_another_place(strict: Team) -> None:
    """The one place for second mails, so the second mail of another account waits."""
    outcomes = []
    for _ in range(2):
        account = await strict.account()
        invitation = await invite(account, VICTIM)
        outcomes += [await mail_outcome(strict, invitation)]
        await resend(account, invitation)
        outcomes += [await mail_outcome(strict, invitation, generation=2)]
    assert outcomes == ["sent", "sent", "sent", "waits"]


@pytest.mark.rule("T14")
async def test_the_allowance_of_an_account_grows_with_acceptances(strict: Team) -> None:
    account = await strict.account()
    guest = await strict.person("Guest")
    proof = await account.invite(guest.email, "basic")
    for number in range(2):
        assert (await invite(account, f"a{number}@example.com"))["not_mailed"] is None
    waiting = await invite(account, "b@example.com")
    assert waiting["not_mailed"]["reason"] == "allowance"
    assert "accepted" in waiting["not_mailed"]["detail"]
    listed = (await account.owner.get(f"{account.path}/invitations"))["items"]
    assert [one["not_mailed"] for one in listed] == [waiting["not_mailed"], *[None] * 3]
    assert await mail_outcome(strict, waiting) != "sent"

    (await guest.send("POST", "/v1/invitations/accept", proof)).expect(200)
    again = await resend(account, waiting)
    assert again["not_mailed"] is None
    assert await mail_outcome(strict, again, generation=2) == "sent"
    reasons = [(await invite(account, f"c{number}@example.com"))["not_mailed"] for number in (1, 2)]
    assert reasons == [None, None]
    assert (await invite(account, "d@example.com"))["not_mailed"]["reason"] == "allowance"
    strict.clock.move(DAY)
    assert (await invite(account, "e@example.com"))["not_mailed"] is None


async def test_an_invitation_that_is_handed_over_counts_no_mail(strict: Team) -> None:
    account = await strict.account()
    for number in range(5):
        made = await invite(account, f"a{number}@example.com", delivery="link")
        assert made["not_mailed"] is None
    assert (await invite(account, "b@example.com"))["not_mailed"] is None


@pytest.mark.rule("T14")
async def test_invitations_at_the_same_moment_do_not_exceed_a_share(strict: Team) -> None:
    account = await strict.account()
    made = await asyncio.gather(
        *(invite(account, f"j.ane+{number}@gmail.com") for number in range(8))
    )
    assert sum(one["not_mailed"] is None for one in made) == 2


@pytest.mark.rule("T14")
async def test_mails_at_the_same_moment_do_not_exceed_a_mailbox(strict: Team) -> None:
    made = []
    for _ in range(8):
        account = await strict.account()
        made += [await invite(account, VICTIM)]
    outcomes = await asyncio.gather(*(mail_outcome(strict, one) for one in made for _ in range(2)))
    assert outcomes.count("sent") == 6, "three mails, each asked for twice"
