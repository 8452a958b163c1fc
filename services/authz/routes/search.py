"""The AuthZEN routes that search for subjects, resources and actions."""

from typing import Any

from services.authz.domain.checks import CHECK_SCOPE
from services.authz.domain.evaluations import EvaluationRequest
from services.authz.routes.evaluation import (
    REQUIRED_TEXT,
    ActionEntity,
    ResourceEntity,
    SentContext,
    SentResourceProperties,
    SentSubjectProperties,
    SubjectEntity,
    caller_of,
    evaluation_request,
)
from services.authz.routes.points import at_each_point, point_of
from services.authz.routes.search_tokens import SearchPlace, WantedPage, read_place, write_token
from services.authz.use_cases import search
from services.authz.use_cases.context import Ctx
from services.authz.use_cases.evaluations import OF_ONE_EVALUATION
from services.authz.use_cases.search import SearchPage, Sought
from shared.http.access import SessionOrClient
from shared.http.routes import Answer, Body, Call, Route, Strictness
from shared.problems import Stale

SUBJECT_SEARCH_PATH = "/access/v1/search/subject"
RESOURCE_SEARCH_PATH = "/access/v1/search/resource"
ACTION_SEARCH_PATH = "/access/v1/search/action"
SOUGHT_ID = "-"
"""In place of the id, or of the name, that is searched for."""


class SoughtSubject(Body):
    """The type of the subjects that are searched for, and what the caller knows of each."""

    type: str = REQUIRED_TEXT
    properties: SentSubjectProperties | None = None


class SoughtResource(Body):
    """The type of the resources that are searched for, and what the caller knows of each."""

    type: str = REQUIRED_TEXT
    properties: SentResourceProperties | None = None


class SubjectSearch(Body):
    """A subject search request (AuthZEN Authorization API 1.0, 8.4)."""

    subject: SoughtSubject
    action: ActionEntity
    resource: ResourceEntity
    context: SentContext | None = None
    page: WantedPage | None = None


class ResourceSearch(Body):
    """A resource search request (AuthZEN Authorization API 1.0, 8.5)."""

    subject: SubjectEntity
    action: ActionEntity
    resource: SoughtResource
    context: SentContext | None = None
    page: WantedPage | None = None


class ActionSearch(Body):
    """An action search request (AuthZEN Authorization API 1.0, 8.6)."""

    subject: SubjectEntity
    resource: ResourceEntity
    context: SentContext | None = None
    page: WantedPage | None = None


class FoundPage(Answer):
    """The number of results, and the token of the next page; it is empty on the last one.

    A page with a token may have fewer results than its limit, or none: the search goes on.
    """

    next_token: str
    count: int


class FoundContext(Answer):
    """`reason` is the one of every denial if no result is possible, and null otherwise."""

    reason: str | None


class FoundUser(Answer):
    """The id that Rolecall gave the member."""

    user_id: str


class FoundSubject(Answer):
    """A member, by their external id if they have one."""

    type: str
    id: str
    properties: FoundUser


class FoundResource(Answer):
    """A registered resource, or a project."""

    type: str
    id: str


class FoundAction(Answer):
    """An action of the catalog."""

    name: str


class FoundSubjects(Answer):
    """A subject search response."""

    page: FoundPage
    context: FoundContext
    results: list[FoundSubject]


class FoundResources(Answer):
    """A resource search response."""

    page: FoundPage
    context: FoundContext
    results: list[FoundResource]


class FoundActions(Answer):
    """An action search response."""

    page: FoundPage
    context: FoundContext
    results: list[FoundAction]


async def search_subjects(ctx: Ctx, call: Call[SubjectSearch, None]) -> FoundSubjects:
    """Answer which members may do this to the resource."""
    body = call.body
    subject = SubjectEntity.model_construct(
        type=body.subject.type, id=SOUGHT_ID, properties=body.subject.properties
    )
    request = evaluation_request(
        subject, body.action, body.resource, body.context, point=point_of(call)
    )
    page, answer = await _search(ctx, call, request, Sought.SUBJECT)
    external_ids = ctx.policy.external_ids
    return FoundSubjects(
        page=answer,
        context=FoundContext(reason=page.reason),
        results=[
            FoundSubject(
                type=body.subject.type,
                id=external_ids.of(page.account_id or "", user_id) or user_id,
                properties=FoundUser(user_id=user_id),
            )
            for user_id in page.names
        ],
    )


async def search_resources(ctx: Ctx, call: Call[ResourceSearch, None]) -> FoundResources:
    """Answer to which registered resources the subject may do this."""
    body = call.body
    kind = body.resource.type
    resource = ResourceEntity.model_construct(
        type=kind, id=SOUGHT_ID, properties=body.resource.properties
    )
    request = evaluation_request(
        body.subject, body.action, resource, body.context, point=point_of(call)
    )
    page, answer = await _search(ctx, call, request, Sought.RESOURCE)
    results = [FoundResource(type=kind, id=name) for name in page.names]
    context = FoundContext(reason=page.reason)
    return FoundResources(page=answer, context=context, results=results)


async def search_actions(ctx: Ctx, call: Call[ActionSearch, None]) -> FoundActions:
    """Answer what the subject may do to the resource."""
    body = call.body
    action = ActionEntity.model_construct(name=SOUGHT_ID)
    request = evaluation_request(
        body.subject, action, body.resource, body.context, point=point_of(call)
    )
    page, answer = await _search(ctx, call, request, Sought.ACTION)
    results = [FoundAction(name=name) for name in page.names]
    context = FoundContext(reason=page.reason)
    return FoundActions(page=answer, context=context, results=results)


async def _search(
    ctx: Ctx, call: Call[Any, None], request: EvaluationRequest, sought: Sought
) -> tuple[SearchPage, FoundPage]:
    place = read_place(ctx.places, call)
    page = await search.search(
        ctx, caller_of(call), request, sought=sought, after=place.after, limit=place.limit
    )
    token = ""
    if page.next_after is not None:
        following = SearchPlace(after=page.next_after, limit=place.limit)
        token = write_token(ctx.places, call, following)
    return page, FoundPage(next_token=token, count=len(page.names))


def _row(sought: Sought, path: str, summary: str, **fields: Any) -> Route:
    return Route(
        method="POST",
        path=path,
        operation_id=f"search{sought.value.title()}s",
        summary=summary,
        tag="decisions",
        access=SessionOrClient(CHECK_SCOPE),
        refuses=(Stale, *OF_ONE_EVALUATION),
        strictness=Strictness.LENIENT,
        on_repeat="Searches again. It changes nothing.",
        **fields,
    )


ROUTES = at_each_point(
    _row(
        Sought.SUBJECT,
        SUBJECT_SEARCH_PATH,
        "Search for the members who may act on a resource (AuthZEN)",
        handler=search_subjects,
        takes=SubjectSearch,
        gives=FoundSubjects,
    ),
    _row(
        Sought.RESOURCE,
        RESOURCE_SEARCH_PATH,
        "Search for the resources that a subject may act on (AuthZEN)",
        handler=search_resources,
        takes=ResourceSearch,
        gives=FoundResources,
    ),
    _row(
        Sought.ACTION,
        ACTION_SEARCH_PATH,
        "Search for what a subject may do to a resource (AuthZEN)",
        handler=search_actions,
        takes=ActionSearch,
        gives=FoundActions,
    ),
)
