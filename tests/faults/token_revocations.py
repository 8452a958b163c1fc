"""Changes that take something away from an API token: its own end, or less for its creator."""

from dataclasses import dataclass, field, replace
from typing import ClassVar

from tests.e2e.people import Answer
from tests.e2e.processes import ServiceProcess
from tests.faults.member_revocations import Demotion, Removal
from tests.faults.pipelined_checks import MemberCheck
from tests.faults.revocation import Revocation
from tests.waiting import wait_for


@dataclass
class OfToken(Revocation):
    """A change after which checks about a token of the member are denied."""

    token_id: str = field(init=False, default="")

    @property
    def tokens_path(self) -> str:
        """The address of the team's tokens."""
        return f"{self.team.path}/api-tokens"

    async def make_token(self) -> None:
        """Let the member make a token, as soon as identity finds the member."""

        async def made() -> str | None:
            answer = await self.team.member.send("POST", self.tokens_path, {"name": "CI"})
            if answer.status in {403, 404, 503}:
                return None
            return str(answer.expect(201, 202)["id"])

        self.token_id = await wait_for(made, what="a token of the member")

    @property
    def check(self) -> MemberCheck:
        """The member's check about the token."""
        return replace(super().check, user_id=self.token_id, subject_type="api_token")


class TokenRevoked(OfToken):
    """The member revokes the token."""

    kind = "token revoked"
    service = "identity"
    role = "developer"
    done = frozenset({204})

    async def give(self) -> None:
        """Make a token; the revoked one stays revoked."""
        await self.make_token()

    async def take(self, process: ServiceProcess) -> Answer:
        """Revoke it."""
        path = f"{self.tokens_path}/{self.token_id}"
        return await self.team.member.send_once("DELETE", path, base=process.url)


@dataclass
class TokenOfDemoted(OfToken, Demotion):
    """The owner gives the token's creator a role with less."""

    kind: ClassVar[str] = "creator demoted"
    role: ClassVar[str] = "developer"

    async def prepare(self) -> None:
        """Let the member join and make the token, which is there for every time."""
        await super().prepare()
        await self.make_token()


@dataclass
class TokenOfRemoved(OfToken, Removal):
    """The owner removes the token's creator, and with the membership the token ends."""

    kind: ClassVar[str] = "creator removed"

    async def give(self) -> None:
        """Join, and make a token: an earlier one stays dead."""
        await super().give()
        await self.make_token()


TOKEN_REVOCATIONS: tuple[type[Revocation], ...] = (TokenRevoked, TokenOfDemoted, TokenOfRemoved)
