"""Operations of the transfer of the ownership."""

from __future__ import annotations

from tests.state_machine.accounts import Account
from tests.state_machine.catalogs import FORMER_OWNER, OWNER
from tests.state_machine.world import ACCOUNT_LIMIT, DAY, OFFER_DAYS, Answer, Operation, World


class OwnershipOperations(World):
    """Operations of the transfer of the ownership."""

    def offer(self, account_id: str, actor: str, user: str) -> Operation:
        """Offer the ownership to a member."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("account", "view")) or set()
        member = account.members.get(user)
        if not refusals:
            refusals |= {"owner-only"} if actor != account.owner else set()
            if member is None or user == account.owner or not member.in_force(self.now):
                refusals |= {"receiver-unfit"}
            if account.offer is not None and self.now < account.offer[1]:
                refusals |= {"transfer-pending"}

        def effect(account: Account, answer: Answer) -> None:
            account.offer = (user, self.now + OFFER_DAYS * DAY)

        rest, body = "/ownership-transfer", {"user_id": user}
        return self.account_operation(account_id, actor, "POST", rest, body, refusals, effect, user)

    def cancel_offer(self, account_id: str, actor: str) -> Operation:
        """Take the offer back."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("account", "view")) or set()
        if not refusals:
            refusals |= {"owner-only"} if actor != account.owner else set()
            refusals |= {"not-found"} if account.offer is None else set()
        over = account.offer is not None and self.now >= account.offer[1]

        def effect(account: Account, answer: Answer) -> None:
            account.offer = None

        return self.account_operation(
            account_id,
            actor,
            "DELETE",
            "/ownership-transfer",
            None,
            refusals,
            effect,
            may_be_over=over and not refusals,
        )

    def answer_offer(self, account_id: str, actor: str, *, accept: bool) -> Operation:
        """Become the owner, or decline."""
        account = self.accounts[account_id]
        refusals = self.authorized(account_id, actor, ("account", "view")) or set()
        if not refusals:
            if account.offer is None or account.offer[0] != actor:
                refusals |= {"not-found"}
            elif self.now >= account.offer[1]:
                refusals |= {"transfer-expired", "not-found"}
            elif accept and self.owned(actor) >= ACCOUNT_LIMIT:
                refusals |= {"account-limit"}

        def effect(account: Account, answer: Answer) -> None:
            account.offer = None
            if accept:
                former = account.owner
                account.owner = actor
                account.members[actor].role, account.members[actor].ends = OWNER, None
                account.members[former].role = FORMER_OWNER
                account.overrides = {
                    key: one for key, one in account.overrides.items() if key[1] != actor
                }
                account.hand_over({former}, actor, self.now)
                account.hand_over({actor}, actor, self.now)

        rest = "/ownership-transfer/" + ("accept" if accept else "decline")
        return self.account_operation(
            account_id, actor, "POST", rest, None, refusals, effect, gives_freely=accept
        )
