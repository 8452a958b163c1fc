"""The external ids of members: the platform's own ids, by which a check may name them."""

from collections.abc import Mapping

from shared.ids import is_id

USER_PREFIX = "usr"


class ExternalIds:
    """The external ids of each account; an id that two members of an account have names neither.

    Two clients of the platform may know different users by the same id. Only members who have an
    external id take memory here.
    """

    def __init__(self) -> None:
        self._accounts: dict[str, _AccountIds] = {}

    def put(self, account_id: str, user_id: str, external_id: str | None) -> None:
        """Take the member's external id; `None` is for a member without one, or a former member."""
        known = self._accounts.get(account_id)
        if known is None:
            if external_id is None:
                return
            known = self._accounts[account_id] = _AccountIds()
        known.put(user_id, external_id)
        if not known:
            del self._accounts[account_id]

    def any_of(self, account_id: str) -> bool:
        """Whether any member of the account has one."""
        return account_id in self._accounts

    @property
    def accounts(self) -> Mapping[str, object]:
        """By account, where any member has one."""
        return self._accounts

    def drop(self, account_id: str) -> None:
        """Forget the account."""
        self._accounts.pop(account_id, None)

    def clear(self) -> None:
        """Forget everything."""
        self._accounts.clear()

    def user(self, account_id: str, name: str) -> str:
        """The user whom `name` means: their id, or the external id of one member.

        A text in the form of a user's id is never an external id, and one that names no member is
        returned as it is. Ids are compared as they are written (`T34`).
        """
        known = self._accounts.get(account_id)
        found = None if known is None else known.user(name)
        return name if found is None or is_id(name, USER_PREFIX) else found

    def shared(self, account_id: str, name: str) -> bool:
        """Whether `name` is the external id of several members, and so names none of them."""
        known = self._accounts.get(account_id)
        return known is not None and known.shared(name) and not is_id(name, USER_PREFIX)

    def of(self, account_id: str, user_id: str) -> str | None:
        """The external id that names this member and no other one."""
        known = self._accounts.get(account_id)
        return None if known is None else known.of(user_id)


class _AccountIds:
    """The external ids of one account, in both directions."""

    __slots__ = ("_ids", "_users")

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}
        self._users: dict[str, tuple[str, ...]] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def put(self, user_id: str, external_id: str | None) -> None:
        former = self._ids.pop(user_id, None)
        if former is not None:
            others = tuple(other for other in self._users[former] if other != user_id)
            if others:
                self._users[former] = others
            else:
                del self._users[former]
        if external_id is not None:
            self._ids[user_id] = external_id
            self._users[external_id] = (*self._users.get(external_id, ()), user_id)

    def user(self, external_id: str) -> str | None:
        users = self._users.get(external_id, ())
        return users[0] if len(users) == 1 else None

    def shared(self, external_id: str) -> bool:
        return len(self._users.get(external_id, ())) > 1

    def of(self, user_id: str) -> str | None:
        external_id = self._ids.get(user_id)
        if external_id is None or is_id(external_id, USER_PREFIX):
            return None
        return external_id if self.user(external_id) == user_id else None
