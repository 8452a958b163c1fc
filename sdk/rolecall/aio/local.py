"""Decisions of local mode: from the mirrored state, and only within its lease."""

import re
import time
from collections.abc import Callable

from rolecall.aio.errors import LeaseOverError
from rolecall.aio.mirror import Mirror
from rolecall.client.checks import CheckDecision
from rolecall.core.decide import decide
from rolecall.core.decision import NO_ACCOUNT, Decision
from rolecall.core.state import AccountState, Resource, Subject

MAX_MEMORY = 1_000
"""The answers that a handle keeps."""
_USER = re.compile(r"usr_[0-9a-f]{32}", re.ASCII)
_UNSPECIFIED = Resource()


def epoch_milliseconds() -> int:
    """The time of day, as decisions take it."""
    return time.time_ns() // 1_000_000


class LocalChecks:
    """Decides with the same `decide` as Rolecall itself.

    The state is read first and the lease is tested afterwards, with no await in between. A process
    that was stopped in the middle does not answer from before the stop.
    """

    def __init__(
        self,
        mirror: Mirror,
        *,
        clock: Callable[[], float],
        now: Callable[[], int] = epoch_milliseconds,
    ) -> None:
        self._mirror = mirror
        self._clock = clock
        self._now = now

    def check(
        self,
        subject: str,
        permission: str,
        resource: Resource = _UNSPECIFIED,
        *,
        account: str | None = None,
        session: str | None = None,
        at_least_revision: str | None = None,
    ) -> CheckDecision:
        """Decide one check.

        Raises:
            LeaseOverError: the state may be too old, or does not answer this check.
        """
        if session is not None:
            raise LeaseOverError("Ended sessions are not in the policy stream.")
        decision = self._decide(subject, permission, resource, account)
        if at_least_revision is not None and not self._mirror.has(at_least_revision):
            raise LeaseOverError("The revision has not arrived yet.")
        self.require_lease()
        return answer_of(decision)

    def account(self, account_id: str | None) -> str | None:
        """The account of a check that names this one, or none.

        Raises:
            LeaseOverError: the stream does not tell this account.
        """
        told = self._mirror.account_ids
        if account_id is None:
            return next(iter(told)) if told is not None and len(told) == 1 else None
        if told is not None and account_id not in told:
            raise LeaseOverError(f"The account {account_id} is not in the policy stream.")
        return account_id

    def state(self, account_id: str) -> AccountState | None:
        """The account as of the last change; `None`: there is none.

        Raises:
            LeaseOverError: the account exists, but its catalog has not arrived.
        """
        accounts = self._mirror.accounts
        state = accounts.states.get(account_id)
        if state is None and accounts.incomplete(account_id):
            raise LeaseOverError("The catalog of the account has not arrived.")
        return state

    def require_lease(self) -> None:
        """Check that the state is within its lease; call it after the state was read.

        Raises:
            LeaseOverError: it is not.
        """
        if self._clock() >= self._mirror.lease.until:
            raise LeaseOverError("The lease of the policy state is over.")

    def handle(self, subject: str, permission: str, *, account: str | None) -> "Handle":
        """Resolve a subject and a permission once.

        Raises:
            LeaseOverError: as `account`, or the subject is not a user's id.
        """
        require_user(subject)
        self._require_type(permission)
        return Handle(self, subject, permission, self.account(account))

    def _decide(
        self, subject: str, permission: str, resource: Resource, account: str | None
    ) -> Decision:
        require_user(subject)
        self._require_type(permission)
        account_id = self.account(account)
        state = None if account_id is None else self.state(account_id)
        if state is None:
            return NO_ACCOUNT
        return decide(state, Subject(subject), permission, resource, now=self._now())

    def _require_type(self, permission: str) -> None:
        types = self._mirror.resource_types
        if types is not None and permission.partition(":")[0] not in types:
            raise LeaseOverError("The service client is not bound to this resource type.")

    def now(self) -> int:
        """The time of day in epoch milliseconds."""
        return self._now()


class Handle:
    """One subject and one permission in one account, for many checks.

    Answers are kept as long as the account does not change, unless time or the request decides
    them, too.
    """

    __slots__ = ("_account_id", "_answers", "_local", "_permission", "_state", "_subject", "_timed")

    def __init__(
        self, local: LocalChecks, subject: str, permission: str, account_id: str | None
    ) -> None:
        self._local = local
        self._subject = Subject(subject)
        self._permission = permission
        self._account_id = account_id
        self._state: AccountState | None = None
        self._timed = True
        self._answers: dict[tuple[str | None, str | None, str | None], CheckDecision] = {}

    def check(self, resource: Resource = _UNSPECIFIED) -> CheckDecision:
        """Decide whether the subject has the permission on a resource.

        Raises:
            LeaseOverError: the state may be too old. This is never an allow.
        """
        local = self._local
        account_id = self._account_id
        state = None if account_id is None else local.state(account_id)
        if state is None:
            answer = answer_of(NO_ACCOUNT)
        else:
            if state is not self._state:
                self._look_at(state)
            key = (resource.id, resource.owner_id, resource.project_id)
            kept = self._answers.get(key)
            answer = self._decided(state, resource, key) if kept is None else kept
        local.require_lease()
        return answer

    def _look_at(self, state: AccountState) -> None:
        self._state = state
        self._answers = {}
        member = state.members.get(self._subject.user_id)
        self._timed = member is not None and (
            member.expires_at is not None
            or any(each.expires_at is not None for each in member.overrides.values())
        )

    def _decided(
        self,
        state: AccountState,
        resource: Resource,
        key: tuple[str | None, str | None, str | None],
    ) -> CheckDecision:
        now = self._local.now()
        answer = answer_of(decide(state, self._subject, self._permission, resource, now=now))
        if not self._timed:
            if len(self._answers) >= MAX_MEMORY:
                self._answers.clear()
            self._answers[key] = answer
        return answer


def require_user(subject: str) -> None:
    """Check that the subject is a user's id: other names of a user are known to Rolecall alone.

    Raises:
        LeaseOverError: it is not.
    """
    if _USER.fullmatch(subject) is None:
        raise LeaseOverError(f"{subject!r} is not the id of a user.")


def answer_of(decision: Decision) -> CheckDecision:
    """The decision as a check over HTTP answers it."""
    kind, _, name = (decision.decided_by or "").partition(":")
    return CheckDecision(
        allowed=decision.allowed,
        reason=decision.reason.value,
        role=name if kind == "role" else None,
        override=name if kind == "override" else None,
    )
