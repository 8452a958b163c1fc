"""Decide a check from the state of this replica, for every use case that answers one."""

from datetime import datetime
from typing import Protocol, TypeVar

from rolecall import AccountState, Reason, milliseconds
from services.authz.domain.checks import (
    OF_ACTIVE_MEMBERS,
    SHOWS_MEMBERSHIP,
    UNNAMED_BECAUSE,
    PermissionCheck,
    decide_for_user,
)
from services.authz.domain.decision_counts import Denied
from services.authz.domain.evaluations import known_project
from services.authz.use_cases.context import Ctx
from shared.ids import TokenId
from shared.problems import Stale

NOT_A_DENIAL = frozenset({Reason.ALLOWED, *UNNAMED_BECAUSE})
"""The reasons that tell of no denial of a user."""

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class CheckRule(Protocol[T_co]):
    """Answers a check from the state of its account; `now` is in epoch milliseconds."""

    def __call__(
        self,
        account: AccountState | None,
        check: PermissionCheck,
        *,
        sign_in_denial: Reason | None,
        now: int,
    ) -> T_co:
        """Answer the check."""
        ...


def answer(ctx: Ctx, check: PermissionCheck, rule: CheckRule[T]) -> T:
    """Answer a check; call it within `Ctx.while_fresh`.

    Raises:
        Stale: the account exists, but its catalog has not arrived yet.
    """
    account = None if check.account_id is None else known_account(ctx, check.account_id)
    return _decide(ctx, check, rule, account)


def known_account(ctx: Ctx, account_id: str) -> AccountState | None:
    """The account as this replica knows it.

    Raises:
        Stale: the account exists, but its catalog has not arrived yet.
    """
    account = ctx.policy.account(account_id)
    if account is None and ctx.policy.incomplete(account_id):
        raise Stale
    return account


def sign_in_denial(
    ctx: Ctx, account: AccountState | None, user_id: str, session_id: str | None
) -> Reason | None:
    """Return what is wrong with the sign-in of a check in this account, if anything.

    The user is disabled, the session that the check names has ended, or the user has no second
    factor and the account demands one.
    """
    if ctx.sign_ins.user_disabled(user_id):
        return Reason.USER_DISABLED
    if session_id is not None and ctx.sign_ins.session_ended(session_id):
        return Reason.SESSION_ENDED
    demanded = account is not None and account.require_second_factor
    if demanded and not ctx.sign_ins.has_second_factor(user_id):
        return Reason.SECOND_FACTOR_REQUIRED
    return None


def is_member(ctx: Ctx, check: PermissionCheck) -> bool:
    """Return whether this replica knows the subject as a member, who may learn of the account."""
    account = None if check.account_id is None else ctx.policy.account(check.account_id)
    return _decide(ctx, check, decide_for_user, account).reason in SHOWS_MEMBERSHIP


def _decide(
    ctx: Ctx, check: PermissionCheck, rule: CheckRule[T], account: AccountState | None
) -> T:
    denial = sign_in_denial(ctx, account, check.user_id, check.session_id)
    return rule(account, check, sign_in_denial=denial, now=milliseconds(ctx.clock.now()))


def note_decision(ctx: Ctx, check: PermissionCheck, reason: str | None) -> None:
    """Note what an answered check says: the member was active, or was denied something."""
    now = ctx.clock.now()
    note_activity(ctx, check, reason, now)
    (note_allow if reason == Reason.ALLOWED else note_denial)(ctx, check, reason, now)


def note_denial(ctx: Ctx, check: PermissionCheck, reason: str | None, now: datetime) -> None:
    """Count a denial of a member. What others are denied must not fill the account's log."""
    if reason in NOT_A_DENIAL or reason is None or check.account_id is None:
        return
    account = ctx.policy.account(check.account_id)
    if account is None or check.user_id not in account.members:
        return
    denied = Denied(
        check.account_id,
        check.user_id,
        check.permission,
        check.resource.id,
        known_project(account, check.resource),
        reason,
        check.token_id,
    )
    ctx.denials.note(denied, now)


def note_allow(ctx: Ctx, check: PermissionCheck, reason: str | None, now: datetime) -> None:
    """Count an allow if this one is drawn for the account's log; by default none is."""
    if not ctx.allows.any or reason != Reason.ALLOWED or check.account_id is None:
        return
    account = ctx.policy.account(check.account_id)
    if account is not None:
        ctx.allows.note(check.account_id, check, known_project(account, check.resource), now)


def note_activity(ctx: Ctx, check: PermissionCheck, reason: str | None, now: datetime) -> None:
    """Note that a check was answered about a member whose membership is in force."""
    if reason in OF_ACTIVE_MEMBERS:
        note_active(ctx, check.account_id, check.user_id, check.token_id, now)


def note_active(
    ctx: Ctx, account_id: str | None, user_id: str, token_id: TokenId | None, now: datetime
) -> None:
    """Note that the member was active now, by this API token if there is one."""
    if account_id is not None:
        ctx.activity.note(account_id, user_id, now)
        if token_id is not None:
            ctx.token_uses.note(token_id, now)
