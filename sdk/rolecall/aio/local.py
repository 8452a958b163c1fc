"""Decisions of local mode: from the mirrored state, and only within its lease."""

import re
import time
from collections.abc import Callable

from rolecall.aio.errors import LeaseOverError
from rolecall.aio.mirror import Mirror
from rolecall.client.evaluations import CheckDecision, request_properties
from rolecall.core.condition_facts import NOTHING_GIVEN, Given
from rolecall.core.decide import decide
from rolecall.core.decision import NO_ACCOUNT, Decision
from rolecall.core.state import AccountState, Member, Resource, Subject

MAX_HANDLES = 10_000
MAX_ANSWERS = 64
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
        self.mirror = mirror
        self.clock = clock
        self.now = now
        self._handles: dict[tuple[str, str, str | None, str | None], Handle] = {}

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
        """Decide one check.

        Raises:
            LeaseOverError: the state may be too old, or does not answer this check.
            UndecidedError: the properties could not be sent to Rolecall either.
        """
        meant = self.default_account() if account is None else account
        known = self._handles.get((subject, permission, meant, account))
        if known is None:
            known = self._keep(self.handle(subject, permission, account=account))
        return known.check(
            resource, session=session, at_least_revision=at_least_revision, given=given
        )

    def handle(self, subject: str, permission: str, *, account: str | None) -> "Handle":
        """Resolve a subject and a permission once.

        Raises:
            LeaseOverError: the subject is not a user's id.
        """
        if _USER.fullmatch(subject) is None:
            raise LeaseOverError(f"{subject!r} is not the id of a user: ask remotely about it.")
        meant = self.default_account() if account is None else account
        return Handle(self, subject, permission, meant, named=account)

    def default_account(self) -> str | None:
        """The account of a check that names none: the only one that is told."""
        told = self.mirror.account_ids
        return next(iter(told)) if told is not None and len(told) == 1 else None

    def require_told(self, permission: str, account_id: str | None) -> None:
        """Check that the stream tells what a check of this account rests on.

        Raises:
            LeaseOverError: it does not, or the catalog of the account has not arrived.
        """
        mirror = self.mirror
        types, accounts = mirror.resource_types, mirror.account_ids
        if types is not None and permission.partition(":")[0] not in types:
            raise LeaseOverError("The service client is not bound to this resource type.")
        if account_id is None:
            return
        if accounts is not None and account_id not in accounts:
            raise LeaseOverError(f"The account {account_id} is not in the policy stream.")
        if mirror.accounts.incomplete(account_id):
            raise LeaseOverError("The catalog of the account has not arrived.")

    def _keep(self, made: "Handle") -> "Handle":
        if len(self._handles) >= MAX_HANDLES:
            self._handles.clear()
        self._handles[made.key] = made
        return made


class Handle:
    """One subject and one permission in one account, for many checks.

    Answers are kept as long as the account does not change, unless time or a condition decides
    them, too. The last one is found by the resource itself, until the stream has another event.
    `named` is the account as the caller named it.
    """

    __slots__ = (
        "_account",
        "_answers",
        "_asked",
        "_clock",
        "_demanding",
        "_events",
        "_last_answer",
        "_lasting",
        "_local",
        "_mirror",
        "_state",
        "_subject",
        "key",
    )

    def __init__(
        self,
        local: LocalChecks,
        subject: str,
        permission: str,
        account_id: str | None,
        *,
        named: str | None,
    ) -> None:
        self.key = subject, permission, account_id, named
        self._account = account_id or ""
        self._local = local
        self._mirror = local.mirror
        self._clock = local.clock
        self._subject = Subject(subject, second_factor=True)
        self._state: AccountState | None = None
        self._lasting = False
        self._demanding = False
        self._answers: dict[tuple[str | None, str | None, str | None], CheckDecision] = {}
        self._asked: Resource | None = None
        self._last_answer: CheckDecision | None = None
        self._events = -1

    def check(
        self,
        resource: Resource = _UNSPECIFIED,
        *,
        session: str | None = None,
        at_least_revision: str | None = None,
        given: Given = NOTHING_GIVEN,
    ) -> CheckDecision:
        """Decide whether the subject has the permission on a resource.

        With `session`, the id of the subject's session, its end is a denial.

        Raises:
            LeaseOverError: the state may be too old, or does not answer. This is never an allow.
            UndecidedError: the properties could not be sent to Rolecall either.
        """
        mirror, answer = self._mirror, None
        usual = session is None and at_least_revision is None and given is NOTHING_GIVEN
        if usual and self._events == mirror.events:
            if resource is self._asked:
                answer = self._last_answer
            elif not resource.properties:
                answer = self._answers.get((resource.id, resource.owner_id, resource.project_id))
        if answer is None:
            answer = self._answer(resource, session, at_least_revision, given)
        if self._clock() >= mirror.lease.until:
            raise LeaseOverError("The lease of the policy state is over.")
        return answer

    def _answer(
        self, resource: Resource, session: str | None, at_least_revision: str | None, given: Given
    ) -> CheckDecision:
        """The answer, whose lease is still to be tested."""
        mirror = self._mirror
        state = mirror.accounts.states.get(self._account)
        if at_least_revision is not None and not mirror.has(at_least_revision):
            raise LeaseOverError("The revision has not arrived yet.")
        if state is not self._state or state is None:
            self._look_at(state)
        ended = session is not None and session in mirror.ended
        subject = self._subject
        lacking = self._demanding and subject.user_id not in mirror.with_factor
        if ended or lacking or subject.user_id in mirror.disabled:
            disabled = subject.user_id in mirror.disabled
            subject = Subject(
                subject.user_id,
                user_disabled=disabled,
                session_ended=ended,
                second_factor=not lacking,
            )
        elif given is NOTHING_GIVEN and not resource.properties:
            known = self._answers.get((resource.id, resource.owner_id, resource.project_id))
            self._events = mirror.events
            if known is not None:
                return known
        return self._decided(state, subject, resource, session, at_least_revision, given)

    def _look_at(self, state: AccountState | None) -> None:
        """Forget the answers about another state of the account."""
        _, permission, account_id, _ = self.key
        self._answers = {}
        self._asked = self._last_answer = None
        self._local.require_told(permission, account_id)
        member = None if state is None else state.members.get(self._subject.user_id)
        self._lasting = state is None or member is None or _lasting(state, member, permission)
        self._demanding = state is not None and state.require_second_factor
        self._state = state

    def _decided(
        self,
        state: AccountState | None,
        subject: Subject,
        resource: Resource,
        session: str | None,
        at_least_revision: str | None,
        given: Given,
    ) -> CheckDecision:
        sent = request_properties(
            resource,
            account_id=self.key[3],
            session_id=session,
            at_least_revision=at_least_revision,
            given=given,
        )
        if state is None:
            return answer_of(NO_ACCOUNT)
        now = self._local.now()
        answer = answer_of(decide(state, subject, self.key[1], resource, now=now, given=sent))
        if self._lasting and subject is self._subject:
            if len(self._answers) >= MAX_ANSWERS:
                self._answers.clear()
            self._answers[resource.id, resource.owner_id, resource.project_id] = answer
            self._asked, self._last_answer = resource, answer
        return answer


def _lasting(state: AccountState, member: Member, permission: str) -> bool:
    """Whether neither time nor a condition can change the decisions about this permission."""
    held = state.catalog.permissions.get(permission)
    overrides = member.overrides.values()
    matrices = [member.role, *(each.matrix for each in overrides)]
    ends = [member.expires_at, *(each.expires_at for each in overrides)]
    return all(end is None for end in ends) and not any(
        held is not None and held.bit in matrix.conditional for matrix in matrices
    )


def answer_of(decision: Decision) -> CheckDecision:
    """The decision as a check over HTTP answers it."""
    kind, _, name = (decision.decided_by or "").partition(":")
    return CheckDecision(
        allowed=decision.allowed,
        reason=decision.reason.value,
        role=name if kind == "role" else None,
        override=name if kind == "override" else None,
    )
