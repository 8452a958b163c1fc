"""Issuers of OpenID Connect: their metadata, their keys, and the exchange of a code.

Metadata and keys are kept in memory for a time. A token that names a key that is not known asks
once for the keys, at most twice a minute for one issuer.
"""

import asyncio
import logging
from base64 import b64encode
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote_plus

import jwt

from services.identity.adapters.issuer_keys import IssuerKey, key_for, read_keys
from services.identity.domain.id_tokens import IssuerAnswerInvalid, allowed_algorithms
from services.identity.domain.issuer_places import IssuerPlaces
from services.identity.domain.sso_connections import SsoConnection
from services.identity.domain.sso_sign_in import SsoSignIn
from shared.clock import Clock
from shared.http import strict_json
from shared.http.name_lookups import sent_for
from shared.http.outbound import Outbound, OutboundError, check_url
from shared.http.refusals import MalformedJson
from shared.networks import Network
from shared.problems import Refusal, RefusalKind

KEPT_SECONDS = 3600.0
KEYS_AGAIN_SECONDS = 30.0
MAX_ISSUERS = 256
MAX_TOKEN_LENGTH = 16_384
_WELL_KNOWN = "/.well-known/openid-configuration"
_log = logging.getLogger(__name__)


class IssuerUnavailable(Refusal):
    """The issuer gave no usable answer."""

    kind = RefusalKind.UNAVAILABLE
    code = "issuer-unavailable"
    detail = (
        "The sign-in service does not answer as it should. Try again in a moment, or sign in"
        " another way."
    )

    def __init__(self) -> None:
        super().__init__(retry_after=5)


@dataclass(frozen=True, kw_only=True)
class IssuerMetadata:
    """What an issuer says of itself, checked."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    algorithms: tuple[str, ...]
    in_header: bool
    """Whether the client's secret goes into a header (RFC 6749, section 2.3.1)."""
    members: Mapping[str, Any]


@dataclass
class _Known:
    metadata: IssuerMetadata
    read_at: float
    keys: Sequence[IssuerKey] = ()
    keys_read_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, kw_only=True)
class VerifiedIdToken:
    """The claims of an ID token whose signature is verified, and how it was signed."""

    claims: Mapping[str, Any]
    algorithm: str
    access_token: str | None


class Issuers:
    """Asks issuers; `networks` are those that may be asked besides the internet."""

    def __init__(
        self, outbound: Outbound, *, clock: Clock, networks: Sequence[Network] = ()
    ) -> None:
        self._outbound = outbound
        self._clock = clock
        self._networks = tuple(networks)
        self._known: dict[str, _Known] = {}
        self._places = IssuerPlaces()

    async def metadata(self, connection: SsoConnection) -> IssuerMetadata:
        """Return the metadata of a connection's issuer (OpenID Connect Discovery 1.0).

        Raises:
            IssuerUnavailable: it has none that can be used.
        """
        known = self._fresh(connection.issuer)
        if known is None:
            async with self._asking(connection):
                known = await self._issuer(connection.issuer)
        return known.metadata

    async def exchange(
        self, connection: SsoConnection, sign_in: SsoSignIn, code: str
    ) -> VerifiedIdToken:
        """Exchange a code, and verify the signature of the ID token.

        Raises:
            IssuerAnswerInvalid: the issuer refuses the code, or its token cannot be believed.
            IssuerUnavailable: it did not answer.
        """
        async with self._asking(connection):
            known = await self._issuer(connection.issuer)
            answer = await self._ask_for_token(known.metadata, connection, sign_in, code)
            token, access_token = answer.get("id_token"), answer.get("access_token")
            if not isinstance(token, str) or len(token) > MAX_TOKEN_LENGTH:
                raise IssuerAnswerInvalid("id_token")
            claims, algorithm = await self._verify(known, token)
            return VerifiedIdToken(
                claims=claims,
                algorithm=algorithm,
                access_token=access_token if isinstance(access_token, str) else None,
            )

    async def close(self) -> None:
        """Close the connections."""
        await self._outbound.close()

    @asynccontextmanager
    async def _asking(self, connection: SsoConnection) -> AsyncIterator[None]:
        """Hold a place for a request, and tell the operator why it got no usable answer."""
        issuer, account_id = connection.issuer, connection.account_id
        if not self._places.take(issuer, account_id):
            raise IssuerUnavailable
        began = self._clock.boottime()
        try:
            with sent_for(account_id):
                yield
        except OutboundError as fault:
            _log.warning(
                "an issuer gave no usable answer", extra={"issuer": issuer, "error": str(fault)}
            )
            raise IssuerUnavailable from fault
        finally:
            self._places.release(issuer, account_id, seconds=self._clock.boottime() - began)

    def _fresh(self, issuer: str) -> _Known | None:
        known = self._known.get(issuer)
        if known is None or self._clock.boottime() - known.read_at >= KEPT_SECONDS:
            return None
        return known

    async def _issuer(self, issuer: str) -> _Known:
        known = self._fresh(issuer)
        if known is not None:
            return known
        now = self._clock.boottime()
        answer = await self._outbound.get(issuer.removesuffix("/") + _WELL_KNOWN)
        if answer.status != 200:
            raise OutboundError(f"The metadata were answered with {answer.status}.")
        metadata = read_metadata(answer.members(), issuer=issuer, networks=self._networks)
        self._known.pop(issuer, None)
        while len(self._known) >= MAX_ISSUERS:
            del self._known[next(iter(self._known))]
        known = self._known[issuer] = _Known(metadata=metadata, read_at=now)
        return known

    async def _ask_for_token(
        self, metadata: IssuerMetadata, connection: SsoConnection, sign_in: SsoSignIn, code: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": sign_in.redirect_uri,
            "code_verifier": sign_in.verifier,
        }
        headers = {}
        client_id, secret = connection.client_id, connection.client_secret
        if secret is not None and metadata.in_header:
            pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
            headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
        else:
            form["client_id"] = client_id
            if secret is not None:
                form["client_secret"] = secret
        answer = await self._outbound.post_form(metadata.token_endpoint, form, headers=headers)
        if answer.status >= 500:
            raise OutboundError(f"The code was answered with {answer.status}.")
        if answer.status != 200:
            _log.warning(
                "an issuer refused a code",
                extra={"issuer": connection.issuer, "status": answer.status},
            )
            raise IssuerAnswerInvalid("code")
        return answer.members()

    async def _verify(self, known: _Known, token: str) -> tuple[Mapping[str, Any], str]:
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError as fault:
            raise IssuerAnswerInvalid("id_token") from fault
        algorithm = header.get("alg")
        if algorithm not in known.metadata.algorithms:
            raise IssuerAnswerInvalid("alg")
        key = await self._key(known, header.get("kid"), algorithm)
        try:
            payload = jwt.PyJWS().decode(token, key.public, algorithms=[algorithm])
            claims = strict_json.loads(payload)
        except jwt.PyJWTError as fault:
            raise IssuerAnswerInvalid("signature") from fault
        except MalformedJson as fault:
            raise IssuerAnswerInvalid("id_token") from fault
        if not isinstance(claims, dict):
            raise IssuerAnswerInvalid("id_token")
        return claims, algorithm

    async def _key(self, known: _Known, kid: Any, algorithm: str) -> IssuerKey:
        async with known.lock:
            now = self._clock.boottime()
            if now - known.keys_read_at >= KEPT_SECONDS:
                await self._read_keys(known, now)
            key = key_for(known.keys, kid, algorithm)
            if key is None and now - known.keys_read_at >= KEYS_AGAIN_SECONDS:
                await self._read_keys(known, now)
                key = key_for(known.keys, kid, algorithm)
        if key is None:
            raise IssuerAnswerInvalid("kid")
        return key

    async def _read_keys(self, known: _Known, now: float) -> None:
        answer = await self._outbound.get(known.metadata.jwks_uri)
        if answer.status != 200:
            raise OutboundError(f"The keys were answered with {answer.status}.")
        known.keys = read_keys(answer.members())
        known.keys_read_at = now


def read_metadata(
    members: Mapping[str, Any], *, issuer: str, networks: Sequence[Network] = ()
) -> IssuerMetadata:
    """Read the metadata of an issuer, which must be those of exactly this one.

    Raises:
        OutboundError: they are another issuer's, or lack something.
    """
    if members.get("issuer") != issuer:
        raise OutboundError("The metadata name another issuer.")
    endpoints = {}
    for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
        address = members.get(name)
        try:
            endpoints[name] = check_url(
                address if isinstance(address, str) else "", networks=networks
            )
        except ValueError as fault:
            raise OutboundError(f"The metadata have no usable {name}.") from fault
    algorithms = allowed_algorithms(_texts(members, "id_token_signing_alg_values_supported"))
    if not algorithms:
        raise OutboundError("The issuer signs in no way that is safe.")
    methods = _texts(members, "token_endpoint_auth_methods_supported")
    return IssuerMetadata(
        **endpoints,
        algorithms=algorithms,
        in_header=not methods or "client_secret_basic" in methods,
        members=members,
    )


def _texts(members: Mapping[str, Any], name: str) -> list[str]:
    values = members.get(name)
    return [one for one in values if isinstance(one, str)] if isinstance(values, list) else []
