"""What do people do while things are killed, and what were they told?"""

import random
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.journey import World
from tests.e2e.people import PASSWORD, Link, Person
from tests.faults.patience import Guard, Patience, Post, Settled
from tests.waiting import wait_for

PROBES = {
    "owner": "instance:write",
    "developer": "instance:write",
    "basic": "instance:write",
    "billing": "balance:view",
}
"""Role → what it may do with an instance (or balance) of its own."""


@dataclass
class Ledger:
    """What was acknowledged: an entry is written only when its answer is there."""

    members: dict[tuple[str, str], str] = field(default_factory=dict)
    """(account, user) → role."""
    gone: set[tuple[str, str]] = field(default_factory=set)
    invitations: dict[str, str] = field(default_factory=dict)
    """Id → status."""
    families: int = 0


@dataclass
class Office:
    """What all families share."""

    world: World
    patience: Patience
    post: Post
    guard: Guard
    ledger: Ledger
    seed: int

    async def next_family(self) -> None:
        """One family's whole life."""
        self.ledger.families += 1
        await Family(self, random.Random(f"{self.seed}/{self.ledger.families}")).live()


class Family:
    """An owner, who invites and removes; everybody's requests are repeated until answered."""

    def __init__(self, office: Office, choices: random.Random) -> None:
        self._office = office
        self._ledger = office.ledger
        self._guard = office.guard
        self._choices = choices
        self._owner = office.world.person("Ada Owner")

    async def live(self) -> None:
        """Found a team, let people join by mail and by link, change, refuse, remove."""
        world = self._office.world
        bea, cay = world.person("Bea Newcomer"), world.person("Cay Known")
        await self._sign_up(self._owner)
        body = {"name": "Analytical Engines", "catalog": "standard"}
        done = await self._ask("POST", f"{self._path}/convert", body, key=_key())
        assert done.expect(200, 202)["kind"] == "team"

        invitation, link = await self._invite(bea, "developer", "email")
        joined = await self._insist(
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

        await self._change_role(bea, "billing")
        await self._refuse_some()
        await self._remove(bea)
        if self._choices.random() < 0.3:
            invitation, link = await self._invite(bea, "developer", "link")
            await self._join(bea, invitation, link)
        if self._choices.random() < 0.3:
            await self._leave(cay)
        # Reading is recorded, too: so audit's own journal takes part.
        (await self._ask("GET", f"{self._path}/audit-events?limit=50")).expect(200)

    @property
    def _account(self) -> str:
        return self._owner.account_id

    @property
    def _path(self) -> str:
        return f"/v1/accounts/{self._account}"

    async def _insist(self, person: Person, method: str, path: str, body: Any = None) -> Settled:
        settled = await self._office.patience.insist(person, method, path, body)
        if settled.answer.status == 401 and person.token:
            await self._log_in(person)
            return await self._insist(person, method, path, body)
        return settled

    async def _ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> Settled:
        settled = await self._office.patience.insist(self._owner, method, path, body, key=key)
        if settled.answer.status == 401:
            await self._log_in(self._owner)
            return await self._ask(method, path, body, key=key)
        return settled

    def _signed_in(self, person: Person, session: dict[str, Any]) -> None:
        person.signed_in(session)
        self._ledger.members[person.account_id, person.user_id] = "owner"

    async def _log_in(self, person: Person) -> None:
        person.token = None
        body = {"email": person.email, "password": PASSWORD}
        done = await self._office.patience.insist(person, "POST", "/v1/login", body)
        self._signed_in(person, done.expect(200))

    async def _sign_up(self, person: Person) -> None:
        body = {"email": person.email, "name": person.name, "password": PASSWORD}
        (await self._insist(person, "POST", "/v1/signup", body)).expect(202)
        mail = await self._office.post.newest(person.email, "verify")
        proof = Link.in_text(mail["text"]).body
        done = await self._insist(person, "POST", "/v1/email/verify", proof)
        if done.doubts and done.answer.status == 410:  # an attempt without answer used the link
            await self._log_in(person)
        else:
            self._signed_in(person, done.expect(200))

    async def _invite(self, person: Person, role: str, delivery: str) -> tuple[str, Link]:
        body = {"email": person.email, "role": role, "delivery": delivery}
        done = await self._ask("POST", f"{self._path}/invitations", body, key=_key())
        answer = done.expect(201)
        invitation: str = answer["invitation"]["id"]
        self._ledger.invitations[invitation] = "pending"
        if delivery == "email":
            mail = await self._office.post.newest(person.email, "invite")
            return invitation, Link.in_text(mail["text"])
        while answer["link"] is None:  # it was shown in an answer that did not arrive
            again = await self._ask("POST", f"{self._path}/invitations/{invitation}/resend")
            answer = again.expect(200)
        return invitation, Link.in_text(answer["link"]["url"])

    async def _join(self, person: Person, invitation: str, link: Link) -> None:
        done = await self._insist(person, "POST", "/v1/invitations/accept", link.body)
        role = done.expect(200, 202)["role"]
        self._ledger.invitations[invitation] = "accepted"
        self._ledger.members[self._account, person.user_id] = role
        self._ledger.gone.discard((self._account, person.user_id))
        await self._in_force(done)
        await self._guard.require_allowed(person.user_id, self._account, PROBES[role])

    async def _change_role(self, person: Person, role: str) -> None:
        path = f"{self._path}/members/{person.user_id}"
        done = await self._ask("PATCH", path, {"role": role})
        done.expect(200, 202)
        self._ledger.members[self._account, person.user_id] = role
        await self._in_force(done)
        await self._guard.require_allowed(person.user_id, self._account, PROBES[role])

    async def _refuse_some(self) -> None:
        """One invitation is revoked, one is declined, one is left."""
        world = self._office.world
        dan, eve, fay = (world.person(name) for name in ("Dan Late", "Eve Wary", "Fay Slow"))
        invitation, _ = await self._invite(dan, "developer", "email")
        revoked = await self._ask("DELETE", f"{self._path}/invitations/{invitation}")
        revoked.expect(204, *([404] if revoked.doubts else []))
        self._ledger.invitations[invitation] = "revoked"
        invitation, link = await self._invite(eve, "basic", "link")
        declined = await self._insist(eve, "POST", "/v1/invitations/decline", link.body)
        declined.expect(204, *([410] if declined.doubts else []))
        self._ledger.invitations[invitation] = "declined"
        await self._invite(fay, "basic", "link")

    async def _remove(self, person: Person) -> None:
        done = await self._ask("DELETE", f"{self._path}/members/{person.user_id}")
        await self._ended(person, done, "balance:view")

    async def _leave(self, person: Person) -> None:
        done = await self._insist(person, "POST", f"{self._path}/leave")
        await self._ended(person, done, "instance:write")

    async def _ended(self, person: Person, done: Settled, permission: str) -> None:
        """A repeated request finds nobody when an attempt without an answer took effect."""
        done.expect(202, 204, *([404] if done.doubts else []))
        await self._in_force(done)
        del self._ledger.members[self._account, person.user_id]
        self._ledger.gone.add((self._account, person.user_id))
        await self._guard.require_denied(person.user_id, self._account, permission)

    async def _in_force(self, done: Settled) -> None:
        """A 202 says that the change is made and not yet in force everywhere: wait for that."""
        if done.answer.status != 202:
            return

        async def effective() -> bool:
            receipt = await self._ask("GET", done.answer.headers["Location"])
            return bool(receipt.expect(200)["effective"])

        began = time.monotonic()
        await wait_for(effective, within=90, what="a change in force")
        self._office.patience.tally.late.append(time.monotonic() - began)


def _key() -> str:
    return uuid.uuid4().hex
