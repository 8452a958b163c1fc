"""One row of a ROUTES table, the call that its handler gets, and the reply that it gives."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from multidict import CIMultiDictProxy
from pydantic import BaseModel, ConfigDict

from shared.auth.principals import (
    ClientPrincipal,
    Member,
    Principal,
    ServicePrincipal,
    UserPrincipal,
)
from shared.auth.step_up import StepUpRequired
from shared.contracts.facts import Caller
from shared.http.access import Access, Permission, needs_fresh_proof
from shared.http.error_forms import ErrorForm
from shared.http.idempotency import IdempotencyAnswerLost, IdempotencyGuard, IdempotencyKeyReused
from shared.http.lanes import Overloaded, TooManyAtOnce
from shared.http.preconditions import Precondition, PreconditionFailed, Tagged
from shared.http.refusals import (
    BY_ACCESS,
    BadRequest,
    BodyBroken,
    BodyMissing,
    BodyTooLarge,
    BodyTooSlow,
    DeadlineExceeded,
    MalformedForm,
    MalformedJson,
    NotHttp,
    WrongContentType,
)
from shared.http.streams import Stream
from shared.ids import AccountId
from shared.problems import Invalid, NotFound, Refusal, Unavailable

BodyT = TypeVar("BodyT")
QueryT = TypeVar("QueryT")

BODY_CAP_BYTES = 65_536
MAX_ERRORS = 20
PARAMETER = re.compile(r"\{([a-z_]+)\}")
REVISION_HEADER = "Rolecall-Revision"

# Only of the journals that authz follows: it cannot wait for another.
_REVISION = re.compile(
    r"(?:identity|team)\.[A-Za-z0-9_-]{1,64}\.(?:[0-9]|[1-5][0-9]|6[0-3])\.[1-9][0-9]{0,17}"
)


class Body(BaseModel):
    """The body or the query of a route; unknown members are refused (`T23`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """The answer of a route."""

    model_config = ConfigDict(frozen=True)


class Strictness(StrEnum):
    """How a route answers input that does not fit."""

    STRICT = "strict"
    """422 with pointers; unknown members are refused."""
    LENIENT = "lenient"
    """Always 400; unknown members are ignored, as AuthZEN and RFC 6749 require."""


def refuse(errors: Sequence[tuple[str, str]], strictness: Strictness) -> Refusal:
    """Build the refusal of input that does not fit, as the route's strictness has it."""
    return (Invalid if strictness is Strictness.STRICT else BadRequest)(errors=errors[:MAX_ERRORS])


def revision_of(headers: Mapping[str, str], strictness: Strictness) -> str | None:
    """The revision that authz must have before it answers, if the caller names one.

    Raises:
        Invalid, BadRequest: the header is not a revision of a journal that authz follows.
    """
    revision = headers.get(REVISION_HEADER)
    if revision is not None and _REVISION.fullmatch(revision) is None:
        message = "Must be a revision, as an earlier answer returned it."
        raise refuse([(f"/headers/{REVISION_HEADER}", message)], strictness)
    return revision


class Media(StrEnum):
    """The media type of a body."""

    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"


class Effect(Protocol):
    """The result of a committed write (the journal's `WriteResult` is one)."""

    @property
    def revision(self) -> str | None:
        """The revision of the write; None when it changed nothing."""
        ...

    @property
    def effective(self) -> bool:
        """Whether every replica of authz that still answers has applied it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[BodyT, QueryT]):
    """One authenticated request with validated input, as its handler gets it."""

    caller: Caller
    principal: Principal
    path: Mapping[str, str]
    body: BodyT
    query: QueryT
    headers: CIMultiDictProxy[str]
    method: str
    target: str
    """The path and query of the first line, exactly as they were sent."""
    route: "Route"
    request_id: str
    raw: bytes = b""
    """The body, exactly as it was sent."""
    guard: IdempotencyGuard | None = None
    """Of a row that is `idempotent`, when the caller sent an `Idempotency-Key`."""
    precondition: Precondition | None = None
    """Of a row with `represent`, when the caller sent `If-Match` or `If-None-Match`."""

    @property
    def account_id(self) -> AccountId:
        """The account that the path names."""
        return AccountId(self.path["account_id"])

    @property
    def revision(self) -> str | None:
        """The revision of the caller, for a handler that calls authz; raises as `revision_of`."""
        return revision_of(self.headers, self.route.strictness)

    @property
    def permission(self) -> str:
        """The permission that this route requires."""
        if not isinstance(self.route.access, Permission):
            raise TypeError(f"{self.route.operation_id} has no permission")
        return self.route.access.name

    @property
    def project_permission(self) -> str | None:
        """The right on the project of the path that this route requires besides `permission`."""
        access = self.route.access
        return access.in_project if isinstance(access, Permission) else None

    @property
    def user(self) -> UserPrincipal:
        """The user who calls, in a session."""
        if not isinstance(self.principal, UserPrincipal):
            raise TypeError(f"{self.route.operation_id} is not for users alone")
        return self.principal

    @property
    def member(self) -> Member:
        """The user who calls, in a session or by an API token."""
        if not isinstance(self.principal, Member):
            raise TypeError(f"{self.route.operation_id} is not for users alone")
        return self.principal

    @property
    def client(self) -> ClientPrincipal:
        """The service client that calls."""
        if not isinstance(self.principal, ClientPrincipal):
            raise TypeError(f"{self.route.operation_id} is not for service clients alone")
        return self.principal

    @property
    def service(self) -> ServicePrincipal:
        """The service of the product that calls."""
        if not isinstance(self.principal, ServicePrincipal):
            raise TypeError(f"{self.route.operation_id} is not for services")
        return self.principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer with a status, headers or a write result of its own.

    A `body` of bytes is sent unchanged, with `content_type`; a `Stream` is written while it lasts.
    With `written` the answer carries `Rolecall-Revision`; it is a 202 with `Location` while the
    write is not effective everywhere.
    """

    body: BaseModel | bytes | Stream | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    written: Effect | None = None


Handler = Callable[..., Awaitable[BaseModel | Reply | None]]
"""Takes the service's context and the call; a route of an account takes what its hook made, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Method, path, input, answer, refusals and access of one route.

    `takes` is None when no body is read, `query` is None when no parameter is known. With
    `effective_everywhere` the write is acknowledged after the barrier, because it changes policy
    state. With `gives_revision` the answer has the revision of another service's change. `status`
    is that of an answer with a body; a handler that returns None answers 204. A row with `gives`
    that does so has `may_have_no_body`. `also_gives` has the answers with another status, which the
    documents name; their classes are among those of `gives`. `repeat_answer` makes, of the use
    case's result, the answer that a repeated request gets; an idempotent row of an account needs
    it. `on_repeat` says what a repeat does at a POST that is not idempotent. The log has a `polled`
    row at DEBUG. `errors` is the form of every refusal on the path, also of the router's own; other
    forms need a path without braces. `represent` makes, of the stored resource, the answer of its
    single read; a write gives the resource to `call.precondition`. A row that `only_previews` says
    what another one would do, and changes nothing; it compares what that one would. A change that
    `has_preview` counts for what that has said alone, if `If-Preview-Match` names it. `caller_rule`
    is a sentence about whom the use case admits among those with the permission. A row
    `for_gateways` answers every method at its path and below, and refuses with 401, 403 or 503:
    gateways know no other status. No document for clients names it. A row that `streams` answers
    in pieces, of these media types. What `reads_quickly` reads of a body takes the place of
    `takes`, unless it is `None`.
    """

    method: str
    path: str
    handler: Handler
    operation_id: str
    summary: str
    tag: str
    access: Access
    takes: type[BaseModel] | None = None
    reads_quickly: Callable[[bytes], Any] | None = None
    query: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    may_have_no_body: bool = False
    status: int = 200
    also_gives: tuple[tuple[int, type[BaseModel]], ...] = ()
    refuses: tuple[type[Refusal], ...] = ()
    effective_everywhere: bool = False
    gives_revision: bool = False
    body_cap: int = BODY_CAP_BYTES
    idempotent: bool = False
    repeat_answer: Callable[[Any], BaseModel] | None = None
    on_repeat: str | None = None
    represent: Callable[[Any], Tagged] | None = None
    only_previews: bool = False
    has_preview: bool = False
    caller_rule: str | None = None
    for_gateways: bool = False
    strictness: Strictness = Strictness.STRICT
    media: Media = Media.JSON
    polled: bool = False
    streams: tuple[str, ...] = ()
    errors: ErrorForm = ErrorForm.PROBLEM

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path's braces."""
        return tuple(PARAMETER.findall(self.path))

    @property
    def conditional(self) -> bool:
        """Whether `If-Match` and `If-None-Match` count."""
        return self.represent is not None or self.only_previews

    def all_refusals(self) -> tuple[type[Refusal], ...]:
        """All refusals of this route: the handler's own, then those that its row implies."""
        implied: list[type[Refusal]] = [*self.refuses, *BY_ACCESS[type(self.access)], *_OF_LOAD]
        if self.parameters:
            implied.append(NotFound)
        if needs_fresh_proof(self.access):
            implied.append(StepUpRequired)
        if self.takes is not None:
            implied.append(MalformedJson if self.media is Media.JSON else MalformedForm)
            implied += [WrongContentType, *_OF_BODIES]
        if self.idempotent:
            implied += [IdempotencyKeyReused, IdempotencyAnswerLost]
        if self.conditional or self.has_preview:
            implied.append(PreconditionFailed)
        implied.append(Invalid if self.strictness is Strictness.STRICT else BadRequest)
        implied.append(NotHttp)
        return tuple(dict.fromkeys(implied))


_OF_LOAD = (Unavailable, Overloaded, TooManyAtOnce, DeadlineExceeded)
_OF_BODIES = (BodyMissing, BodyBroken, BodyTooLarge, BodyTooSlow)
