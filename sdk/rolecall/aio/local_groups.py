"""Local mode where accounts are divided among groups of replicas: a stream for each group."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Protocol

from rolecall.aio.errors import LeaseOverError
from rolecall.aio.follower import PolicyFollower
from rolecall.aio.groups import DividedError
from rolecall.aio.local import Handle, LocalChecks
from rolecall.client.evaluations import CheckDecision
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.groups import group_of_account
from rolecall.core.state import Resource

LOOK_SECONDS = 0.01
_UNSPECIFIED = Resource()


class DecidesLocally(Protocol):
    """What decides in this process: the checks of one stream, or those of several."""

    def check(
        self,
        subject: str,
        permission: str,
        resource: Resource = ...,
        *,
        account: str | None = ...,
        session: str | None = ...,
        at_least_revision: str | None = ...,
        given: Given = ...,
    ) -> CheckDecision:
        """Decide one check."""

    def handle(self, subject: str, permission: str, *, account: str | None) -> Handle:
        """Resolve a subject and a permission once."""


class DividedChecks:
    """Decides each check from the stream of its account's group."""

    def __init__(self, parts: Mapping[int, LocalChecks]) -> None:
        """Make it; `parts` are the checks by the numbers of all groups, from 1 on."""
        self._parts = parts

    def check(
        self,
        subject: str,
        permission: str,
        resource: Resource = _UNSPECIFIED,
        *,
        account: str | None = None,
        session: str | None = None,
        at_least_revision: str | None = None,
        given: Given = NOTHING_GIVEN,
    ) -> CheckDecision:
        """Decide one check, as `LocalChecks.check`.

        Raises:
            LeaseOverError: as there; or no account is named, so its group is not known.
        """
        return self._part(account).check(
            subject,
            permission,
            resource,
            account=account,
            session=session,
            at_least_revision=at_least_revision,
            given=given,
        )

    def handle(self, subject: str, permission: str, *, account: str | None) -> Handle:
        """Resolve a subject and a permission once, as `LocalChecks.handle`.

        Raises:
            LeaseOverError: as there; or no account is named.
        """
        return self._part(account).handle(subject, permission, account=account)

    def _part(self, account: str | None) -> LocalChecks:
        if account is None:
            raise LeaseOverError("The accounts are divided among groups: name the account.")
        return self._parts[group_of_account(account, len(self._parts))]


class LocalGroups:
    """Follows one stream, or one of each group once Rolecall says that there are several.

    `make` makes the follower of `group`, where there are `groups`; `use` takes what decides from
    then on. What was resolved before is over: its state is followed no more, so it never decides.
    """

    def __init__(
        self,
        make: Callable[..., PolicyFollower],
        *,
        use: Callable[[DecidesLocally], None],
        clock: Callable[[], float],
    ) -> None:
        self.revoked_keys: set[str] = set()
        """The signing keys of which no token counts any more, as any stream told."""
        self._make = make
        self._use = use
        self._clock = clock
        self._followers: list[PolicyFollower] = []
        self._begin(1)

    async def run(self) -> None:
        """Follow the streams; never ends."""
        while True:
            count = 1
            try:
                async with asyncio.TaskGroup() as running:
                    for follower in self._followers:
                        running.create_task(follower.run())
            except* DividedError as divided:
                count = max(
                    each.count for each in divided.exceptions if isinstance(each, DividedError)
                )
            self._begin(count)

    async def usable(self) -> None:
        """Wait until every stream has told a state with a lease.

        Raises:
            ClientRefusedError, RequestRefusedError: Rolecall has refused a stream several times.
        """
        while True:
            followers = self._followers
            try:
                for follower in followers:
                    await follower.usable()
            except DividedError:
                await asyncio.sleep(LOOK_SECONDS)
            else:
                if followers is self._followers:
                    return

    def _begin(self, count: int) -> None:
        for follower in self._followers:
            follower.mirror.dropped()
        self._followers = [self._make(group=group, groups=count) for group in range(1, count + 1)]
        for follower in self._followers:
            follower.mirror.revoked_keys = self.revoked_keys
        parts = {
            group: LocalChecks(follower.mirror, clock=self._clock)
            for group, follower in enumerate(self._followers, 1)
        }
        self._use(DividedChecks(parts) if count > 1 else parts[1])
