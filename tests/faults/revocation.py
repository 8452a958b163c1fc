"""A change that takes something away from a member, which is given back for the next time."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from tests.e2e.people import Answer, Browser, Platform
from tests.e2e.processes import ServiceProcess
from tests.faults.pipelined_checks import MemberCheck
from tests.faults.teams import TeamWithMember

ALL = {"instance": {"write": "all"}}
LESS = {"instance": {"view": "all"}}
BY_LEVEL = "instance:delete"
"""What `write` allows, and `view` does not."""


@dataclass
class Revocation(ABC):
    """One kind of change in a team of its own; `prepare` runs once, the others in turn."""

    team: TeamWithMember
    platform: Platform
    """A service of the platform, which registers resources and sends the checks."""
    operator: Browser
    """The operator, at the internal port of a service."""

    kind: ClassVar[str]
    service: ClassVar[str] = "team"
    """The service that takes the change."""
    role: ClassVar[str] = "viewer"
    """The member's role before the first change."""
    done: ClassVar[frozenset[int]] = frozenset({200})
    """The statuses that say that the change is in force."""
    repeated_on: ClassVar[frozenset[int]] = frozenset({202, 503})
    """The statuses after which a client sends the change again."""
    refusals: ClassVar[frozenset[str]] = frozenset({"deny", "503"})
    """The right answers to a check afterwards."""

    async def prepare(self) -> None:
        """Make what the change needs."""
        await self.team.join(self.role)

    @abstractmethod
    async def give(self) -> None:
        """Let the check be allowed."""

    @abstractmethod
    async def take(self, process: ServiceProcess) -> Answer:
        """Send the change to one process of the service; it may be sent again."""

    async def in_force(self) -> None:
        """Wait, after the answer, until the change counts: no longer, for most."""
        return

    @property
    def check(self) -> MemberCheck:
        """What is allowed before the change and denied afterwards."""
        return MemberCheck(self.team.member.user_id, self.team.account_id, BY_LEVEL)

    def request(self) -> bytes:
        """The check as a whole request."""
        return self.check.request(self.platform.token or "")
