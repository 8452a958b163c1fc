"""The life of a team while processes are killed, and what was acknowledged to its users."""

import random
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.e2e.journey import World
from tests.e2e.people import PASSWORD, Link, Person
from tests.faults.clients import CaughtMails, DecisionChecker, FinalAnswer, RetryingClient
from tests.waiting import wait_for

PROBES = {
    "owner": "instance:write",
    "developer": "instance:write",
    "basic": "instance:write",
    "billing": "balance:view",
}
"""Role → a permission that it has on resources of the member."""
TOLD = "member"
"""What webhooks are told of."""


@dataclass
class Acknowledged:
    """What was acknowledged: an entry is made only after its answer has arrived."""

    members: dict[tuple[str, str], str] = field(default_factory=dict)
    """(account, user) → role."""
    gone: set[tuple[str, str]] = field(default_factory=set)
    invitations: dict[str, str] = field(default_factory=dict)
    """Id → status."""
    webhooks: dict[str, str] = field(default_factory=dict)
    """Id → account."""
    usage: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(account, user) → the hours that a service reported."""
    teams: int = 0


@dataclass
class ScenarioContext:
    """What all scenarios share."""

    world: World
    client: RetryingClient
    mails: CaughtMails
    checker: DecisionChecker
    acknowledged: Acknowledged
    receiver: str
    """The address to which the webhook of each team leads."""
    seed: int

    async def run_next(self) -> None:
        """Run one scenario from the sign-up to the last removal."""
        self.acknowledged.teams += 1
        choices = random.Random(f"{self.seed}/{self.acknowledged.teams}")
        await TeamScenario(self, choices).run()


class TeamScenario:
    """An owner who invites and removes members, whom services meter and webhooks tell of.

    Every request is repeated until it is answered.
    """

    def __init__(self, ctx: ScenarioContext, choices: random.Random) -> None:
        self._ctx = ctx
        self._acknowledged = ctx.acknowledged
        self._checker = ctx.checker
        self._choices = choices
        self._owner = ctx.world.person("Ada Owner")

    async def run(self) -> None:
        """Create a team; let users join by mail and by link; change a role, revoke, remove."""
        world = self._ctx.world
        bea, cay = world.person("Bea Newcomer"), world.person("Cay Known")
        await self._sign_up(self._owner)
        body = {"name": "Analytical Engines", "catalog": "standard"}
        done = await self._send_as_owner("POST", f"{self._path}/convert", body, key=_key())
        assert done.expect(200, 202)["kind"] == "team"
        await self._make_webhook()

        invitation, link = await self._invite(bea, "developer", "email")
        joined = await self._send(
            bea,
            "POST",
            "/v1/signup",
            {"name": bea.name, "password": PASSWORD, "invitation": link.body},
        )
        self._signed_in(bea, joined.expect(201))
        await self._join(bea, invitation, link)

        invitation, link = await self._invite(cay, "basic", "link")
        await self._sign_up(cay)
        await self._join(cay, invitation, link)

        await self._meter(self._owner, bea)
        await self._change_role(bea, "billing")
        await self._end_invitations()
        await self._remove(bea)
        if self._choices.random() < 0.3:
            invitation, link = await self._invite(bea, "developer", "link")
            await self._join(bea, invitation, link)
        if self._choices.random() < 0.3:
            await self._leave(cay)
        # A read is recorded too, so audit's own journal takes part.
        (await self._send_as_owner("GET", f"{self._path}/audit-events?limit=50")).expect(200)

    @property
    def _account(self) -> str:
        return self._owner.account_id

    @property
    def _path(self) -> str:
        return f"/v1/accounts/{self._account}"

    async def _send(self, person: Person, method: str, path: str, body: Any = None) -> FinalAnswer:
        final = await self._ctx.client.send(person, method, path, body)
        if final.answer.status == 401 and person.token:
            await self._log_in(person)
            return await self._send(person, method, path, body)
        return final

    async def _send_as_owner(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> FinalAnswer:
        final = await self._ctx.client.send(self._owner, method, path, body, key=key)
        if final.answer.status == 401:
            await self._log_in(self._owner)
            return await self._send_as_owner(method, path, body, key=key)
        return final

    def _signed_in(self, person: Person, session: dict[str, Any]) -> None:
        person.signed_in(session)
        self._acknowledged.members[person.account_id, person.user_id] = "owner"

    async def _log_in(self, person: Person) -> None:
        person.token = None
        body = {"email": person.email, "password": PASSWORD}
        done = await self._ctx.client.send(person, "POST", "/v1/login", body)
        self._signed_in(person, done.expect(200))

    async def _sign_up(self, person: Person) -> None:
        body = {"email": person.email, "name": person.name}
        (await self._send(person, "POST", "/v1/signup", body)).expect(202)
        mail = await self._ctx.mails.newest(person.email, "verify")
        proof = Link.in_text(mail["text"]).body | {"password": PASSWORD}
        done = await self._send(person, "POST", "/v1/email/verify", proof)
        if done.doubts and done.answer.status == 410:  # an attempt without an answer used the link
            await self._log_in(person)
        else:
            self._signed_in(person, done.expect(200))

    async def _invite(self, person: Person, role: str, delivery: str) -> tuple[str, Link]:
        body = {"email": person.email, "role": role, "delivery": delivery}
        done = await self._send_as_owner("POST", f"{self._path}/invitations", body, key=_key())
        answer = done.expect(201)
        invitation: str = answer["invitation"]["id"]
        self._acknowledged.invitations[invitation] = "pending"
        if delivery == "email":
            mail = await self._ctx.mails.newest(person.email, "invite")
            return invitation, Link.in_text(mail["text"])
        while answer["link"] is None:  # the link was in an answer that did not arrive
            again = await self._send_as_owner(
                "POST", f"{self._path}/invitations/{invitation}/resend"
            )
            answer = again.expect(200)
        return invitation, Link.in_text(answer["link"]["url"])

    async def _join(self, person: Person, invitation: str, link: Link) -> None:
        done = await self._send(person, "POST", "/v1/invitations/accept", link.body)
        role = done.expect(200, 202)["role"]
        self._acknowledged.invitations[invitation] = "accepted"
        self._acknowledged.members[self._account, person.user_id] = role
        self._acknowledged.gone.discard((self._account, person.user_id))
        await self._in_force(done)
        await self._checker.require_allowed(person.user_id, self._account, PROBES[role])

    async def _make_webhook(self) -> None:
        body = {"url": self._ctx.receiver, "event_types": [f"{TOLD}.*"]}
        done = await self._send_as_owner("POST", f"{self._path}/webhooks", body, key=_key())
        self._acknowledged.webhooks[done.expect(201)["id"]] = self._account

    async def _meter(self, *users: Person) -> None:
        """Let a service report an hour of each of these users, and half of the reports twice."""
        usage = [
            {
                "id": f"{self._account}.{user.user_id}",
                "account_id": self._account,
                "user_id": user.user_id,
                "resource": {"type": "instance", "id": "i-1"},
                "quantity": "1",
                "unit": "hour",
                "occurred_at": datetime.now(UTC).isoformat(),
            }
            for user in users
        ]
        statuses = await self._report(usage)
        assert set(statuses) <= {"recorded", "repeated"}, statuses
        assert await self._report(usage[:1]) == ["repeated"]
        self._acknowledged.usage.update((self._account, user.user_id) for user in users)

    async def _report(self, usage: list[dict[str, Any]]) -> list[str]:
        platform = self._ctx.world.platform
        done = await self._ctx.client.send(platform, "POST", "/v1/usage", {"usage": usage})
        if done.answer.status == 401:
            await self._checker.sign_in()
            return await self._report(usage)
        return [one["status"] for one in done.expect(200)["results"]]

    async def _change_role(self, person: Person, role: str) -> None:
        path = f"{self._path}/members/{person.user_id}"
        done = await self._send_as_owner("PATCH", path, {"role": role})
        done.expect(200, 202)
        self._acknowledged.members[self._account, person.user_id] = role
        await self._in_force(done)
        await self._checker.require_allowed(person.user_id, self._account, PROBES[role])

    async def _end_invitations(self) -> None:
        """Revoke one invitation, decline one, leave one open."""
        world = self._ctx.world
        dan, eve, fay = (world.person(name) for name in ("Dan Late", "Eve Wary", "Fay Slow"))
        invitation, _ = await self._invite(dan, "developer", "email")
        revoked = await self._send_as_owner("DELETE", f"{self._path}/invitations/{invitation}")
        revoked.expect(
            204, 404
        )  # the gateway repeats a DELETE that a killed replica did not answer
        self._acknowledged.invitations[invitation] = "revoked"
        invitation, link = await self._invite(eve, "basic", "link")
        declined = await self._send(eve, "POST", "/v1/invitations/decline", link.body)
        declined.expect(204, *([410] if declined.doubts else []))
        self._acknowledged.invitations[invitation] = "declined"
        await self._invite(fay, "basic", "link")

    async def _remove(self, person: Person) -> None:
        done = await self._send_as_owner("DELETE", f"{self._path}/members/{person.user_id}")
        await self._ended(person, done, "balance:view", repeated_by_gateway=True)

    async def _leave(self, person: Person) -> None:
        done = await self._send(person, "POST", f"{self._path}/leave")
        await self._ended(person, done, "instance:write")

    async def _ended(
        self,
        person: Person,
        done: FinalAnswer,
        permission: str,
        *,
        repeated_by_gateway: bool = False,
    ) -> None:
        """Accept 404 for a repeated request: an attempt without an answer may have had effect.

        The gateway repeats a DELETE by itself. A wrong 404 shows all the same: the person must be
        denied from now on, and be gone at the end.
        """
        done.expect(202, 204, *([404] if done.doubts or repeated_by_gateway else []))
        await self._in_force(done)
        del self._acknowledged.members[self._account, person.user_id]
        self._acknowledged.gone.add((self._account, person.user_id))
        await self._checker.require_denied(person.user_id, self._account, permission)

    async def _in_force(self, done: FinalAnswer) -> None:
        """After a 202 (made, not yet in force), wait until the change is in force."""
        if done.answer.status != 202:
            return

        async def effective() -> bool:
            receipt = await self._send_as_owner("GET", done.answer.headers["Location"])
            return bool(receipt.expect(200)["effective"])

        began = time.monotonic()
        await wait_for(effective, within=90, what="a change in force")
        self._ctx.client.counts.late.append(time.monotonic() - began)


def _key() -> str:
    return uuid.uuid4().hex
