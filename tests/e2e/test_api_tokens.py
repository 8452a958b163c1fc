"""An API token does what its creator may do now, within its restriction, on each replica."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from shared.ids import new_id
from shared.journal import Journal
from shared.links import Link
from tests.e2e.people import PASSWORD, Answer, Person, Platform
from tests.e2e.several_replicas import SeveralReplicas, several_replicas

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from shared.contracts.facts import Caller

pytestmark = pytest.mark.asyncio(loop_scope="module")


class HeldJournal(Journal):
    """identity's journal, in which what follows from the facts of others waits while it is held."""

    may_follow = asyncio.Event()
    may_follow.set()

    async def write(self, key: str, change: Any, *, caller: Caller, **options: Any) -> Any:
        if caller.actor.type == "service" and caller.actor.on_behalf_of is not None:
            await self.may_follow.wait()
        return await super().write(key, change, caller=caller, **options)


@contextmanager
def identity_does_not_hear() -> Iterator[None]:
    """Until the block ends, identity does nothing about what team has told."""
    HeldJournal.may_follow.clear()
    try:
        yield
    finally:
        HeldJournal.may_follow.set()


@dataclass(kw_only=True)
class Team:
    """A team of Ada, with Bea as a member, and a service of the platform."""

    run: SeveralReplicas
    platform: Platform
    ada: Person
    bea: Person

    @property
    def path(self) -> str:
        return f"/v1/accounts/{self.ada.account_id}"

    @property
    def tokens(self) -> str:
        return f"{self.path}/api-tokens"

    async def join(self) -> None:
        """Invite Bea as a developer, who accepts."""
        body = {"email": self.bea.email, "role": "developer"}
        made = (await self.ada.send("POST", f"{self.path}/invitations", body)).expect(201)
        link, links = Link(made["invitation"]["id"], 1), self.run.invitation_links
        proof = {"token": links.token(link), "code": links.code(link)}
        (await self.bea.send("POST", "/v1/invitations/accept", proof)).expect(200)

    async def give_role(self, role: str) -> None:
        path = f"{self.path}/members/{self.bea.user_id}"
        (await self.ada.send("PATCH", path, {"role": role})).expect(200)

    async def make(
        self, person: Person, *, by: str | None = None, status: int = 201, **restriction: Any
    ) -> dict[str, Any]:
        """Make a token of a person, or by another token."""
        body = {"name": "CI", "restriction": restriction}
        answer = await self.ask_identity(by or person.token, "POST", self.tokens, body)
        made: dict[str, Any] = answer.expect(status)
        return made

    async def ask_identity(
        self, token: str | None, method: str, path: str, body: Any = None
    ) -> Answer:
        caller = Person(http=self.run.http, base=self.run.identity, token=token)
        return await caller.send(method, path, body)

    async def ask_team(self, token: str, method: str, path: str, body: Any = None) -> Answer:
        caller = Person(http=self.run.http, base=self.run.team, token=token)
        return await caller.send(method, path, body)

    async def reasons(
        self, token: dict[str, Any], permission: str, *, project: str | None = None
    ) -> set[str]:
        """The reasons that the replicas give for a check of the token by its id."""
        kind, _, action = permission.partition(":")
        properties = {"account_id": self.ada.account_id} | (
            {} if project is None else {"project_id": project}
        )
        question = {
            "subject": {"type": "api_token", "id": token["id"]},
            "action": {"name": action},
            "resource": {"type": kind, "id": "i-1", "properties": properties},
        }
        answers = [
            await self.platform.send("POST", "/access/v1/evaluation", question, base=base)
            for base in self.run.authz
        ]
        found = [answer.expect(200) for answer in answers]
        for one in found:
            assert one["decision"] is (one["context"]["reason"] == "allowed")
        return {one["context"]["reason"] for one in found}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(mongo_url: str) -> AsyncIterator[Team]:
    """Ada's team, of which Bea is a developer."""
    async with several_replicas(mongo_url, new_id("test"), identity_journal=HeldJournal) as run:
        ada, bea = run.person("Ada"), run.person("Bea")
        for one in (ada, bea):
            body = await run.mailed_link(one) | {"password": PASSWORD}
            answer = await one.send("POST", "/v1/email/verify", body, base=run.identity)
            one.signed_in(answer.expect(200))
        made = Team(run=run, platform=await run.make_client(), ada=ada, bea=bea)
        (await ada.send("POST", f"{made.path}/convert", {"name": "Engines"})).expect(200)
        await made.join()
        yield made


@pytest.mark.rule("Ci10", "B2")
async def test_a_token_works_on_each_replica_once_it_is_answered(team: Team):
    token = await team.make(team.bea)
    assert token["secret"].startswith("rct_")
    assert await team.reasons(token, "instance:write") == {"allowed"}
    assert await team.reasons(token, "member:remove") == {"permission-missing"}
    (await team.ask_team(token["secret"], "GET", team.path)).expect(200)
    refused = await team.ask_team(token["secret"], "PATCH", team.path, {"name": "Other"})
    assert (refused.status, refused.code) == (403, "permission-missing")


@pytest.mark.rule("Ci10", "Ci11", "T16")
async def test_a_token_follows_the_role_of_its_creator(team: Team):
    token = await team.make(team.bea)
    await team.give_role("viewer")
    assert await team.reasons(token, "instance:write") == {"permission-missing"}
    assert await team.reasons(token, "instance:view") == {"allowed"}
    await team.give_role("admin")
    assert await team.reasons(token, "member:remove") == {"allowed"}
    await team.give_role("developer")
    assert await team.reasons(token, "member:remove") == {"permission-missing"}


@pytest.mark.rule("B2")
async def test_a_restriction_takes_away_and_never_adds(team: Team):
    made = await team.ada.send("POST", f"{team.path}/projects", {"name": "Inside"})
    project = made.expect(201)["id"]
    reading = await team.make(team.bea, read_only=True)
    assert await team.reasons(reading, "instance:view") == {"allowed"}
    assert await team.reasons(reading, "instance:write") == {"token-restricted"}
    assert await team.reasons(reading, "audit_log:view") == {"permission-missing"}
    inside = await team.make(team.bea, projects=[project])
    assert await team.reasons(inside, "instance:write", project=project) == {"allowed"}
    assert await team.reasons(inside, "instance:write") == {"token-restricted"}
    assert await team.reasons(inside, "member:view") == {"token-restricted"}
    assert await team.reasons(inside, "account:view") == {"allowed"}
    narrow = await team.make(team.bea, grants={"instance": ["view"]})
    assert await team.reasons(narrow, "instance:view") == {"allowed"}
    assert await team.reasons(narrow, "instance:write") == {"token-restricted"}
    # team decides its own routes by the same restriction
    (await team.ask_team(narrow["secret"], "GET", team.path)).expect(200)
    refused = await team.ask_team(narrow["secret"], "GET", f"{team.path}/members")
    assert (refused.status, refused.code) == (403, "token-restricted")
    refused = await team.ask_team(narrow["secret"], "GET", f"{team.path}/projects")
    assert (refused.status, refused.code) == (403, "token-restricted")
    # what the creator does not hold is missing, and not restricted
    refused = await team.ask_team(reading["secret"], "PATCH", team.path, {"name": "Other"})
    assert (refused.status, refused.code) == (403, "permission-missing")


@pytest.mark.rule("B5")
async def test_a_restriction_names_only_what_is_there_and_held(team: Team):
    unknown = await team.make(team.bea, status=422, grants={"instance": ["fly"]})
    assert unknown["code"] == "restriction-unknown"
    assert [each["pointer"] for each in unknown["errors"]] == ["/restriction/grants/instance"]
    foreign = await team.make(team.bea, status=422, projects=[new_id("prj")])
    assert foreign["code"] == "restriction-unknown"
    assert [each["pointer"] for each in foreign["errors"]] == ["/restriction/projects"]
    missing = await team.make(team.bea, status=403, grants={"member": ["remove"]})
    assert (missing["code"], missing["missing"]) == ("grants-exceeded", ["member:remove"])


@pytest.mark.rule("B2", "B5")
async def test_a_token_makes_no_token_that_reaches_further_or_lives_longer(team: Team):
    outer = await team.make(team.bea, grants={"instance": ["view"], "api_token": ["manage"]})
    for wider in ({}, {"read_only": True}, {"grants": {"instance": ["write"]}}):
        refused = await team.make(team.bea, by=outer["secret"], status=403, **wider)
        assert refused["code"] == "token-too-wide"
    inner = await team.make(team.bea, by=outer["secret"], grants={"instance": ["view"]})
    assert inner["expires_at"] <= outer["expires_at"]
    reading = await team.make(team.bea, read_only=True)
    refused = await team.make(team.bea, by=reading["secret"], status=403, read_only=True)
    assert refused["code"] == "token-restricted"


@pytest.mark.rule("B5")
async def test_a_restricted_token_gives_others_no_more_than_it_reaches(team: Team):
    await team.give_role("admin")
    token = await team.make(team.bea, grants={"role": ["manage"], "instance": ["view"]})
    roles = f"{team.path}/roles"
    grants: dict[str, Any] = {"account": {"view": "all"}, "instance": {"write": "all"}}
    body = {"name": "Wide", "grants": grants}
    refused = await team.ask_team(token["secret"], "POST", roles, body)
    assert (refused.status, refused.code) == (403, "grants-exceeded")
    grants["instance"] = {"view": "all"}
    (await team.ask_team(token["secret"], "POST", roles, body | {"name": "Narrow"})).expect(201)
    await team.give_role("developer")


@pytest.mark.rule("T5")
async def test_a_revoked_token_is_refused_everywhere_with_the_answer(team: Team):
    token = await team.make(team.bea)
    place = f"{team.tokens}/{token['id']}"
    (await team.ask_identity(team.bea.token, "DELETE", place)).expect(204)
    assert await team.reasons(token, "instance:view") == {"subject-unknown"}
    for answer in (
        await team.ask_team(token["secret"], "GET", team.path),
        await team.ask_identity(token["secret"], "GET", team.tokens),
        await team.ask_identity(token["secret"], "GET", place),
    ):
        assert (answer.status, answer.code) == (401, "token-revoked")
    (await team.ask_identity(team.bea.token, "DELETE", place)).expect(204)
    shown = (await team.ask_identity(team.bea.token, "GET", place)).expect(200)
    assert shown["status"] == "revoked"


@pytest.mark.rule("T5", "Ci10")
async def test_tokens_die_with_the_membership_and_no_return_revives_them(team: Team):
    token = await team.make(team.bea)
    member = f"{team.path}/members/{team.bea.user_id}"
    (await team.ada.send("POST", f"{member}/suspend")).expect(200)
    assert await team.reasons(token, "instance:view") == {"membership-suspended"}
    (await team.ada.send("POST", f"{member}/resume")).expect(200)
    assert await team.reasons(token, "instance:view") == {"allowed"}
    with identity_does_not_hear():
        (await team.ada.send("DELETE", member)).expect(204)
        assert await team.reasons(token, "instance:view") == {"not-a-member"}
        assert (await team.ask_team(token["secret"], "GET", team.path)).status == 404
        await team.join()
        assert await team.reasons(token, "instance:view") == {"not-a-member"}
        assert (await team.ask_team(token["secret"], "GET", team.path)).status == 404
        assert (await team.ask_identity(token["secret"], "GET", team.tokens)).status == 404
    again = await team.make(team.bea)
    assert await team.reasons(again, "instance:view") == {"allowed"}


@pytest.mark.rule("B2")
async def test_a_token_is_for_its_own_account_and_for_nothing_personal(team: Team):
    token = await team.make(team.bea)
    secret = token["secret"]
    home = f"/v1/accounts/{team.bea.account_id}"
    assert (await team.ask_team(secret, "GET", home)).status == 404
    for answer in (
        await team.ask_identity(secret, "GET", "/v1/me"),
        await team.ask_identity(secret, "POST", "/v1/logout"),
        await team.ask_team(secret, "GET", "/v1/accounts"),
        await team.ask_team(secret, "POST", f"{team.path}/leave"),
    ):
        assert (answer.status, answer.code) == (403, "wrong-principal")


async def test_a_token_asks_about_itself_alone(team: Team):
    token = await team.make(team.bea, read_only=True)
    caller = Person(http=team.run.http, base=team.run.authz[1], token=token["secret"])
    question = {
        "subject": {"type": "api_token", "id": token["id"]},
        "action": {"name": "view"},
        "resource": {"type": "instance", "id": "i-1"},
    }
    own = (await caller.send("POST", "/access/v1/evaluation", question)).expect(200)
    assert own["decision"] is True
    other = question | {"subject": {"type": "user", "id": team.bea.user_id}}
    refused = await caller.send("POST", "/access/v1/evaluation", other)
    assert (refused.status, refused.code) == (403, "other-subject")


async def test_members_list_their_own_tokens_and_managers_all_of_them(team: Team):
    own = await team.make(team.bea)
    others = await team.make(team.ada)
    seen = (await team.ask_identity(team.bea.token, "GET", f"{team.tokens}?limit=200")).expect(200)
    assert {one["user_id"] for one in seen["items"]} == {team.bea.user_id}
    assert all("secret" not in one for one in seen["items"])
    hidden = f"{team.tokens}/{others['id']}"
    assert (await team.ask_identity(team.bea.token, "GET", hidden)).status == 404
    assert (await team.ask_identity(team.bea.token, "DELETE", hidden)).status == 404
    page = (await team.ask_identity(team.ada.token, "GET", f"{team.tokens}?limit=1")).expect(200)
    assert [one["id"] for one in page["items"]] == [others["id"]]
    rest = await team.ask_identity(
        team.ada.token, "GET", f"{team.tokens}?limit=200&cursor={page['next_cursor']}"
    )
    assert own["id"] in {one["id"] for one in rest.expect(200)["items"]}
    place = f"{team.tokens}/{own['id']}"
    (await team.ask_identity(team.ada.token, "DELETE", place)).expect(204)
    assert await team.reasons(own, "instance:view") == {"subject-unknown"}
