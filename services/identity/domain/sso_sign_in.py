"""A sign-in with an issuer, from its beginning to the answer (RFC 6749, RFC 7636, RFC 9207).

The caller that begins it gets a sealed text, the **binding**, and keeps it where only the person's
own browser has it. The answer counts only together with it. So a stranger who sends a person an
answer of their own brings about no session (login CSRF), and an overheard answer is of no use.
"""

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from urllib.parse import urlencode

from services.identity.domain.id_tokens import IssuerAnswerInvalid
from services.identity.domain.sso_connections import SsoConnection
from shared.ids import UserId
from shared.problems import Refusal, RefusalKind

SIGN_IN_LIFETIME = timedelta(minutes=10)
"""The time that a person has for the pages of the issuer."""
_SECRET_BYTES = 32


class SsoSignInOver(Refusal):
    """The sign-in is forged, another browser's, used or too old; the answer is the same."""

    kind = RefusalKind.GONE
    code = "sso-sign-in-over"
    detail = (
        "This sign-in is not valid any more, or was begun in another browser. Begin the sign-in"
        " again."
    )


@dataclass(frozen=True, kw_only=True)
class SsoSignIn:
    """A sign-in that waits for its answer; the sealed binding has it, and no database.

    `user_id` is the signed-in user who links the identity to themselves, or `None`.
    """

    state: str
    nonce: str
    verifier: str
    connection_id: str
    issuer: str
    redirect_uri: str
    begun_at: datetime
    user_id: UserId | None = None

    @property
    def key(self) -> str:
        """What is kept of a used sign-in."""
        return sha256(self.state.encode()).hexdigest()

    @property
    def ends_at(self) -> datetime:
        """The moment after which no answer counts."""
        return self.begun_at + SIGN_IN_LIFETIME


@dataclass(frozen=True, kw_only=True)
class SsoAnswer:
    """What the issuer sent the browser back with, and where it arrived."""

    state: str
    code: str
    redirect_uri: str
    issuer: str | None


def begin(
    connection: SsoConnection, *, redirect_uri: str, now: datetime, user_id: UserId | None = None
) -> SsoSignIn:
    """Begin a sign-in, with secrets of its own."""
    state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
    return SsoSignIn(
        state=state,
        nonce=nonce,
        verifier=verifier,
        connection_id=connection.id,
        issuer=connection.issuer,
        redirect_uri=redirect_uri,
        begun_at=now,
        user_id=user_id,
    )


def redirect_uri_of(page: str, connection_id: str) -> str:
    """Where the issuer of a connection sends the browser back.

    Each connection has an address of its own. The page can therefore tell which issuer answers,
    also if that does not name itself.
    """
    return f"{page}/{connection_id}"


def authorization_url(sign_in: SsoSignIn, connection: SsoConnection, endpoint: str) -> str:
    """The address of the issuer that the browser goes to."""
    challenge = urlsafe_b64encode(sha256(sign_in.verifier.encode()).digest()).rstrip(b"=")
    query = {
        "response_type": "code",
        "client_id": connection.client_id,
        "redirect_uri": sign_in.redirect_uri,
        "scope": " ".join(connection.scopes),
        "state": sign_in.state,
        "nonce": sign_in.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
    }
    return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"


def check_answer(
    sign_in: SsoSignIn | None, answer: SsoAnswer, *, user_id: UserId | None, now: datetime
) -> SsoSignIn:
    """Check that an answer belongs to the sign-in, before anything is asked of the issuer.

    `user_id` is the signed-in user who sends it, where one links an identity.

    Raises:
        SsoSignInOver: it is another sign-in's or another person's, or came too late.
        IssuerAnswerInvalid: it arrived where another issuer's answers do (RFC 9207, section 2.4).
    """
    if (
        sign_in is None
        or not hmac.compare_digest(sign_in.state.encode(), answer.state.encode())
        or sign_in.user_id != user_id
        or not sign_in.begun_at <= now < sign_in.ends_at
    ):
        raise SsoSignInOver
    if answer.redirect_uri != sign_in.redirect_uri:
        raise IssuerAnswerInvalid("redirect_uri")
    if answer.issuer is not None and answer.issuer != sign_in.issuer:
        raise IssuerAnswerInvalid("iss")
    return sign_in


def require_named_issuer(metadata: Mapping[str, object], answer: SsoAnswer) -> None:
    """Check that an issuer which says that it names itself in each answer has done so.

    Raises:
        IssuerAnswerInvalid: it has not.
    """
    promised = metadata.get("authorization_response_iss_parameter_supported") is True
    if promised and answer.issuer is None:
        raise IssuerAnswerInvalid("iss")
