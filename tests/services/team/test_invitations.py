"""Invitations: creation, and one refusal for every link that cannot be used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from rolecall import Catalog, load_catalog
from services.team.domain.invitation_acceptance import AlreadyJoined
from services.team.domain.members import NoFreeSeat
from services.team.migrations import wrap_kept_invitations
from shared.contracts.facts import content_time
from shared.problems import Refusal
from tests.services.team.running import Account, Person, Reply, Team, running

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

ACCEPT = "/v1/invitations/accept"
DAY = 24 * 3600


async def invite(account: Account, email: str, role: str, **fields: Any) -> Reply:
    body = {"email": email, "role": role, **fields}
    return await account.owner.send("POST", f"{account.path}/invitations", body)


@pytest.mark.rule("Ro7", "Ci1", "Nv14")
async def test_the_catalog_decides_which_deliveries_there_are(
    team: Team,
) -> None:
    for catalog, role, default, other in (
        ("standard", "basic", "email", None),
        ("runos", "admin", "link", "email"),
        ("cloud-iam", "viewer", "email", "link"),
    ):
        account = await team.account(catalog)
        made = (await invite(account, "a@example.com", role)).expect(201)
        assert made["invitation"]["delivery"] == default
        assert (made["link"] is None) is (default == "email")
        if other is not None:
            refused = await invite(account, "b@example.com", role, delivery=other)
            assert refused.expect(422)["errors"][0]["pointer"] == "/delivery"


@pytest.mark.rule("Ro7", "Ro8", "Ro10", "Rp7")
async def test_a_link_is_shown_once_and_opens_the_account(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    made = (await invite(account, guest.email, "basic", delivery="link")).expect(201)
    token, code = made["link"]["token"], made["link"]["code"]
    assert made["link"]["url"] == f"https://rolecall.example/invitations?token={token}&code={code}"
    proof = {"token": token, "code": code}
    shown = (await team.send("POST", "/v1/invitations/lookup", proof)).expect(200)
    assert shown["account"] == {"id": account.id, "name": "Engines"}
    assert (shown["email"], shown["role"]) == (guest.email, "basic")
    joined = (await guest.send("POST", ACCEPT, proof)).expect(200)
    assert (joined["account_id"], joined["role"]) == (account.id, "basic")
    assert "link" not in str(await account.owner.get(f"{account.path}/members"))


@pytest.mark.rule("Rp6")
async def test_a_lookup_changes_nothing(team: Team) -> None:
    account = await team.account()
    proof = await account.invite("a@example.com", "basic")
    for _ in range(20):
        (await team.send("POST", "/v1/invitations/lookup", proof)).expect(200)
        assert (await team.send("GET", "/v1/invitations/accept")).status == 405
    listed = await account.owner.get(f"{account.path}/invitations")
    assert [item["status"] for item in listed["items"]] == ["invited"]


async def test_a_repeated_key_makes_one_invitation_and_shows_no_second_link(
    team: Team,
) -> None:
    account = await team.account()
    body = {"email": "a@example.com", "role": "basic", "delivery": "link"}
    path = f"{account.path}/invitations"
    first, second = [
        await account.owner.send("POST", path, body, Idempotency_Key="key-1") for _ in range(2)
    ]
    assert first.expect(201)["note"] is None
    assert first.body["link"]["code"]
    assert second.expect(201) == first.body | {"link": None, "note": "shown-once"}
    assert len(await team.rows("invitation.created")) == 1
    kept = await team.database["idempotency"].find_one({})
    assert first.body["link"]["code"] not in str(kept)


@pytest.mark.parametrize(("delivery", "note"), [("link", "shown-once"), ("email", None)])
async def test_a_key_kept_by_an_earlier_version_is_answered_after_the_upgrade(
    team: Team, delivery: str, note: str | None
) -> None:
    account = await team.account()
    body = {"email": "a@example.com", "role": "basic", "delivery": delivery}
    path = f"{account.path}/invitations"
    made = (await account.owner.send("POST", path, body, Idempotency_Key="key-1")).expect(201)
    keys = team.database["idempotency"]
    await keys.update_one({}, {"$set": {"answer": made["invitation"]}})
    for _ in range(2):
        await wrap_kept_invitations(team.database)
    again = await account.owner.send("POST", path, body, Idempotency_Key="key-1")
    assert again.expect(201) == {"invitation": made["invitation"], "link": None, "note": note}


async def test_a_removed_member_gets_no_kept_answer(team: Team) -> None:
    account = await team.account()
    admin = await account.join("admin")
    body, path = {"email": "a@example.com", "role": "basic"}, f"{account.path}/invitations"
    (await admin.send("POST", path, body, Idempotency_Key="key-1")).expect(201)
    (await account.owner.send("DELETE", f"{account.path}/members/{admin.user_id}")).expect(200)
    assert (await admin.send("POST", path, body, Idempotency_Key="key-1")).status == 404


async def test_an_address_has_one_pending_invitation_in_any_case_of_letters(team: Team) -> None:
    account = await team.account()
    (await invite(account, "Bea@Example.com", "basic")).expect(201)
    for email in ("bea@example.com", "BEA@EXAMPLE.COM", " bea@example.com "):
        answer = await invite(account, email, "developer")
        assert (answer.status, answer.code) == (409, "already-invited")
    (await invite(account, "bea+x@example.com", "basic")).expect(201)
    (await invite(await team.account(), "bea@example.com", "basic")).expect(201)
    answer = await invite(account, account.owner.email.upper(), "basic")
    assert (answer.status, answer.code) == (409, "already-a-member")


@pytest.mark.rule("Ro18", "Ro19", "Nv18")
async def test_a_revoked_link_opens_nothing_and_the_address_is_free_again(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    [item] = (await account.owner.get(f"{account.path}/invitations"))["items"]
    path = f"{account.path}/invitations/{item['id']}"
    (await account.owner.send("DELETE", path)).expect(204)
    assert (await guest.send("POST", ACCEPT, proof)).status == 410
    assert (await account.owner.send("DELETE", path)).status == 404
    again = await account.invite(guest.email, "basic")
    (await guest.send("POST", ACCEPT, again)).expect(200)


@pytest.mark.rule("T1")
async def test_an_invitation_of_another_account_is_not_found(team: Team) -> None:
    account, other = await team.account(), await team.account()
    await other.invite("a@example.com", "basic")
    [item] = (await other.owner.get(f"{other.path}/invitations"))["items"]
    for method, tail in (("DELETE", ""), ("POST", "/resend")):
        path = f"{account.path}/invitations/{item['id']}{tail}"
        assert (await account.owner.send(method, path)).status == 404


AFTER_EXPIRY = {
    "standard": ("basic", 7 * DAY, 201, 200),
    "novita": ("basic", 7 * DAY, 201, 200),
    "cloud-iam": ("viewer", 3 * DAY, 201, 200),
    "runos": ("admin", DAY, 409, 409),
}


@pytest.mark.rule("Ro11", "Ro12", "Ci1")
@pytest.mark.parametrize("catalog", AFTER_EXPIRY)
async def test_an_invitation_ends_on_the_second_as_its_catalog_says(
    team: Team, catalog: str
) -> None:
    role, lifetime, recreated, resent = AFTER_EXPIRY[catalog]
    account = await team.account(catalog)
    proof = await account.invite("a@example.com", role)
    team.clock.move(lifetime - 1)
    (await team.send("POST", "/v1/invitations/lookup", proof)).expect(200)
    team.clock.move(1)
    assert (await team.send("POST", "/v1/invitations/lookup", proof)).status == 410
    [item] = (await account.owner.get(f"{account.path}/invitations"))["items"]
    assert item["status"] == "expired"
    again = await account.owner.send("POST", f"{account.path}/invitations/{item['id']}/resend")
    assert again.status == resent
    if resent == 200:
        team.clock.move(lifetime)
    assert (await invite(account, "a@example.com", role)).status == recreated
    if recreated == 201:
        [revoked] = await team.rows("invitation.revoked")
        assert revoked.reason == "replaced"


@pytest.mark.rule("Rp5")
async def test_without_an_end_a_link_works_after_years(team: Team) -> None:
    account = await team.account("runpod")
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "dev")
    team.clock.move(1_000 * DAY)
    (await guest.send("POST", ACCEPT, proof)).expect(200)


async def test_accepting_again_answers_the_same(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    first, second = [await guest.send("POST", ACCEPT, proof) for _ in range(2)]
    assert first.expect(200) == second.expect(200)
    assert len(await team.rows("member.joined")) == 1


async def test_the_inviter_is_told_who_joined_with_which_role(team: Team) -> None:
    account = await team.account()
    guest = await account.join("developer")
    [accepted] = await team.rows("invitation.accepted")
    told = [accepted.data[name] for name in ("inviter_email", "user_id", "role", "role_title")]
    assert told == [account.owner.email, guest.user_id, "developer", "Developer"]


@pytest.mark.rule("B5")
async def test_the_inviter_must_still_be_able_to_give_the_role(team: Team) -> None:
    """The invitation is refused even after a change that did not hand it over."""
    account = await team.account()
    admin, guest = await account.join("admin"), await team.person("Guest")
    proof = await account.invite(guest.email, "admin", by=admin)
    key = {"_id": f"{account.id}/{admin.user_id}"}
    await team.database["members"].update_one(key, {"$set": {"role": "basic"}})
    assert (await guest.send("POST", ACCEPT, proof)).status == 410


async def test_an_expired_invitation_keeps_its_inviter_until_it_is_resent(team: Team) -> None:
    """The member who sends it again is its inviter from then on, and can give the role."""
    account = await team.account()
    gone, admin = await account.join("admin", "Gone"), await account.join("admin")
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "admin", by=gone)
    invitation_id = proof["token"].partition(".")[0]
    team.clock.move(7 * DAY)
    (await account.owner.send("DELETE", f"{account.path}/members/{gone.user_id}")).expect(204)
    assert await team.rows("invitation.passed") == []
    path = f"{account.path}/invitations/{invitation_id}"
    sent = (await admin.send("POST", f"{path}/resend")).expect(200)
    assert sent["invitation"]["invited_by"] == admin.user_id
    [resent] = await team.rows("invitation.resent")
    assert resent.data["inviter_name"] == admin.name
    assert resent.before is not None
    assert resent.after is not None
    assert resent.before["inviter_user_id"] == gone.user_id
    assert resent.after["inviter_user_id"] == admin.user_id
    fresh = await team.proof(invitation_id)
    assert (await guest.send("POST", ACCEPT, proof)).status == 410
    (await guest.send("POST", ACCEPT, fresh)).expect(200)


@pytest.mark.rule("B5")
async def test_a_member_who_cannot_give_the_role_does_not_resend_it(team: Team) -> None:
    """Whether its inviter is still there or not."""
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    grants = {"member": {"*": "all"}, "account": {"view": "all"}}
    host = {"id": "host", "title": "Host", "grants": grants}
    await team.publish(
        Catalog.from_mapping(content | {"name": "hosted", "roles": [*content["roles"], host]})
    )
    account = await team.account("hosted")
    admin, lower = await account.join("admin"), await account.join("host")
    proof = await account.invite("a@example.com", "admin", by=admin)
    path = f"{account.path}/invitations/{proof['token'].partition('.')[0]}/resend"
    assert (await lower.send("POST", path)).code == "grants-exceeded"
    team.clock.move(7 * DAY)
    (await account.owner.send("DELETE", f"{account.path}/members/{admin.user_id}")).expect(204)
    assert (await lower.send("POST", path)).code == "grants-exceeded"


async def test_answers_with_the_title_of_a_role_have_it_in_other_languages(team: Team) -> None:
    words = {"Developer": "Programmierung", "Owner": "Leitung", "project": "Vorhaben"}
    content: dict[str, Any] = load_catalog("standard").to_mapping()
    spoken = content | {"name": "spoken", "translations": {"de": words}}
    await team.publish(Catalog.from_mapping(spoken))
    account = await team.account("spoken")
    member = await account.join("developer")
    proof = await account.invite("gwenllian@example.com", "developer")
    opened = await member.send("POST", "/v1/invitations/lookup", proof)
    here = f"{account.path}/members"
    listed = (await account.owner.get(f"{here}?q=gwenllian@example.com"))["items"]
    pending = (await account.owner.get(f"{account.path}/invitations"))["items"]
    told = [
        await account.owner.get(f"{here}/{member.user_id}"),
        await account.owner.get(f"{here}/{member.user_id}/access"),
        *listed,
        *pending,
        opened.body,
    ]
    assert [one["translations"] for one in told] == [{"de": {"Developer": "Programmierung"}}] * 5
    own = [await account.owner.get(account.path)]
    own += [one for one in (await account.owner.get("/v1/accounts"))["items"] if one["id"] in here]
    known = {"Owner": "Leitung", "project": "Vorhaben"}
    assert [one["translations"] for one in own] == [{"de": known}] * 2


@pytest.mark.rule("Ci4")
async def test_a_resend_makes_the_caller_the_inviter(team: Team) -> None:
    """So it is not the first inviter's to lose, and it is the second's."""
    account = await team.account()
    first, second = await account.join("admin", "First"), await account.join("admin", "Second")
    proof = await account.invite("a@example.com", "basic", by=first)
    path = f"{account.path}/invitations/{proof['token'].partition('.')[0]}/resend"
    (await second.send("POST", path)).expect(200)
    for member, status in ((first, 204), (second, 200)):
        removed = await account.owner.send("DELETE", f"{account.path}/members/{member.user_id}")
        removed.expect(status)
    [passed] = await team.rows("invitation.passed")
    assert passed.data["from_user_id"] == second.user_id
    assert passed.data["to_user_id"] == account.owner.user_id


async def test_declining_informs_the_inviter_and_closes_the_link(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    (await team.send("POST", "/v1/invitations/decline", proof)).expect(204)
    [declined] = await team.rows("invitation.declined")
    assert declined.data["inviter_email"] == account.owner.email
    assert (await guest.send("POST", ACCEPT, proof)).status == 410


async def wrong_code(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    return proof | {"code": "AAAAAAAA" if proof["code"] != "AAAAAAAA" else "BBBBBBBB"}


async def no_token(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    return proof | {"token": "nonsense"}


async def forged(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    last = "A" if proof["token"][-2] != "A" else "B"
    return proof | {"token": proof["token"][:-2] + last + proof["token"][-1]}


async def superseded(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    invitation_id = proof["token"].partition(".")[0]
    path = f"{account.path}/invitations/{invitation_id}/resend"
    (await account.owner.send("POST", path)).expect(200)
    return proof


async def future(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    return await account.team.proof(proof["token"].partition(".")[0], generation=2)


async def revoked(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    invitation_id = proof["token"].partition(".")[0]
    await account.owner.send("DELETE", f"{account.path}/invitations/{invitation_id}")
    return proof


async def expired(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    account.team.clock.move(7 * DAY)
    return proof


async def declined(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    await account.team.send("POST", "/v1/invitations/decline", proof)
    return proof


async def worn_out(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    wrong = await wrong_code(account, guest, proof)
    for _ in range(10):
        assert (await guest.send("POST", ACCEPT, wrong)).status == 410
    return proof


async def others_address(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    mallory = account.team.stranger("Mallory")
    account.team.identity.users[guest.user_id] = account.team.identity.users[mallory.user_id]
    return proof


async def not_verified(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    user = account.team.identity.users[guest.user_id]
    account.team.identity.users[guest.user_id] = user.model_copy(update={"email_verified": False})
    return proof


async def used(account: Account, guest: Person, proof: dict[str, str]) -> dict[str, str]:
    (await guest.send("POST", ACCEPT, proof)).expect(200)
    (await guest.send("POST", f"{account.path}/leave")).expect(204)
    return proof


TRICKS: dict[str, Callable[[Account, Person, dict[str, str]], Awaitable[dict[str, str]]]] = {
    trick.__name__: trick
    for trick in (
        wrong_code,
        no_token,
        forged,
        superseded,
        future,
        revoked,
        expired,
        declined,
        worn_out,
        others_address,
        not_verified,
        used,
    )
}


@pytest.mark.rule("Ro9", "Nv14", "T12")
@pytest.mark.parametrize("name", TRICKS)
async def test_every_link_that_cannot_be_used_gets_the_same_refusal(team: Team, name: str) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await TRICKS[name](account, guest, await account.invite(guest.email, "basic"))
    answer = await guest.send("POST", ACCEPT, proof)
    body = {key: value for key, value in answer.body.items() if key != "request_id"}
    assert (answer.status, body) == (
        410,
        {
            "type": "urn:rolecall:problem:invitation-not-valid",
            "title": "Gone",
            "status": 410,
            "code": "invitation-not-valid",
            "detail": (
                "This invitation is not valid, or not for you. Ask the sender for a new one."
            ),
        },
    )
    members = await account.owner.get(f"{account.path}/members?status=active")
    assert len(members["items"]) == 1
    recorded = [row.data["operation"] for row in await team.rows("request.refused")]
    assert recorded == (["acceptInvitation"] if name == "others_address" else [])


async def test_a_user_of_another_persons_link_is_recorded_in_the_account(team: Team) -> None:
    """Rp13: token and code are genuine, the address is another."""
    account = await team.account()
    proof = await account.invite("guest@example.com", "basic")
    mallory = await team.person("Mallory")
    assert (await mallory.send("POST", ACCEPT, proof)).status == 410
    [row] = await team.rows("request.refused")
    assert (row.account_id, row.outcome) == (account.id, "denied")
    assert (row.resource.type, row.resource.name) == ("invitation", "guest@example.com")
    assert row.resource.id == proof["token"].partition(".")[0]
    assert (row.actor.id, row.actor.name) == (mallory.user_id, "Mallory")
    assert row.actor.email == mallory.email
    assert (row.reason, row.after) == ("invitation-not-valid", {"operation": "acceptInvitation"})
    assert proof["code"] not in row.to_event().decode()


async def test_the_record_shows_how_an_invitation_changed(team: Team) -> None:
    account = await team.account()
    inviter = {"inviter_user_id": account.owner.user_id}
    ends = team.clock.now() + timedelta(days=7)
    guest, other = await team.person("Guest"), await team.person("Other")
    proof = await account.invite(guest.email, "basic")
    team.clock.move(DAY)
    path = f"{account.path}/invitations/{proof['token'].partition('.')[0]}/resend"
    (await account.owner.send("POST", path)).expect(200)
    (await guest.send("POST", ACCEPT, await team.proof(path.split("/")[-2]))).expect(200)
    proof = await account.invite(other.email, "basic")
    (await team.send("POST", "/v1/invitations/decline", proof)).expect(204)
    told = await team.rows("invitation.resent", "invitation.accepted", "invitation.declined")
    assert [(row.before, row.after) for row in told] == [
        (
            {"generation": 1, "expires_at": content_time(ends)} | inviter,
            {"generation": 2, "expires_at": content_time(ends + timedelta(days=1))} | inviter,
        ),
        ({"status": "pending"}, {"status": "accepted", "user_id": guest.user_id}),
        ({"status": "pending"}, {"status": "declined"}),
    ]


async def test_a_resend_resets_the_wrong_codes(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    await worn_out(account, guest, proof)
    await superseded(account, guest, proof)
    fresh = await team.proof(proof["token"].partition(".")[0])
    (await guest.send("POST", ACCEPT, fresh)).expect(200)


async def test_a_caller_who_knows_only_the_id_uses_up_no_tries(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    for _ in range(12):
        await guest.send("POST", ACCEPT, await forged(account, guest, proof))
    (await guest.send("POST", ACCEPT, proof)).expect(200)


async def test_a_code_may_be_typed_by_hand(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    typed = f" {proof['code'][:4].lower()}-{proof['code'][4:].lower()} "
    (await guest.send("POST", ACCEPT, proof | {"code": typed})).expect(200)


async def test_without_identity_accepting_is_503_and_the_link_lives(team: Team) -> None:
    account = await team.account()
    guest = await team.person("Guest")
    proof = await account.invite(guest.email, "basic")
    team.identity.away = True
    assert (await guest.send("POST", ACCEPT, proof)).status == 503
    team.identity.away = False
    (await guest.send("POST", ACCEPT, proof)).expect(200)


ADDRESSES = (
    "v@x.example,evil@x.example",
    "Ana <ana@example.com>",
    '"quoted"@example.com',
    "ana@localhost",
    "ana@[127.0.0.1]",
    "ana@example.com\nBcc: x@example.com",
    "=?utf-8?q?x?=@example.com",
    "\u0430na@example.com",
    "",
)


async def test_only_one_plain_address_is_stored(team: Team) -> None:
    account = await team.account()
    for email in ADDRESSES:
        answer = await invite(account, email, "basic")
        assert answer.expect(422)["errors"][0]["pointer"] == "/email", email
    assert await team.database["invitations"].count_documents({"account_id": account.id}) == 0


async def test_an_account_has_its_own_limit_of_invitations(
    mongo_url: str, database_name: str
) -> None:
    async with running(mongo_url, database_name, invitations_per_account=3) as team:
        account = await team.account()
        for number in range(3):
            answer = await invite(account, f"a{number}@example.com", "basic")
            answer.expect(201)
            assert answer.headers["RateLimit-Policy"] == '"invitations";q=3;w=86400'
            left = DAY - 600 * number
            assert answer.headers["RateLimit"] == f'"invitations";r={2 - number};t={left}'
            team.clock.move(600)
        over = await invite(account, "a4@example.com", "basic")
        wait = DAY - 1800
        assert (over.status, over.headers["Retry-After"]) == (429, str(wait))
        assert over.headers["RateLimit"] == f'"invitations";r=0;t={wait}'
        team.clock.move(wait - 0.001)
        assert (await invite(account, "a4@example.com", "basic")).status == 429
        team.clock.move(0.001)
        (await invite(account, "a4@example.com", "basic")).expect(201)


def test_no_code_of_a_refusal_has_two_meanings() -> None:
    from services.team.routes import INTERNAL_ROUTES, ROUTES

    refusals: dict[str, set[type[Refusal]]] = {}
    for route in (*ROUTES, *INTERNAL_ROUTES):
        codes = [refusal.code for refusal in route.refuses]
        assert len(codes) == len(set(codes)), route.operation_id
        for refusal in route.refuses:
            refusals.setdefault(refusal.code, set()).add(refusal)
    for code, classes in refusals.items():
        # A subclass says the same to another reader, or of another part of the owner's access.
        [general] = [one for one in classes if all(issubclass(other, one) for other in classes)]
        assert {one.kind for one in classes} == {general.kind}, code
        assert {one.forbids for one in classes} == {general.forbids}, code
    worded = {code: {one.detail for one in classes} for code, classes in refusals.items()}
    assert {code for code, details in worded.items() if len(details) > 1} == {
        "already-a-member",
        "member-limit",
        "not-found",
        "owner-only",
        "owner-protected",
    }


def test_an_invitee_is_refused_in_words_for_an_invitee() -> None:
    assert str(AlreadyJoined()) == "You are a member of this account already."
    assert str(NoFreeSeat(limit=3)) == (
        "The team has no free seat at the moment. Ask the person who invited you."
    )


async def test_an_address_is_checked_on_demand_before_it_is_invited(team: Team) -> None:
    account = await team.account()
    email = account.owner.email.replace("example", "exarnple")
    refused = await invite(account, email, "basic", check_address=True)
    assert (refused.status, refused.code) == (409, "similar-domain")
    assert refused.body["resembles"] == account.owner.email.rpartition("@")[2]
    refused = await invite(account, "bea@mailinator.com", "basic", check_address=True)
    assert (refused.status, refused.code) == (409, "throw-away-address")
    assert (await account.owner.get(f"{account.path}/invitations"))["items"] == []
    (await invite(account, email, "basic", check_address=False)).expect(201)
    (await invite(account, "bea@mailinator.com", "basic")).expect(201)
