"""The rules of digests: which mails wait, for how long, and what a digest tells."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.notification.domain.digest_words import digest_words
from services.notification.domain.digests import (
    DIGEST_WAIT,
    MAX_LISTED,
    SINGLE_MAILS,
    Digest,
    digest_due,
    digest_of,
    may_be_digested,
    newest_of,
    open_place,
)
from services.notification.domain.messages import MessageKind
from shared.ids import MessageId, UserId
from shared.locales import Locale
from tests.services.notification.domain.test_mails import SENDER, WORDS, a_message
from tests.services.rows import NOON

PLACE = open_place(MessageId("msg_1"), due_at=NOON)


@pytest.mark.parametrize(
    ("kind", "user_id", "waits"),
    [
        (MessageKind.ROLE_CHANGED, "usr_1", True),
        (MessageKind.ROLE_CHANGED, None, False),
        (MessageKind.REMOVED, "usr_1", False),
        (MessageKind.INVITATION, None, False),
    ],
)
def test_only_mails_that_their_user_can_switch_off_wait(kind, user_id, waits):
    message = replace(a_message(kind), user_id=user_id and UserId(user_id))
    assert may_be_digested(message) is waits


def test_the_first_mails_of_a_topic_go_at_once():
    for others in range(SINGLE_MAILS):
        assert digest_due([PLACE] * others, now=NOON) == NOON
    assert digest_due([PLACE] * SINGLE_MAILS, now=NOON) == NOON + DIGEST_WAIT


def test_a_digest_lists_the_newest_and_counts_all_others():
    wanted = [
        a_message(MessageKind.ROLE_CHANGED, recipient=f"{number}@example.com")
        for number in range(MAX_LISTED + 3)
    ]
    assert newest_of(wanted, more=2) == Digest(listed=wanted[3:], more=5)
    assert newest_of(wanted[:2], more=0) == Digest(listed=wanted[:2], more=0)
    assert newest_of([], more=1) == Digest(listed=[], more=1)


def test_one_mail_has_its_usual_form_only_if_a_digest_tells_nothing_else():
    one = a_message(MessageKind.ROLE_CHANGED)
    assert Digest(listed=[one]).single
    assert not Digest(listed=[one], more=1).single
    assert not Digest(listed=[one, one]).single


def test_a_digest_does_not_end_with_its_first_mail():
    first = a_message(MessageKind.OVERRIDE_SET)
    digest = digest_of(first)
    assert first.expires_at is not None
    assert (digest.expires_at, digest.kind, digest.about) == (None, MessageKind.DIGEST, None)
    assert digest == digest_of(first), "the same mail always gives the same"


def test_a_digest_is_in_one_language_and_zone_also_where_its_mails_are_not():
    german: Any = {"locale": Locale.DE, "time_zone": "Europe/Berlin"}
    before = a_message(MessageKind.ROLE_CHANGED, **WORDS)
    listed = [before, replace(before, created_at=NOON + timedelta(minutes=1), **german)]
    digest = replace(digest_of(before), **german)
    pages = {MessageKind.ROLE_CHANGED: "https://cloud.example/unsubscribe?token=a"}
    words = digest_words(digest, Digest(listed=listed), sender=SENDER, pages=pages)
    listed_words: Any = words["listed"]
    first, second = listed_words
    assert first.title == second.title == "Ihre Rolle im Team „Acme Robotics“ ist jetzt „Developer“"
    assert [each.at for each in (first, second)] == [
        "5. März 2026, 13:00 MEZ",
        "5. März 2026, 13:01 MEZ",
    ]
