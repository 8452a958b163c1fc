"""People: what notification knows of each user, from the facts of identity.

It knows the address by which facts name the user, and in which language and time zone they read.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from services.notification.domain.messages import Message
from shared.addresses import parse_address
from shared.contracts import identity, identity_addresses, identity_erasure
from shared.contracts.calls.identity import PersonKnown
from shared.contracts.facts import Row
from shared.contracts.registry import payload_of
from shared.ids import UserId
from shared.locales import Locale, known_locale


@dataclass(frozen=True, kw_only=True)
class Person:
    """A user, as the newest fact about them says; an erased one has no address."""

    id: UserId
    email_key: str
    locale: Locale
    time_zone: str
    account_id: str | None = None
    """Their personal account, in whose log the records about the user are."""

    @property
    def erased(self) -> bool:
        """Whether the user is gone."""
        return not self.email_key


LOCALIZED = (
    identity.UserSignedUp,
    identity.UserProvisioned,
    identity.UserLocaleChanged,
    identity_addresses.UserEmailChanged,
    identity_addresses.UserEmailRestored,
)
PEOPLE = frozenset({fact.type for fact in (*LOCALIZED, identity_erasure.UserErased)})
"""The facts from which people are known."""


def person_of(row: Row) -> Person | None:
    """The user as of this fact; `None` if it is not one of `PEOPLE`."""
    fact = payload_of(row)
    if isinstance(fact, identity_erasure.UserErased):
        return Person(id=UserId(fact.user_id), email_key="", locale=known_locale(""), time_zone="")
    if not isinstance(fact, LOCALIZED):
        return None
    return Person(
        id=UserId(fact.user_id),
        email_key=address_key(fact.email),
        locale=known_locale(fact.locale),
        time_zone=fact.time_zone,
        account_id=fact.account_id,
    )


def person_known(known: PersonKnown) -> Person:
    """The user as identity told without a fact."""
    return Person(
        id=UserId(known.user_id),
        email_key=address_key(known.email),
        locale=known_locale(known.locale),
        time_zone=known.time_zone,
        account_id=known.account_id,
    )


def address_key(email: str) -> str:
    """The form in which addresses are compared; empty for what is not one address."""
    try:
        return parse_address(email).key
    except ValueError:
        return ""


def addressed(message: Message, people: Iterable[Person]) -> Message | None:
    """The message in the language of its recipient; `None` for a recipient who is erased.

    A recipient whom no fact names is known by the address. A stranger is written to in the language
    that the fact tells, or that of the user who caused the mail.
    """
    known = {person.id: person for person in people}
    recipient = _recipient(message, known)
    if recipient is not None and recipient.erased:
        return None
    reader = recipient or known.get(UserId(message.language_of or ""))
    if reader is None or reader.erased:
        return message
    return replace(
        message,
        user_id=message.user_id if recipient is None else recipient.id,
        locale=reader.locale,
        time_zone=reader.time_zone,
    )


def _recipient(message: Message, known: Mapping[UserId, Person]) -> Person | None:
    if message.user_id is not None:
        return known.get(UserId(message.user_id))
    key = address_key(message.recipient)
    holders = [person for person in known.values() if key and person.email_key == key]
    return holders[0] if len(holders) == 1 else None
