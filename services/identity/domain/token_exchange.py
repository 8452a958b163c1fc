"""Token exchange (RFC 8693): which service client gets a token to act for which user."""

from dataclasses import dataclass

from services.identity.domain.oidc import GRANT_TYPES, ScopeNotHeld, TokenRequestInvalid
from services.identity.domain.service_clients import ClientScope, ServiceClient
from shared.auth.bindings import MAX_ACTORS, MAX_EXCHANGES
from shared.auth.principals import (
    AccessTokenPrincipal,
    AccessTokenRef,
    DelegatedPrincipal,
    UserPrincipal,
)
from shared.ids import ClientId
from shared.problems import Refusal, RefusalKind

EXCHANGE = GRANT_TYPES[1]
ACCESS_TOKEN_TYPE = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - a type
SCOPE = ClientScope.USERS_ACT


class ExchangeNotAllowed(Refusal):
    """The error `unauthorized_client`: the client may not act for users."""

    kind = RefusalKind.MALFORMED
    code = "unauthorized-client"
    detail = f"This client may not act for users. Use a client with the scope {SCOPE}."


class TargetInvalid(Refusal):
    """The error `invalid_target`: the token is asked for another audience."""

    kind = RefusalKind.MALFORMED
    code = "invalid-target"
    detail = "Tokens are issued for the audience {audience} alone. Send it, or leave it out."


@dataclass(frozen=True, kw_only=True)
class ExchangeRequest:
    """The parameters of RFC 8693, section 2.1, that a client sent."""

    subject_token: str | None = None
    subject_token_type: str | None = None
    requested_token_type: str | None = None
    actor_token: str | None = None
    audience: str | None = None
    resource: str | None = None
    scope: str | None = None


def subject_token_of(
    client: ServiceClient, request: ExchangeRequest, *, audiences: tuple[str, ...]
) -> str:
    """Return the token of the user for whom the client may act, as the request alone says.

    Raises:
        ExchangeNotAllowed, TokenRequestInvalid, TargetInvalid, ScopeNotHeld.
    """
    if SCOPE not in client.scopes:
        raise ExchangeNotAllowed
    if not request.subject_token:
        raise TokenRequestInvalid("The parameter subject_token is missing. Send a user's token.")
    if request.subject_token_type != ACCESS_TOKEN_TYPE:
        raise TokenRequestInvalid(f"The subject_token_type must be {ACCESS_TOKEN_TYPE}.")
    if request.requested_token_type not in {None, ACCESS_TOKEN_TYPE}:
        raise TokenRequestInvalid(f"The requested_token_type must be {ACCESS_TOKEN_TYPE}.")
    if request.actor_token is not None:
        raise TokenRequestInvalid("The client itself is the actor. Leave actor_token out.")
    for target in (request.audience, request.resource):
        if target is not None and target not in audiences:
            raise TargetInvalid(audience=audiences[0])
    if request.scope not in {None, SCOPE}:
        raise ScopeNotHeld
    return request.subject_token


class SubjectInvalid(TokenRequestInvalid):
    """The error `invalid_request` of a subject token (RFC 8693, section 2.2.2)."""

    def __init__(self) -> None:
        super().__init__(
            "The subject_token is not the access token of a user who is signed in. Get a new one."
        )


def delegated(client: ServiceClient, subject: AccessTokenPrincipal) -> DelegatedPrincipal:
    """Return the client as it acts for the user of a token; clients and tokens before it are kept.

    The account of the session is left out if the client is bound to others.

    Raises:
        SubjectInvalid: the token is not of a user.
        TokenRequestInvalid: too many clients would act one after the other, or too many exchanges
            would follow one another.
    """
    if isinstance(subject, UserPrincipal):
        former: tuple[ClientId, ...] = ()
        made_of: tuple[AccessTokenRef, ...] = ()
    elif isinstance(subject, DelegatedPrincipal):
        former, made_of = subject.client_ids, subject.made_of
    else:
        raise SubjectInvalid
    if subject.access_token is not None:
        made_of = (*made_of, subject.access_token)
    if len(made_of) > MAX_EXCHANGES:
        raise TokenRequestInvalid(
            f"At most {MAX_EXCHANGES} exchanges follow one another. Send the user's own token."
        )
    chain = former if former[:1] == (client.id,) else (client.id, *former)
    if len(chain) > MAX_ACTORS:
        raise TokenRequestInvalid(
            f"At most {MAX_ACTORS} clients act one after the other. Send the user's own token."
        )
    bound, account_id = client.account_ids, subject.account_id
    return DelegatedPrincipal(
        user_id=subject.user_id,
        session_id=subject.session_id,
        client_ids=chain,
        account_id=account_id if bound is None or account_id in bound else None,
        made_of=made_of,
    )
