"""The pace of mails that members cause to others, as tables."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from services.notification.domain.messages import MessageKind
from services.notification.domain.pace import (
    MAILS_ABOUT_ONE_THING,
    MAILS_OF_A_TOPIC,
    PACE_WINDOW,
    TOPICS,
    Place,
    Topic,
    current_places,
    next_due,
    pace_key,
    waiting_place,
)
from shared.ids import MessageId
from tests.services.rows import NOON

MINUTE = timedelta(minutes=1)
WITH_BUDGETS_OF_THEIR_OWN = {
    MessageKind.VERIFY_EMAIL,
    MessageKind.ACCOUNT_EXISTS,
    MessageKind.PASSWORD_RESET,
    MessageKind.EMAIL_CHANGE,
    MessageKind.EMAIL_WANTED,
    MessageKind.INVITATION,
}
CAUSED_BY_THE_RECIPIENT = {
    MessageKind.USER_ERASED,  # once, and the address is free then
    MessageKind.PASSWORD_CHANGED,
    MessageKind.SECOND_FACTOR_ADDED,
    MessageKind.SECOND_FACTOR_REMOVED,
    MessageKind.RECOVERY_CODES_REPLACED,
    MessageKind.RECOVERY_CODE_USED,
    MessageKind.PASSKEY_COPY_SUSPECTED,
    MessageKind.TOKEN_CREATED,
    MessageKind.IDENTITY_LINKED,
    MessageKind.IDENTITY_UNLINKED,
    MessageKind.SIGNED_OUT,
    MessageKind.NEW_DEVICE,
    MessageKind.EMAIL_CHANGE_REQUESTED,
    MessageKind.EMAIL_CHANGED,
    MessageKind.EMAIL_RESTORED,
    MessageKind.OWNERSHIP_TRANSFERRED,  # the answer to the recipient's own offer, once
}
CAUSED_BY_THE_PLATFORM = {
    MessageKind.TOKEN_EXPIRY,
    MessageKind.USER_DISABLED,
    MessageKind.USER_ENABLED,
    MessageKind.ACCOUNT_MOVED,
    MessageKind.ACCOUNT_SUSPENDED,
    MessageKind.AUDIT_CHECKPOINT,
    MessageKind.ACCOUNT_RESUMED,
}


def place(minutes: float, about: str = "prj_1") -> Place:
    """A mail that is or was due this long after noon."""
    due_at = NOON + minutes * MINUTE
    return Place(
        id=MessageId("msg_1"), kind=MessageKind.OVERRIDE_SET, about=about, seq=1, due_at=due_at
    )


@pytest.mark.rule("T14")
def test_every_mail_that_members_cause_to_others_has_a_pace() -> None:
    others = WITH_BUDGETS_OF_THEIR_OWN | CAUSED_BY_THE_RECIPIENT | CAUSED_BY_THE_PLATFORM
    others |= {MessageKind.DIGEST}  # tells what has a pace
    assert set(TOPICS) == set(MessageKind) - others


@pytest.mark.rule("T14")
@pytest.mark.parametrize(
    ("places", "due"),
    [
        ([], 0),
        ([place(-5), place(-3)], 0),
        ([place(-5), place(-3), place(-1)], 55),
        ([place(-5), place(-3), place(-1), place(55)], 57),
        ([place(-5), place(-3), place(-1, "prj_2")], 0),
        ([place(-n, f"prj_{n}x") for n in range(9)], 0),
        ([place(-n, f"prj_{n}x") for n in range(10)], 51),
        ([place(-n, f"prj_{n}x") for n in range(10)] + [place(51, "prj_0x")], 52),
    ],
)
def test_a_mail_is_due_when_both_limits_have_room(places: list[Place], due: float) -> None:
    assert next_due(places, about="prj_1", now=NOON) == NOON + due * MINUTE


@pytest.mark.rule("T14")
@pytest.mark.parametrize("projects", [1, 4, 40])
def test_no_hour_has_more_mails_than_the_limits(projects: int) -> None:
    """A member changes overrides twice a minute for three hours, in one or many projects."""
    places: list[Place] = []
    times: dict[str, list[datetime]] = {}
    now = NOON
    for step in range(360):
        about = f"prj_{step % projects}"
        now += MINUTE / 2
        if waiting_place(places, about=about, now=now) is None:
            due = next_due(current_places(places, now=now), about=about, now=now)
            places.append(place((due - NOON) / MINUTE, about))
            times.setdefault(about, []).append(due)
    for same in times.values():
        assert most_in_an_hour(same) <= MAILS_ABOUT_ONE_THING
    assert most_in_an_hour([due for same in times.values() for due in same]) <= MAILS_OF_A_TOPIC


def most_in_an_hour(times: list[datetime]) -> int:
    return max(sum(begin <= time < begin + PACE_WINDOW for time in times) for begin in times)


def test_a_place_counts_for_an_hour_and_waits_until_it_is_due() -> None:
    places = [place(-60), place(-59), place(0), place(1, "prj_2")]
    assert current_places(places, now=NOON) == places[1:]
    assert waiting_place(places, about="prj_1", now=NOON) is None
    assert waiting_place(places, about="prj_2", now=NOON) == places[3]


def test_accounts_people_and_topics_have_paces_of_their_own() -> None:
    keys = {
        pace_key(account_id, recipient, topic)
        for account_id in ("acc_1", "acc_2")
        for recipient in ("ana@x.example", "bo@x.example")
        for topic in Topic
    }
    assert len(keys) == 2 * 2 * len(Topic)
    assert all("ana" not in key for key in keys)
