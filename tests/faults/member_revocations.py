"""Changes that take something away from one member: membership, role, override or session."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import ClassVar

from tests.e2e.people import Answer, Person
from tests.e2e.processes import ServiceProcess
from tests.faults.pipelined_checks import MemberCheck
from tests.faults.revocation import ALL, LESS, Revocation

EXPIRY_SECONDS = 1.5
"""How long an override that expires still counts when its end is set."""
CLOCK_SECONDS = 0.002
"""An end is in whole milliseconds."""
DONE = (200, 201, 202, 204)
SEES = {"account": {"view": "all"}}
"""What every role must hold."""


class Removal(Revocation):
    """The owner removes the member."""

    kind = "removal"
    done = frozenset({204, 404})

    async def prepare(self) -> None:
        """Nothing: the member joins each time."""

    async def give(self) -> None:
        """Join."""
        await self.team.join()

    async def take(self, process: ServiceProcess) -> Answer:
        """Remove."""
        return await self.team.owner.send_once("DELETE", self.team.member_path, base=process.url)


class Leaving(Removal):
    """The member leaves."""

    kind = "leaving"

    async def take(self, process: ServiceProcess) -> Answer:
        """Leave."""
        path = f"{self.team.path}/leave"
        return await self.team.member.send_once("POST", path, base=process.url)


class Demotion(Revocation):
    """The owner gives the member a role with less."""

    kind = "demotion"

    async def give(self) -> None:
        """Promote."""
        body = {"role": "developer"}
        (await self.team.owner.send("PATCH", self.team.member_path, body)).expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Demote."""
        return await self.team.owner.send_once(
            "PATCH", self.team.member_path, {"role": "viewer"}, base=process.url
        )


@dataclass
class RoleEdit(Revocation):
    """The owner narrows the custom role that the member has."""

    kind: ClassVar[str] = "role edit"
    role_path: str = field(init=False, default="")

    async def prepare(self) -> None:
        """Create the role, and give it to the member."""
        await super().prepare()
        path = f"{self.team.path}/roles"
        created = await self.team.owner.send("POST", path, {"name": "Own", "grants": SEES | ALL})
        role_id = created.expect(*DONE)["id"]
        self.role_path = f"{path}/{role_id}"
        body = {"role": role_id}
        (await self.team.owner.send("PATCH", self.team.member_path, body)).expect(*DONE)

    async def give(self) -> None:
        """Widen the role."""
        (await self.team.owner.send("PATCH", self.role_path, {"grants": SEES | ALL})).expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Narrow it."""
        return await self.team.owner.send_once(
            "PATCH", self.role_path, {"grants": SEES | LESS}, base=process.url
        )


class Suspension(Revocation):
    """The owner suspends the member."""

    kind = "suspension"
    role = "developer"

    async def give(self) -> None:
        """Resume."""
        path = f"{self.team.member_path}/resume"
        (await self.team.owner.send("POST", path)).expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Suspend."""
        path = f"{self.team.member_path}/suspend"
        return await self.team.owner.send_once("POST", path, base=process.url)


@dataclass
class InProject(Revocation):
    """A change of what the member may do inside one project."""

    project_id: str = field(init=False, default="")
    projects: int = field(init=False, default=0)

    async def prepare(self) -> None:
        """Create the project."""
        await super().prepare()
        await self.create_project()

    async def create_project(self) -> None:
        """Create a project, of which nothing is known yet."""
        self.projects += 1
        body = {"name": f"Prod {self.projects}"}
        created = await self.team.owner.send("POST", f"{self.team.path}/projects", body)
        self.project_id = created.expect(*DONE)["id"]

    @property
    def override_path(self) -> str:
        """The address of the member's override."""
        return f"{self.team.path}/projects/{self.project_id}/overrides/{self.team.member.user_id}"

    async def raise_inside(self) -> None:
        """Give the member more inside the project than their role gives."""
        (await self.team.owner.send("PUT", self.override_path, {"grants": ALL})).expect(*DONE)

    @property
    def check(self) -> MemberCheck:
        """A check inside the project."""
        return replace(super().check, project_id=self.project_id)


class OverrideSet(InProject):
    """The owner sets an override that gives less than the role."""

    kind = "override set"
    role = "developer"

    async def give(self) -> None:
        """Let the role count in the project again."""
        (await self.team.owner.send("DELETE", self.override_path)).expect(*DONE, 404)

    async def take(self, process: ServiceProcess) -> Answer:
        """Set the override."""
        return await self.team.owner.send_once(
            "PUT", self.override_path, {"grants": LESS}, base=process.url
        )


class OverrideRemoved(InProject):
    """The owner removes an override that gives more than the role."""

    kind = "override removed"
    done = frozenset({204, 404})

    async def give(self) -> None:
        """Set the override."""
        await self.raise_inside()

    async def take(self, process: ServiceProcess) -> Answer:
        """Remove it."""
        return await self.team.owner.send_once("DELETE", self.override_path, base=process.url)


@dataclass
class OverrideExpired(InProject):
    """An override that gives more than the role comes to its end."""

    kind: ClassVar[str] = "override expired"
    repeated_on: ClassVar[frozenset[int]] = frozenset({202, 400, 422, 503})
    """An end that passed on the way is refused."""
    ends_at: float = field(init=False, default=0.0)

    async def give(self) -> None:
        """Set the override without an end."""
        await self.raise_inside()

    async def take(self, process: ServiceProcess) -> Answer:
        """Set its end."""
        ends_at = time.time() + EXPIRY_SECONDS
        end = datetime.fromtimestamp(ends_at, UTC).isoformat(timespec="milliseconds")
        answer = await self.team.owner.send_once(
            "PUT", self.override_path, {"grants": ALL, "expires_at": end}, base=process.url
        )
        self.ends_at = ends_at
        return answer

    async def in_force(self) -> None:
        """Wait for the end."""
        await asyncio.sleep(max(0.0, self.ends_at - time.time()) + CLOCK_SECONDS)


@dataclass
class SignOut(Revocation):
    """The member signs out of a session, whose access token is used for checks until then."""

    kind: ClassVar[str] = "sign-out"
    service: ClassVar[str] = "identity"
    done: ClassVar[frozenset[int]] = frozenset({204})
    refusals: ClassVar[frozenset[str]] = frozenset({"401", "503"})
    session: Person | None = field(init=False, default=None)

    async def prepare(self) -> None:
        """Nothing: the member need not belong to the team."""

    async def give(self) -> None:
        """Sign in."""
        self.session = replace(self.team.member, token=None)
        await self.session.log_in()

    async def take(self, process: ServiceProcess) -> Answer:
        """Sign out."""
        assert self.session is not None
        return await self.session.send_once("POST", "/v1/logout", base=process.url)

    @property
    def check(self) -> MemberCheck:
        """The member asks about their own account."""
        account = self.team.member.account_id
        return MemberCheck(self.team.member.user_id, account, "account:view", account)

    def request(self) -> bytes:
        """The check with the session's token."""
        assert self.session is not None
        return self.check.request(self.session.token or "")


MEMBER_REVOCATIONS: tuple[type[Revocation], ...] = (
    Removal,
    Leaving,
    Demotion,
    RoleEdit,
    Suspension,
    OverrideSet,
    OverrideRemoved,
    OverrideExpired,
    SignOut,
)
