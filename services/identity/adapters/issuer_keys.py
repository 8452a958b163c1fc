"""The keys of an issuer: which of them can verify a token that is signed in this way."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from shared.http.outbound import OutboundError

MAX_KEYS = 64
MIN_RSA_BITS, MAX_RSA_BITS = 2048, 8192
MAX_ID_LENGTH = 1024
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

PublicKey = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A kind of keys: its algorithm, its fixed members, and the longest text of each other one."""

    algorithm: str
    fixed: Mapping[str, str]
    longest: Mapping[str, int]

    def public_members(self, row: Mapping[str, Any]) -> dict[str, str] | None:
        """Return what the public key is made of, or `None` if the row has something else."""
        if any(row.get(name) != value for name, value in self.fixed.items()):
            return None
        members = dict(self.fixed)
        for name, length in self.longest.items():
            text = row.get(name)
            if not isinstance(text, str) or len(text) > length:
                return None
            members[name] = text
        return members


def _base64(size: int) -> int:
    """The characters of this many bytes, padded."""
    return -(-size // 3) * 4


_POINT = _base64(32)
_KINDS = (
    _Kind(
        algorithm="RS256",
        fixed={"kty": "RSA"},
        longest={"n": _base64(MAX_RSA_BITS // 8), "e": _base64(4)},
    ),
    _Kind(
        algorithm="ES256",
        fixed={"kty": "EC", "crv": "P-256"},
        longest={"x": _POINT, "y": _POINT},
    ),
    _Kind(algorithm="EdDSA", fixed={"kty": "OKP", "crv": "Ed25519"}, longest={"x": _POINT}),
)
"""The keys that are used (RFC 7518, section 6). Their bounds are those of the work with them."""


@dataclass(frozen=True, kw_only=True)
class IssuerKey:
    """A public key for one algorithm."""

    kid: str | None
    algorithm: str
    public: PublicKey


def read_keys(members: Mapping[str, Any]) -> list[IssuerKey]:
    """Read the public keys of an issuer (RFC 7517); other rows are left out.

    Nothing but the members of a public key is read: from a private one a library also works out
    what is missing, for seconds.

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
    fitting = [key for key in keys if key.algorithm == algorithm and kid in {None, key.kid}]
    return fitting[0] if len(fitting) == 1 else None


def _read(row: Any) -> IssuerKey | None:
    if not isinstance(row, dict) or row.get("use", "sig") != "sig" or _PRIVATE & row.keys():
        return None
    kid = row.get("kid")
    if isinstance(kid, str) and len(kid) > MAX_ID_LENGTH:
        return None
    for kind in _KINDS:
        members = kind.public_members(row)
        if members is None or row.get("alg") not in (None, kind.algorithm):
            continue
        public = _public_key(members, kind.algorithm)
        if public is not None:
            return IssuerKey(
                kid=kid if isinstance(kid, str) else None, algorithm=kind.algorithm, public=public
            )
    return None


def _public_key(members: dict[str, str], algorithm: str) -> PublicKey | None:
    try:
        public = jwt.PyJWK(members, algorithm).key
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    if not isinstance(public, PublicKey):
        return None
    if isinstance(public, RSAPublicKey) and not MIN_RSA_BITS <= public.key_size <= MAX_RSA_BITS:
        return None
    return public
