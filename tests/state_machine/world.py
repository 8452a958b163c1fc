"""The world of the model, and what every operation in it has: request, refusals and effect.

Where several refusals apply at once, the documents do not say which one is told, so each of them is
a right answer. No refusal that applies means that the request succeeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.state_machine.accounts import Account, Member
from tests.state_machine.catalogs import INSIDE, OWNER, Cell

EPOCH = datetime(2100, 3, 1, 12, tzinfo=UTC)
"""The moment 0 of the model."""
OFFER_DAYS, DAY = 7, 86_400
PROJECT_LIMIT, ROLE_LIMIT, ACCOUNT_LIMIT = 3, 2, 3

Answer = Any
Effect = Callable[[Answer], None]

STATUS = {
    "account-deleting": 403,
    "account-limit": 409,
    "account-suspended": 403,
    "already-a-member": 409,
    "already-a-team": 409,
    "already-invited": 409,
    "already-personal": 409,
    "confirmation-wrong": 422,
    "conversion-irreversible": 409,
    "end-exceeded": 403,
    "expired-invitation-there": 409,
    "grants-exceeded": 403,
    "home-account": 409,
    "invalid": 422,
    "invitation-not-valid": 410,
    "member-limit": 409,
    "membership-end-past": 409,
    "not-a-team": 409,
    "not-found": 404,
    "not-yourself": 409,
    "owner-cannot-leave": 409,
    "owner-only": 403,
    "owner-protected": 409,
    "permission-missing": 403,
    "project-limit": 409,
    "project-name-taken": 409,
    "receiver-unfit": 422,
    "resend-not-offered": 409,
    "role-built-in": 409,
    "role-in-use": 409,
    "role-limit": 409,
    "role-name-taken": 409,
    "role-unknown": 422,
    "transfer-expired": 410,
    "transfer-pending": 409,
}


def moment(seconds: int | None) -> str | None:
    """A moment of the model as a request has it."""
    return None if seconds is None else (EPOCH + timedelta(seconds=seconds)).isoformat()


def nothing(answer: Answer) -> None:
    """The effect of a request that changes nothing."""


@dataclass
class Operation:
    """One request, and what the model expects of it."""

    actor: str
    method: str
    path: str
    body: Any
    refusals: set[str]
    effect: Effect = nothing
    account: str | None = None
    givers: set[str] = field(default_factory=set)
    """Who may have given what others gain by it (`B5`); the actor, if it is empty."""
    gives_freely: bool = False
    """The change gives by another rule than what the actor holds: a transfer, or a restoration."""
    may_be_over: bool = False
    """An expired offer may have been ended by the product meanwhile."""


class World:
    """All accounts of some users, at one moment."""

    def __init__(self, users: list[str], homes: dict[str, str], emails: dict[str, str]) -> None:
        self.users, self.homes, self.emails = users, homes, emails
        self.accounts: dict[str, Account] = {}
        self.now = 0
        self.serial = 0

    def member(self, role: str, ends: int | None = None) -> Member:
        """A new membership."""
        self.serial += 1
        return Member(role=role, serial=self.serial, ends=ends)

    def open_account(self, account_id: str, owner: str, name: str, catalog: str, kind: str) -> None:
        """A new account with its owner."""
        account = Account(name=name, owner=owner, catalog=catalog, kind=kind)
        account.members[owner] = self.member(OWNER)
        self.accounts[account_id] = account

    def owned(self, user: str) -> int:
        """How many accounts the user owns."""
        return sum(account.owner == user for account in self.accounts.values())

    def closed(self, account_id: str, user: str, *, deleting_too: bool = False) -> set[str] | None:
        """Why the user can do nothing in the account; None if they can act."""
        account = self.accounts[account_id]
        member = account.members.get(user)
        if member is None or not member.in_force(self.now):
            return {"not-found"}
        if account.suspended:
            return {"account-suspended"}
        if account.deleting and not (deleting_too and user == account.owner):
            return {"account-deleting"}
        return None

    def authorized(
        self,
        account_id: str,
        user: str,
        *cells: Cell,
        project: str | None = None,
        deleting_too: bool = False,
    ) -> set[str] | None:
        """The refusals of a caller who may not do this at all."""
        account = self.accounts[account_id]
        closed = self.closed(account_id, user, deleting_too=deleting_too)
        if closed is not None:
            return closed
        if project is not None and project not in account.projects:
            missing = [
                cell
                for cell in cells
                if cell not in INSIDE and cell not in account.held(user, None, self.now)
            ]
            return {"not-found", "permission-missing"} if missing else {"not-found"}
        if any(cell not in account.held(user, project, self.now) for cell in cells):
            return {"permission-missing"}
        return None

    def account_operation(
        self,
        account_id: str,
        actor: str,
        method: str,
        rest: str,
        body: Any,
        refusals: set[str],
        effect: Effect,
        **more: Any,
    ) -> Operation:
        path = f"/v1/accounts/{account_id}{rest}"
        return Operation(actor, method, path, body, refusals, effect, account_id, **more)

    def role_refusals(self, account: Account, actor: str, role: str) -> set[str]:
        if not account.assignable(role):
            return {"role-unknown"}
        fit = account.may_give(actor, account.role_held(role), self.now)
        return set() if fit else {"grants-exceeded"}
