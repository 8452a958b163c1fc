"""The end-to-end journey: sign-up, a team, decisions, changes, and the audit log of it."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from rolecall.cli import main
from tests.e2e.people import Answer, Link, Mailbox, Person, Platform
from tests.waiting import wait_for

TABLES = Path(__file__).parent.parent / "journeys"


@dataclass(frozen=True)
class Deployment:
    """The addresses and the service client of a running product."""

    gateway: str
    mail: str
    client_id: str
    client_secret: str
    authz: tuple[str, ...]
    """The public address of each authz replica."""
    operator: "Operator | None" = None
    """Where the internal ports can be reached."""


@dataclass(frozen=True)
class Operator:
    """The internal addresses of team and identity, and the key with which they are asked."""

    team: str
    identity: str
    admin_key: str

    def publish(self, file: Path) -> None:
        """Publish a catalog of the platform's own, with the operator's command."""
        where = ("--url", self.team, f"--key={self.admin_key}")
        assert main(["catalog", "publish", str(file), *where]) == 0


class World:
    """A running product, and the users of one journey in it."""

    def __init__(self, deployment: Deployment, http: aiohttp.ClientSession) -> None:
        self.deployment = deployment
        self.http = http
        self.mailbox = Mailbox(http, deployment.mail)
        self.platform = Platform(http, deployment.gateway)

    async def read(self, url: str) -> str:
        """The text at an address outside of the gateway."""
        async with self.http.get(url) as answer:
            return await answer.text()

    def person(self, name: str) -> Person:
        """A person who has no user yet."""
        return Person(self.http, self.deployment.gateway, mailbox=self.mailbox, name=name)

    async def decisions(self, subject: str, permission: str, **question: Any) -> list[str]:
        """The reason of each replica's decision (`allowed` when it allows)."""
        return [
            await self.decision(subject, permission, base=base, **question)
            for base in self.deployment.authz
        ]

    async def decision(self, subject: str, permission: str, **question: Any) -> str:
        """The reason of a decision."""
        answer = await self.platform.ask(subject, permission, **question)
        body = answer.expect(200)
        reason = str(body["context"]["reason"])
        assert body["decision"] is (reason == "allowed"), body
        return reason

    def everywhere(self, reason: str) -> list[str]:
        """This reason, once for each replica."""
        return [reason] * len(self.deployment.authz)


@dataclass(frozen=True)
class Setting:
    """What differs in one catalog's journey: roles, deliveries, and the effect of conversion."""

    mail_role: str
    link_role: str
    deliveries: tuple[str, ...]
    kind_after_convert: str = "team"


SETTINGS = {
    "standard": Setting("developer", "basic", ("email", "link")),
    "runpod": Setting("dev", "basic", ("email", "link")),
    "runos": Setting("admin", "admin", ("link",), kind_after_convert="personal"),
    "cloud-iam": Setting("operator", "viewer", ("email",), kind_after_convert="personal"),
    "novita": Setting("developer", "basic", ("email",)),
    "print-shop": Setting("printer", "bookkeeper", ("link", "email")),
}


@dataclass
class Team:
    """The team after the first three steps: an owner and two members, B and C."""

    account_id: str
    owner: Person
    mail: Person
    link: Person

    @property
    def path(self) -> str:
        """The account's address."""
        return f"/v1/accounts/{self.account_id}"


async def gather_team(world: World, catalog: str) -> Team:
    """Steps 1 to 3: A signs up and converts; B joins as a new user, C as an existing one."""
    setting = SETTINGS[catalog]
    owner = world.person("Ada Owner")
    await owner.sign_up()
    personal = await owner.get(f"/v1/accounts/{owner.account_id}")
    assert personal["kind"] == "personal"

    converted = await owner.send(
        "POST",
        f"/v1/accounts/{owner.account_id}/convert",
        {"name": "Analytical Engines", "catalog": catalog},
    )
    account = converted.expect(200, 202)
    assert (account["id"], account["kind"]) == (owner.account_id, setting.kind_after_convert)

    team = Team(
        account_id=owner.account_id,
        owner=owner,
        mail=world.person("Bea Newcomer"),
        link=world.person("Cay Known"),
    )
    await team.link.sign_up()
    await join_as_newcomer(world, team, setting)
    await join_with_a_user(world, team, setting)
    account = await owner.get(team.path)
    assert account["kind"] == "team"
    return team


async def invite(
    world: World, team: Team, person: Person, role: str, deliveries: tuple[str, ...], wish: str
) -> Link:
    """Invite as the owner; the link comes by mail, or the owner is shown it."""
    delivery = wish if wish in deliveries else deliveries[0]
    body = {"email": person.email, "role": role, "delivery": delivery}
    shown = (await team.owner.send("POST", f"{team.path}/invitations", body)).expect(201)
    if delivery == "link":
        return Link.in_text(shown["link"]["url"])
    assert shown.get("link") is None
    mail = await world.mailbox.newest(person.email, "invite")
    return Link.in_text(mail["text"])


async def join_as_newcomer(world: World, team: Team, setting: Setting) -> None:
    """B is invited by mail where the catalog allows it, signs up by the link, and accepts."""
    person = team.mail
    link = await invite(world, team, person, setting.mail_role, setting.deliveries, "email")
    answer = await person.sign_up_by(link)
    if answer.status == 202:  # the link did not come by mail, so the address is not verified yet
        mail = await world.mailbox.newest(person.email, "verify")
        answer = await person.verify(Link.in_text(mail["text"]))
    person.signed_in(answer.expect(200, 201))
    await accept(team, person, link)


async def join_with_a_user(world: World, team: Team, setting: Setting) -> None:
    """C is invited by link where the catalog allows it; all wrong attempts get one refusal."""
    person, stranger = team.link, world.person("Dan Stranger")
    await stranger.sign_up()
    link = await invite(world, team, person, setting.link_role, setting.deliveries, "link")
    refused = [
        await stranger.send("POST", "/v1/invitations/accept", link.body),
        await person.send("POST", "/v1/invitations/accept", {**link.body, "code": "WRONGCOD"}),
        await person.send("POST", "/v1/invitations/accept", {**link.body, "token": "inv_0.1.x"}),
    ]
    await accept(team, person, link)
    refused.append(await stranger.send("POST", "/v1/invitations/accept", link.body))

    revoked = await invite(world, team, stranger, setting.link_role, setting.deliveries, "link")
    listed = await team.owner.get(f"{team.path}/invitations")
    [pending] = [item for item in listed["items"] if item["email"] == stranger.email]
    gone = await team.owner.send("DELETE", f"{team.path}/invitations/{pending['id']}")
    gone.expect(204)
    refused.append(await stranger.send("POST", "/v1/invitations/accept", revoked.body))

    refusals = {(answer.status, answer.code, answer.body["detail"]) for answer in refused}
    assert len(refusals) == 1, refusals
    assert {answer.code for answer in refused} == {"invitation-not-valid"}


async def accept(team: Team, person: Person, link: Link) -> None:
    """Look at the invitation as the invited person, then accept it."""
    shown = (await person.send("POST", "/v1/invitations/lookup", link.body)).expect(200)
    assert shown["account"]["name"] == "Analytical Engines"
    joined = await person.send("POST", "/v1/invitations/accept", link.body)
    assert joined.expect(200, 202)["account_id"] == team.account_id
    mine = await person.get("/v1/me/accounts")
    assert {item["id"] for item in mine["items"]} == {person.account_id, team.account_id}


async def ask_by_the_table(world: World, team: Team, catalog: str) -> None:
    """Step 4: compare the decisions of every replica with the catalog's table."""
    stranger = world.person("Eve Stranger")
    await stranger.sign_up()
    people = {"owner": team.owner, "mail": team.mail, "link": team.link, "stranger": stranger}
    with (TABLES / f"{catalog}.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    wrong = []
    for row in rows:
        subject = people[row["subject"]].user_id
        owner = {"self": subject, "other": world.person("Other").email, "none": None}[row["owner"]]
        reasons = await world.decisions(
            subject, row["permission"], account=team.account_id, owner=owner
        )
        if reasons != world.everywhere(row["expected"]):
            wrong.append((row, reasons))
    assert rows
    assert not wrong, wrong


async def in_force(person: Person, answer: Answer, *statuses: int) -> None:
    """Wait until the change is in force everywhere: at once, or after a 202 by its receipt.

    A change right after the loss of replicas waits until their leases end.
    """
    answer.expect(*statuses, 202)
    if answer.status == 202:

        async def effective() -> bool:
            return bool((await person.get(answer.headers["Location"]))["effective_at"])

        await wait_for(effective, what="the change in force")


async def change_and_remove(world: World, team: Team) -> None:
    """Step 5: change a role, set an override, remove a member; each counts from its answer on."""
    b, c, account = team.mail, team.link, team.account_id
    role = await team.owner.send("PATCH", f"{team.path}/members/{b.user_id}", {"role": "billing"})
    await in_force(team.owner, role, 200)
    assert await world.decisions(b.user_id, "balance:view", account=account) == (
        world.everywhere("allowed")
    )
    assert await world.decisions(b.user_id, "instance:write", account=account) == (
        world.everywhere("permission-missing")
    )

    created = await team.owner.send("POST", f"{team.path}/projects", {"name": "prod"})
    project = created.expect(201)
    override = await team.owner.send(
        "PUT",
        f"{team.path}/projects/{project['id']}/overrides/{c.user_id}",
        {"grants": {"instance": {"view": "all"}}},
    )
    await in_force(team.owner, override, 200, 201)
    inside = {"account": account, "owner": c.user_id, "project": project["id"]}
    assert await world.decisions(c.user_id, "instance:write", **inside) == (
        world.everywhere("permission-missing")
    )
    assert await world.decisions(
        c.user_id, "instance:write", account=account, owner=c.user_id
    ) == world.everywhere("allowed")

    removed = await team.owner.send("DELETE", f"{team.path}/members/{b.user_id}")
    await in_force(team.owner, removed, 204)
    assert await world.decisions(b.user_id, "balance:view", account=account) == (
        world.everywhere("not-a-member")
    )

    async def receipt() -> dict[str, Any] | None:
        """The receipt of the removal; a replica that does not know it yet makes one."""
        revision = removed.headers["Rolecall-Revision"]
        found: dict[str, Any] = await team.owner.get(f"{team.path}/revisions/{revision}")
        return found if found["effective_at"] else None

    replicas = (await wait_for(receipt, what="the receipt"))["replicas"]
    assert len(replicas) >= len(world.deployment.authz)
    assert (await b.send("GET", team.path)).status == 404
    await world.mailbox.newest(b.email, "removed")
    own = await b.get(f"/v1/accounts/{b.account_id}")
    assert own["kind"] == "personal"


STEPS = (
    ("user.signed_up", "ada"),
    ("user.verified", "ada"),
    ("session.started", "ada"),
    ("account.created", "ada"),
    ("account.converted", "ada"),
    ("invitation.created", "ada"),
    ("invitation.accepted", "bea"),
    ("member.joined", "bea"),
    ("invitation.created", "ada"),
    ("invitation.accepted", "cay"),
    ("member.joined", "cay"),
    ("invitation.revoked", "ada"),
    ("member.role_changed", "ada"),
    ("project.created", "ada"),
    ("override.set", "ada"),
    ("member.removed", "ada"),
)
"""The rows of the standard journey's audit log, in order; other rows may be between them."""


async def read_the_audit_log(world: World, team: Team) -> None:
    """Step 6: A finds every step, in order; C may not read the audit log."""
    people = {
        team.owner.user_id: "ada",
        team.mail.user_id: "bea",
        team.link.user_id: "cay",
    }
    path = f"{team.path}/audit-events?limit=200"

    async def with_every_step() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await team.owner.get(path))["items"]
        oldest_first = list(reversed(items))
        actors = [
            people.get(item["actor"]["id"]) or people.get(item["actor"].get("on_behalf_of") or "")
            for item in oldest_first
        ]
        seen = iter(zip((item["action"] for item in oldest_first), actors, strict=True))
        missing = [step for step in STEPS if step not in seen]
        assert not missing, (missing, [item["action"] for item in oldest_first])
        return items

    for item in await wait_for(with_every_step, what="every step in the audit log"):
        assert item["account_id"] == team.account_id
        assert item["occurred_at"]
        assert item["outcome"] in {"succeeded", "denied"}
        assert item["resource"]["type"]
        assert item["resource"]["id"]
    found = await team.owner.get(
        f"{path}&user={team.owner.user_id}&resource_type=member"
        f"&resource_id={team.mail.user_id}&action=member.removed"
    )
    assert [item["action"] for item in found["items"]] == ["member.removed"]
    refused = await team.link.send("GET", path)
    assert (refused.status, refused.code) == (403, "permission-missing")
    assert (await team.mail.send("GET", path)).status == 404
