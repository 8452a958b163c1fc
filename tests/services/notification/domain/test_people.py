"""Whom notification knows, and in which language a message is."""

import pytest

from services.notification.domain.messages import Message, MessageKind, message_id
from services.notification.domain.people import PEOPLE, Person, addressed, person_of
from shared.contracts import identity, identity_addresses, identity_erasure, team
from shared.contracts.facts import Actor, Caller, RequestInfo
from shared.ids import UserId
from shared.locales import Locale
from tests.services.notification.samples import MEMBER, USER
from tests.services.rows import NOON, row_of

CALLER = Caller(actor=Actor(type="service", id="notification"), request=RequestInfo(request_id="r"))
GERMAN = {"locale": "de", "time_zone": "Europe/Berlin"}
BO = Person(
    id=UserId("usr_bo"), email_key="bo@example.com", locale=Locale.DE, time_zone="Europe/Berlin"
)
ANA = Person(
    id=UserId("usr_ana"), email_key="ana@example.com", locale=Locale.DE, time_zone="Europe/Vienna"
)
CHANGED = {"previous_email": "old@example.com"}
FACTS = [
    identity.UserSignedUp(**USER, **GERMAN, verified=True, generation=1),
    identity.UserProvisioned(**USER, **GERMAN, client_id="c", external_id="e", verified=False),
    identity.UserLocaleChanged(**USER, **GERMAN),
    identity_addresses.UserEmailChanged(
        **USER, **GERMAN, **CHANGED, undo_generation=None, undo_until=None
    ),
    identity_addresses.UserEmailRestored(**USER, **GERMAN, **CHANGED),
]


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_fact_about_a_user_tells_address_language_and_zone(fact):
    person = person_of(row_of(fact))
    assert person == Person(
        id=USER["user_id"],
        email_key="bo@example.com",
        locale=Locale.DE,
        time_zone="Europe/Berlin",
        account_id=USER["account_id"],
    )


def test_an_erased_user_has_no_address():
    erased = person_of(row_of(identity_erasure.UserErased(user_id="usr_bo", account_id="acc_bo")))
    assert erased is not None
    assert erased.erased


def test_every_fact_that_tells_of_people_is_known():
    assert {fact.type for fact in FACTS} | {identity_erasure.UserErased.type} == PEOPLE
    assert person_of(row_of(team.MemberRemoved(**MEMBER))) is None


def message_to(recipient, **fields):
    return Message(
        id=message_id("evt_0190b5d2f0c87a3fb1e2c3d4e5f60718", MessageKind.INVITATION, recipient),
        kind=MessageKind.INVITATION,
        recipient=recipient,
        account_id="acc_1",
        caller=CALLER,
        created_at=NOON,
        **fields,
    )


ERASED = Person(id=UserId("usr_bo"), email_key="", locale=Locale.EN, time_zone="")
NAMESAKE = Person(
    id=UserId("usr_cem"), email_key="bo@example.com", locale=Locale.DE, time_zone="UTC"
)


@pytest.mark.parametrize(
    ("message", "people", "expected"),
    [
        (message_to("bo@example.com"), [BO], ("usr_bo", "de", "Europe/Berlin")),
        (message_to("Bo@Example.com"), [BO], ("usr_bo", "de", "Europe/Berlin")),
        (message_to("other@x.org", user_id="usr_bo"), [BO], ("usr_bo", "de", "Europe/Berlin")),
        (message_to("bo@example.com", user_id="usr_x"), [BO], ("usr_x", "en", "UTC")),
        (message_to("new@x.org", language_of="usr_ana"), [ANA], (None, "de", "Europe/Vienna")),
        (
            message_to("bo@example.com", language_of="usr_ana"),
            [ANA, BO],
            ("usr_bo", "de", "Europe/Berlin"),
        ),
        (message_to("new@x.org"), [ANA], (None, "en", "UTC")),
        (message_to("new@x.org", language_of="usr_bo"), [ERASED], (None, "en", "UTC")),
        (message_to("bo@example.com"), [BO, NAMESAKE], (None, "en", "UTC")),
        (message_to(""), [ERASED], (None, "en", "UTC")),
    ],
)
def test_a_message_has_the_language_of_its_reader(message, people, expected):
    read = addressed(message, people)
    assert read is not None
    assert (read.user_id, read.locale, read.time_zone) == expected


def test_nothing_is_written_to_a_user_who_is_erased():
    assert addressed(message_to("bo@example.com", user_id="usr_bo"), [ERASED]) is None
