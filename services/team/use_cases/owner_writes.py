"""What an attempt changes about the accounts that one user owns."""

from dataclasses import dataclass

from services.team.use_cases.attempt import Attempt
from shared.ids import AccountId, UserId


@dataclass(frozen=True, kw_only=True)
class OwnedAccounts:
    """What a user owns at one moment; a later moment has a greater `number`.

    `lasting` are those that the user has not deleted. `home` is the one that replaced the account
    of the sign-up, in which sessions begin; `None` until then.
    """

    ids: frozenset[AccountId]
    lasting: frozenset[AccountId]
    home: AccountId | None
    number: int


class OwnerWrites(Attempt):
    """The accounts of a user; two changes of them at the same moment do not both succeed."""

    async def accounts_owned_by(self, user_id: UserId) -> OwnedAccounts:
        """The accounts that the user owns, until this attempt has ended."""
        number = await self._store.touch_owner(user_id, self._session)
        memberships = await self._store.memberships_of(user_id, self._session)
        found = await self._store.accounts(
            [membership.account_id for membership in memberships], self._session
        )
        owned = [account for account in found.values() if account.owner_user_id == user_id]
        return OwnedAccounts(
            ids=frozenset(account.account_id for account in owned),
            lasting=frozenset(one.account_id for one in owned if one.deletes_at is None),
            home=await self.home_of(user_id),
            number=number,
        )

    async def home_of(self, user_id: UserId) -> AccountId | None:
        """The account that replaced the user's first one; the first one is not opened again."""
        return await self._store.home_of(user_id, self._session)

    async def set_home(self, user_id: UserId, account_id: AccountId) -> None:
        """Make the account the home of a user whose accounts this attempt has counted."""
        await self._store.set_home(user_id, account_id, self._session)
