"""The keys of an issuer: which of them can verify a token that is signed in this way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.http.outbound import OutboundError

MAX_KEYS = 64
MIN_RSA_BITS = 2048

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, kw_only=True)
class IssuerKey:
    """A public key, and what its issuer says of it; `algorithm` is `None` if that is nothing."""

    kid: str | None
    algorithm: str | None
    public: PublicKey

    def verifies(self, algorithm: str) -> bool:
        """Whether the key is for this algorithm, by its kind and by what its issuer says."""
        if self.algorithm not in {None, algorithm}:
            return False
        match self.public:
            case RSAPublicKey():
                return algorithm == "RS256" and self.public.key_size >= MIN_RSA_BITS
            case EllipticCurvePublicKey():
                return algorithm == "ES256" and isinstance(self.public.curve, SECP256R1)
            case Ed25519PublicKey():
                return algorithm == "EdDSA"


def read_keys(members: Mapping[str, Any]) -> list[IssuerKey]:
    """Read the keys of an issuer (RFC 7517); those that are not for signatures are left out.

    Raises:
        OutboundError: the answer is not a key set.
    """
    rows = members.get("keys")
    if not isinstance(rows, list):
        raise OutboundError("The answer is not a key set.")
    return [key for row in rows[:MAX_KEYS] if (key := _read(row)) is not None]


def key_for(keys: Sequence[IssuerKey], kid: Any, algorithm: str) -> IssuerKey | None:
    """The key of a token: of its id, and of the kind that the algorithm needs.

    A token that names no key has the only one of that kind.
    """
    fitting = [key for key in keys if key.verifies(algorithm) and kid in {None, key.kid}]
    return fitting[0] if len(fitting) == 1 else None


def _read(row: Any) -> IssuerKey | None:
    if not isinstance(row, dict) or row.get("use", "sig") != "sig":
        return None
    try:
        public = jwt.PyJWK(row).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    kid, algorithm = row.get("kid"), row.get("alg")
    if not isinstance(public, PublicKey):
        return None
    return IssuerKey(
        kid=kid if isinstance(kid, str) else None,
        algorithm=algorithm if isinstance(algorithm, str) else None,
        public=public,
    )
