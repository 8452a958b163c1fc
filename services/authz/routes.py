"""Which questions does authz answer?"""

from typing import Any

from prometheus_client import Counter
from pydantic import Field

from rolecall import Resource
from services.authz import use_cases
from services.authz.domain import (
    CHECK,
    AccountNotBound,
    Check,
    OtherSubject,
    TypeNotBound,
    shows_membership,
)
from services.authz.use_cases import Ctx, Question
from shared import metrics
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.contracts.calls import DECIDE, CheckRequest, CheckResult
from shared.http import (
    Answer,
    Body,
    Call,
    Public,
    Route,
    SessionOrClient,
    Strictness,
)
from shared.http.internal import internal_route
from shared.problems import Stale

EVALUATION = "/access/v1/evaluation"
TEXT = Field(min_length=1, max_length=1024)

CHECKS = Counter(
    "rolecall_checks",
    "Checks answered with a decision.",
    ("decision", "reason"),
    registry=metrics.REGISTRY,
)


class SubjectProperties(Body):
    """What is said of a subject."""

    session_id: str | None = None


class SubjectEntity(Body):
    """Who would act: `user` and the user's id."""

    type: str = TEXT
    id: str = TEXT
    properties: SubjectProperties | None = None


class ActionEntity(Body):
    """What would be done: a level or action of the resource type."""

    name: str = TEXT
    properties: dict[str, Any] | None = None


class ResourceProperties(Body):
    """Where the resource is and whose it is, as far as the caller knows."""

    account_id: str | None = None
    project_id: str | None = None
    owner_id: str | None = None


class ResourceEntity(Body):
    """What would be acted on."""

    type: str = TEXT
    id: str = TEXT
    properties: ResourceProperties | None = None


class Context(Body):
    """The answer is at least as fresh as this revision, or none."""

    at_least_revision: str | None = None


class Evaluation(Body):
    """An access evaluation request (AuthZEN Authorization API 1.0, 6.1)."""

    subject: SubjectEntity
    action: ActionEntity
    resource: ResourceEntity
    context: Context | None = None


class DecisionContext(Answer):
    """Why: a stable reason, what decided, and the revision that the answer rests on."""

    reason: str
    role: str | None = None
    override: str | None = None
    revision: str | None = None


class EvaluationAnswer(Answer):
    """An access evaluation response (AuthZEN Authorization API 1.0, 6.2)."""

    decision: bool
    context: DecisionContext


class Configuration(Answer):
    """The policy decision point's metadata (AuthZEN Authorization API 1.0, 9)."""

    policy_decision_point: str
    access_evaluation_endpoint: str


async def evaluate(ctx: Ctx, call: Call[Evaluation, None]) -> EvaluationAnswer:
    """Answer one access evaluation request."""
    body, principal = call.body, call.principal
    if not isinstance(principal, ClientPrincipal | UserPrincipal):
        raise TypeError("the row admits users and clients only")
    known = body.resource.properties or ResourceProperties()
    said = body.subject.properties or SubjectProperties()
    context = body.context or Context()
    answered = await use_cases.evaluate(
        ctx,
        principal,
        Question(
            subject_type=body.subject.type,
            subject_id=body.subject.id,
            session_id=said.session_id,
            action=body.action.name,
            resource_type=body.resource.type,
            resource=Resource(body.resource.id, known.owner_id, known.project_id),
            account_id=known.account_id,
            at_least=context.at_least_revision,
        ),
    )
    CHECKS.labels("allow" if answered.allowed else "deny", answered.reason).inc()
    kind, _, name = (answered.decided_by or "").partition(":")
    return EvaluationAnswer(
        decision=answered.allowed,
        context=DecisionContext(
            reason=answered.reason, revision=answered.revision, **({kind: name} if kind else {})
        ),
    )


async def configuration(ctx: Ctx, call: Call[None, None]) -> Configuration:
    """Say where to ask."""
    return Configuration(
        policy_decision_point=ctx.public_url,
        access_evaluation_endpoint=ctx.public_url + EVALUATION,
    )


async def decide(ctx: Ctx, call: Call[CheckRequest, None]) -> CheckResult:
    """Answer another service of ours."""
    question = call.body
    decision = await use_cases.decide_for(
        ctx,
        Check(
            user_id=question.user_id,
            session_id=question.session_id,
            account_id=question.account_id,
            permission=question.permission,
            resource=Resource(),
        ),
        at_least=question.at_least_revision,
    )
    return CheckResult(
        allowed=decision.allowed, member=shows_membership(decision), reason=decision.reason
    )


ROUTES = (
    Route(
        method="POST",
        path=EVALUATION,
        handler=evaluate,
        operation_id="evaluate",
        summary="May this subject do that to this resource? (AuthZEN)",
        tag="decisions",
        access=SessionOrClient(CHECK),
        takes=Evaluation,
        gives=EvaluationAnswer,
        refuses=(Stale, AccountNotBound, TypeNotBound, OtherSubject),
        strictness=Strictness.LENIENT,
    ),
    Route(
        method="GET",
        path="/.well-known/authzen-configuration",
        handler=configuration,
        operation_id="authzenConfiguration",
        summary="Where the decision point answers (AuthZEN)",
        tag="decisions",
        access=Public(),
        gives=Configuration,
    ),
)

INTERNAL_ROUTES = (internal_route(DECIDE, decide, refuses=(Stale,)),)
