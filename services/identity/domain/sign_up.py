"""Sign-up: a pending sign-up waits for the proof of its address, and then there is a user."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity.domain.mailed_links import REPEAT_WINDOW, link_to_mail
from services.identity.domain.users import User, localized_fields, payload_fields, user_fact
from shared.addresses import Address, parse_address
from shared.contracts.facts import Fact, Outcome, ResourceRef
from shared.contracts.identity import (
    SignUpRequested,
    UserSignedUp,
    UserSignUpRefused,
    UserVerified,
)
from shared.ids import SessionId, SignUpId
from shared.locales import DEFAULT_LOCALE, Locale
from shared.names import parse_name
from shared.problems import Invalid, Refusal, RefusalKind

SIGN_UP_LIFETIME = timedelta(days=7)
"""The link works for this time, and the pending sign-up is deleted with it."""
YOUNG_LINK = timedelta(days=1)
"""A sign-up that is repeated within this time mails the same link again."""


class AccountExists(Refusal):
    """The address of an e-mailed invitation has a user with another password.

    Only the holder of the e-mailed invitation learns it: they have proved to read the mail.
    """

    kind = RefusalKind.CONFLICT
    code = "account-exists"
    detail = "A user with this address exists already. Sign in, then accept the invitation."


@dataclass(frozen=True, kw_only=True)
class PendingSignUp:
    """The one sign-up of an address that waits for its proof; there is no password yet.

    `session_id` is the session that the link has started, once it is used.
    """

    id: SignUpId
    email: str
    email_key: str
    name: str
    generation: int
    link_made_at: datetime
    used_at: datetime | None = None
    session_id: SessionId | None = None
    locale: Locale = DEFAULT_LOCALE

    @property
    def expires_at(self) -> datetime:
        """The end of the newest link."""
        return self.link_made_at + SIGN_UP_LIFETIME

    @property
    def delete_at(self) -> datetime:
        """The moment from which on the row has no use."""
        return self.expires_at if self.used_at is None else self.used_at + REPEAT_WINDOW

    def waits(self, now: datetime) -> bool:
        """Whether the address can still be proved by the newest link."""
        return self.used_at is None and now < self.expires_at

    def has_young_link(self, now: datetime) -> bool:
        """Whether a repeated sign-up mails the same link again."""
        return self.used_at is None and now < self.link_made_at + YOUNG_LINK


@dataclass(frozen=True, kw_only=True)
class Registration:
    """The input of a sign-up after its checks."""

    address: Address
    name: str
    locale: Locale


def check_registration(*, email: str, name: str, locale: Locale = DEFAULT_LOCALE) -> Registration:
    """Check the input of a sign-up.

    Raises:
        Invalid: it names every field that is wrong.
    """
    faults = []
    address = None
    try:
        address = parse_address(email)
    except ValueError as problem:
        faults.append(("/email", str(problem)))
    try:
        name = parse_name(name)
    except ValueError as problem:
        faults.append(("/name", str(problem)))
    if address is None or faults:
        raise Invalid(errors=faults)
    return Registration(address=address, name=name, locale=locale)


def request(
    current: PendingSignUp | None,
    registration: Registration,
    *,
    sign_up_id: SignUpId,
    now: datetime,
) -> tuple[PendingSignUp, Fact]:
    """Start the sign-up of an address without a user, or repeat it.

    While the link is young it is mailed again, with the name that it was made for: a stranger who
    repeats a sign-up does not choose the name of the address's owner. A new link has the new name.
    """
    if current is not None and current.has_young_link(now):
        return _mailed(current, made_at=current.link_made_at, now=now)
    pending = PendingSignUp(
        id=sign_up_id if current is None else current.id,
        email=registration.address.typed,
        email_key=registration.address.key,
        name=registration.name,
        generation=0 if current is None else current.generation,
        link_made_at=now,
        locale=registration.locale,
    )
    return _mailed(pending, made_at=None, now=now)


def resend(current: PendingSignUp | None, *, now: datetime) -> tuple[PendingSignUp, Fact] | None:
    """Have the link of a sign-up that still waits mailed again; `None` if none waits."""
    if current is None or not current.waits(now):
        return None
    return _mailed(current, made_at=current.link_made_at, now=now)


def refused(user: User) -> Fact:
    """Make the fact that a sign-up named the address of a user."""
    payload = UserSignUpRefused(**payload_fields(user))
    fact = user_fact(user, payload)
    return replace(fact, outcome=Outcome.DENIED, reason=AccountExists.code)


def signed_up(user: User) -> tuple[Fact, ...]:
    """Give the facts of a new user, whose address is proved (Ci2)."""
    signed_up = UserSignedUp(**localized_fields(user), verified=True, generation=1)
    return (
        user_fact(user, signed_up, after={"email": user.email, "name": user.name}),
        user_fact(user, UserVerified(**payload_fields(user))),
    )


def _mailed(
    pending: PendingSignUp, *, made_at: datetime | None, now: datetime
) -> tuple[PendingSignUp, Fact]:
    generation, made_at = link_to_mail(pending.generation, made_at, now=now, young_for=YOUNG_LINK)
    mailed = replace(pending, generation=generation, link_made_at=made_at)
    payload = SignUpRequested(
        sign_up_id=mailed.id,
        email=mailed.email,
        name=mailed.name,
        generation=mailed.generation,
        expires_at=mailed.expires_at,
        locale=mailed.locale,
    )
    return mailed, Fact(
        payload=payload,
        resource=ResourceRef(type="sign_up", id=mailed.id, name=mailed.name),
        after={"email": mailed.email, "name": mailed.name},
    )
