"""Personal accounts, names, conversion, and what a member sees of an account."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import load_catalog
from services.team.store import Store
from shared.contracts import identity, identity_addresses
from shared.contracts.calls.leases import LEASE, LeaseRequest
from shared.contracts.calls.team import (
    MEMBERSHIPS,
    PERSONAL_ACCOUNT,
    MembershipsRequest,
    PersonalAccountAnswer,
    PersonalAccountRequest,
)
from shared.contracts.facts import format_revision, shard_of
from shared.ids import new_id
from shared.leases import Leases, Receipt
from tests.patience import PATIENT
from tests.services.rows import NOON, row_of
from tests.services.team.running import Person, Team, running, verified
from tests.waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime


@pytest.mark.rule("Rp1", "Ro6")
async def test_a_verified_user_owns_a_personal_account(team: Team) -> None:
    ana = await team.person("Ana")
    account = await ana.get(ana.path)
    assert (account["kind"], account["name"], account["owner"]) == ("personal", "Ana", True)
    assert account["role"] == "owner"
    [created] = await team.rows("account.created")
    assert created.account_rev == 1
    assert [policy_object.kind for policy_object in created.policy_objects] == ["account", "member"]


async def test_a_fact_that_comes_twice_creates_one_account(team: Team) -> None:
    ana = team.stranger("Ana")
    row = row_of(verified(ana))
    again = row_of(verified(ana))
    for news in (row, row, again):
        await team.tell(news)
    assert len(await team.rows("account.created")) == 1


@pytest.mark.rule("Rp1")
async def test_the_first_request_finds_the_account_before_the_fact_came(team: Team) -> None:
    ana = team.stranger("Ana")
    mine = await ana.get("/v1/me/accounts")
    assert [item["id"] for item in mine["items"]] == [ana.account_id]
    assert (await ana.get(ana.path))["owner"] is True

    bea = team.stranger("Bea")
    assert (await bea.get(f"{bea.path}/members"))["items"][0]["user_id"] == bea.user_id
    await team.tell(row_of(verified(bea)))
    assert len(await team.rows("account.created")) == 2


async def opened(team: Team, person: Person) -> PersonalAccountAnswer:
    """What identity gets before it answers a sign-up."""
    request = PersonalAccountRequest(
        user_id=person.user_id,
        account_id=person.account_id,
        email=person.email,
        name=person.name,
    )
    return await team.callers["identity"].call(PERSONAL_ACCOUNT, "team", request)


@pytest.mark.parametrize("first", ["the fact", "the call", "both at once"])
async def test_the_account_is_made_once_by_the_fact_or_the_call(team: Team, first: str) -> None:
    ana = team.stranger("Ana")
    row = row_of(verified(ana))
    if first == "the fact":
        await team.tell(row)
        answer = await opened(team, ana)
    elif first == "the call":
        answer = await opened(team, ana)
        await team.tell(row)
    else:
        answer, _ = await asyncio.gather(opened(team, ana), team.tell(row))
    again = await opened(team, ana)
    [created] = await team.rows("account.created")
    assert (created.actor.type, created.actor.id) == ("service", "team")
    head = format_revision(created.position)
    assert (answer.revision, answer.effective) == (again.revision, again.effective) == (head, True)


async def test_an_account_that_a_replica_lacks_is_answered_with_its_revision(
    mongo_url: str, database_name: str
) -> None:
    timeouts = replace(PATIENT, personal_account_everywhere=0.05)
    async with running(mongo_url, database_name, timeouts=timeouts) as team:
        silent = LeaseRequest(slot="silent", life="f" * 32, asked=1, applied={})
        await team.callers["authz"].call(LEASE, "team", silent)
        ana = team.stranger("Ana")
        answer = await opened(team, ana)
        [created] = await team.rows("account.created")
        assert (answer.revision, answer.effective) == (format_revision(created.position), False)


async def test_the_first_request_waits_for_the_account_that_it_makes(
    mongo_url: str, database_name: str
) -> None:
    waited: list[str] = []

    class Noted(Leases):
        async def receipt(
            self, revision: str, *, occurred_at: datetime, seconds: float | None = None
        ) -> Receipt | None:
            waited.append(revision)
            return await super().receipt(revision, occurred_at=occurred_at, seconds=seconds)

    async with running(mongo_url, database_name, wiring={"leases": Noted}) as team:
        for number, path in enumerate(("/v1/me/accounts", "{}/members"), 1):
            ana = team.stranger("Ana")
            await ana.get(path.format(ana.path))
            [*_, created] = [
                row
                for row in await team.rows("account.created")
                if row.account_id == ana.account_id
            ]
            assert waited == [*waited[:-1], format_revision(created.position)]
            assert len(waited) == number


class News:
    """What happens right after the first look at the rows."""

    def __init__(self) -> None:
        self.looks = 0
        self.come: Callable[[], Awaitable[None]] | None = None

    async def after_look(self) -> None:
        self.looks += 1
        if self.looks == 1 and self.come is not None:
            await self.come()


def store_with(news: News) -> type[Store]:
    """A store that lets the news come after the first look for the account."""

    class StoreWithNews(Store):
        async def accounts(self, *given: Any, **named: Any) -> Any:
            found = await super().accounts(*given, **named)
            await news.after_look()
            return found

        async def members_among(self, *given: Any, **named: Any) -> Any:
            found = await super().members_among(*given, **named)
            await news.after_look()
            return found

    return StoreWithNews


@pytest.mark.parametrize("path", ["/v1/accounts/{account_id}", "/v1/me/accounts"])
async def test_a_new_users_first_request_finds_the_account(
    mongo_url: str, database_name: str, path: str
) -> None:
    news = News()
    async with running(mongo_url, database_name, wiring={"store": store_with(news)}) as team:
        ana = team.stranger("Ana")

        async def come() -> None:
            await team.tell(row_of(verified(ana)))

        news.come = come

        seen = await ana.get(path.format(account_id=ana.account_id))

        assert [account["id"] for account in seen.get("items", [seen])] == [ana.account_id]
        assert news.looks == 2


@pytest.mark.rule("Ro6")
async def test_a_new_user_who_joins_a_team_has_a_personal_account_too(team: Team) -> None:
    account = await team.account()
    bea = team.stranger("Bea")
    proof = await account.invite(bea.email, "developer")
    (await bea.send("POST", "/v1/invitations/accept", proof)).expect(200)

    mine = await bea.get("/v1/me/accounts")

    assert {item["id"] for item in mine["items"]} == {bea.account_id, account.id}


async def test_an_unverified_user_gets_no_account(team: Team) -> None:
    ana = team.stranger("Ana", email_verified=False)
    signed_up = identity.UserSignedUp(**verified(ana).model_dump(), verified=False, generation=1)
    await team.tell(row_of(signed_up))
    assert (await ana.get("/v1/me/accounts"))["items"] == []
    assert (await ana.send("GET", ana.path)).status == 404


async def test_a_verified_sign_up_creates_the_account(team: Team) -> None:
    ana = team.stranger("Ana")
    signed_up = identity.UserSignedUp(**verified(ana).model_dump(), verified=True, generation=1)
    await team.tell(row_of(signed_up))
    assert len(await team.rows("account.created")) == 1


async def test_a_token_that_names_another_users_account_opens_nothing(team: Team) -> None:
    ana, bea = team.stranger("Ana"), team.stranger("Bea")
    bea.acct = ana.account_id
    assert (await bea.send("GET", ana.path)).status == 404
    assert await team.rows("account.created") == []


async def test_without_identity_a_missing_account_is_503_not_404(team: Team) -> None:
    ana = team.stranger("Ana")
    team.identity.away = True
    assert (await ana.send("GET", ana.path)).status == 503


async def renamed(person: Person, name: str, seq: int, **fields: Any) -> None:
    payload = identity.UserRenamed(**verified(person).model_dump() | {"name": name})
    await person.team.tell(row_of(payload, seq=seq, **fields))


async def test_an_older_fact_does_not_change_a_members_name(team: Team) -> None:
    ana = team.stranger("Ana")
    await team.tell(row_of(verified(ana), seq=1_000_001))
    await renamed(ana, "Ana Second", 1_000_003)
    await renamed(ana, "Ana First", 1_000_002)
    member = await ana.get(f"{ana.path}/members/{ana.user_id}")
    assert member["name"] == "Ana Second"


async def test_a_changed_address_reaches_the_copies_in_memberships(team: Team) -> None:
    ana = team.stranger("Ana")
    await team.tell(row_of(verified(ana), seq=5_000_001))
    told = verified(ana).model_dump()
    first = identity_addresses.UserEmailChanged(
        **told | {"email": "Ana@new.example"},
        previous_email=ana.email,
        undo_generation=1,
        undo_until=NOON,
    )
    back = identity_addresses.UserEmailRestored(**told, previous_email="Ana@new.example")
    for fact, seq, shown in (
        (first, 5_000_002, "Ana@new.example"),
        (back, 5_000_004, ana.email),
        (first, 5_000_003, ana.email),
    ):
        await team.tell(row_of(fact, seq=seq))
        assert (await ana.get(f"{ana.path}/members/{ana.user_id}"))["email"] == shown
    [listed] = (await ana.get(f"{ana.path}/members?q={ana.email}"))["items"]
    assert listed["email"] == ana.email


async def test_a_name_of_a_new_epoch_counts_though_its_number_is_lower(own_team: Team) -> None:
    ana = own_team.stranger("Ana")
    await own_team.tell(row_of(verified(ana), seq=3_000_002))
    own_team.identity.epoch = "e2"

    async def has_the_new_name() -> bool:
        # Team drops a row of an epoch that identity's heads have not told it yet.
        await renamed(ana, "Ana Second", 3_000_001, epoch="e2")
        member = await ana.get(f"{ana.path}/members/{ana.user_id}")
        return bool(member["name"] == "Ana Second")

    await wait_for(has_the_new_name, what="the name of the new epoch")


async def test_a_rename_that_overtakes_the_account_is_not_lost(team: Team) -> None:
    ana = team.stranger("Ana")
    await renamed(ana, "Ana Second", 2_000_002)
    await team.tell(row_of(verified(ana), seq=2_000_001))
    member = await ana.get(f"{ana.path}/members/{ana.user_id}")
    assert member["name"] == "Ana Second"


@pytest.mark.rule("Rp2", "Nv1")
async def test_converting_makes_a_team_of_the_same_account(team: Team) -> None:
    ana = await team.person("Ana")
    body = {"name": "Engines", "catalog": "novita"}
    answer = await ana.send("POST", f"{ana.path}/convert", body)
    account = answer.expect(200)
    assert (account["id"], account["kind"], account["name"]) == (ana.account_id, "team", "Engines")
    assert account["catalog"].startswith("novita@")
    assert answer.headers["Rolecall-Revision"].startswith("team.")
    again = await ana.send("POST", f"{ana.path}/convert", body)
    assert (again.status, again.code) == (409, "already-a-team")


async def test_the_record_of_a_conversion_shows_account_and_owner(team: Team) -> None:
    ana = await team.person("Ana")
    opened = (await ana.get(ana.path))["catalog"]
    body = {"name": "Clusters", "catalog": "runos"}
    account = (await ana.send("POST", f"{ana.path}/convert", body)).expect(200)
    invited = {"email": "b@example.com", "role": "admin"}
    (await ana.send("POST", f"{ana.path}/invitations", invited)).expect(201)
    by_hand, by_invitation = await team.rows("account.converted")
    now = {"name": "Clusters", "catalog": account["catalog"], "kind": "personal"}
    assert by_hand.before == {
        "name": "Ana",
        "catalog": opened,
        "kind": "personal",
        "owner_role": "owner",
    }
    assert by_hand.after == now | {"owner_role": "admin"}
    assert (by_invitation.before, by_invitation.after) == (now, now | {"kind": "team"})


async def test_a_catalog_without_conversion_sets_name_and_catalog_only(team: Team) -> None:
    ana = await team.person("Ana")
    body = {"name": "Clusters", "catalog": "runos"}
    account = (await ana.send("POST", f"{ana.path}/convert", body)).expect(200)
    assert (account["kind"], account["role"]) == ("personal", "admin")
    invited = await ana.send(
        "POST", f"{ana.path}/invitations", {"email": "b@example.com", "role": "admin"}
    )
    invited.expect(201)
    assert (await ana.get(ana.path))["kind"] == "team"
    told = [row.action for row in await team.rows("account.converted", "invitation.created")]
    assert told == ["account.converted", "account.converted", "invitation.created"]


async def test_a_repeated_conversion_with_its_key_answers_the_same(team: Team) -> None:
    ana = await team.person("Ana")
    first, second = [
        await ana.send("POST", f"{ana.path}/convert", {"name": "Engines"}, Idempotency_Key="k1")
        for _ in range(2)
    ]
    assert first.expect(200) == second.expect(200)
    other = await ana.send("POST", f"{ana.path}/convert", {"name": "Other"}, Idempotency_Key="k1")
    assert (other.status, other.code) == (422, "idempotency-key-reused")
    assert len(await team.rows("account.converted")) == 1


async def test_only_the_owner_converts(team: Team) -> None:
    account = await team.account()
    admin = await account.join("admin")
    refused = await admin.send("POST", f"{account.path}/convert", {"name": "Mine"})
    assert (refused.status, refused.code) == (403, "owner-only")


async def test_a_version_that_older_code_published_keeps_its_id(team: Team) -> None:
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    del content["policies"]["words"]
    older = "standard@" + "0" * 64
    row = {"_id": older, "name": "standard", "content": content, "rev": 1}
    await team.database["catalogs"].insert_one(row | {"published_at": team.clock.now()})
    ana = await team.person("Ana")
    body = {"name": "Engines", "catalog": older}

    converted = (await ana.send("POST", f"{ana.path}/convert", body)).expect(200)

    assert converted["catalog"] == older
    assert (await ana.get(ana.path))["catalog"] == older
    assert (await ana.get(f"{ana.path}/catalog"))["id"] == older


async def test_an_unknown_catalog_is_pointed_at(team: Team) -> None:
    ana = await team.person("Ana")
    answer = await ana.send("POST", f"{ana.path}/convert", {"name": "X", "catalog": "other"})
    assert answer.expect(422)["errors"][0]["pointer"] == "/catalog"


async def test_every_fact_of_an_account_is_numbered_without_a_gap(team: Team) -> None:
    account, person = await team.account(), await team.person()
    proof = await account.invite(person.email, "developer")
    (await person.send("POST", "/v1/invitations/accept", proof)).expect(200)
    (await account.owner.send("PATCH", account.path, {"name": "New name"})).expect(200)
    rows = [row for row in await team.rows() if row.account_id == account.id]
    rows.sort(key=lambda row: row.seq)
    assert [row.account_rev for row in rows] == list(range(1, len(rows) + 1))
    assert [row.action for row in rows] == [
        "account.created",
        "account.converted",
        "invitation.created",
        "invitation.accepted",
        "member.joined",
        "account.renamed",
    ]


async def test_the_shipped_catalogs_are_published_once(own_team: Team) -> None:
    told = await own_team.rows("catalog.published")
    names = sorted(row.data["name"] for row in told)
    assert names == ["cloud-iam", "novita", "runos", "runpod", "standard"]
    assert all(row.policy_objects[0].id == row.resource.id for row in told)


async def test_a_member_sees_catalog_and_roles(team: Team) -> None:
    account = await team.account("cloud-iam")
    catalog = await account.owner.get(f"{account.path}/catalog")
    assert catalog["name"] == "cloud-iam"
    roles = await account.owner.get(f"{account.path}/roles?limit=2")
    rest = await account.owner.get(f"{account.path}/roles?cursor={roles['next_cursor']}")
    ids = [role["id"] for role in (*roles["items"], *rest["items"])]
    assert ids == [role["id"] for role in catalog["roles"]]
    one = await account.owner.get(f"{account.path}/roles/{ids[0]}")
    assert one == roles["items"][0]
    unknown = await account.owner.send("GET", f"{account.path}/roles/none")
    assert (unknown.status, unknown.code) == (404, "not-found")
    assert unknown.body["detail"].endswith(f"Its roles are: {', '.join(ids)}.")


async def test_own_permissions_are_the_table_and_the_names(team: Team) -> None:
    account = await team.account()
    basic = await account.join("basic")
    mine = await basic.get(f"{account.path}/me/permissions")
    assert mine["role"] == "basic"
    assert mine["permissions"]["account:view"] == "all"
    assert "member:invite" not in mine["permissions"]
    assert "all" in str(mine["table"])
    unknown = await basic.send("GET", f"{account.path}/me/permissions?project={new_id('prj')}")
    assert unknown.status == 404


@pytest.mark.rule("B8")
async def test_a_change_has_a_receipt_that_other_accounts_do_not_see(team: Team) -> None:
    """Not even an account whose changes stand in the same shard."""
    account = await team.account()
    other = team.stranger("Other")
    while shard_of(other.account_id) != shard_of(account.id):
        other = team.stranger("Other")
    answer = await account.owner.send("POST", f"{account.path}/projects", {"name": "prod"})
    answer.expect(201)
    renamed = await other.send("PATCH", other.path, {"name": "Mine"})
    renamed.expect(200)
    ours, theirs = (found.headers["Rolecall-Revision"] for found in (answer, renamed))
    for _ in range(2):
        receipt = await account.owner.get(f"{account.path}/revisions/{ours}")
        assert receipt["effective"] is True
        assert receipt["replicas"] == []
        assert (await other.get(f"{other.path}/revisions/{theirs}"))["revision"] == theirs
        assert (await other.send("GET", f"{other.path}/revisions/{ours}")).status == 404
        assert (await account.owner.send("GET", f"{account.path}/revisions/{theirs}")).status == 404
        # As after a kill between commit and receipt.
        await team.database["receipts"].delete_many({})
    for wrong in ("team.x.1.1", "nonsense", ours + "0", ours + "0" * 30):
        assert (await account.owner.send("GET", f"{account.path}/revisions/{wrong}")).status == 404


NAMES = {
    "": False,
    " \t ": False,
    "x" * 101: False,
    "x" * 100: "x" * 100,
    "See https://evil.example": False,
    "www.evil.example": False,
    "=?utf-8?q?x=0d=0aBcc?=": False,
    "Bell\x07": False,
    "a\u202eb": False,
    "  Two   words ": "Two words",
    "Ada's Engine & Co.": "Ada's Engine & Co.",
}


@pytest.mark.rule("T13")
async def test_a_name_has_no_link_no_header_and_no_hidden_characters(team: Team) -> None:
    ana = await team.person("Ana")
    for name, kept in NAMES.items():
        answer = await ana.send("PATCH", ana.path, {"name": name})
        if kept is False:
            assert answer.expect(422)["errors"][0]["pointer"] == "/name", name
        else:
            assert answer.expect(200)["name"] == kept


async def test_a_change_is_recorded_under_the_own_id_of_its_request(team: Team) -> None:
    """The sender's id is repeated to the sender and recorded nowhere."""
    ana = await team.person()
    answer = await ana.send("PATCH", ana.path, {"name": "Motors"}, X_Request_ID='mine"},{"')
    answer.expect(200)
    [renamed] = await team.rows("account.renamed")
    assert answer.headers["X-Request-ID"] == 'mine"},{"'
    assert renamed.request.request_id == answer.headers["Rolecall-Request-ID"]
    assert "mine" not in str(renamed)


async def test_every_membership_is_read_for_the_export_of_a_user(team: Team) -> None:
    account = await team.account()
    member = await account.join("developer")
    await member.get(member.path)
    path = f"{account.path}/members/{member.user_id}/suspend"
    (await account.owner.send("POST", path)).expect(200)
    request = MembershipsRequest(user_id=member.user_id)
    found = await team.callers["identity"].call(MEMBERSHIPS, "team", request)
    shown = {one.account_id: (one.owner, one.status, one.email) for one in found.memberships}
    assert shown == {
        account.id: (False, "suspended", member.email),
        member.account_id: (True, "active", member.email),
    }
