"""What do identity's routes take and give?"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, RootModel, model_validator

from services.identity.clients import Scope
from shared.http import Answer, Body

# Long enough for every true value; the domain says what is wrong with a value that fits.
Text = Annotated[str, Field(min_length=1, max_length=512)]
# RFC 6749, section 3.2: a parameter without a value counts as not sent.
OrOmitted = Annotated[str | None, AfterValidator(lambda text: text or None)]


class InvitationProof(Body):
    """What an invitation's link holds."""

    token: Text
    code: Text


class SignUp(Body):
    """Address, or an invitation that names it; never both."""

    email: Text | None = None
    name: Text
    password: Text
    invitation: InvitationProof | None = None

    @model_validator(mode="after")
    def _one_of_two(self) -> "SignUp":
        if (self.email is None) == (self.invitation is None):
            raise ValueError("Give either email or invitation")
        return self


class Verify(Body):
    """What the mailed link holds; the code may be left out."""

    token: Text
    code: Text | None = None


class Resend(Body):
    """Which address waits for a link."""

    email: Text


class LogIn(Body):
    """Who signs in."""

    email: Text
    password: Text


class Refresh(Body):
    """The token that the last sign-in or refresh gave."""

    refresh_token: Text


class Rename(Body):
    """What a user changes of themselves."""

    name: Text


class Switch(Body):
    """Which account becomes the session's current one."""

    account_id: Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")]


class TokenForm(Body):
    """The form of RFC 6749, section 4.4.2; what must be there is said in the RFC's own errors."""

    grant_type: OrOmitted = None
    scope: OrOmitted = None
    client_id: OrOmitted = None
    client_secret: OrOmitted = None


class NewClient(Body):
    """A service client to be; `null` binds it to no account or resource type.

    Its access tokens name what it is bound to: with the most of both they fit into a token's 8 KB.
    """

    name: Annotated[str, Field(min_length=1, max_length=100)]
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=len(Scope))]
    account_ids: (
        Annotated[
            tuple[Annotated[str, Field(pattern="^acc_[0-9a-f]{32}$")], ...], Field(max_length=100)
        ]
        | None
    ) = None
    resource_types: (
        Annotated[
            tuple[Annotated[str, Field(pattern="^[a-z][a-z0-9_]{0,63}$")], ...],
            Field(max_length=20),
        ]
        | None
    ) = None


class UserAnswer(Answer):
    """A person as they see themselves."""

    id: str
    email: str
    name: str
    verified: bool


class SessionAnswer(Answer):
    """Tokens of a session; `account_id` is its current account."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    refresh_token: str
    user: UserAnswer
    account_id: str


class VerificationSent(Answer):
    """A mail is on its way, if there is anybody to get it."""

    status: Literal["verification-sent"] = "verification-sent"


class SignUpAnswer(RootModel[SessionAnswer | VerificationSent]):
    """A session where an e-mailed invitation proved the address, else that a link was mailed."""


class MeAnswer(UserAnswer):
    """The user, the personal account, and the session of the request with its current account."""

    account_id: str
    session_id: str
    current_account_id: str


class SwitchAnswer(Answer):
    """An access token that names the new current account; the refresh token stays as it is."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    account_id: str


class TokenAnswer(Answer):
    """RFC 6749, section 5.1."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105 - the name of a scheme
    expires_in: int
    scope: str


class TokenError(Answer):
    """RFC 6749, section 5.2."""

    error: str
    error_description: str


class TokenResult(RootModel[TokenAnswer | TokenError]):
    """A token, or why there is none."""


class ClientAnswer(Answer):
    """A new client; the secret is shown this once."""

    id: str
    secret: str


class Discovery(Answer):
    """What OpenID Connect Discovery 1.0 names of this server and this server has."""

    issuer: str
    jwks_uri: str
    token_endpoint: str
    grant_types_supported: tuple[str, ...]
    response_types_supported: tuple[str, ...]
    token_endpoint_auth_methods_supported: tuple[str, ...]
    scopes_supported: tuple[str, ...]
