"""The AuthZEN route for one access evaluation."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    TypeAdapter,
    ValidationError,
)

from rolecall import NO_PROPERTIES, Given, Reason, Resource
from rolecall.core.decision import DENIED_BECAUSE
from services.authz.domain.checks import CHECK_SCOPE, UNNAMED_BECAUSE, OtherSubject
from services.authz.domain.evaluations import EvaluationRequest, EvaluationResult
from services.authz.domain.explaining import TOKEN_AS_ID
from services.authz.routes.points import at_each_point, point_of
from services.authz.routes.sent import SentObject, Whole
from services.authz.use_cases import evaluation, time_travel
from services.authz.use_cases.context import Ctx
from shared.auth.api_tokens import is_api_token
from shared.auth.bindings import AccountNotBound, TypeNotBound
from shared.auth.principals import (
    ApiTokenPrincipal,
    Bearer,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.contracts.refusals import HistoryUnavailable
from shared.http.access import SessionOrClient
from shared.http.moments import FORM, StoredMoment, moment_fault
from shared.http.routes import Answer, Body, Call, Route, Strictness
from shared.problems import Stale

EVALUATION_PATH = "/access/v1/evaluation"
REQUIRED_TEXT = Field(min_length=1, max_length=1024)


class SubjectProperties(Body):
    """What the caller knows of the subject."""

    session_id: str | None = None


SentSubjectProperties = Annotated[SentObject[SubjectProperties], Whole(SubjectProperties)]


def _not_a_token(text: str) -> str:
    """Refuse the secret of an API token: it must get into no log, and its id is asked for."""
    if is_api_token(text):
        raise ValueError(TOKEN_AS_ID)
    return text


class SubjectEntity(Body):
    """The subject of the check: type `user`, with the user's id or a member's external id."""

    type: str = REQUIRED_TEXT
    id: Annotated[str, AfterValidator(_not_a_token)] = REQUIRED_TEXT
    properties: SentSubjectProperties | None = None


class ActionEntity(Body):
    """The action of the check: a level or action of the resource type."""

    name: str = REQUIRED_TEXT
    properties: dict[str, Any] | None = None


class ResourceProperties(Body):
    """What the caller knows of the resource. Conditions of grants test every member of it.

    What is registered of the resource counts instead of what is sent.
    """

    account_id: str | None = Field(
        None,
        description="The account that the check is about; at an account's own decision point it is"
        " the one of the path. Without it that is the only account that the service client is bound"
        " to, or the current account of the user's session. If there is none, the check is denied"
        " with `no-account`.",
    )
    project_id: str | None = Field(
        None, description="The project of the resource, whose overrides then decide."
    )
    owner_id: str | None = Field(
        None,
        description="The user who owns the resource, for grants that reach own ones only: their id,"
        " or the external id of a member, as for the subject.",
    )


SentResourceProperties = Annotated[SentObject[ResourceProperties], Whole(ResourceProperties)]


class ResourceEntity(Body):
    """The resource of the check."""

    type: str = REQUIRED_TEXT
    id: str = REQUIRED_TEXT
    properties: SentResourceProperties | None = None


_MOMENTS: TypeAdapter[datetime] = TypeAdapter(AwareDatetime)


def _read_moment(value: object) -> datetime:
    """Read the text of a time: an open object hands it on as it is in JSON."""
    if not isinstance(value, str):
        raise ValueError(f"Must be {FORM}")
    try:
        return _MOMENTS.validate_strings(value)
    except ValidationError:
        raise ValueError(moment_fault(value)) from None


PastMoment = Annotated[StoredMoment, BeforeValidator(_read_moment)]


class Context(Body):
    """The context of the check: the answer rests on at least this revision."""

    at_least_revision: str | None = Field(
        None,
        description="A revision of the account that the check names, or of its subject; one of"
        " anything else is ignored. If it does not arrive in a tenth of a second, the answer is"
        " 503. A user who is not a member of the account always waits that long for a revision of"
        " it, and then gets the answer of an unknown account.",
    )
    at: PastMoment | None = Field(
        None,
        description="The answer is as of this past time (RFC 3339), from the account's history."
        " Whether the subject was signed in then does not count, and `at_least_revision` is"
        " ignored. A user with `audit_log:view` may ask about others, too. The last ten seconds"
        " may still change.",
    )


SentContext = Annotated[SentObject[Context], Whole(Context)]


class Evaluation(Body):
    """An access evaluation request (AuthZEN Authorization API 1.0, 6.1)."""

    subject: SubjectEntity
    action: ActionEntity
    resource: ResourceEntity
    context: SentContext | None = None


_MEANINGS: tuple[tuple[str, str], ...] = (
    (Reason.ALLOWED, "the subject may do it"),
    (Reason.NO_ACCOUNT, "no account is named, or the named one is not found"),
    *UNNAMED_BECAUSE.items(),
    *DENIED_BECAUSE.items(),
)
_REASONS = "A stable code.\n\n" + "\n".join(f"- `{reason}`: {text}." for reason, text in _MEANINGS)


class DecisionContext(Answer):
    """The reasons of a decision: a stable code, what decided, and the revision it rests on."""

    reason: str = Field(description=_REASONS)
    role: str | None = Field(None, description="The role whose grant decided.")
    override: str | None = Field(None, description="The project whose override decided.")
    revision: str | None = Field(None, description="The state that the answer rests on.")


class PastDecisionContext(DecisionContext):
    """The reasons of a decision about a past time, and what it leaves out of account."""

    at: datetime
    not_considered: tuple[Literal["sign-in"], ...] = ("sign-in",)


class EvaluationAnswer(Answer):
    """An access evaluation response (AuthZEN Authorization API 1.0, 6.2)."""

    decision: bool
    context: PastDecisionContext | DecisionContext


def evaluation_request(
    subject: SubjectEntity,
    action: ActionEntity,
    resource: ResourceEntity,
    context: SentContext | None,
    *,
    point: str | None,
) -> EvaluationRequest:
    """The request that these entities make at the decision point of an account, or of all."""
    of_subject, of_resource = subject.properties, resource.properties
    place = ResourceProperties() if of_resource is None else of_resource.known
    return EvaluationRequest(
        subject_type=subject.type,
        subject_id=subject.id,
        session_id=None if of_subject is None else of_subject.known.session_id,
        action=action.name,
        resource_type=resource.type,
        resource=Resource(resource.id, place.owner_id, place.project_id),
        account_id=place.account_id,
        at_least_revision=None if context is None else context.known.at_least_revision,
        at=None if context is None else context.known.at,
        point=point,
        given=Given(
            subject=NO_PROPERTIES if of_subject is None else of_subject.whole,
            resource=NO_PROPERTIES if of_resource is None else of_resource.whole,
            action=action.properties or NO_PROPERTIES,
            context=NO_PROPERTIES if context is None else context.whole,
        ),
    )


Told = tuple[bool, str, str | None, str | None, datetime | None]
"""What an answer tells: allowed, reason, what decided, revision, and the past time if any."""


def evaluation_answer(result: EvaluationResult) -> EvaluationAnswer:
    """The answer with this result."""
    return told_answer(
        (result.allowed, result.reason, result.decided_by, result.revision, result.at)
    )


def told_answer(told: Told) -> EvaluationAnswer:
    """The answer that tells this."""
    allowed, reason, decided_by, revision, at = told
    kind, _, name = (decided_by or "").partition(":")
    context = DecisionContext(reason=reason, revision=revision, **({kind: name} if kind else {}))
    if at is not None:
        context = PastDecisionContext(**dict(context), at=at)
    return EvaluationAnswer(decision=allowed, context=context)


def caller_of(call: Call[Any, Any]) -> ClientPrincipal | UserPrincipal:
    """The caller of a route that admits users and service clients."""
    if not isinstance(call.principal, ClientPrincipal | UserPrincipal):
        raise TypeError("The route admits users and service clients only.")
    return call.principal


def bearer_of(call: Call[Any, Any]) -> Bearer:
    """The caller of a route that admits users, service clients and API tokens."""
    if not isinstance(call.principal, Bearer):
        raise TypeError("The route admits bearer tokens only.")
    return call.principal


def request_of(body: Evaluation, *, point: str | None = None) -> EvaluationRequest:
    """The request of the use case that a body asks for."""
    return evaluation_request(body.subject, body.action, body.resource, body.context, point=point)


async def evaluate(ctx: Ctx, call: Call[Evaluation, None]) -> EvaluationAnswer:
    """Answer one access evaluation request."""
    return await evaluate_body(ctx, call, call.body)


async def evaluate_body(ctx: Ctx, call: Call[Any, None], body: Evaluation) -> EvaluationAnswer:
    """Answer the access evaluation request that the call makes with this body."""
    request = request_of(body, point=point_of(call))
    if request.at is not None:
        caller = bearer_of(call)
        if isinstance(caller, ApiTokenPrincipal | DelegatedPrincipal):
            raise OtherSubject
        past = await time_travel.evaluate_at(ctx, caller, request, request.at)
        return evaluation_answer(past)
    return evaluation_answer(await evaluation.evaluate(ctx, bearer_of(call), request))


EVALUATION = Route(
    method="POST",
    path=EVALUATION_PATH,
    handler=evaluate,
    operation_id="evaluate",
    summary="Decide whether a subject may act on a resource (AuthZEN)",
    tag="decisions",
    access=SessionOrClient(CHECK_SCOPE, api_tokens=True),
    takes=Evaluation,
    gives=EvaluationAnswer,
    refuses=(Stale, AccountNotBound, TypeNotBound, OtherSubject, HistoryUnavailable),
    strictness=Strictness.LENIENT,
    on_repeat="Decides again. It changes nothing.",
    polled=True,
)
ROUTES = at_each_point(EVALUATION)
