"""Calls to identity."""

from types import NoneType
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from shared.contracts.calls.base import InternalAnswer, InternalCall, InternalRequest, LinkAnswer
from shared.contracts.topology import Service


class KeySet(InternalAnswer):
    """A JWK set (RFC 7517, section 5): the public keys that access tokens are verified with."""

    keys: list[dict[str, str]]


class InternalUser(InternalAnswer):
    """A user as other services may know them. A status other than `active` may not act."""

    user_id: str
    email: str
    email_verified: bool
    name: str
    account_id: str
    """The user's personal account."""
    status: str = "active"


class VerificationLinkRequest(InternalRequest):
    """A verification link of earlier versions, which does not work any more."""

    kind: Literal["verification"]
    id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]


class SignUpLinkRequest(InternalRequest):
    """The link of a pending sign-up that is about to be mailed."""

    kind: Literal["sign-up"]
    id: Annotated[str, Field(pattern="^sup_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]


class PasswordResetLinkRequest(InternalRequest):
    """The link of a user's password reset that is about to be mailed."""

    kind: Literal["password-reset"]
    id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]


class PasswordResetLinkAnswer(InternalAnswer):
    """A link to be mailed, never to be stored or logged; it works without a code."""

    url: str


class AddressLinkRequest(InternalRequest):
    """The link to a new address that is to be proved, or to a former one that can be restored."""

    kind: Literal["address-change", "address-undo"]
    id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]
    address_id: Annotated[str, Field(pattern="^(adr_[0-9a-f]{32})?$")] = ""
    """Stands for the new address. Requests without it are of earlier versions."""


class AddressLinkAnswer(InternalAnswer):
    """A link to be mailed, never to be stored or logged; it works without a code."""

    url: str


class FactorLinkRequest(InternalRequest):
    """The link that takes a new second factor back, and that is about to be mailed."""

    kind: Literal["factor-take-back"]
    id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]
    generation: Annotated[int, Field(ge=1)]


class FactorLinkAnswer(InternalAnswer):
    """A link to be mailed, never to be stored or logged; it works without a code."""

    url: str


class FarewellRequest(InternalRequest):
    """The last mail to a user who was erased, which is about to be sent, or was."""

    kind: Literal["farewell"]
    id: Annotated[str, Field(pattern="^usr_[0-9a-f]{32}$")]


class FarewellAnswer(InternalAnswer):
    """To whom the last mail goes; never to be stored or logged."""

    email: str
    name: str


class NamedUsersRequest(InternalRequest):
    """Users whom a service client names: by its external ids, or by their own ids."""

    client_id: Annotated[str, Field(pattern="^cli_[0-9a-f]{32}$")]
    external_ids: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    user_ids: Annotated[tuple[str, ...], Field(max_length=100)] = ()


class NamedUser(InternalUser):
    """A user, and the id of the request that names them."""

    named: str


class NamedUsers(InternalAnswer):
    """Those of the users that exist."""

    users: tuple[NamedUser, ...]


class PeopleQuery(InternalRequest):
    """`cursor` is the `next_cursor` of the page before."""

    cursor: str | None = Field(default=None, max_length=200)


class PersonKnown(InternalAnswer):
    """A user as the facts about them tell: whom mails go to, and how they are written."""

    user_id: str
    account_id: str
    email: str
    locale: str
    time_zone: str


class PeoplePage(InternalAnswer):
    """Some of the users."""

    people: tuple[PersonKnown, ...]
    next_cursor: str | None


MAX_TOKEN_USES = 400
"""The tokens of one call; its body stays below the limit of a body."""


class TokenUse(InternalRequest):
    """An API token, and when it was last used."""

    token_id: Annotated[str, Field(pattern="^tok_[0-9a-f]{32}$")]
    at: AwareDatetime


class TokenUsesReport(InternalRequest):
    """The API tokens that were used lately."""

    uses: Annotated[tuple[TokenUse, ...], Field(max_length=MAX_TOKEN_USES)]


KEY_SET = InternalCall(
    name="readKeySet",
    summary="Read the public keys that access tokens are verified with",
    method="GET",
    path="/internal/jwks",
    callees=(Service.IDENTITY,),
    callers=tuple(Service),
    request=type(None),
    answer=KeySet,
    polled=True,
)
USER = InternalCall(
    name="readUser",
    summary="Read a user",
    method="GET",
    path="/internal/users/{user_id}",
    callees=(Service.IDENTITY,),
    callers=(Service.TEAM, Service.NOTIFICATION),
    request=type(None),
    answer=InternalUser,
)
NAMED_USERS = InternalCall(
    name="readNamedUsers",
    summary="Read the users that a service client names",
    method="POST",
    path="/internal/named-users",
    callees=(Service.IDENTITY,),
    callers=(Service.TEAM,),
    request=NamedUsersRequest,
    answer=NamedUsers,
)
VERIFICATION_LINK = InternalCall(
    name="makeVerificationLink",
    summary="Refuse a verification link of earlier versions",
    method="POST",
    path="/internal/links",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=VerificationLinkRequest,
    answer=LinkAnswer,
)
SIGN_UP_LINK = InternalCall(
    name="makeSignUpLink",
    summary="Make the link of a pending sign-up that is mailed now",
    method="POST",
    path="/internal/sign-up-links",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=SignUpLinkRequest,
    answer=LinkAnswer,
)
PASSWORD_RESET_LINK = InternalCall(
    name="makePasswordResetLink",
    summary="Make the link of a password reset that is mailed now",
    method="POST",
    path="/internal/password-reset-links",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=PasswordResetLinkRequest,
    answer=PasswordResetLinkAnswer,
)
ADDRESS_LINK = InternalCall(
    name="makeAddressLink",
    summary="Make the link of a change of address that is mailed now",
    method="POST",
    path="/internal/address-links",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=AddressLinkRequest,
    answer=AddressLinkAnswer,
)
FACTOR_LINK = InternalCall(
    name="makeFactorLink",
    summary="Make the link that takes a new second factor back and is mailed now",
    method="POST",
    path="/internal/factor-links",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=FactorLinkRequest,
    answer=FactorLinkAnswer,
)
FAREWELL = InternalCall(
    name="readFarewell",
    summary="Read to whom the last mail to an erased user goes",
    method="POST",
    path="/internal/farewells",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=FarewellRequest,
    answer=FarewellAnswer,
)
FAREWELL_SENT: InternalCall[FarewellRequest, None] = InternalCall(
    name="forgetFarewell",
    summary="Tell that the last mail to an erased user is done with",
    method="POST",
    path="/internal/farewells/done",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=FarewellRequest,
    answer=NoneType,
)
TOKEN_USES: InternalCall[TokenUsesReport, None] = InternalCall(
    name="reportTokenUses",
    summary="Tell which API tokens were used",
    method="POST",
    path="/internal/token-uses",
    callees=(Service.IDENTITY,),
    callers=(Service.AUTHZ, Service.TEAM),
    request=TokenUsesReport,
    answer=NoneType,
    polled=True,
)
READ_PEOPLE = InternalCall(
    name="readPeople",
    summary="Read the users page by page, as mails to them need it",
    method="GET",
    path="/internal/people",
    callees=(Service.IDENTITY,),
    callers=(Service.NOTIFICATION,),
    request=PeopleQuery,
    answer=PeoplePage,
    polled=True,
)
