"""A team with one member, who gets access and loses it again and again."""

from dataclasses import dataclass

from tests.e2e.people import Answer, Link, Person
from tests.faults.pipelined_checks import MemberCheck
from tests.waiting import wait_for


@dataclass
class TeamWithMember:
    """A team with an owner, and a member who is removed again and again."""

    owner: Person
    member: Person
    account_id: str

    @property
    def path(self) -> str:
        """The team's address."""
        return f"/v1/accounts/{self.account_id}"

    @property
    def member_path(self) -> str:
        """The member's address."""
        return f"{self.path}/members/{self.member.user_id}"

    @property
    def check(self) -> MemberCheck:
        """The check about the member."""
        return MemberCheck(self.member.user_id, self.account_id)

    async def join(self, role: str = "developer") -> None:
        """Invite the member by link, and accept; a member stays as they are.

        An earlier attempt may have failed between the two.
        """
        body = {"email": self.member.email, "role": role, "delivery": "link"}
        path = f"{self.path}/invitations"
        answer = await self.owner.send("POST", path, body)
        if answer.status == 409 and answer.code == "already-a-member":
            return
        if answer.status == 409 and answer.code == "already-invited":
            for invitation in (await self.owner.get(path))["items"]:
                (await self.owner.send("DELETE", f"{path}/{invitation['id']}")).expect(204, 404)
            answer = await self.owner.send("POST", path, body)
        link = Link.in_text(answer.expect(201)["link"]["url"])
        joined = await self.member.send("POST", "/v1/invitations/accept", link.body)
        joined.expect(200, 202)

    async def remove(self) -> None:
        """Remove the member, and return with the acknowledgement: 204, nothing less.

        After 202 (made, not yet in force) a client asks again: 503 until the removal is in force,
        then 404.
        """
        answer = await self.owner.send("DELETE", self.member_path)
        if answer.status != 202:
            answer.expect(204)
            return

        async def in_force() -> Answer | None:
            again = await self.owner.send_once("DELETE", self.member_path)
            return None if again.status in {202, 503} else again

        (await wait_for(in_force, what="the removal in force")).expect(404)
