"""Tokens of internal calls: the calling service, and the principal that it acts for.

The calling service signs each call itself. No internal call needs identity.
"""

from collections.abc import Mapping

from pydantic import SecretStr, ValidationError

from rolecall.client import jwt
from rolecall.client.jwk import read_public
from rolecall.client.jwt import BadToken
from shared.auth.keys import read_private
from shared.auth.principals import ServicePrincipal
from shared.clock import Clock
from shared.contracts.facts import Actor
from shared.ids import new_id

INTERNAL_TYPE = "internal+jwt"
INTERNAL_SECONDS = 60
SERVICE_HEADER = "Rolecall-Service"
"""The header that names the answering service: its address may now be that of another."""


class InternalSigner:
    """Signs the calls of one service."""

    def __init__(self, *, service: str, key: SecretStr, clock: Clock) -> None:
        self._service = service
        self._key = read_private(key.get_secret_value())
        self._clock = clock

    def token(self, callee: str, *, act: Actor | None = None) -> str:
        """Sign a token for one call to `callee` on behalf of `act` (None: of the service)."""
        issued = int(self._clock.now().timestamp())
        claims = {
            "iss": self._service,
            "aud": callee,
            "jti": new_id("tok"),
            "iat": issued,
            "exp": issued + INTERNAL_SECONDS,
        }
        if act is not None:
            # The service that shows names and addresses looks them up; a token does not carry them.
            claims["act"] = act.model_dump(exclude_none=True, exclude={"name", "email"})
        return jwt.sign(self._key, kid=self._service, typ=INTERNAL_TYPE, claims=claims)


class InternalVerifier:
    """Verifies the tokens of calls to one service."""

    def __init__(self, *, service: str, keys: Mapping[str, str], clock: Clock) -> None:
        """`keys` are the public keys by service (`ROLECALL_<SERVICE>_INTERNAL_KEYS`)."""
        self._service = service
        self._keys = {name: read_public(text) for name, text in keys.items()}
        self._clock = clock

    def verify(self, token: str) -> ServicePrincipal:
        """Verify a token; return the calling service and the principal that it acts for.

        Raises:
            BadToken: no service of the product signed it for this one within the last minute.
        """
        caller = jwt.key_id(token, typ=INTERNAL_TYPE)
        key = self._keys.get(caller)
        if key is None:
            raise BadToken("unknown service")
        claims = jwt.verify(
            token,
            key,
            issuer=caller,
            audience=self._service,
            now=self._clock.now(),
            max_lifetime=INTERNAL_SECONDS,
        )
        try:
            act = Actor.model_validate(claims["act"]) if "act" in claims else None
        except ValidationError as error:
            raise BadToken("not an actor") from error
        return ServicePrincipal(service=caller, act=act)
