"""What does one row of a ROUTES table say?"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

from multidict import CIMultiDictProxy
from pydantic import BaseModel, ConfigDict

from shared.auth.principals import ClientPrincipal, Principal, ServicePrincipal, UserPrincipal
from shared.contracts.facts import Caller
from shared.http.access import (
    Access,
    Admin,
    Client,
    Internal,
    Permission,
    Public,
    Session,
    SessionOrClient,
)
from shared.http.refusals import (
    BadRequest,
    BodyBroken,
    BodyMissing,
    BodyTooLarge,
    BodyTooSlow,
    MalformedForm,
    MalformedJson,
    WrongContentType,
    WrongPrincipal,
)
from shared.ids import AccountId
from shared.problems import (
    Invalid,
    NotFound,
    PermissionMissing,
    Refusal,
    ScopeMissing,
    Unauthenticated,
    Unavailable,
)

BodyT = TypeVar("BodyT")
QueryT = TypeVar("QueryT")

BODY_CAP = 65_536
MOST_ERRORS = 20
PARAMETER = re.compile(r"\{([a-z_]+)\}")
REVISION_HEADER = "Rolecall-Revision"

# Of the journals that authz follows: it could wait for no other.
_REVISION = re.compile(
    r"(?:identity|team)\.[A-Za-z0-9_-]{1,64}\.(?:[0-9]|[1-5][0-9]|6[0-3])\.[1-9][0-9]{0,17}"
)


class Body(BaseModel):
    """What a route takes, as body or as query: unknown members are refused (`T23`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(BaseModel):
    """What a route gives."""

    model_config = ConfigDict(frozen=True)


class Strictness(StrEnum):
    """How input that does not fit is answered."""

    STRICT = "strict"
    """422 with pointers; unknown members are refused."""
    LENIENT = "lenient"
    """Always 400, unknown members are ignored: what AuthZEN and RFC 6749 ask for."""


def refuse(errors: Sequence[tuple[str, str]], strictness: Strictness) -> Refusal:
    """The refusal that this strictness gives to input that does not fit."""
    return (Invalid if strictness is Strictness.STRICT else BadRequest)(errors=errors[:MOST_ERRORS])


def revision_of(headers: Mapping[str, str], strictness: Strictness) -> str | None:
    """The revision that authz must know before it answers, where the caller names one.

    Raises:
        Invalid, BadRequest: the header is no revision of a journal that authz follows.
    """
    revision = headers.get(REVISION_HEADER)
    if revision is not None and _REVISION.fullmatch(revision) is None:
        raise refuse([(f"/headers/{REVISION_HEADER}", "Is no revision")], strictness)
    return revision


class Media(StrEnum):
    """What a body is written in."""

    JSON = "application/json"
    FORM = "application/x-www-form-urlencoded"


class Effect(Protocol):
    """What a committed write tells its caller (the journal's `Written` fits)."""

    @property
    def revision(self) -> str | None:
        """The revision that the write made; None when it changed nothing."""
        ...

    @property
    def effective(self) -> bool:
        """Whether every replica that answers has it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[BodyT, QueryT]):
    """One request whose caller is known, allowed so far, and whose input fits."""

    caller: Caller
    principal: Principal
    path: Mapping[str, str]
    body: BodyT
    query: QueryT
    headers: CIMultiDictProxy[str]
    route: "Route"
    request_id: str
    idempotency_key: str | None = None

    @property
    def account_id(self) -> AccountId:
        """The account that the path names."""
        return AccountId(self.path["account_id"])

    @property
    def revision(self) -> str | None:
        """What a handler that asks authz itself passes on; raises as `revision_of` does."""
        return revision_of(self.headers, self.route.strictness)

    @property
    def permission(self) -> str:
        """The permission that this route needs."""
        if not isinstance(self.route.access, Permission):
            raise TypeError(f"{self.route.operation_id} names no permission")
        return self.route.access.name

    @property
    def user(self) -> UserPrincipal:
        """The person who calls."""
        if not isinstance(self.principal, UserPrincipal):
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
        """The service of ours that calls."""
        if not isinstance(self.principal, ServicePrincipal):
            raise TypeError(f"{self.route.operation_id} is not for services")
        return self.principal


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer with more to say than its body.

    `body` as bytes is sent as it is, with `content_type`. With `written` the answer carries
    `Rolecall-Revision`, and is a 202 with `Location` as long as the write is not effective.
    """

    body: BaseModel | bytes | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    written: Effect | None = None


Handler = Callable[[Any, Call[Any, Any]], Awaitable[BaseModel | Reply | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Method and path, what is taken, given and refused, and who may call.

    `takes` is None where no body is read, `query` is None where no parameter is known.
    With `effective_everywhere` the write is acknowledged after the barrier, because it changes what
    authz answers from. `status` is that of an answer with a body; a handler that returns None
    answers 204. `body_cap` is in bytes.
    """

    method: str
    path: str
    handler: Handler
    operation_id: str
    summary: str
    tag: str
    access: Access
    takes: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    gives: type[BaseModel] | None = None
    status: int = 200
    refuses: tuple[type[Refusal], ...] = ()
    effective_everywhere: bool = False
    body_cap: int = BODY_CAP
    idempotent: bool = False
    strictness: Strictness = Strictness.STRICT
    media: Media = Media.JSON

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path's braces."""
        return tuple(PARAMETER.findall(self.path))

    def all_refusals(self) -> tuple[type[Refusal], ...]:
        """Every refusal that this route may answer: the handler's own, then those of its row."""
        implied: list[type[Refusal]] = [*self.refuses, *_BY_ACCESS[type(self.access)], Unavailable]
        if self.parameters:
            implied.append(NotFound)
        if self.takes is not None:
            malformed = MalformedJson if self.media is Media.JSON else MalformedForm
            implied += [malformed, WrongContentType, *_OF_BODIES]
        implied.append(Invalid if self.strictness is Strictness.STRICT else BadRequest)
        return tuple(dict.fromkeys(implied))


_OF_BODIES = (BodyMissing, BodyBroken, BodyTooLarge, BodyTooSlow)
_BY_ACCESS: Mapping[type[Access], tuple[type[Refusal], ...]] = {
    Public: (),
    Session: (Unauthenticated, WrongPrincipal),
    Permission: (Unauthenticated, WrongPrincipal, PermissionMissing, NotFound),
    Client: (Unauthenticated, WrongPrincipal, ScopeMissing),
    SessionOrClient: (Unauthenticated, WrongPrincipal, ScopeMissing),
    Internal: (Unauthenticated, WrongPrincipal),
    Admin: (Unauthenticated,),
}
