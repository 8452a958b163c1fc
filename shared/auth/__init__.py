"""Authentication: access tokens, internal tokens, keys and the principals they prove."""

from shared.auth.access_tokens import TokenVerifier, client_claims, sign_access_token, user_claims
from shared.auth.authenticator import Authenticator
from shared.auth.internal_tokens import InternalSigner, InternalVerifier
from shared.auth.jwt import BadToken
from shared.auth.key_sources import KeySource, RemoteKeys, StaticKeys
from shared.auth.principals import (
    AdminPrincipal,
    Anonymous,
    ClientPrincipal,
    Principal,
    ServicePrincipal,
    UserPrincipal,
)

__all__ = [
    "AdminPrincipal",
    "Anonymous",
    "Authenticator",
    "BadToken",
    "ClientPrincipal",
    "InternalSigner",
    "InternalVerifier",
    "KeySource",
    "Principal",
    "RemoteKeys",
    "ServicePrincipal",
    "StaticKeys",
    "TokenVerifier",
    "UserPrincipal",
    "client_claims",
    "sign_access_token",
    "user_claims",
]
