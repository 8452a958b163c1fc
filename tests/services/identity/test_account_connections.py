"""Tests of the connections of accounts, and of the proof of their domains (B16)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from services.identity.adapters.dns_texts import DnsTexts
from shared.contracts.calls.connections import JoinAnswer, JoinOutcome, JoinProblem, RuleProblem
from shared.contracts.team_endings import AccountDeleted
from shared.ids import new_id
from tests.services.identity.running import RULE
from tests.services.identity.signing_in import Browser, signing_in
from tests.services.rows import row_of
from tests.support.issuer import CLIENT_ID, CLIENT_SECRET
from tests.support.name_server import NameServer, name_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.support.service import Answered

TEAM_PERSON = {
    "sub": "person-7",
    "email": "cy@team.example",
    "email_verified": True,
    "name": "Cy Team",
}


class Admin(Browser):
    """An admin of an account, and what they do with its connections."""

    names: NameServer
    person: dict[str, Any]

    async def make(self, **fields: Any) -> Answered:
        body = {
            "label": "Team",
            "issuer": self.issuer.url,
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "domain": "team.example",
        } | fields
        return await self.call("POST", "", body)

    async def call(self, method: str, path: str, body: Any = None, **headers: str) -> Answered:
        account, token = self.person["account_id"], self.person["access_token"]
        at = f"/v1/accounts/{account}/sso-connections{path}"
        return await self.identity.send(method, at, body, token=token, headers=headers)

    async def change(self, made: dict[str, Any], body: Any, **headers: str) -> Answered:
        account, token = self.person["account_id"], self.person["access_token"]
        at = f"/v1/accounts/{account}/sso-connections/{made['id']}"
        return await self.identity.send("PATCH", at, body, token=token, headers=headers)

    async def joining(self, made: dict[str, Any]) -> dict[str, Any]:
        """What a sign-in through the connection says of the membership."""
        return dict((await self.sign_in(made["id"])).expect(200)["joining"])

    def publish(self, made: dict[str, Any]) -> None:
        self.names.texts[made["txt_name"]] = ("another text", made["txt_value"])

    async def prove(self, made: dict[str, Any]) -> Answered:
        return await self.call("POST", f"/{made['id']}/prove-domain")

    async def proved(self, **fields: Any) -> dict[str, Any]:
        made = (await self.make(**fields)).expect(201)
        self.publish(made)
        return dict((await self.prove(made)).expect(200))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_admin(mongo_url: str) -> AsyncIterator[Admin]:
    async with name_server() as names:
        texts = DnsTexts(["127.0.0.1"], port=names.port, seconds=0.5)
        async with signing_in(mongo_url, new_id("test"), wiring={"texts": texts}) as browser:
            admin = Admin(browser.identity, browser.issuer)
            admin.names = names
            yield admin


@pytest_asyncio.fixture(loop_scope="module")
async def admin(shared_admin: Admin) -> Admin:
    """An admin of the personal account of a new user, and a person of the domain."""
    one = Admin(await shared_admin.identity.for_one_test(), shared_admin.issuer)
    one.names = shared_admin.names
    one.names.texts, one.names.silent, one.names.broken = {}, False, False
    one.issuer.forget()
    one.issuer.person = dict(TEAM_PERSON)
    one.person = await one.identity.person("admin@elsewhere.example")
    one.identity.stand_ins.members.add((one.person["user"]["id"], one.person["account_id"]))
    return one


@pytest.mark.rule("B16")
async def test_people_of_a_proved_domain_sign_in_through_its_account(admin: Admin) -> None:
    made = (await admin.make()).expect(201)
    assert made["txt_name"] == "_rolecall-challenge.team.example"
    assert made["redirect_uris"] == [f"https://rolecall.example/sign-in/callback/{made['id']}"]
    assert (await admin.begin(email="cy@team.example")).code == "no-connection"
    assert (await admin.prove(made)).code == "domain-not-proved"
    assert (await admin.sign_in(made["id"])).code == "identity-not-linked"
    admin.publish(made)
    assert (await admin.sign_in(made["id"])).code == "identity-not-linked"
    proved = (await admin.prove(made)).expect(200)
    assert proved["proved_at"] is not None
    assert (await admin.prove(made)).expect(200) == proved
    begun = (await admin.begin(email="cy@team.example")).expect(200)
    assert f"%2F{made['id']}&" in begun["authorization_url"]
    session = (await admin.sign_in(made["id"])).expect(200)
    assert session["user"]["email"] == "cy@team.example"
    told = [row.action for row in await admin.identity.rows() if "sso" in row.action]
    assert told == ["sso_connection.created", "sso_connection.domain_proved"]


@pytest.mark.rule("B16")
async def test_a_connection_speaks_for_no_other_domain(admin: Admin) -> None:
    made = await admin.proved()
    for email in ("ana@corp.example", "cy@sub.team.example", "cy@team.example.org"):
        admin.issuer.claims = {"email": email}
        assert (await admin.sign_in(made["id"])).code == "identity-not-linked", email


@pytest.mark.rule("B16")
async def test_a_domain_that_changed_hands_links_no_further_user(admin: Admin) -> None:
    made = await admin.proved()
    (await admin.sign_in(made["id"])).expect(200)
    admin.names.texts.clear()
    (await admin.sign_in(made["id"])).expect(200)
    admin.issuer.claims = {"sub": "person-8", "email": "di@team.example"}
    assert (await admin.sign_in(made["id"])).code == "identity-not-linked"
    admin.names.broken = True
    assert (await admin.sign_in(made["id"])).code == "dns-unavailable"


@pytest.mark.rule("B16")
async def test_a_domain_belongs_to_one_connection(admin: Admin) -> None:
    first, second = [(await admin.make()).expect(201) for _ in range(2)]
    admin.names.texts[first["txt_name"]] = (first["txt_value"], second["txt_value"])
    both = await asyncio.gather(admin.prove(first), admin.prove(second))
    assert sorted(each.status for each in both) == [200, 409]
    winner, loser = (first, second) if both[0].status == 200 else (second, first)
    assert (await admin.prove(loser)).code == "domain-taken"
    third = (await admin.make()).expect(201)
    assert (await admin.call("DELETE", f"/{third['id']}")).status == 204
    assert (await admin.prove(loser)).code == "domain-taken"
    assert (await admin.call("DELETE", f"/{winner['id']}")).status == 204
    (await admin.prove(loser)).expect(200)
    platforms = (await admin.make(domain="corp.example")).expect(201)
    admin.publish(platforms)
    assert (await admin.prove(platforms)).code == "domain-taken"


@pytest.mark.rule("B16")
async def test_a_sign_in_of_a_deleted_connection_is_not_finished(admin: Admin) -> None:
    made = await admin.proved()
    answer = await admin.answer(made["id"])
    assert (await admin.call("DELETE", f"/{made['id']}")).status == 204
    assert (await admin.finish(answer)).code == "sso-sign-in-over"
    assert (await admin.begin(email="cy@team.example")).code == "no-connection"
    assert (await admin.begin(made["id"])).code == "no-connection"
    assert (await admin.call("GET", f"/{made['id']}")).status == 404
    assert (await admin.call("DELETE", f"/{made['id']}")).status == 404


async def test_the_secret_is_sealed_and_never_shown(admin: Admin) -> None:
    made = (await admin.make()).expect(201)
    shown = [await admin.call("GET", ""), await admin.call("GET", f"/{made['id']}")]
    assert [each.expect(200) for each in shown] == [{"items": [made]}, made]
    stored = await admin.identity.database["sso_connections"].find_one({"_id": made["id"]})
    rows = [row.model_dump_json() for row in await admin.identity.rows()]
    for text in (str(made), str(stored), str(rows)):
        assert CLIENT_SECRET not in text


async def test_a_connection_of_another_account_is_not_found(admin: Admin) -> None:
    made = (await admin.make()).expect(201)
    admin.person = await admin.identity.person("bo@elsewhere.example")
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/prove-domain")):
        assert (await admin.call(method, f"/{made['id']}{path}")).status == 404
    admin.identity.stand_ins.members.add((admin.person["user"]["id"], admin.person["account_id"]))
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/prove-domain")):
        assert (await admin.call(method, f"/{made['id']}{path}")).status == 404


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("label", "https://evil.example"),
        ("label", "a\u202eb"),
        ("issuer", "http://issuer.example"),
        ("issuer", "https://169.254.169.254"),
        ("issuer", "https://[64:ff9b::7f00:1]"),
        ("domain", "a@team.example"),
        ("domain", "localhost"),
        ("domain", "team.example."),
        ("domain", "[127.0.0.1]"),
    ],
)
async def test_a_connection_is_refused_by_the_field_that_is_wrong(
    admin: Admin, field: str, value: str
) -> None:
    refused = await admin.make(**{field: value})
    assert refused.status == 422
    assert [error["pointer"] for error in refused.body["errors"]] == [f"/{field}"]


async def test_an_account_has_five_connections_at_most(admin: Admin) -> None:
    made = await asyncio.gather(*(admin.make() for _ in range(6)))
    assert sorted(each.status for each in made) == [201] * 5 + [409]


async def test_a_repeated_key_makes_one_connection(admin: Admin) -> None:
    body = {"label": "T", "issuer": "https://t.example", "client_id": "c", "domain": "t.example"}
    key = {"Idempotency-Key": "one"}
    made = await asyncio.gather(*(admin.call("POST", "", body, **key) for _ in range(3)))
    assert len({each.expect(201)["id"] for each in made}) == 1
    assert len((await admin.call("GET", "")).expect(200)["items"]) == 1


async def test_text_records_are_read_whole_and_silence_is_told(admin: Admin) -> None:
    made = (await admin.make()).expect(201)
    value = made["txt_value"]
    admin.names.texts[made["txt_name"]] = (f"{value[:20]}|{value[20:]}",)
    (await admin.prove(made)).expect(200)
    other = (await admin.make(domain="silent.example")).expect(201)
    admin.names.texts["_rolecall-challenge.silent.example"] = ()
    assert (await admin.prove(other)).code == "domain-not-proved"
    admin.names.silent = True
    assert (await admin.prove(other)).code == "dns-unavailable"


@pytest.mark.rule("B16")
async def test_a_person_of_the_domain_joins_with_each_sign_in_anew(admin: Admin) -> None:
    made = await admin.proved(join_role="developer")
    assert made["rule_set_by"] == admin.person["user"]["id"]
    answer = await admin.sign_in(made["id"])
    session = answer.expect(200)
    team = admin.identity.stand_ins
    joining = {"account_id": admin.person["account_id"], "outcome": "joined", "problem": None}
    assert session["joining"] == joining
    team.join = JoinAnswer(outcome=JoinOutcome.MEMBER, revision="team.e1.9.5", effective=False)
    again = await admin.sign_in(made["id"])
    assert again.expect(200)["joining"] == joining | {"outcome": "member"}
    assert again.headers["Rolecall-Revision"] == "team.e1.9.5"
    asked = {one.model_dump_json() for one in team.joins}
    assert len(team.joins) == 2
    assert len(asked) == 1
    assert team.joins[0].user_id == session["user"]["id"]
    assert (team.joins[0].role, team.joins[0].email) == ("developer", "cy@team.example")
    [linked] = await admin.identity.rows("user.identity_linked")
    assert team.joins[0].identity_id == linked.data["identity_id"]
    team.join = JoinAnswer(outcome=JoinOutcome.REFUSED, problem=JoinProblem.FORMER_MEMBER)
    refused = await admin.joining(made)
    assert (refused["outcome"], refused["problem"]) == ("refused", "former-member")


@pytest.mark.rule("B16")
async def test_without_a_rule_or_a_proved_address_no_membership_is_made(admin: Admin) -> None:
    made = await admin.proved()
    assert (await admin.sign_in(made["id"])).expect(200)["joining"] is None
    (await admin.change(made, {"join_role": "developer"})).expect(200)
    for claims in ({"email_verified": False}, {"email": "x@corp.example"}, {"email": None}):
        admin.issuer.claims = claims
        assert (await admin.joining(made))["problem"] == "address-differs"
    admin.issuer.claims = {"email": "other@team.example"}
    assert (await admin.joining(made))["problem"] == "address-differs"
    assert admin.identity.stand_ins.joins == []
    admin.issuer.claims = {}
    assert (await admin.joining(made))["outcome"] == "joined"
    (await admin.change(made, {"join_role": None})).expect(200)
    assert (await admin.sign_in(made["id"])).expect(200)["joining"] is None


@pytest.mark.rule("B16")
async def test_a_sign_in_works_while_team_makes_no_member(admin: Admin) -> None:
    made = await admin.proved(join_role="developer")
    admin.identity.stand_ins.joins_away = True
    assert (await admin.joining(made))["outcome"] == "later"
    admin.identity.stand_ins.joins_away = False
    assert (await admin.joining(made))["outcome"] == "joined"


@pytest.mark.rule("B16")
async def test_a_closed_account_signs_no_person_in(admin: Admin) -> None:
    made = await admin.proved()
    (await admin.sign_in(made["id"])).expect(200)
    team, answer = admin.identity.stand_ins, await admin.answer(made["id"])
    sessions = await admin.identity.database["sessions"].count_documents({})
    team.closed.add(admin.person["account_id"])
    paused = await admin.finish(answer)
    assert (paused.status, paused.code) == (403, "connection-paused")
    assert (await admin.begin(made["id"])).code == "connection-paused"
    assert (await admin.begin(email="cy@team.example")).code == "connection-paused"
    team.team_away = True
    assert (await admin.finish(answer)).status == 503
    assert await admin.identity.database["sessions"].count_documents({}) == sessions
    team.team_away = False
    team.closed.clear()
    (await admin.finish(answer)).expect(200)


@pytest.mark.rule("B16")
async def test_a_connection_that_is_off_signs_no_person_in(admin: Admin) -> None:
    made = await admin.proved()
    answer = await admin.answer(made["id"])
    off = (await admin.change(made, {"enabled": False})).expect(200)
    assert off["enabled"] is False
    assert (await admin.finish(answer)).code == "sso-sign-in-over"
    assert (await admin.begin(made["id"])).code == "no-connection"
    assert (await admin.begin(email="cy@team.example")).code == "no-connection"
    (await admin.change(made, {"enabled": True})).expect(200)
    (await admin.sign_in(made["id"])).expect(200)


@pytest.mark.rule("B16")
async def test_another_issuer_has_to_be_proved_again(admin: Admin) -> None:
    made = await admin.proved()
    other, answer = {"issuer": "https://other.example"}, await admin.answer(made["id"])
    refused = await admin.change(made, other)
    assert [error["pointer"] for error in refused.expect(422)["errors"]] == ["/client_secret"]
    changed = (await admin.change(made, other | {"client_secret": "its own"})).expect(200)
    assert changed["proved_at"] is None
    assert (await admin.finish(answer)).code == "sso-sign-in-over"
    assert changed["txt_value"] != made["txt_value"]
    assert (await admin.begin(email="cy@team.example")).code == "no-connection"
    assert (await admin.prove(made)).code == "domain-not-proved"
    own = {"issuer": admin.issuer.url, "client_secret": CLIENT_SECRET}
    back = (await admin.change(made, own)).expect(200)
    assert back["proved_at"] is None
    admin.publish(back)
    (await admin.prove(back)).expect(200)
    (await admin.sign_in(made["id"])).expect(200)


@pytest.mark.rule("B5")
async def test_who_changes_what_people_join_by_has_to_hold_the_role(admin: Admin) -> None:
    made = await admin.proved(join_role="developer")
    team = admin.identity.stand_ins
    team.rule = RULE.model_copy(update={"problem": RuleProblem.NOT_HELD, "missing": ("a:b",)})
    for body in (
        {"join_role": "developer"},
        {"issuer": "https://other.example"},
        {"client_id": "another"},
    ):
        refused = await admin.change(made, body)
        assert (refused.status, refused.code) == (403, "grants-exceeded"), body
    harmless: list[dict[str, Any]] = [{"label": "Other"}, {"client_secret": "x"}]
    for change in (*harmless, {"enabled": False}):
        (await admin.change(made, change)).expect(200)
    assert (await admin.change(made, {"enabled": True})).code == "grants-exceeded"
    (await admin.change(made, {"enabled": True, "join_role": None})).expect(200)
    assert (await admin.make(join_role="developer")).code == "grants-exceeded"


@pytest.mark.parametrize(
    ("problem", "status", "code"),
    [
        (RuleProblem.NOT_A_TEAM, 409, "joins-no-team"),
        (RuleProblem.ROLE_UNKNOWN, 422, "role-unknown"),
        (RuleProblem.NOT_ALLOWED, 403, "permission-missing"),
        (RuleProblem.NOT_HELD, 403, "grants-exceeded"),
        (RuleProblem.ENDS, 403, "end-exceeded"),
    ],
)
async def test_a_rule_is_refused_by_its_cause(
    admin: Admin, problem: RuleProblem, status: int, code: str
) -> None:
    team = admin.identity.stand_ins
    team.rule = RULE.model_copy(update={"problem": problem, "assignable": ("viewer",)})
    refused = await admin.make(join_role="owner")
    assert (refused.status, refused.code) == (status, code)
    if status == 422:
        assert [error["pointer"] for error in refused.body["errors"]] == ["/join_role"]


async def test_a_change_is_made_of_the_state_that_was_read(admin: Admin) -> None:
    made = (await admin.make()).expect(201)
    first = await admin.change(made, {"label": "One"}, **{"If-Match": made["etag"]})
    assert first.expect(200)["etag"] == first.headers["ETag"]
    lost = await admin.change(made, {"label": "Two"}, **{"If-Match": made["etag"]})
    assert (lost.status, lost.code) == (412, "precondition-failed")
    repeated = await admin.change(made, {"label": "One"}, **{"If-Match": made["etag"]})
    assert repeated.expect(200) == first.body
    rows = await admin.identity.rows("sso_connection.changed")
    assert [row.data["changed"] for row in rows] == [["label"]]


async def test_managers_are_told_of_each_change_and_the_end_needs_no_team(admin: Admin) -> None:
    made = await admin.proved()
    (await admin.change(made, {"label": "One", "client_secret": None})).expect(200)
    admin.identity.stand_ins.team_away = True
    assert (await admin.change(made, {"label": "Two"})).status == 503
    assert (await admin.call("DELETE", f"/{made['id']}")).status == 204
    told = [
        row.data["manager_emails"] for row in await admin.identity.rows() if "sso" in row.action
    ]
    assert told == [["owner@acme.example"]] * 3 + [[]]
    acted = {row.actor.email for row in await admin.identity.rows() if "sso" in row.action}
    assert acted == {"admin@elsewhere.example"}
    [changed] = await admin.identity.rows("sso_connection.changed")
    assert changed.after is not None
    assert changed.after["changed"] == ["label", "client_secret"]


@pytest.mark.rule("B16")
async def test_a_domain_goes_to_the_one_whom_its_record_names(admin: Admin) -> None:
    former = await admin.proved(join_role="developer")
    admin.person = await admin.identity.person("new@elsewhere.example")
    account_id = admin.person["account_id"]
    admin.identity.stand_ins.members.add((admin.person["user"]["id"], account_id))
    made = (await admin.make()).expect(201)
    both = (former["txt_value"], made["txt_value"])
    admin.names.texts[made["txt_name"]] = both
    assert (await admin.prove(made)).code == "domain-taken"
    admin.names.texts[made["txt_name"]] = both[1:]
    (await admin.prove(made)).expect(200)
    begun = (await admin.begin(email="cy@team.example")).expect(200)
    assert f"%2F{made['id']}&" in begun["authorization_url"]
    assert (await admin.sign_in(former["id"])).code == "identity-not-linked"
    [lost] = await admin.identity.rows("sso_connection.domain_lost")
    assert (lost.data["connection_id"], lost.account_id != account_id) == (former["id"], True)
    assert (lost.actor.type, lost.actor.on_behalf_of, lost.request.ip) == ("service", None, None)
    assert lost.data["manager_emails"] == ["owner@acme.example"]


@pytest.mark.rule("B16")
async def test_the_end_of_an_account_deletes_its_connections(admin: Admin) -> None:
    made = await admin.proved()
    other = await admin.make()
    account_id, owner = admin.person["account_id"], admin.person["user"]["id"]
    gone = AccountDeleted(account_name="Acme", owner_user_id=owner)
    row = row_of(gone, account_id=account_id)
    await admin.identity.tell(row)
    await admin.identity.tell(row)
    assert (await admin.begin(made["id"])).code == "no-connection"
    assert (await admin.begin(email="cy@team.example")).code == "no-connection"
    for one in (made, other.expect(201)):
        assert (await admin.call("GET", f"/{one['id']}")).status == 404
    assert len(await admin.identity.rows("sso_connection.deleted")) == 2
    assert (await admin.proved())["proved_at"] is not None
