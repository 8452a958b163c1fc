"""The world of the model, and what every operation in it has: request, refusals and effect.

Where several refusals apply at once, the documents do not say which one is told, so each of them is
a right answer. No refusal that applies means that the request succeeds.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.state_machine.accounts import Account, Member
from tests.state_machine.catalogs import INSIDE, OWNER, Cell
from tests.state_machine.guardrails import worse

EPOCH = datetime(2100, 3, 1, 12, tzinfo=UTC)
"""The moment 0 of the model."""
PLATFORM, REGISTRAR, PROVISIONER = "platform", "registrar", "provisioner"
"""The actors that are not users: the operator, and two service clients."""
OFFER_DAYS, DAY, HOUR = 7, 86_400, 3_600
PROJECT_LIMIT, ROLE_LIMIT, ACCOUNT_LIMIT = 3, 2, 3
GUARDRAIL_LIMIT, RESOURCE_LIMIT = 2, 3

Answer = Any
Effect = Callable[[Account, Answer], None]
"""What a request that succeeds makes of its account."""

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
    "catalog-bound": 409,
    "catalog-too-small": 409,
    "guardrail-limit": 409,
    "guardrail-violated": 409,
    "guardrails-of-this-catalog": 409,
    "invalid": 422,
    "invitation-not-valid": 410,
    "member-limit": 409,
    "membership-end-past": 409,
    "mapping-needed": 409,
    "not-a-team": 409,
    "not-found": 404,
    "not-yourself": 409,
    "owner-cannot-leave": 409,
    "owner-not-a-member": 422,
    "owner-only": 403,
    "owner-protected": 409,
    "permission-missing": 403,
    "project-has-resources": 409,
    "project-limit": 409,
    "project-name-taken": 409,
    "project-unknown": 422,
    "receiver-unfit": 422,
    "resend-not-offered": 409,
    "resource-limit": 409,
    "role-built-in": 409,
    "role-in-guardrail": 409,
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


def nothing(account: Account, answer: Answer) -> None:
    """The effect of a request that changes nothing."""


class Foreseen:
    """An answer that has not come yet: every part of it is another unknown."""

    def __getitem__(self, name: str) -> Foreseen:
        return self


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
    about: tuple[str, ...] = ()
    """The users whom it is about."""
    opens: Callable[[Answer], None] | None = None
    """What a request that makes an account does, in place of an effect."""
    givers: set[str] = field(default_factory=set)
    """Who may have given what others gain by it (`B5`); the actor, if it is empty."""
    gives_freely: bool = False
    """The change gives by another rule than what the actor holds: a transfer, or a restoration."""
    foreseen: Account | None = None
    """The account after it, as far as that can be told before."""
    preview: dict[str, Any] | None = None
    """The change as a preview takes it, where it has one."""
    rehearsal: Any = None
    """A body with which the same request only says what it would do."""
    check: Callable[[Answer], None] | None = None
    """Compares what an answer of success says."""
    may_be_over: bool = False
    """An expired offer may have been ended by the product meanwhile."""


class World:
    """All accounts of some users, at one moment."""

    def __init__(
        self,
        users: list[str],
        homes: dict[str, str],
        emails: dict[str, str],
        catalog_ids: Mapping[str, str],
    ) -> None:
        self.users, self.homes, self.emails = users, homes, emails
        self.catalog_ids = catalog_ids
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

    def needs_home(self, user: str, *, without: str) -> bool:
        """Whether the user, without this account, has not the one in which sessions begin."""
        home = self.homes[user]
        account = self.accounts[home]
        return home == without or account.owner != user or account.deleting

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
        *about: str,
        **more: Any,
    ) -> Operation:
        path = f"/v1/accounts/{account_id}{rest}"
        return Operation(actor, method, path, body, refusals, effect, account_id, about, **more)

    def foresee(self, operation: Operation) -> None:
        """Note how the operation would leave the account, and whether a guardrail refuses that."""
        if operation.account is None or operation.refusals:
            return
        before = self.accounts[operation.account]
        account = operation.foreseen = copy.deepcopy(before)
        operation.effect(account, Foreseen())
        if worse(before, account, self.now):
            operation.refusals = {"guardrail-violated"}

    def role_refusals(self, account: Account, actor: str, role: str) -> set[str]:
        if not account.assignable(role):
            return {"role-unknown"}
        fit = account.may_give(actor, account.role_held(role), self.now)
        return set() if fit else {"grants-exceeded"}
