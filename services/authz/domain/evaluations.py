"""An access evaluation: what is asked, the check that it is, and its result."""

from datetime import datetime

from msgspec import Struct, structs

from rolecall import (
    NO_ACCOUNT,
    NOTHING_GIVEN,
    AccountState,
    AnyGiven,
    AnyResource,
    Decision,
    Member,
    TokenSubject,
    decide_for_member,
)
from rolecall.core.condition_work import ConditionWork
from services.authz.domain.checks import (
    ELSEWHERE,
    SHOWS_MEMBERSHIP,
    TOKEN_TYPE,
    PermissionCheck,
)
from services.authz.domain.decision_counts import Denied
from services.authz.domain.external_ids import ExternalIds
from services.authz.domain.named_checks import named_owner, owned
from shared.ids import TokenId, is_id


class EvaluationRequest(Struct, gc=False):
    """One access evaluation; `account_id` and `at_least_revision` are optional.

    `subject_id` may be an external id. `point` is the account whose own decision point is asked.
    With `at` it is about a past time: only `time_travel` answers it.
    """

    subject_type: str
    subject_id: str
    session_id: str | None
    action: str
    resource_type: str
    resource: AnyResource
    account_id: str | None
    at_least_revision: str | None
    point: str | None = None
    given: AnyGiven = NOTHING_GIVEN
    at: datetime | None = None


class EvaluationResult(Struct, kw_only=True, gc=False):
    """The decision, its reason, what decided (`role:…`, `override:…`), and its revision.

    `at` is the past time that it is about.
    """

    check: PermissionCheck
    allowed: bool
    reason: str
    decided_by: str | None = None
    revision: str | None = None
    at: datetime | None = None


def check_of(
    request: EvaluationRequest,
    account_id: str | None,
    user_id: str,
    token: TokenSubject | None = None,
) -> PermissionCheck:
    """The check that a request asks for, of this account, user and API token."""
    return PermissionCheck(
        user_id=user_id,
        session_id=request.session_id,
        token_id=token_id_of(request) if request.subject_type == TOKEN_TYPE else None,
        token=token,
        account_id=account_id,
        permission=f"{request.resource_type}:{request.action}",
        resource=request.resource,
        given=request.given,
        elsewhere=is_elsewhere(request),
    )


def known_project(account: AccountState, resource: AnyResource) -> str | None:
    """The project that a resource names, if the account has it."""
    project_id = resource.project_id
    return project_id if project_id is not None and project_id in account.projects else None


def is_elsewhere(request: EvaluationRequest) -> bool:
    """Whether the resource belongs to another account than the one whose point is asked."""
    return request.point is not None and request.account_id not in (None, request.point)


class EvaluationPlace(Struct, gc=False):
    """The account and subject of evaluations, which may differ in action and resource.

    `found` is the member, or why every evaluation is denied. `own`: the answer reaches its subject.
    `now` is in epoch milliseconds.
    """

    account: AccountState | None
    account_id: str | None
    user_id: str
    token: TokenSubject | None
    found: Member | Decision
    own: bool
    elsewhere: bool
    revision: str | None
    now: int
    external_ids: ExternalIds
    active: bool = False
    """Whether the activity of the member was noted."""

    def with_named_owner(self, request: EvaluationRequest) -> EvaluationRequest:
        """The request with the user id of the owner, as `with_named_owner` gives a check."""
        sent = request.resource.owner_id
        owner_id = named_owner(
            self.external_ids, self.account_id, sent, self.user_id if self.own else None
        )
        if owner_id == sent or owner_id is None:
            return request
        resource, given = owned(request.resource, request.given, owner_id)
        return structs.replace(request, resource=resource, given=given)

    def decide(self, request: EvaluationRequest, work: ConditionWork | None = None) -> Decision:
        """Decide a request of this account and subject."""
        account, found = self.account, self.found
        if account is None or isinstance(found, Decision):
            return found if isinstance(found, Decision) else NO_ACCOUNT
        decision = decide_for_member(
            account,
            found,
            f"{request.resource_type}:{request.action}",
            request.resource,
            now=self.now,
            given=request.given,
            work=work,
            token=self.token,
        )
        return ELSEWHERE if self.elsewhere and decision.allowed else decision

    def revision_of(self, decision: Decision) -> str | None:
        """The revision that the answer names; only a member learns of the account's."""
        shown = not self.own or decision.reason in SHOWS_MEMBERSHIP
        return self.revision if shown else None


class Evaluated(Struct, gc=False):
    """A request that was decided. What is told of it is made when it is needed."""

    place: EvaluationPlace
    request: EvaluationRequest
    decision: Decision

    @property
    def check(self) -> PermissionCheck:
        """The check that was decided."""
        place = self.place
        return check_of(self.request, place.account_id, place.user_id, place.token)

    @property
    def denied(self) -> Denied | None:
        """The denial of a member, as it is counted; `None` if no member is denied."""
        place, request = self.place, self.request
        account, account_id, resource = place.account, place.account_id, request.resource
        if account is None or account_id is None or isinstance(place.found, Decision):
            return None
        return Denied(
            account_id,
            place.user_id,
            f"{request.resource_type}:{request.action}",
            resource.id,
            None if resource.project_id is None else known_project(account, resource),
            self.decision.reason,
            token_id_of(request) if request.subject_type == TOKEN_TYPE else None,
        )

    @property
    def result(self) -> EvaluationResult:
        """The result."""
        decision = self.decision
        return EvaluationResult(
            check=self.check,
            allowed=decision.allowed,
            reason=decision.reason,
            decided_by=decision.decided_by,
            revision=self.place.revision_of(decision),
        )


def token_id_of(request: EvaluationRequest) -> TokenId | None:
    """The id of the API token that the subject names, if it names one."""
    if request.subject_type == TOKEN_TYPE and is_id(request.subject_id, "tok"):
        return TokenId(request.subject_id)
    return None
