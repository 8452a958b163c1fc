"""The users and accounts of the contract tests."""

import asyncio
import time
from collections.abc import Awaitable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from rolecall import load_catalog
from shared.ids import new_id
from tests.e2e.journey import Deployment
from tests.e2e.people import PASSWORD, Link, Mailbox, Person, Platform
from tests.support.sessions import http_session
from tests.waiting import wait_for

CATALOG = "standard"
ROLES = tuple(role.id for role in load_catalog(CATALOG).roles if role.assignable)
SENT_AT_ONCE = 6
NEW_CONNECTION = {
    "label": "Acme",
    "issuer": "https://issuer.example",
    "client_id": "rolecall",
    "client_secret": "the secret at the issuer",
    "domain": "acme.example",
    "join_role": None,
}
CHANGED_CONNECTION = {
    "label": "Acme",
    "issuer": "https://issuer.example",
    "client_id": "rolecall",
    "client_secret": None,
    "enabled": True,
    "join_role": None,
}
NEW_WEBHOOK = {
    "url": "https://hooks.acme.example/rolecall",
    "event_types": ["invitation.declined", "ownership.*"],
    "description": "Keeps the directory",
}
NEW_SEARCH = {
    "name": "Refusals",
    "filters": {"action": "member.", "outcome": "denied", "from": "2026-03-05T12:00:00Z"},
    "shared": True,
}
NEW_STREAM = {
    "url": "https://siem.acme.example/ingest",
    "secret": "Bearer 4f6b1c",
    "header": "Authorization",
    "name": "SIEM",
    "start": "now",
}
FRESH_SECONDS = 120
"""Access tokens live for five minutes."""


@dataclass
class Team:
    """An account with something of every kind that a path can name."""

    owner: Person
    ids: dict[str, str] = field(default_factory=dict)
    """By the name of the path parameter."""

    @property
    def id(self) -> str:
        """The account's id."""
        return self.ids["account_id"]

    @property
    def path(self) -> str:
        """The account's address."""
        return f"/v1/accounts/{self.id}"


@dataclass
class People:
    """Two teams, and people in one of them, in both or in neither."""

    deployment: Deployment
    platform: Platform
    team: Team
    other: Team
    """Here the owner of `team` is an admin."""
    by_role: Mapping[str, Person]
    """A member of `team` for each role that can be given."""
    plain: Person
    """A member of `team` with the role `basic` and an override in its project."""
    removed: Person
    """Was an admin of `team`, and holds every credential of that time."""
    stranger: Person
    leaver: Person
    """The user who signs out in these tests."""
    mistaken: Person
    """The user who sends wrong passwords in these tests, and never signs in again."""
    unverified: str
    """The address of a user who never opened the mail."""
    spent: Link | None = None
    """What `removed` joined by."""
    refreshed_at: float = 0.0

    @property
    def everybody(self) -> tuple[Person, ...]:
        """Every user who has a session."""
        owners = self.team.owner, self.other.owner
        return (*owners, self.plain, self.removed, self.stranger, *self.by_role.values())

    async def come_back(self, http: aiohttp.ClientSession) -> None:
        """Give every user these connections, and new tokens before theirs expire."""
        for one in (*self.everybody, self.leaver, self.mistaken, self.platform):
            one.http = http
        if time.monotonic() - self.refreshed_at > FRESH_SECONDS:
            await self.refresh()

    async def refresh(self) -> None:
        """Refresh the session of every user."""
        await few_at_a_time(
            [self.leaver.log_in(), refresh(self.mistaken), *map(prove_again, self.everybody)]
        )
        await self.platform.sign_in(self.deployment.client_id, self.deployment.client_secret)
        self.refreshed_at = time.monotonic()


async def few_at_a_time(requests: Iterable[Awaitable[None]]) -> None:
    """Wait for these requests: one sender has a share of the places that strangers have."""
    places = asyncio.Semaphore(SENT_AT_ONCE)

    async def in_turn(request: Awaitable[None]) -> None:
        async with places:
            await request

    await asyncio.gather(*map(in_turn, requests))


async def refresh(person: Person) -> None:
    """Refresh the session."""
    body = {"refresh_token": person.refresh_token}
    given = (await person.send("POST", "/v1/token/refresh", body)).expect(200)
    person.token, person.refresh_token = given["access_token"], given["refresh_token"]


async def prove_again(person: Person) -> None:
    """Refresh the session, and give it a fresh proof."""
    await refresh(person)
    await person.step_up()


async def gather(deployment: Deployment) -> People:
    """Sign all users up and make the two teams."""
    async with http_session(seconds=60) as http:
        mailbox = Mailbox(http, deployment.mail)

        def person(name: str) -> Person:
            return Person(http, deployment.gateway, mailbox=mailbox, name=name)

        people = People(
            deployment=deployment,
            platform=Platform(http, deployment.gateway),
            team=Team(person("Ada Owner")),
            other=Team(person("Bo Other")),
            by_role={role: person(f"Member {role}") for role in ROLES},
            plain=person("Cy Plain"),
            removed=person("Di Removed"),
            stranger=person("Ed Stranger"),
            leaver=person("Gil Leaver"),
            mistaken=person("Hal Mistaken"),
            unverified=person("Flo Unverified").email,
        )
        await few_at_a_time(
            one.sign_up() for one in (people.leaver, people.mistaken, *people.everybody)
        )
        flo = {"email": people.unverified, "name": "Flo Unverified"}
        (await people.stranger.send("POST", "/v1/signup", flo)).expect(202)
        await people.platform.sign_in(deployment.client_id, deployment.client_secret)
        await asyncio.gather(fill(people), fill_other(people))
        await people.refresh()
        return people


async def fill(people: People) -> None:
    """Make `team`, from which one member is removed again."""
    team, plain = people.team, people.plain
    await convert(team)
    await join(team, plain, "basic")
    for role, member in people.by_role.items():
        await join(team, member, role)
    people.spent = await join(team, people.removed, "admin")
    await furnish(team, people.platform, member=plain)
    override = f"{team.path}/projects/{team.ids['project_id']}/overrides/{plain.user_id}"
    grants = {"grants": {"instance": {"view": "all"}}}
    (await team.owner.send("PUT", override, grants)).expect(200, 202)
    gone = await team.owner.send("DELETE", f"{team.path}/members/{people.removed.user_id}")
    gone.expect(204, 202)


async def fill_other(people: People) -> None:
    """Make `other`; the member that its ids name is unknown in `team`."""
    await convert(people.other)
    await join(people.other, people.team.owner, "admin")
    await furnish(people.other, people.platform, member=people.other.owner)


async def convert(team: Team) -> None:
    """A team from the owner's personal account."""
    team.ids["account_id"] = team.owner.account_id
    body = {"name": f"Team of {team.owner.name}", "catalog": CATALOG}
    (await team.owner.send("POST", f"{team.path}/convert", body)).expect(200, 202)


async def furnish(team: Team, platform: Platform, *, member: Person) -> None:
    """A project, a pending invitation, a role, a guardrail, a resource, a revision, a record."""
    project = await team.owner.send("POST", f"{team.path}/projects", {"name": "prod"})
    role = {"name": "Watch", "grants": {"account": {"view": "all"}}}
    made = await team.owner.send("POST", f"{team.path}/roles", role)
    rule = {"type": "minimum_holders", "minimum": 1, "role": "owner"}
    body = {"name": "An owner", "rule": rule}
    guardrail = await team.owner.send("POST", f"{team.path}/guardrails", body)
    token = await team.owner.send("POST", f"{team.path}/api-tokens", {"name": "Of the owner"})
    invited = await invite(team, f"guest.of.{team.owner.email}", "viewer")
    team.ids |= {"type": "instance", "rid": f"i-of-{member.user_id}"}
    resource = f"{team.path}/resources/{team.ids['type']}/{team.ids['rid']}"
    (await platform.send("PUT", resource, {"owner_id": member.user_id})).expect(200, 202)
    team.ids |= {
        "user_id": member.user_id,
        "project_id": project.expect(201)["id"],
        "invitation_id": invited["invitation"]["id"],
        "revision": project.headers["Rolecall-Revision"],
        "role_id": made.expect(201)["id"],
        "guardrail_id": guardrail.expect(201)["id"],
        "token_id": token.expect(201, 202)["id"],
    }

    async def recorded() -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = (await team.owner.get(f"{team.path}/audit-events"))["items"]
        return items

    team.ids["session_id"] = await further_session(team.owner)
    made = await team.owner.send("POST", f"{team.path}/sso-connections", NEW_CONNECTION)
    team.ids["connection_id"] = made.expect(201)["id"]
    made = await team.owner.send("POST", f"{team.path}/webhooks", NEW_WEBHOOK)
    team.ids["webhook_id"] = made.expect(201)["id"]
    sent = await team.owner.send("POST", f"{team.path}/webhooks/{team.ids['webhook_id']}/test")
    team.ids["delivery_id"] = sent.expect(202)["id"]
    made = await team.owner.send("POST", f"{team.path}/audit-searches", NEW_SEARCH)
    team.ids["search_id"] = made.expect(201)["id"]
    made = await team.owner.send("POST", f"{team.path}/audit-streams", NEW_STREAM)
    team.ids["stream_id"] = made.expect(201)["id"]
    team.ids["passkey_id"] = new_id("pky")  # of none: no authenticator is here
    team.ids["identity_id"] = new_id("idn")  # of none: no issuer signs in here
    team.ids["event_id"] = (await wait_for(recorded, what="a record"))[0]["id"]


async def further_session(person: Person) -> str:
    """Another session of the user, which no test uses."""
    body = {"email": person.email, "password": PASSWORD}
    signed_in = (await person.send("POST", "/v1/login", body)).expect(200)
    return str(signed_in["refresh_token"].partition(".")[0])


async def invite(team: Team, email: str, role: str) -> dict[str, Any]:
    """The owner invites by a link."""
    body = {"email": email, "role": role, "delivery": "link"}
    answer = await team.owner.send("POST", f"{team.path}/invitations", body)
    given: dict[str, Any] = answer.expect(201)
    return given


async def join(team: Team, person: Person, role: str) -> Link:
    """The person is invited and accepts."""
    shown = await invite(team, person.email, role)
    link = Link.in_text(shown["link"]["url"])
    (await person.send("POST", "/v1/invitations/accept", link.body)).expect(200, 202)
    return link
