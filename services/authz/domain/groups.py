"""The groups of replicas: this one holds the accounts of its group, and decides about no other."""

from dataclasses import dataclass
from typing import Self

from rolecall.core.groups import group_of_account
from services.authz.domain.stream_events import StreamScope
from shared.contracts.groups import shards_of_group
from shared.problems import Refusal, RefusalKind


class HeldElsewhere(Exception):  # noqa: N818 - another group answers
    """Replicas of another group hold the account."""

    def __init__(self, group: int) -> None:
        super().__init__(f"group {group} holds the account")
        self.group = group


class GroupNeeded(Refusal):
    """The stream would tell accounts of several groups."""

    kind = RefusalKind.CONFLICT
    code = "group-needed"
    detail = (
        "The accounts are divided among {groups} groups of replicas. Open one stream for each:"
        " name a number from 1 on as `group`."
    )


@dataclass(frozen=True, slots=True)
class AccountGroups:
    """The group of this replica, from 1 on, and the number of groups."""

    number: int
    count: int
    shards: frozenset[int]
    """The shards whose accounts this replica holds."""

    @classmethod
    def of(cls, number: int, count: int) -> Self:
        """The group with this number, where there are `count`."""
        return cls(number, count, shards_of_group(number, count))

    def group_of(self, account_id: str) -> int:
        """The group that holds an account."""
        return group_of_account(account_id, self.count)

    def require(self, account_id: str) -> None:
        """Check that this replica holds the account, if it exists.

        Raises:
            HeldElsewhere: another group does.
        """
        self.require_group(self.group_of(account_id))

    def require_group(self, group: int) -> None:
        """Check that the group is this replica's.

        Raises:
            HeldElsewhere: it is another one.
        """
        if group != self.number:
            raise HeldElsewhere(group)

    def part_of(self, scope: StreamScope, group: int | None) -> StreamScope:
        """The part of a stream that this replica tells: its accounts of the scope.

        Raises:
            GroupNeeded: the scope has accounts of several groups, and none of them is named.
            HeldElsewhere: another group tells them.
        """
        accounts = scope.account_ids
        if group is None:
            named = set() if accounts is None else set(map(self.group_of, accounts))
            if accounts is None or len(named) > 1:
                raise GroupNeeded(groups=self.count, headers={GROUP_HEADER: self.label})
            group = named.pop() if named else self.number
        if group > self.count:
            raise GroupNeeded(groups=self.count, headers={GROUP_HEADER: self.label})
        self.require_group(group)
        if accounts is None:
            return scope
        own = frozenset(each for each in accounts if self.group_of(each) == group)
        return StreamScope(own, scope.resource_types)

    @property
    def label(self) -> str:
        """This group as headers name it, such as `2/3`."""
        return label_of(self.number, self.count)


GROUP_HEADER = "Rolecall-Group"
"""Names the group that answered, and how many there are: a client may ask it at once next time."""


def label_of(group: int, count: int) -> str:
    """A group as headers name it, where there are `count`."""
    return f"{group}/{count}"
