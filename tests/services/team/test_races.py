"""Many requests at the same moment: limits stay exact, and nothing is lost (T2, T12)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from rolecall import Delivery
from services.team.domain.invitations import MAX_WRONG_CODES, Invitation
from services.team.domain.members import Membership
from services.team.store import Store
from shared.ids import AccountId, InvitationId, MembershipId, UserId, new_id
from shared.mongo import transact
from tests.services.team.running import Account, Person, Team, running

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.mongo import DbSession

ACCEPT = "/v1/invitations/accept"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_team(mongo_url: str) -> AsyncIterator[Team]:
    """Two replicas of team on one database, asked in turn: what happens at once, does."""
    async with running(mongo_url, new_id("test"), replicas=2) as ready:
        yield ready


async def fill(account: Account, *, members: int, invited: int) -> list[Person]:
    """Rows as they would be after that many requests; gives who is invited."""
    team, store = account.team, Store(account.team.database)
    guests = [team.stranger(f"Guest {number}") for number in range(invited)]
    now = team.clock.now()

    async def work(session: DbSession) -> None:
        for number in range(members):
            email = f"member{number}@example.com"
            row = Membership(
                account_id=AccountId(account.id),
                user_id=UserId(new_id("usr")),
                membership_id=MembershipId(new_id("mem")),
                role="basic",
                email=email,
                email_key=email,
                name=f"Member {number}",
                joined_at=now,
            )
            await store.insert_member(row, rev=1, session=session)
        for guest in guests:
            row_of_guest = Invitation(
                account_id=AccountId(account.id),
                invitation_id=InvitationId(new_id("inv")),
                email=guest.email,
                email_key=guest.email,
                role="basic",
                delivery=Delivery.LINK,
                inviter_user_id=UserId(account.owner.user_id),
                inviter_name="Owner",
                inviter_email=account.owner.email,
                created_at=now,
                expires_at=None,
            )
            await store.insert_invitation(row_of_guest, now=now, session=session)

    await transact(team.client, work)
    return guests


async def count_members(account: Account) -> int:
    members = account.team.database["members"]
    return await members.count_documents({"account_id": account.id}) - 1


@pytest.mark.rule("Nv12")
async def test_the_two_hundredth_seat_is_given_once(team: Team) -> None:
    """More open invitations than seats, all accepted at once."""
    account = await team.account("novita")
    guests = await fill(account, members=190, invited=20)
    pending = await account.pending()
    by_email = {invitation.email: invitation.invitation_id for invitation in pending}
    proofs = [await team.proof(by_email[guest.email]) for guest in guests]
    answers = await asyncio.gather(
        *(guest.send("POST", ACCEPT, proof) for guest, proof in zip(guests, proofs, strict=True))
    )
    outcomes = sorted(str(answer.body.get("code", answer.status)) for answer in answers)
    assert outcomes == ["200"] * 10 + ["member-limit"] * 10
    assert await count_members(account) == 200


@pytest.mark.rule("Nv12")
async def test_open_invitations_count_as_seats(team: Team) -> None:
    """Twenty requests for the last five seats, at once."""
    account = await team.account("novita")
    await fill(account, members=150, invited=45)
    answers = await asyncio.gather(
        *(
            account.owner.send(
                "POST",
                f"{account.path}/invitations",
                {"email": f"new{number}@example.com", "role": "basic"},
            )
            for number in range(20)
        )
    )
    assert sorted(answer.status for answer in answers) == [201] * 5 + [409] * 15
    assert {answer.code for answer in answers if answer.status == 409} == {"member-limit"}
    [problem] = {answer.body["detail"] for answer in answers if answer.status == 409}
    assert "200" in problem


@pytest.mark.rule("T12")
async def test_sixty_four_acceptances_make_one_membership(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    answers = await asyncio.gather(*(guest.send("POST", ACCEPT, proof) for _ in range(64)))
    assert {answer.status for answer in answers} == {200}
    assert len({answer.body["membership_id"] for answer in answers}) == 1
    assert await count_members(account) == 1
    assert len(await team.rows("member.joined")) == 1


@pytest.mark.rule("T12")
@pytest.mark.parametrize("route", ["lookup", "accept", "decline"])
async def test_ten_concurrent_wrong_codes_close_the_link(team: Team, route: str) -> None:
    """Ten wrong codes, however many were being read when the tenth was counted."""
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    wrong = [proof | {"code": f"{letter * 7}2"} for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    path = f"/v1/invitations/{route}"
    answers = await asyncio.gather(*(guest.send("POST", path, guess) for guess in wrong))
    assert {answer.status for answer in answers} == {410}
    counted = await Store(team.database).invitation_of_link(proof["token"].partition(".")[0])
    assert counted is not None
    assert counted.wrong_codes == MAX_WRONG_CODES
    assert (await guest.send("POST", path, proof)).status == 410


@pytest.mark.rule("T12")
async def test_a_link_closed_by_guesses_during_the_check_does_not_open(
    team: Team,
) -> None:
    """The code was right when it came, and the user is still being asked for at identity."""
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")

    async def guess() -> None:
        for _ in range(MAX_WRONG_CODES):
            await team.send("POST", "/v1/invitations/lookup", proof | {"code": "A" * 8})

    team.identity.before_answering = guess
    assert (await guest.send("POST", ACCEPT, proof)).status == 410
    assert await count_members(account) == 0


async def test_thirty_two_requests_for_one_invitation_make_one(team: Team) -> None:
    account = await team.account()
    body = {"email": "a@example.com", "role": "basic"}
    answers = await asyncio.gather(
        *(account.owner.send("POST", f"{account.path}/invitations", body) for _ in range(32))
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 31


@pytest.mark.rule("F15")
async def test_thirty_two_writers_on_one_account_lose_nothing(team: Team) -> None:
    account = await team.account()
    answers = await asyncio.gather(
        *(
            account.owner.send("POST", f"{account.path}/projects", {"name": f"p{number}"})
            for number in range(32)
        )
    )
    assert [answer.status for answer in answers] == [201] * 32
    rows = [row for row in await team.rows() if row.account_id == account.id]
    assert [row.account_rev for row in rows] == list(range(1, len(rows) + 1))
    assert len((await account.owner.get(f"{account.path}/projects"))["items"]) == 32


async def test_the_first_requests_of_a_new_user_create_one_account(team: Team) -> None:
    ana = team.stranger("Ana")
    answers = await asyncio.gather(*(ana.send("GET", ana.path) for _ in range(16)))
    assert {answer.status for answer in answers} == {200}
    assert len(await team.rows("account.created")) == 1
