"""Tokens of internal calls: the calling service, and the principal that it acts for.

The calling service signs each call itself. No internal call needs identity.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import SecretStr, ValidationError

from rolecall.client import jwt
from rolecall.client.jwk import read_public
from rolecall.client.jwt import BadSignature, BadToken
from shared.auth.keys import read_private
from shared.auth.principals import ServicePrincipal
from shared.clock import Clock
from shared.contracts.facts import Actor
from shared.ids import new_id
from shared.metrics import FORMER_KEY_USES
from shared.secret_keys import split_keys

INTERNAL_TYPE = "internal+jwt"
INTERNAL_SECONDS = 60
SERVICE_HEADER = "Rolecall-Service"
"""The header that names the answering service: its address may now be that of another."""


class InternalSigner:
    """Signs the calls of one service."""

    def __init__(self, *, service: str, key: SecretStr, clock: Clock) -> None:
        self._service = service
        self._key = read_private(split_keys(key)[0])
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

    def __init__(
        self, *, service: str, keys: Mapping[str, str | Sequence[str]], clock: Clock
    ) -> None:
        """`keys` are the public keys by service (`ROLECALL_<SERVICE>_INTERNAL_KEYS`)."""
        self._service = service
        self._keys = {
            name: [read_public(text) for text in ([texts] if isinstance(texts, str) else texts)]
            for name, texts in keys.items()
        }
        self._clock = clock

    def verify(self, token: str) -> ServicePrincipal:
        """Verify a token; return the calling service and the principal that it acts for.

        Raises:
            BadToken: no service of the product signed it for this one within the last minute.
        """
        caller = jwt.key_id(token, typ=INTERNAL_TYPE)
        keys = self._keys.get(caller)
        if keys is None:
            raise BadToken("unknown service")
        claims = self._claims(token, caller, keys)
        try:
            act = Actor.model_validate(claims["act"]) if "act" in claims else None
        except ValidationError as error:
            raise BadToken("not an actor") from error
        return ServicePrincipal(service=caller, act=act)

    def _claims(
        self, token: str, caller: str, keys: Sequence[Ed25519PublicKey]
    ) -> Mapping[str, Any]:
        """The claims of a token that one of the caller's keys has signed."""
        place = 0
        while True:
            try:
                claims = jwt.verify(
                    token,
                    keys[place],
                    issuer=caller,
                    audience=self._service,
                    now=self._clock.now(),
                    max_lifetime=INTERNAL_SECONDS,
                )
            except BadSignature:
                place += 1
                if place == len(keys):
                    raise
            else:
                if place:
                    FORMER_KEY_USES.labels(self._service, f"internal call of {caller}").inc()
                return claims
