"""Access tokens (RFC 9068): their claims, signing and verification."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from rolecall.client import jwt
from rolecall.client.access_tokens import ACCESS_SECONDS, ACCESS_TYPE, AUDIENCE
from rolecall.client.jwk import decode
from rolecall.client.jwt import BadToken
from shared.auth.bindings import MAX_ACTORS, MAX_EXCHANGES
from shared.auth.key_sources import KeySource
from shared.auth.principals import (
    AccessTokenPrincipal,
    AccessTokenRef,
    ClientPrincipal,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.clock import Clock
from shared.ids import AccountId, ClientId, KeyId, SessionId, TokenId, UserId, is_id, new_id

MAX_CACHED_TOKENS = 10_000
MAX_MOMENT = 2**33
"""Seconds since 1970 of a moment that can be read."""


def user_claims(
    *,
    issuer: str,
    user_id: UserId,
    session_id: SessionId,
    account_id: AccountId | None,
    now: datetime,
    proved_at: datetime | None = None,
) -> dict[str, Any]:
    """The claims of a user's access token (RFC 9068, without roles and e-mail).

    `proved_at` is when the user last proved who they are; without it no step-up is ever fresh.
    """
    claims = _claims(issuer, user_id, now) | {"sid": session_id}
    if proved_at is not None:
        claims["auth_time"] = int(proved_at.timestamp())
    return claims if account_id is None else claims | {"acct": account_id}


def client_claims(*, issuer: str, client: ClientPrincipal, now: datetime) -> dict[str, Any]:
    """The claims of a service client's access token."""
    claims = _claims(issuer, client.client_id, now)
    claims |= {"client_id": client.client_id, "scope": " ".join(sorted(client.scopes))}
    if client.account_ids is not None:
        claims["accounts"] = sorted(client.account_ids)
    if client.resource_types is not None:
        claims["types"] = sorted(client.resource_types)
    return claims


def delegated_claims(
    *, issuer: str, principal: DelegatedPrincipal, scope: str, now: datetime, until: int
) -> dict[str, Any]:
    """The claims of a token by which a service client acts for a user, until then at most.

    It never has `auth_time`: a client does not prove that the user is there. A verifier that
    does not know such tokens refuses `sid` beside `client_id`.
    """
    claims = _claims(issuer, principal.user_id, now)
    claims |= {
        "exp": min(claims["exp"], until),
        "sid": principal.session_id,
        "client_id": principal.client_id,
        "scope": scope,
        "act": _chain(principal.client_ids),
        "made_of": [[each.id, each.key_id] for each in principal.made_of],
    }
    return claims if principal.account_id is None else claims | {"acct": principal.account_id}


def _chain(client_ids: tuple[ClientId, ...]) -> dict[str, Any]:
    chain: dict[str, Any] = {}
    for client_id in reversed(client_ids):
        chain = {"sub": client_id} | ({"act": chain} if chain else {})
    return chain


def sign_access_token(key: Ed25519PrivateKey, kid: str, claims: Mapping[str, Any]) -> str:
    """Sign an access token with these claims."""
    return jwt.sign(key, kid=kid, typ=ACCESS_TYPE, claims=claims)


def _claims(issuer: str, subject: str, now: datetime) -> dict[str, Any]:
    issued = int(now.timestamp())
    return {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": subject,
        "jti": new_id("tok"),
        "iat": issued,
        "exp": issued + ACCESS_SECONDS,
    }


class VerifiedToken(NamedTuple):
    """What is known of a token whose signature was verified; see `TokenVerifier.holds`."""

    principal: AccessTokenPrincipal
    until: datetime
    version: int


class TokenVerifier:
    """Verifies access tokens; a verified token is cached by its text until it expires."""

    def __init__(
        self,
        *,
        issuer: str,
        keys: KeySource,
        clock: Clock,
        audience: str = AUDIENCE,
        max_cached_tokens: int = MAX_CACHED_TOKENS,
    ) -> None:
        """Make it; when `max_cached_tokens` are cached, the oldest is dropped for a new one."""
        self._issuer = issuer
        self._audience = audience
        self._keys = keys
        self._clock = clock
        self._max_cached_tokens = max_cached_tokens
        self._cached: dict[str, VerifiedToken] = {}

    async def verify(self, token: str) -> AccessTokenPrincipal:
        """Verify an access token and return the caller that it identifies.

        Raises:
            BadToken: it is not a valid access token.
            Unavailable: the keys cannot be fetched.
        """
        cached = self._known(token)
        if cached is not None:
            return cached.principal
        kid = jwt.key_id(token, typ=ACCESS_TYPE)
        key = await self._keys.find(kid)
        if key is None:
            raise BadToken("unknown key")
        return self._verify(token, kid, key).principal

    async def read(self, token: str) -> dict[str, Any]:
        """Verify an access token and return its claims; it raises as `verify`."""
        await self.verify(token)
        claims: dict[str, Any] = json.loads(decode(token.split(".")[1]))
        return claims

    def verify_now(self, token: str) -> VerifiedToken | None:
        """Verify a token at once; `None` if its key must be fetched first.

        Raises:
            BadToken: it is not a valid access token.
        """
        cached = self._known(token)
        if cached is not None:
            return cached
        kid = jwt.key_id(token, typ=ACCESS_TYPE)
        key = self._keys.find_now(kid)
        return None if key is None else self._verify(token, kid, key)

    def now(self) -> datetime:
        """Return the moment by which tokens are judged."""
        return self._clock.now()

    def holds(self, verified: VerifiedToken) -> bool:
        """Whether a token that was verified before is still valid."""
        return verified.version == self._keys.version and self._clock.now() < verified.until

    def _known(self, token: str) -> VerifiedToken | None:
        cached = self._cached.get(token)
        if cached is None or self.holds(cached):
            return cached
        del self._cached[token]
        return None

    def _verify(self, token: str, kid: str, key: Ed25519PublicKey) -> VerifiedToken:
        claims = jwt.verify(
            token,
            key,
            issuer=self._issuer,
            audience=self._audience,
            now=self._clock.now(),
            max_lifetime=ACCESS_SECONDS,
            required=("sub",),
        )
        if len(self._cached) >= self._max_cached_tokens:
            self._cached.pop(next(iter(self._cached)))
        verified = self._cached[token] = VerifiedToken(
            principal=_principal(claims, kid),
            until=datetime.fromtimestamp(claims["exp"], UTC),
            version=self._keys.version,
        )
        return verified


def _principal(claims: Mapping[str, Any], kid: str) -> AccessTokenPrincipal:
    access_token = AccessTokenRef(TokenId(claims["jti"]), KeyId(kid))
    if "act" in claims:
        return _delegated(claims, access_token)
    if ("sid" in claims) == ("client_id" in claims):
        raise BadToken("not exactly one of a user and a client")
    if "sid" in claims:
        return UserPrincipal(
            user_id=UserId(_id(claims["sub"], "usr")),
            session_id=SessionId(_id(claims["sid"], "ses")),
            account_id=AccountId(_id(claims["acct"], "acc")) if "acct" in claims else None,
            access_token=access_token,
            proved_at=_moment(claims["auth_time"]) if "auth_time" in claims else None,
        )
    if claims["sub"] != claims["client_id"]:
        raise BadToken("the subject is not the client")
    accounts, types = _texts(claims, "accounts"), _texts(claims, "types")
    scope = claims.get("scope")
    if not isinstance(scope, str):
        raise BadToken("no scope")
    return ClientPrincipal(
        client_id=ClientId(_id(claims["sub"], "cli")),
        scopes=frozenset(scope.split()),
        account_ids=None if accounts is None else frozenset(map(AccountId, accounts)),
        resource_types=None if types is None else frozenset(types),
        access_token=access_token,
    )


def _delegated(claims: Mapping[str, Any], access_token: AccessTokenRef) -> DelegatedPrincipal:
    """The principal of an exchanged token, which has both a user and the client that acts."""
    client_ids = _actors(claims["act"])
    if claims.get("client_id") != client_ids[0]:
        raise BadToken("the actor is not the client")
    return DelegatedPrincipal(
        user_id=UserId(_id(claims["sub"], "usr")),
        session_id=SessionId(_id(claims.get("sid"), "ses")),
        client_ids=client_ids,
        account_id=AccountId(_id(claims["acct"], "acc")) if "acct" in claims else None,
        access_token=access_token,
        made_of=_made_of(claims.get("made_of", [])),
    )


def _made_of(tokens: Any) -> tuple[AccessTokenRef, ...]:
    """The tokens of an exchange; identity of an earlier version names none."""
    if not isinstance(tokens, list) or len(tokens) > MAX_EXCHANGES:
        raise BadToken("made_of is not a list of tokens")
    found: list[AccessTokenRef] = []
    for each in tokens:
        match each:
            case [str(token_id), str(key_id)]:
                found.append(AccessTokenRef(TokenId(token_id), KeyId(key_id)))
            case _:
                raise BadToken("made_of names something else than tokens and keys")
    return tuple(found)


def _actors(chain: Any) -> tuple[ClientId, ...]:
    found: list[ClientId] = []
    while chain is not None:
        if not isinstance(chain, dict) or len(found) == MAX_ACTORS:
            raise BadToken("act is not a chain of clients")
        found.append(ClientId(_id(chain.get("sub"), "cli")))
        chain = chain.get("act")
    return tuple(found)


def _id(value: Any, prefix: str) -> str:
    if not isinstance(value, str) or not is_id(value, prefix):
        raise BadToken(f"not an id with the prefix {prefix}")
    return value


def _moment(value: Any) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < MAX_MOMENT:
        raise BadToken("auth_time is not a moment")
    return datetime.fromtimestamp(value, UTC)


def _texts(claims: Mapping[str, Any], name: str) -> list[str] | None:
    if name not in claims:
        return None
    value = claims[name]
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise BadToken(f"{name} is not a list of strings")
    return value
