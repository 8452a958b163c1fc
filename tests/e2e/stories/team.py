"""What the stories share: a team on a running product, and what its people do and are told."""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection

from shared.ids import new_id
from tests.e2e.journey import World, in_force
from tests.e2e.people import Answer, Link, Person
from tests.waiting import wait_for

MISSING = "permission-missing"
OUTSIDE = "not-a-member"


@dataclass
class Team:
    """An account of a provider's kind, and its people by their part in the story."""

    world: World
    database: AsyncMongoClient[Any]
    catalog: str
    name: str
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def owner(self) -> Person:
        """The user whose account it is."""
        return self.people["owner"]

    @property
    def account_id(self) -> str:
        """The account's id: that of the owner's first account."""
        return self.owner.account_id

    @property
    def path(self) -> str:
        """The account's address."""
        return f"/v1/accounts/{self.account_id}"

    def person(self, part: str) -> Person:
        """The person with this part in the story, who may have no user yet."""
        return self.people.setdefault(part, self.world.person(part))

    async def convert(self) -> dict[str, Any]:
        """Turn the owner's account into a team of the story's catalog."""
        body = {"name": self.name, "catalog": self.catalog}
        answer = await self.owner.send("POST", f"{self.path}/convert", body)
        await in_force(self.owner, answer, 200)
        converted: dict[str, Any] = answer.body
        return converted

    async def invite(
        self, who: Person, role: str, *, by: Person | None = None, delivery: str | None = None
    ) -> Answer:
        """Send an invitation; without a delivery, the catalog's first one is used."""
        body = {"email": who.email, "role": role} | ({"delivery": delivery} if delivery else {})
        return await (by or self.owner).send("POST", f"{self.path}/invitations", body)

    async def mailed(self, who: Person, *, count: int = 1) -> Link:
        """The link in the newest invitation mail, once there are `count`."""
        mail = await self.world.mailbox.newest(who.email, "invite", count=count)
        return Link.in_text(mail["text"])

    async def accept(self, who: Person, link: Link) -> Answer:
        """Accept the invitation."""
        return await who.send("POST", "/v1/invitations/accept", link.body)

    async def join_by(self, who: Person, link: Link) -> None:
        """Accept the invitation and wait until the membership is in force."""
        await in_force(who, await self.accept(who, link), 200)

    async def join(self, part: str, role: str, *, delivery: str = "email") -> Person:
        """Invite the person as the owner; a person without a user signs up by the link."""
        who = self.person(part)
        invited = (await self.invite(who, role, delivery=delivery)).expect(201)
        by_mail = delivery == "email"
        link = await self.mailed(who) if by_mail else Link.in_text(invited["link"]["url"])
        if not who.user_id:
            answer = await who.sign_up_by(link)
            if answer.status == 202:  # an address is proved by a mail, and this link came otherwise
                mail = await self.world.mailbox.newest(who.email, "verify")
                answer = await who.verify(Link.in_text(mail["text"]))
            who.signed_in(answer.expect(200, 201))
        await self.join_by(who, link)
        return who

    async def give_role(self, who: Person, role: str, *, by: Person | None = None) -> None:
        """Change a member's role and wait until it is in force."""
        by = by or self.owner
        answer = await by.send("PATCH", f"{self.path}/members/{who.user_id}", {"role": role})
        await in_force(by, answer, 200)

    async def remove(self, who: Person, *, by: Person | None = None) -> None:
        """Remove a member and wait until the removal is in force."""
        by = by or self.owner
        answer = await by.send("DELETE", f"{self.path}/members/{who.user_id}")
        await in_force(by, answer, 200, 204)

    async def make_role(self, name: str, grants: dict[str, Any], description: str = "") -> str:
        """Make a role of the account's own; its id."""
        body = {"name": name, "description": description, "grants": grants}
        answer = await self.owner.send("POST", f"{self.path}/roles", body)
        await in_force(self.owner, answer, 201)
        return str(answer.body["id"])

    async def make_project(self, name: str) -> str:
        """Make a project; its id."""
        answer = await self.owner.send("POST", f"{self.path}/projects", {"name": name})
        await in_force(self.owner, answer, 201)
        return str(answer.body["id"])

    async def override(self, who: Person, project: str, grants: dict[str, Any]) -> None:
        """Give a member other grants inside a project."""
        path = f"{self.path}/projects/{project}/overrides/{who.user_id}"
        answer = await self.owner.send("PUT", path, {"grants": grants})
        await in_force(self.owner, answer, 200, 201)

    async def preview(self, change: dict[str, Any]) -> dict[str, Any]:
        """What a change of the owner would do."""
        answer = await self.owner.send("POST", f"{self.path}/changes/preview", {"change": change})
        shown: dict[str, Any] = answer.expect(200)
        return shown

    async def decisions(
        self, who: Person, permissions: Iterable[str], **question: Any
    ) -> dict[str, str]:
        """What authz decides about each permission in this account, with its reason."""
        return {
            permission: await self.world.decision(
                who.user_id, permission, account=self.account_id, **question
            )
            for permission in permissions
        }

    async def may(self, who: Person, *permissions: str, **question: Any) -> None:
        """Check that authz allows each of them."""
        found = await self.decisions(who, permissions, **question)
        assert found == dict.fromkeys(permissions, "allowed"), who.name

    async def may_not(
        self, who: Person, *permissions: str, because: str = MISSING, **question: Any
    ) -> None:
        """Check that authz denies each of them with this reason."""
        found = await self.decisions(who, permissions, **question)
        assert found == dict.fromkeys(permissions, because), who.name

    async def members(self) -> list[dict[str, Any]]:
        """The list of members and invitations, as the owner sees it."""
        rows: list[dict[str, Any]] = (await self.owner.get(f"{self.path}/members?limit=200"))[
            "items"
        ]
        return rows

    async def accounts_of(self, who: Person) -> set[str]:
        """The ids of the accounts that a user can enter."""
        return {item["id"] for item in (await who.get("/v1/me/accounts"))["items"]}

    async def records(self, last: str, query: str = "") -> list[dict[str, Any]]:
        """The audit log, the oldest record first, once it has the action `last`."""
        path = f"{self.path}/audit-events?limit=200{query}"

        async def complete() -> list[dict[str, Any]] | None:
            items: list[dict[str, Any]] = (await self.owner.get(path))["items"]
            return items[::-1] if any(item["action"] == last for item in items) else None

        return await wait_for(complete, what=f"{last} in the audit log")

    async def end_invitation(self, invitation_id: str) -> None:
        """Let the time of an invitation be over: its end is put into the past in the database."""
        ended = datetime.now(UTC) - timedelta(seconds=1)
        change = {"$set": {"expires_at": ended}}
        assert (await self._invitations.update_one({"_id": invitation_id}, change)).modified_count

    async def repeat_invitation(self, who: Person, times: int) -> None:
        """Put invitations into the database that differ from this person's in the address only."""
        row = await self._invitations.find_one({"email": who.email})
        assert row is not None

        def another(number: int) -> dict[str, Any]:
            texts = {key: value for key, value in row.items() if isinstance(value, str)}
            changed = {
                key: value.replace(who.email, f"{number}.{who.email}")
                for key, value in texts.items()
            }
            own = new_id("inv")
            return row | changed | {"_id": own, "invitation_id": own}

        await self._invitations.insert_many([another(number) for number in range(times)])

    @property
    def _invitations(self) -> AsyncCollection[dict[str, Any]]:
        return self.database["rolecall_team"]["invitations"]


Step = Callable[[Team], Awaitable[None]]


def refused(answer: Answer, status: int, code: str) -> None:
    """Check that a request was refused with this status and code."""
    assert (answer.status, answer.code) == (status, code), answer.body


def lifetime(invitation: dict[str, Any]) -> timedelta | None:
    """How long an invitation is valid; None without an end."""
    if invitation["expires_at"] is None:
        return None
    end, start = (datetime.fromisoformat(invitation[key]) for key in ("expires_at", "created_at"))
    return end - start


def in_order(records: list[dict[str, Any]], expected: Iterable[tuple[str, Person]]) -> None:
    """Check that the log has these actions of these users in order; others may stand between."""
    rows = iter(
        (item["action"], {item["actor"]["id"], item["actor"].get("on_behalf_of")})
        for item in records
    )
    for action, who in expected:
        found = any(name == action and who.user_id in actors for name, actors in rows)
        assert found, (action, who.name, [item["action"] for item in records])
