"""Changes of an account and its resources that take something away from a member."""

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from tests.e2e.people import Answer
from tests.e2e.processes import ServiceProcess
from tests.faults.member_revocations import DONE, InProject
from tests.faults.pipelined_checks import MemberCheck
from tests.faults.revocation import Revocation

RESOURCE = "i-moved"


class ResourceMove(Revocation):
    """A service of the platform registers a resource of the member with another owner."""

    kind = "resource to an owner"
    role = "basic"

    @property
    def resource_path(self) -> str:
        """The address of the resource."""
        return f"{self.team.path}/resources/instance/{RESOURCE}"

    async def give(self) -> None:
        """Register it with the member as its owner."""
        body = {"owner_id": self.team.member.user_id}
        (await self.platform.send("PUT", self.resource_path, body)).expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Register it with the other owner."""
        body = {"owner_id": self.team.owner.user_id}
        return await self.platform.send_once("PUT", self.resource_path, body, base=process.url)

    @property
    def check(self) -> MemberCheck:
        """A check about the resource, in which the caller says nothing of its owner."""
        return replace(super().check, resource_id=RESOURCE)


class Reassignment(ResourceMove):
    """The owner takes the member's resources over."""

    kind = "reassignment"

    async def take(self, process: ServiceProcess) -> Answer:
        """Reassign them."""
        body = {
            "from_user_id": self.team.member.user_id,
            "to_user_id": self.team.owner.user_id,
        }
        path = f"{self.team.path}/resources/reassign"
        return await self.team.owner.send_once("POST", path, body, base=process.url)


class ProjectMove(InProject, ResourceMove):
    """A resource leaves the project in which the member has more than their role gives."""

    kind = "resource to a project"
    role = "viewer"

    async def prepare(self) -> None:
        """Give more inside the project."""
        await super().prepare()
        await self.raise_inside()

    async def give(self) -> None:
        """Register the resource inside the project."""
        body = {"project_id": self.project_id}
        (await self.platform.send("PUT", self.resource_path, body)).expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Register it outside of every project."""
        return await self.platform.send_once("PUT", self.resource_path, {}, base=process.url)

    @property
    def check(self) -> MemberCheck:
        """A check about the resource, in which the caller says nothing of its project."""
        return replace(super().check, project_id=None)


class ProjectDeletion(InProject):
    """The owner deletes a project, and with it the override that gave the member more there."""

    kind = "project deletion"
    done = frozenset({204, 404})

    async def give(self) -> None:
        """Create a project with the override."""
        await self.create_project()
        await self.raise_inside()

    async def prepare(self) -> None:
        """Let the member join; each time has a project of its own."""
        await self.team.join(self.role)

    async def take(self, process: ServiceProcess) -> Answer:
        """Delete the project."""
        path = f"{self.team.path}/projects/{self.project_id}"
        return await self.team.owner.send_once("DELETE", path, base=process.url)


class AccountSuspension(Revocation):
    """The operator suspends the account."""

    kind = "account suspension"
    role = "developer"

    async def give(self) -> None:
        """Resume the account."""
        (await self.operator.send("POST", self._path("resume"))).expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Suspend it."""
        body = {"reason": "An invoice is late."}
        path = self._path("suspend")
        return await self.operator.send_once("POST", path, body, base=process.internal_url)

    def _path(self, what: str) -> str:
        return f"/internal/admin/accounts/{self.team.account_id}/{what}"


@dataclass
class CatalogMove(Revocation):
    """The owner moves the account to a catalog in which the member's role gives less."""

    kind: ClassVar[str] = "catalog move"
    role: ClassVar[str] = "developer"
    catalog: str = field(init=False, default="standard")

    async def give(self) -> None:
        """Move it back."""
        if self.catalog != "standard":
            path = f"{self.team.path}/catalog"
            moved = await self.team.owner.send("POST", path, _move("standard", "billing"))
            moved.expect(*DONE)

    async def take(self, process: ServiceProcess) -> Answer:
        """Move it."""
        self.catalog = "runpod"
        path = f"{self.team.path}/catalog"
        return await self.team.owner.send_once(
            "POST", path, _move("runpod", "developer"), base=process.url
        )


def _move(catalog: str, role: str) -> dict[str, Any]:
    """A move in which this role becomes the other catalog's counterpart."""
    to = {"billing": "developer", "developer": "billing"}[role]
    return {"catalog": catalog, "mapping": {"roles": {role: to}}}


ACCOUNT_REVOCATIONS: tuple[type[Revocation], ...] = (
    ResourceMove,
    Reassignment,
    ProjectMove,
    ProjectDeletion,
    AccountSuspension,
    CatalogMove,
)
