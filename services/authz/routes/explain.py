"""The route that explains a decision."""

from typing import Self

from rolecall import Grantor, Grantors, Remedies, Step, StepId, StepResult
from services.authz.domain.checks import CHECK_SCOPE, OtherSubject
from services.authz.routes.evaluation import (
    DecisionContext,
    Evaluation,
    PastDecisionContext,
    caller_of,
    evaluation_answer,
    request_of,
)
from services.authz.use_cases import explain as use_case
from services.authz.use_cases import time_travel
from services.authz.use_cases.context import Ctx
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.contracts.refusals import HistoryUnavailable
from shared.http.access import SessionOrClient
from shared.http.routes import Answer, Call, Route, Strictness
from shared.problems import Invalid, Stale


class StepView(Answer):
    """One step of a decision. The first that does not hold ends it."""

    id: StepId
    result: StepResult
    text: str

    @classmethod
    def of(cls, step: Step) -> Self:
        """Return the step as the API shows it."""
        return cls(id=step.id, result=step.result, text=step.text)


class OverrideRemedyView(Answer):
    """An override that would allow the check if it has at least these grants."""

    project_id: str
    grants: dict[str, dict[str, str]]


class RemediesView(Answer):
    """What would allow a check that is denied: one of `roles`, or the override.

    `text` says it in sentences, and what else would help.
    """

    text: str
    roles: tuple[str, ...]
    override: OverrideRemedyView | None

    @classmethod
    def of(cls, found: Remedies) -> Self:
        """Return the remedies as the API shows them."""
        override = found.override
        return cls(
            text=found.text,
            roles=found.roles,
            override=override
            and OverrideRemedyView(
                project_id=override.project_id,
                grants={entry: dict(levels) for entry, levels in override.grants.items()},
            ),
        )


class GrantorView(Answer):
    """A member who could allow the check: the roles that they may give, or the override."""

    user_id: str
    roles: tuple[str, ...]
    override: bool

    @classmethod
    def of(cls, member: Grantor) -> Self:
        """Return the member as the API shows them."""
        return cls(user_id=member.user_id, roles=member.roles, override=member.override)


class GrantorsView(Answer):
    """The first members who could allow the check, the owner first, and how many there are.

    `complete` is false if not all members who manage others were examined.
    """

    items: tuple[GrantorView, ...]
    count: int
    complete: bool

    @classmethod
    def of(cls, found: Grantors) -> Self:
        """Return the members as the API shows them."""
        return cls(
            items=tuple(map(GrantorView.of, found.members)),
            count=found.count,
            complete=found.complete,
        )


class ExplanationView(Answer):
    """A decision as an evaluation has it, its steps, and what would change it.

    `would_allow` is null when the check is allowed, when the caller may not learn of the account,
    and for a past time: `context.at` says that the answer is as of it. `could_grant` is null as
    well for a user who may not see the members.
    """

    decision: bool
    context: PastDecisionContext | DecisionContext
    steps: tuple[StepView, ...]
    would_allow: RemediesView | None
    could_grant: GrantorsView | None


async def explain(ctx: Ctx, call: Call[Evaluation, None]) -> ExplanationView:
    """Explain one access evaluation."""
    principal, request = caller_of(call), request_of(call.body)
    if request.at is not None:
        found = await time_travel.explain_at(ctx, principal, request, request.at)
    else:
        found = await use_case.explain(ctx, principal, request)
    answer, more = evaluation_answer(found.result), found.would_allow
    return ExplanationView(
        decision=answer.decision,
        context=answer.context,
        steps=tuple(map(StepView.of, found.steps)),
        would_allow=more and RemediesView.of(more.remedies),
        could_grant=more and more.grantors and GrantorsView.of(more.grantors),
    )


ROUTES = (
    Route(
        method="POST",
        path="/v1/authz/explain",
        handler=explain,
        operation_id="explain",
        summary="Explain a decision in steps, and what would change it",
        tag="decisions",
        access=SessionOrClient(CHECK_SCOPE),
        takes=Evaluation,
        gives=ExplanationView,
        refuses=(Stale, AccountNotBound, TypeNotBound, OtherSubject, HistoryUnavailable, Invalid),
        strictness=Strictness.LENIENT,
        on_repeat="Explains again. It changes nothing.",
        caller_rule="About another user: a member of the account with `member:view`; about a past"
        " time with `audit_log:view` instead.",
    ),
)
