"""The groups among which a running Rolecall divides the accounts, as its answers name them."""

import re
from collections.abc import Iterable, Mapping

from rolecall.core.groups import SHARDS, group_of_account

GROUP_HEADER = "Rolecall-Group"
_GROUP = re.compile(r"[1-9][0-9]?/([1-9][0-9]?)")
_NONE: Mapping[str, str] = {}


class DividedError(Exception):
    """The accounts are divided among another number of groups than was known."""

    def __init__(self, count: int) -> None:
        super().__init__(f"the accounts are divided among {count} groups")
        self.count = count


def groups_told(headers: Mapping[str, str]) -> int | None:
    """The number of groups that an answer names; `None` if it names none."""
    told = _GROUP.fullmatch(headers.get(GROUP_HEADER, ""))
    return int(told[1]) if told is not None and int(told[1]) <= SHARDS else None


class KnownGroups:
    """How many groups there are: one, until an answer comes from another group than was asked.

    Every group answers about every account. The right one is asked at once to spare the detour.
    """

    def __init__(self) -> None:
        self._count = 1

    def learn(self, headers: Mapping[str, str]) -> None:
        """Take what an answer says."""
        self._count = groups_told(headers) or self._count

    def header(self, account_ids: Iterable[str | None]) -> Mapping[str, str]:
        """The header of a request about these accounts; none if they are of several groups."""
        if self._count == 1:
            return _NONE
        groups = {each and group_of_account(each, self._count) for each in account_ids}
        group = groups.pop() if len(groups) == 1 else None
        return {GROUP_HEADER: f"{group}/{self._count}"} if group else _NONE
