"""A small service whose routes show every kind of row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

import aiohttp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AwareDatetime, Field, SecretStr

from shared import context
from shared.auth.access_tokens import TokenVerifier, client_claims, sign_access_token, user_claims
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalSigner, InternalVerifier
from shared.auth.key_sources import StaticKeys
from shared.auth.keys import generate_service_keys
from shared.auth.principals import ClientPrincipal, Member
from shared.http.access import Admin, Client, Internal, Permission, Public, Session, SessionOrClient
from shared.http.api import Api
from shared.http.error_forms import ErrorForm
from shared.http.idempotency import Idempotency
from shared.http.routes import Answer, Body, Call, Media, Route, Strictness
from shared.ids import AccountId, ClientId, SessionId, UserId
from shared.mongo import connect
from shared.problems import Refusal, RefusalKind
from tests.clocks import SetClock

ISSUER = "https://rolecall.test"
CLOCK = SetClock()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
INTERNAL = generate_service_keys(("team", "authz", "audit"))
ADMIN_KEY = SecretStr("0123456789abcdef0123456789abcdef")
USER = UserId("usr_" + "0a" * 16)
SESSION = SessionId("ses_" + "0b" * 16)
ACCOUNT = AccountId("acc_" + "0c" * 16)
CLIENT = ClientId("cli_" + "0d" * 16)


UNUSED_KEYS = Idempotency(connect("mongodb://127.0.0.1:1", app_name="tests")["unused"], clock=CLOCK)
"""No handler of the sample takes a key, so no database is asked."""


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Cat(Body):
    kind: Literal["cat"]
    lives: int


class Dog(Body):
    kind: Literal["dog"]
    names: Annotated[tuple[str, ...], Field(min_length=1)]


class Food(Body):
    what: str
    times: list[str | int | float | bool] = Field(default_factory=list)


Meal = Annotated[str, Field(max_length=20)] | Food


class Thing(Body):
    name: Annotated[str, Field(max_length=20)]
    password: SecretStr | None = None
    count: int = 0
    colour: Colour = Colour.RED
    born: AwareDatetime | None = None
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    food: Meal | Annotated[list[Meal], Field(min_length=1)] | None = None
    labels: dict[str, str] = Field(default_factory=dict)


class Search(Body):
    limit: int = Field(50, ge=1, le=200)
    after: str | None = Field(None, alias="from")


class Echo(Answer):
    name: str
    principal: str


class Deep(Answer):
    value: Any


class NameTaken(Refusal):
    kind = RefusalKind.CONFLICT
    code = "name-taken"
    detail = "The name {name} is taken."


class Hidden(Refusal):
    kind = RefusalKind.CONFLICT
    code = "hidden"
    detail = "This refusal is missing in its row."


class Busy(Refusal):
    kind = RefusalKind.RATE_LIMITED
    code = "busy"
    detail = "Too many."


@dataclass(frozen=True)
class Written:
    revision: str | None = "team.e1.7.42"
    effective: bool = True


@dataclass
class World:
    """What the handlers received, and what they answer."""

    calls: list[Call[Any, Any]] = field(default_factory=list)
    raises: Exception | None = None
    gives: Any = None
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    refusal: Refusal | None = None
    contexts: list[tuple[str | None, str | None]] = field(default_factory=list)

    async def check(
        self,
        principal: Member,
        account_id: AccountId,
        permission: str,
        *,
        revision: str | None,
        owner_id: str | None = None,
    ) -> None:
        self.seen.append((account_id, permission, revision))
        if self.refusal is not None:
            raise self.refusal


async def echo(world: World, call: Call[Any, Any]) -> Any:
    world.calls.append(call)
    world.contexts.append((context.request_id.get(), context.account_id.get()))
    if world.raises is not None:
        raise world.raises
    if world.gives is not None:
        return world.gives
    actor = call.caller.actor
    return Echo(name=getattr(call.body, "name", ""), principal=f"{actor.type}:{actor.id}")


async def nothing(world: World, call: Call[Any, Any]) -> None:
    world.calls.append(call)


def row(method: str, path: str, access: Any, **more: Any) -> Route:
    name = method.lower() + "".join(filter(str.isalnum, path.title()))
    return Route(
        **{
            "method": method,
            "path": path,
            "handler": echo,
            "operation_id": name,
            "summary": "Test",
            "tag": "test",
            "access": access,
            "gives": Echo,
        }
        | more
    )


ROUTES = (
    row("GET", "/v1/open", Public(), query=Search, refuses=(NameTaken, Busy)),
    row("POST", "/v1/open", Public(), takes=Thing, refuses=(NameTaken,)),
    row("GET", "/v1/mine", Session()),
    row("GET", "/v1/accounts/{account_id}", Permission("account:view")),
    row(
        "PATCH",
        "/v1/accounts/{account_id}",
        Permission("account:rename"),
        takes=Thing,
        effective_everywhere=True,
    ),
    row(
        "DELETE",
        "/v1/accounts/{account_id}/members/{user_id}",
        Permission("member:remove"),
        handler=nothing,
        gives=None,
        effective_everywhere=True,
    ),
    row("GET", "/v1/accounts/{account_id}/roles/{role_id}", Session()),
    row("POST", "/v1/once", Session(), takes=Thing, idempotent=True, status=201),
    row("POST", "/v1/large", Public(), takes=Thing, body_cap=200),
    row("POST", "/v1/check", Client("authz:check"), takes=Thing, strictness=Strictness.LENIENT),
    row("GET", "/v1/either", SessionOrClient("audit:read")),
    row(
        "POST",
        "/oauth2/token",
        Public(),
        takes=Search,
        media=Media.FORM,
        strictness=Strictness.LENIENT,
        errors=ErrorForm.OAUTH,
    ),
)
INTERNAL_ROUTES = (
    row("GET", "/internal/heads", Internal(("authz",))),
    row("POST", "/internal/admin/things", Admin(), takes=Thing),
)


def user_token(**more: Any) -> str:
    claims = user_claims(
        issuer=ISSUER, user_id=USER, session_id=SESSION, account_id=ACCOUNT, now=CLOCK.now()
    )
    return sign_access_token(KEY, "key_1", claims | more)


def client_token(*scopes: str) -> str:
    client = ClientPrincipal(client_id=CLIENT, scopes=frozenset(scopes))
    return sign_access_token(
        KEY, "key_1", client_claims(issuer=ISSUER, client=client, now=CLOCK.now())
    )


def internal_token(service: str, callee: str = "team") -> str:
    secret = SecretStr(INTERNAL.private[service])
    return InternalSigner(service=service, key=secret, clock=CLOCK).token(callee)


CREDENTIALS: Mapping[str, str] = {
    "user": user_token(),
    "checker": client_token("authz:check"),
    "reader": client_token("audit:read"),
    "authz": internal_token("authz"),
    "audit": internal_token("audit"),
    "operator": ADMIN_KEY.get_secret_value(),
}


def bearer(who: str | None) -> dict[str, str]:
    return {} if who is None else {"Authorization": f"Bearer {CREDENTIALS[who]}"}


def authenticator(**more: Any) -> Authenticator:
    return Authenticator(
        tokens=TokenVerifier(
            issuer=ISSUER, keys=StaticKeys({"key_1": KEY.public_key()}), clock=CLOCK
        ),
        internal=InternalVerifier(service="team", keys=INTERNAL.public, clock=CLOCK),
        admin_key=ADMIN_KEY,
        **more,
    )


@dataclass
class Site:
    """A running application and its client."""

    url: str
    session: aiohttp.ClientSession
    world: World

    def ask(self, method: str, path: str, **more: Any) -> Any:
        return self.session.request(method, self.url + path, **more)


def team(world: World, **more: Any) -> Api:
    given: dict[str, Any] = {
        "authenticator": authenticator(),
        "checker": world,
        "idempotency": UNUSED_KEYS,
    } | more
    return Api("team", ROUTES, world, **given)
