"""The AuthZEN route for one access evaluation."""

from typing import Any

from pydantic import Field

from rolecall import Resource
from services.authz.domain.checks import CHECK_SCOPE, OtherSubject
from services.authz.use_cases import evaluation
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluation import EvaluationRequest, EvaluationResult
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import ClientPrincipal, UserPrincipal
from shared.http.access import SessionOrClient
from shared.http.routes import Answer, Body, Call, Route, Strictness
from shared.problems import Stale

EVALUATION_PATH = "/access/v1/evaluation"
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


async def evaluate(ctx: Ctx, call: Call[Evaluation, None]) -> EvaluationAnswer:
    """Answer one access evaluation request."""
    principal = call.principal
    if not isinstance(principal, ClientPrincipal | UserPrincipal):
        raise TypeError("The route admits users and service clients only.")
    return evaluation_answer(await evaluation.evaluate(ctx, principal, request_of(call.body)))


def request_of(body: Evaluation) -> EvaluationRequest:
    """The request of the use case that a body asks for."""
    resource = body.resource.properties or ResourceProperties()
    subject = body.subject.properties or SubjectProperties()
    context = body.context or Context()
    return EvaluationRequest(
        subject_type=body.subject.type,
        subject_id=body.subject.id,
        session_id=subject.session_id,
        action=body.action.name,
        resource_type=body.resource.type,
        resource=Resource(body.resource.id, resource.owner_id, resource.project_id),
        account_id=resource.account_id,
        at_least_revision=context.at_least_revision,
    )


def evaluation_answer(result: EvaluationResult) -> EvaluationAnswer:
    """The answer that tells a result."""
    kind, _, name = (result.decided_by or "").partition(":")
    return EvaluationAnswer(
        decision=result.allowed,
        context=DecisionContext(
            reason=result.reason, revision=result.revision, **({kind: name} if kind else {})
        ),
    )


EVALUATION = Route(
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
    polled=True,
)

ROUTES = (EVALUATION,)
