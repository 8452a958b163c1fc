"""The routes of authz: AuthZEN evaluations, and decisions for other services."""

from typing import Any

from pydantic import Field

from rolecall import Resource
from services.authz import use_cases
from services.authz.domain.checks import (
    CHECK_SCOPE,
    OtherSubject,
    PermissionCheck,
)
from services.authz.use_cases import Ctx, EvaluationRequest
from shared import metrics
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.contracts.calls.authz import (
    DECIDE,
    LIVE_CALLER,
    CallerAnswer,
    CallerRequest,
    CheckRequest,
    CheckResult,
)
from shared.http.access import Public, SessionOrClient
from shared.http.internal import internal_route
from shared.http.routes import Answer, Body, Call, Route, Strictness
from shared.problems import Stale

EVALUATION_PATH = "/access/v1/evaluation"
ALLOW, DENY = "allow", "deny"
REQUIRED_TEXT = Field(min_length=1, max_length=1024)


class SubjectProperties(Body):
    """What the caller knows of the subject."""

    session_id: str | None = None


class SubjectEntity(Body):
    """The subject of the check: type `user`, and the user's id."""

    type: str = REQUIRED_TEXT
    id: str = REQUIRED_TEXT
    properties: SubjectProperties | None = None


class ActionEntity(Body):
    """The action of the check: a level or action of the resource type."""

    name: str = REQUIRED_TEXT
    properties: dict[str, Any] | None = None


class ResourceProperties(Body):
    """Account, project and owner of the resource, as far as the caller knows them."""

    account_id: str | None = None
    project_id: str | None = None
    owner_id: str | None = None


class ResourceEntity(Body):
    """The resource of the check."""

    type: str = REQUIRED_TEXT
    id: str = REQUIRED_TEXT
    properties: ResourceProperties | None = None


class Context(Body):
    """The context of the check: the answer rests on at least this revision."""

    at_least_revision: str | None = Field(
        None,
        description="A revision of the account that the check names, or of its subject; one of"
        " anything else is ignored. If it does not arrive in a tenth of a second, the answer is"
        " 503. A user who is not a member of the account always waits that long for a revision of"
        " it, and then gets the answer of an unknown account.",
    )


class Evaluation(Body):
    """An access evaluation request (AuthZEN Authorization API 1.0, 6.1)."""

    subject: SubjectEntity
    action: ActionEntity
    resource: ResourceEntity
    context: Context | None = None


class DecisionContext(Answer):
    """The reasons of a decision: a stable code, what decided, and the revision it rests on."""

    reason: str
    role: str | None = None
    override: str | None = None
    revision: str | None = None


class EvaluationAnswer(Answer):
    """An access evaluation response (AuthZEN Authorization API 1.0, 6.2)."""

    decision: bool
    context: DecisionContext


class Configuration(Answer):
    """The metadata of the policy decision point (AuthZEN Authorization API 1.0, 9)."""

    policy_decision_point: str
    access_evaluation_endpoint: str


async def evaluate(ctx: Ctx, call: Call[Evaluation, None]) -> EvaluationAnswer:
    """Answer one access evaluation request."""
    body, principal = call.body, call.principal
    if not isinstance(principal, ClientPrincipal | UserPrincipal):
        raise TypeError("The route admits users and service clients only.")
    resource = body.resource.properties or ResourceProperties()
    subject = body.subject.properties or SubjectProperties()
    context = body.context or Context()
    result = await use_cases.evaluate(
        ctx,
        principal,
        EvaluationRequest(
            subject_type=body.subject.type,
            subject_id=body.subject.id,
            session_id=subject.session_id,
            action=body.action.name,
            resource_type=body.resource.type,
            resource=Resource(body.resource.id, resource.owner_id, resource.project_id),
            account_id=resource.account_id,
            at_least_revision=context.at_least_revision,
        ),
    )
    metrics.CHECKS.labels(ALLOW if result.allowed else DENY, result.reason).inc()
    kind, _, name = (result.decided_by or "").partition(":")
    return EvaluationAnswer(
        decision=result.allowed,
        context=DecisionContext(
            reason=result.reason, revision=result.revision, **({kind: name} if kind else {})
        ),
    )


async def configuration(ctx: Ctx, call: Call[None, None]) -> Configuration:
    """Answer with the addresses of the decision point."""
    return Configuration(
        policy_decision_point=ctx.public_url,
        access_evaluation_endpoint=ctx.public_url + EVALUATION_PATH,
    )


async def decide(ctx: Ctx, call: Call[CheckRequest, None]) -> CheckResult:
    """Answer the check of another Rolecall service."""
    body = call.body
    return await use_cases.check_for_service(
        ctx,
        PermissionCheck(
            user_id=body.user_id,
            session_id=body.session_id,
            account_id=body.account_id,
            permission=body.permission,
        ),
        at_least_revision=body.at_least_revision,
    )


async def check_caller(ctx: Ctx, call: Call[CallerRequest, None]) -> CallerAnswer:
    """Tell another Rolecall service whether its caller is still signed in."""
    body = call.body
    return CallerAnswer(live=ctx.callers.live(session_id=body.session_id, client_id=body.client_id))


ROUTES = (
    Route(
        method="POST",
        path=EVALUATION_PATH,
        handler=evaluate,
        operation_id="evaluate",
        summary="Decide whether a subject may act on a resource (AuthZEN)",
        tag="decisions",
        access=SessionOrClient(CHECK_SCOPE),
        takes=Evaluation,
        gives=EvaluationAnswer,
        refuses=(Stale, AccountNotBound, TypeNotBound, OtherSubject),
        strictness=Strictness.LENIENT,
        on_repeat="Decides again. It changes nothing.",
    ),
    Route(
        method="GET",
        path="/.well-known/authzen-configuration",
        handler=configuration,
        operation_id="authzenConfiguration",
        summary="The addresses of the decision point (AuthZEN)",
        tag="decisions",
        access=Public(),
        gives=Configuration,
    ),
)

INTERNAL_ROUTES = (
    internal_route(LIVE_CALLER, check_caller, refuses=(Stale,)),
    internal_route(DECIDE, decide, refuses=(Stale,)),
)
